// What all drawings share; gradients by lag, factors of steps, attention.

const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const OPTIONS = { displayModeBar: false, responsive: true, doubleClick: false };
const LINE_POINTS = 2000; // a curve of more is thinned
const NARROW = 700; // pixels of the window below which a touch scrolls the page and does not zoom

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const scaled = (colours) => colours.map((colour, place) => [place / (colours.length - 1), colour]);

/** Text that plotly must not read as its own markup. */
const literal = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** A step's token so that it can be seen. */
const visible = (token) =>
  token
    .replace(/\n/g, "↵")
    .replace(/\t/g, "⇥")
    .replace(/^ +$/, (blanks) => "␣".repeat(blanks.length));

function axis(more) {
  return { gridcolor: css("line"), zerolinecolor: css("line"), linecolor: css("line"), automargin: false, ...more };
}

/** An axis that counts: ticks at whole numbers. */
const counting = (text, last) =>
  axis({ title: { text }, zeroline: false, tickformat: "d", ...(last < 10 ? { dtick: 1 } : {}) });

function layout(height, more) {
  return {
    height,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: css("quiet") },
    colorway: css("series").split(" "),
    showlegend: false,
    dragmode: innerWidth < NARROW ? false : "zoom",
    hoverlabel: { bgcolor: css("card"), bordercolor: css("quiet"), font: { color: css("ink"), size: 13 } },
    ...more,
  };
}

/** A legend below the axis, one name a line where there is no room for two, and the margins for it. */
function legendBelow(element, traces) {
  const lines = Math.ceil(traces.length / (element.clientWidth < 440 ? 1 : 2));
  return {
    showlegend: true,
    legend: { orientation: "h", x: 0, yref: "container", y: 0, yanchor: "bottom" },
    margin: { l: 62, r: 30, t: 10, b: 60 + 20 * lines },
  };
}

/** x and y of a curve; of a long one the lowest and the highest point of each piece. */
function curve(from, to, at) {
  const x = [];
  const y = [];
  const piece = Math.max(1, Math.ceil((2 * (to - from + 1)) / LINE_POINTS));
  for (let start = from; start <= to; start += piece) {
    let low = start;
    let high = start;
    for (let step = start; step <= Math.min(to, start + piece - 1); step++) {
      if (!(at(step) >= at(low))) low = step;
      if (!(at(step) <= at(high))) high = step;
    }
    for (const step of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
      x.push(step);
      y.push(at(step));
    }
  }
  return { x, y };
}

/** Gradients by lag: means over losses and, of losses that were asked for one by one, their own. */
function drawGradients(element, gradients) {
  const traces = [];
  const draw = (name, norms) => {
    if (!(norms[0] > 0)) return;
    const points = curve(0, norms.length - 1, (lag) => (norms[lag] === null ? NaN : norms[lag] / norms[0]));
    const dash = DASHES[traces.length % DASHES.length];
    traces.push({
      ...points,
      name,
      type: "scatter",
      mode: "lines",
      line: { width: 2, dash },
      hovertemplate: "%{x} steps away: <b>%{y:.3g}</b><extra></extra>",
    });
  };
  for (const [place, { by_lag, horizon, at }] of Object.entries(gradients)) {
    draw(`${place}: ${horizon === null ? "no horizon in sight" : `1% after ${horizon} steps`}`, by_lag);
    for (const { step, norms } of at ?? [])
      draw(
        `${place}: loss at step ${step}`,
        place.includes("reverse") ? norms.slice(step) : norms.slice(0, step + 1).reverse(),
      );
  }
  const legend = legendBelow(element, traces);
  const bound = {
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: 0.01,
    y1: 0.01,
    line: { color: css("quiet"), width: 1, dash: "dot" },
  };
  const note = { xref: "paper", x: 1, y: -2, yref: "y", text: "1%", showarrow: false, xanchor: "left", xshift: 4 };
  return Plotly.react(
    element,
    traces,
    layout(290 + legend.margin.b, {
      ...legend,
      xaxis: counting("lag: steps between the loss and the state", Math.max(0, ...traces.map((one) => one.x.at(-1)))),
      yaxis: axis({
        type: "log",
        title: { text: "share of the norm at the loss", standoff: 4 },
        exponentformat: "power",
      }),
      shapes: [bound],
      annotations: [note],
      hovermode: "closest",
    }),
    OPTIONS,
  );
}

function drawFactors(element, factors, kept) {
  const number = (value) => (value === null ? NaN : value);
  const hovertemplate = "step %{x}: <b>%{y:.3g}</b><extra></extra>";
  const traces = [
    {
      x: factors.times,
      y: factors.norms.map(number),
      name: "largest factor of the whole state",
      type: "scatter",
      mode: "lines",
      hovertemplate,
    },
  ];
  for (const [name, { mean }] of Object.entries(kept)) {
    const dash = DASHES[traces.length % DASHES.length];
    traces.push({
      ...curve(0, mean.length - 1, (step) => number(mean[step])),
      name: `mean share of ${name} kept`,
      type: "scatter",
      mode: "lines",
      line: { dash },
      hovertemplate,
    });
  }
  const legend = legendBelow(element, traces);
  const one = {
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: 1,
    y1: 1,
    line: { color: css("quiet"), width: 1, dash: "dot" },
  };
  return Plotly.react(
    element,
    traces,
    layout(270 + legend.margin.b, {
      ...legend,
      xaxis: counting("step", factors.times.at(-1) ?? 0),
      yaxis: axis({ type: "log", title: { text: "factor", standoff: 4 } }),
      shapes: [one],
      hovermode: "closest",
    }),
    OPTIONS,
  );
}

/** How much each thing that was looked at, `over`, counted at each step. */
function drawAttention(element, { over, weights }, steps) {
  const ticks = (names, room) =>
    names.length <= room
      ? { tickvals: names.map((_, place) => place), ticktext: names.map((name) => literal(visible(name))) }
      : { nticks: 8 };
  const height = Math.min(640, 110 + 24 * steps.length);
  const trace = {
    z: weights,
    type: "heatmap",
    zmin: 0,
    zmax: 1,
    colorscale: scaled(VIRIDIS),
    colorbar: { thickness: 8, outlinewidth: 0, nticks: 3 },
    hovertemplate: "step %{y} looks at %{x}<br><b>%{z:.3f}</b><extra></extra>",
  };
  return Plotly.react(
    element,
    [trace],
    layout(height, {
      xaxis: axis({
        side: "top",
        showgrid: false,
        zeroline: false,
        automargin: true,
        ...ticks(over, element.clientWidth / 18),
      }),
      yaxis: axis({
        range: [steps.length - 0.5, -0.5],
        showgrid: false,
        zeroline: false,
        automargin: true,
        ...ticks(steps, 40),
      }),
      margin: { l: 20, r: 20, t: 40, b: 10 },
    }),
    OPTIONS,
  );
}
