// Maps and series: what plotly draws in step with the sequence.

const [LEFT, RIGHT, GAP] = [40, 56, 22]; // margins of the maps and what stands between them, pixels

const coloursOf = (gate) => (gate ? VIRIDIS : [css("low"), css("middle"), css("high")]);

/** The axis of steps: their tokens where there is room, else some of them, `named`, or numbers. */
function stepAxis(steps, from, to, width, named) {
  const count = to - from + 1;
  const shown = steps.slice(from, to + 1).map(visible);
  const longest = Math.max(1, ...shown.slice(0, 400).map((token) => token.length));
  const flat = count * (7 * longest + 3) <= width;
  const tokens = flat || (count * 15 <= width && longest <= 16);
  const every = tokens ? 1 : Math.ceil((count * (8 * longest + 16)) / width);
  const places = shown.map((_, place) => from + place).filter((step) => (step - from) % every === 0);
  const ticks =
    tokens || named
      ? {
          tickvals: places,
          ticktext: places.map((step) => literal(shown[step - from])),
          tickangle: tokens && !flat ? -90 : 0,
        }
      : { nticks: Math.max(3, Math.floor(width / 80)), tickformat: "d" };
  const room = tokens && !flat ? 14 + 7 * longest : 28;
  const range = [from - 0.5, to + 0.5];
  return {
    room,
    axis: axis({
      side: "top",
      range,
      ticks: "",
      showgrid: false,
      zeroline: false,
      anchor: "free",
      position: 1,
      ...ticks,
    }),
  };
}

/**
 * Rows one below the other over one axis of steps, which is `labelled` or bare. A row is a curve, `{name, title, height, at}`, or a map,
 * `{name, title, height, quantity}`.
 */
function drawRows(element, rows, view, steps, labelled) {
  const width = element.clientWidth - LEFT - RIGHT;
  const { axis: across, room: labels } = stepAxis(steps, view.from, view.to, width, false);
  const room = labelled ? labels : 0;
  const inner = rows.reduce((sum, row) => sum + row.height + GAP, 0);
  const figure = layout(inner + room + 4, {
    xaxis: { ...across, showticklabels: labelled },
    margin: { l: LEFT, r: RIGHT, t: room, b: 4 },
    hovermode: "closest",
  });
  const traces = [];
  const names = [];
  let top = inner - GAP;
  rows.forEach((row, number) => {
    const name = number ? `yaxis${number + 1}` : "yaxis";
    const own = { xaxis: "x", yaxis: number ? `y${number + 1}` : "y", name: row.name };
    const domain = [Math.max(0, (top - row.height) / inner), top / inner];
    figure[name] = axis({ domain, fixedrange: true, nticks: 3, anchor: "x", zeroline: false, ticks: "" });
    const middle = (domain[0] + domain[1]) / 2;
    names.push({
      xref: "paper",
      yref: "paper",
      x: 0,
      y: domain[1],
      xanchor: "left",
      yanchor: "bottom",
      text: literal(row.title ?? row.name),
      showarrow: false,
      font: { size: 12, color: css("ink") },
    });
    if (row.quantity) {
      const { quantity } = row;
      const cells = quantity.shrink(view.from, view.to, width, row.height, view.strongest);
      const many = cells.dx > 1 || cells.dy > 1;
      const kind = view.strongest && cells.dx * cells.dy > quantity.stride ? "strongest" : "mean";
      const around = many ? `${kind} of ${cells.dx} × ${cells.dy} (steps × units) around<br>` : "";
      const where = "step %{x:.0f}, unit %{y:.0f}";
      traces.push({
        ...own,
        ...cells,
        type: "heatmap",
        zmin: quantity.least,
        zmax: quantity.most,
        colorscale: scaled(coloursOf(quantity.gate)),
        hovertemplate: `${around}${where}<br><b>${literal(row.name)} = %{z:.${quantity.digits}g}</b><extra></extra>`,
        colorbar: {
          len: row.height / inner,
          y: middle,
          thickness: 8,
          nticks: 3,
          outlinewidth: 0,
          x: 1.01,
          xpad: 0,
          ypad: 0,
        },
      });
      Object.assign(figure[name], { range: [quantity.units - 0.5, -0.5], showgrid: false });
    } else {
      const points = curve(view.from, view.to, row.at);
      const mode = view.to - view.from < width / 8 ? "lines+markers" : "lines";
      traces.push({
        ...own,
        ...points,
        type: "scatter",
        mode,
        line: { width: points.x.length > width ? 0.7 : 1.6 },
        marker: { size: 5 },
        hovertemplate: `step %{x}<br><b>%{y:.3g}</b><extra>${literal(row.name)}</extra>`,
      });
    }
    top -= row.height + GAP;
  });
  Object.assign(figure, { shapes: marks(rows, view), annotations: names });
  return Plotly.react(element, traces, figure, OPTIONS);
}

/**
 * Numbers that were said, as curves, and what came, as points in the colours of what steps are coloured by: `shares` of
 * `colours`.
 */
function drawSeries(element, series, view, steps, shares, colours) {
  const { axis: across, room } = stepAxis(steps, view.from, view.to, element.clientWidth - LEFT - RIGHT, true);
  const height = 86;
  const inner = series.length * (height + GAP);
  const figure = layout(inner + room + 8, {
    xaxis: across,
    margin: { l: LEFT, r: RIGHT, t: room, b: 8 },
    hovermode: "x",
    annotations: [],
  });
  const x = steps.map((_, step) => step);
  const marker = {
    size: 8,
    color: shares,
    colorscale: scaled(colours),
    cmin: 0,
    cmax: 1,
    line: { width: 1, color: css("quiet") },
  };
  const traces = series.flatMap(({ name, said, observed }, number) => {
    const top = 1 - (number * (height + GAP) + GAP) / inner;
    const yaxis = number ? `y${number + 1}` : "y";
    figure[yaxis.replace("y", "yaxis")] = axis({
      domain: [Math.max(0, top - height / inner), top],
      nticks: 4,
      fixedrange: true,
      zeroline: false,
      anchor: "x",
      ticks: "",
    });
    figure.annotations.push({
      xref: "paper",
      yref: "paper",
      x: 0,
      y: top,
      xanchor: "left",
      yanchor: "bottom",
      text: `${literal(name)}: said (line) and what came (points)`,
      showarrow: false,
      font: { size: 12, color: css("ink") },
    });
    const told = (what) => ({ x, yaxis, type: "scatter", hovertemplate: `${what} <b>%{y:.5g}</b><extra></extra>` });
    return [
      { ...told("came"), y: observed, mode: "markers", marker },
      { ...told("said"), y: said, mode: "lines", line: { color: css("quiet"), width: 1.4 } },
    ];
  });
  figure.shapes = marks(series, view);
  return Plotly.react(element, traces, figure, OPTIONS);
}

/** Where the picked step and, in maps, the picked unit stand; the rows' vertical axes are y, y2, y3, … */
function marks(rows, view) {
  const line = { color: css("mark"), width: 1.5 };
  const thin = { color: css("mark"), width: 1, dash: "dot" };
  return rows.flatMap(({ quantity }, number) => {
    const y = number ? `y${number + 1}` : "y";
    const step = { type: "line", xref: "x", yref: `${y} domain`, x0: view.step, x1: view.step, y0: 0, y1: 1, line };
    if (!quantity || view.unit >= quantity.units) return [step];
    return [
      step,
      { type: "line", xref: "paper", yref: y, x0: 0, x1: 1, y0: view.unit, y1: view.unit, line: thin, opacity: 0.8 },
    ];
  });
}
