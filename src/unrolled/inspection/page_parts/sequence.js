// The sequence along the top, coloured by what is picked, and what is told of the picked step.

/** What the sequence is coloured by: a share from 0 to 1 for each step, and the colours. */
function colouring() {
  if (view.by === costs) {
    const known = seen.steps.map((_, step) => cost(step)).filter(Number.isFinite);
    const [least, most] = [Math.min(0, ...known), Math.max(1e-9, ...known)];
    return {
      share: (step) => (cost(step) - least) / (most - least),
      colours: [css("card"), css("high")],
      ends: [least.toPrecision(2), most.toPrecision(2)],
    };
  }
  const one = opened.get(`${view.place}.${view.by}`);
  const colours = one.gate ? [css("card"), css("low")] : [css("low"), css("card"), css("high")];
  return {
    share: (step) => one.share(one.at(step, view.unit)),
    colours,
    ends: [one.least.toPrecision(2), one.most.toPrecision(2)],
  };
}

function colourText() {
  const { share, colours: strong, ends } = colouring();
  const colours = strong.map((colour) => `color-mix(in oklab, ${colour} ${css("strength")}, ${css("card")})`); // text stays legible
  const mixed = (part) => {
    if (Number.isNaN(part)) return "transparent";
    const place = part * (colours.length - 1);
    const low = Math.min(Math.floor(place), colours.length - 2);
    return `color-mix(in oklab, ${colours[low + 1]} ${Math.round(100 * (place - low))}%, ${colours[low]})`;
  };
  const bar = make("i", "", { ariaHidden: "true" });
  bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
  const what = view.by === costs ? costs : `${view.by} of unit ${view.unit}`;
  element("key").replaceChildren(make("span", `${what}:  ${ends[0]}`), bar, make("span", ends[1]));
  for (const token of element("text").children) token.style.backgroundColor = mixed(share(Number(token.dataset.step)));
  if (series.length)
    drawSeries(
      element("series"),
      series,
      view,
      seen.steps,
      seen.steps.map((_, step) => share(step)),
      strong,
    );
}

function writeText() {
  const steps = seen.steps;
  const words = !steps.some((token) => /\s/.test(token)) && steps.some((token) => token.length > 1);
  const apart = words || steps.every((token) => /^\d+$/.test(token)); // numbers of frames
  const text = element("text");
  text.classList.toggle("apart", apart);
  const tokens = steps.map((token, step) => {
    const shown = token.replace(/\n/g, "↵\n") || "·";
    const span = make("span", shown);
    span.dataset.step = step;
    return span;
  });
  text.replaceChildren(...tokens.flatMap((token) => (apart ? [token, " "] : [token])));
  text.addEventListener("click", (event) => {
    const step = event.target.dataset.step;
    if (step !== undefined) pick(Number(step), view.unit);
  });
}

function showStep() {
  const { step, unit } = view;
  const token = seen.steps[step] ?? "";
  element("step").value = step;
  element("step").setAttribute("aria-valuetext", `step ${step}, ${visible(token)}`);
  element("where").textContent = `${step} of ${seen.steps.length - 1}: ${visible(token)}`;
  element("text").querySelector(".now")?.classList.remove("now");
  const now = element("text").children[step];
  now?.classList.add("now");
  const frame = element("text");
  if (
    now &&
    (now.offsetTop < frame.offsetTop + frame.scrollTop ||
      now.offsetTop + 24 > frame.offsetTop + frame.scrollTop + frame.clientHeight)
  )
    frame.scrollTop = now.offsetTop - frame.offsetTop - 24;
  const row = seen.predictions[step] ?? {};
  element("predictions").hidden = !row.top && !row.said;
  if (row.said) {
    const came = (name) => (row.observed?.[name] === undefined ? "" : `, came ${round(row.observed[name])}`);
    element("likely").replaceChildren(
      ...Object.entries(row.said).map(([name, value]) => make("li", `${name} ${round(value)}${came(name)}`)),
    );
  }
  if (row.top) {
    const right = [row.right ?? []].flat();
    element("likely").replaceChildren(
      ...row.top.map(([name, chance]) => {
        const item = make("li", "", { className: right.includes(name) ? "right" : "" });
        item.style.setProperty("--p", chance);
        item.append(make("b", visible(name)), make("span", `${(100 * chance).toFixed(1)}%`));
        return item;
      }),
    );
  }
  const told = row.right === undefined ? "" : `right: ${[row.right].flat().map(visible).join(", ") || "none"}, `;
  element("surprise").textContent = Number.isNaN(cost(step))
    ? ""
    : `${told}${costs} ${round(cost(step))}${costs === "loss" ? "" : " nats"}`;
  element("unit-title").textContent = `Unit ${unit}`;
  element("values").replaceChildren();
  const tell = (name, value) => element("values").append(make("dt", name), make("dd", value));
  for (const name of ofPlace(seen.page.quantities)) {
    const one = opened.get(name);
    if (one && unit < one.units) tell(one.name, round(one.at(step, unit), one.digits));
  }
  for (const name of ofPlace(seen.direct_path)) {
    const constant = seen.direct_path[name].time_constants[unit];
    if (constant !== undefined)
      tell(`${name.split(".").pop()} lasts`, constant === null ? "for ever" : `${round(constant)} steps`);
  }
}
