// The page at work: what is picked, and everything that follows from it.

const ALL = "all";
const BEFORE = "pre-activations";
const FEWEST = 8; // steps that are shown at least
const SERIES = 3; // series of numbers that are shown at most
const element = (id) => document.getElementById(id);
const view = { place: "", shown: ALL, by: "", unit: 0, step: 0, from: 0, to: 0, strongest: false };
const opened = new Map(); // quantities by place
let seen; // the document
let drawn = { curves: [], maps: [] }; // rows as they stand
let pending = false; // whether the maps are to be drawn anew, when their turn comes
let series = []; // what was said and observed, where these are numbers
let costs = ""; // what predictions are measured by: surprisal, loss, or nothing

const make = (tag, text, properties = {}) =>
  Object.assign(document.createElement(tag), { textContent: text, ...properties });
const within = (value, low, high) => Math.min(high, Math.max(low, value));

/** A number to so many digits. */
function round(value, digits = 4) {
  if (!Number.isFinite(value)) return "not finite";
  return value && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(digits);
}

const placeOf = (name) => name.slice(0, name.lastIndexOf("."));
const ofPlace = (table) => Object.keys(table).filter((name) => placeOf(name) === view.place);
const spoken = (place) => place.replace(/^(\d+)\.(\w+)$/, "$1 $2");
const cost = (step) => seen.predictions[step]?.surprisal ?? seen.predictions[step]?.loss ?? NaN;

/** The quantity of that place, its values unpacked once. */
async function quantity(place) {
  if (!opened.has(place)) {
    const { page, quantities } = seen;
    opened.set(place, new Quantity(place, quantities[place], page, page.quantities[place], await unpack(place)));
  }
  return opened.get(place);
}

/** The curves above the maps: the picked unit's, and what predictions cost. */
async function curves() {
  const cheap = { name: costs, title: costs === "loss" ? costs : "surprisal (nats)", height: 64, at: cost };
  if (view.by === costs) return [cheap];
  const one = await quantity(`${view.place}.${view.by}`);
  const [title, name] = [`${one.name} of unit ${view.unit}`, `${one.name} ${view.unit}`];
  return [{ title, name, height: 64, at: (step) => one.at(step, view.unit) }, ...(costs ? [cheap] : [])];
}

/** The maps that are shown. */
async function maps() {
  const names = ofPlace(seen.page.quantities);
  const before = (name) => name.endsWith("_pre");
  const several = { [ALL]: names.filter((name) => !before(name)), [BEFORE]: names.filter(before) };
  const shown = several[view.shown] ?? [`${view.place}.${view.shown}`];
  const found = await Promise.all(shown.map(quantity));
  return found.map((one) => ({
    name: one.name,
    title: one.function ? `${one.name} (${one.function})` : one.name,
    height: shown.length > 1 ? 104 : within(4 * one.units, 160, 560),
    quantity: one,
  }));
}

let turn = 0;
/** Draw the curves and, unless only what is picked has changed, the maps. */
async function draw(all = true) {
  const mine = ++turn;
  pending ||= all;
  const found = { curves: await curves(), maps: pending ? await maps() : drawn.maps };
  if (mine !== turn) return; // something else was asked for meanwhile
  const anew = pending;
  [drawn, pending] = [found, false];
  await drawRows(element("curves"), drawn.curves, view, seen.steps, true);
  if (anew) await drawRows(element("maps"), drawn.maps, view, seen.steps, false);
  else mark("maps");
  colourText();
}

/** Mark what is picked in one of the drawings. */
const mark = (id) => Plotly.relayout(element(id), { shapes: marks(drawn[id], view) });

/** Go to a step and a unit. */
function pick(step, unit) {
  const sizes = ofPlace(seen.page.quantities).map((name) => seen.page.quantities[name].low.length);
  const other = within(unit, 0, Math.max(...sizes) - 1);
  const recolour = other !== view.unit && view.by !== costs;
  Object.assign(view, { step: within(step, 0, Math.max(0, seen.steps.length - 1)), unit: other });
  element("unit").value = other;
  showStep();
  if (view.step < view.from || view.step > view.to)
    return show(view.step - (view.to - view.from) / 2, view.step + (view.to - view.from) / 2);
  if (recolour) return draw(false);
  if (series.length) Plotly.relayout(element("series"), { shapes: marks(series, view) });
  mark("curves");
  return mark("maps");
}

/** Show the steps from one to another. */
function show(from, to) {
  const last = Math.max(0, seen.steps.length - 1);
  const count = within(Math.round(to) - Math.round(from), Math.min(FEWEST - 1, last), last);
  view.from = within(Math.round(from), 0, last - count);
  view.to = view.from + count;
  view.step = within(view.step, view.from, view.to);
  showStep();
  element("from").value = view.from;
  element("to").value = view.to;
  return draw();
}

/** Show more or fewer steps around the picked one. */
function zoom(share) {
  const half = ((view.to - view.from) * share) / 2;
  const middle = view.step >= view.from && view.step <= view.to ? view.step : (view.from + view.to) / 2;
  return show(middle - half, middle + half);
}

const KEYS = {
  ArrowLeft: () => pick(view.step - 1, view.unit),
  ArrowRight: () => pick(view.step + 1, view.unit),
  ArrowUp: () => pick(view.step, view.unit - 1),
  ArrowDown: () => pick(view.step, view.unit + 1),
  Home: () => pick(0, view.unit),
  End: () => pick(seen.steps.length - 1, view.unit),
  "+": () => zoom(0.5),
  "-": () => zoom(2),
  0: () => show(0, seen.steps.length - 1),
};

function onKey(event) {
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function drawCards() {
  const own = (table) => Object.fromEntries(ofPlace(table).map((name) => [name.split(".").pop(), table[name]]));
  drawGradients(element("gradients"), seen.gradients);
  drawFactors(element("factors"), seen.factors[view.place] ?? { times: [], norms: [] }, own(seen.direct_path));
  if (seen.attention) drawAttention(element("attention"), seen.attention, seen.steps);
  const percent = (share) => (share === null ? "" : `${(100 * share).toFixed(1)}%`);
  element("behaviours").replaceChildren(
    ...ofPlace(seen.quantities).map((name) => {
      const one = seen.quantities[name];
      const mean = one.mean.reduce((sum, value) => sum + value, 0) / one.mean.length;
      const still = one.still.length ? `${one.still.length}, of them dead ${one.dead.length}` : "0";
      const row = make("tr", "");
      row.append(make("th", name.split(".").pop(), { scope: "row" }));
      for (const text of [one.function ?? "", round(mean), percent(one.low), percent(one.high), still])
        row.append(make("td", text));
      return row;
    }),
  );
}

/** Fill the switches with what this layer and direction has. */
function offer() {
  const names = ofPlace(seen.page.quantities).map((name) => name.split(".").pop());
  const after = names.filter((name) => !name.endsWith("_pre"));
  const choices = [ALL, ...after, ...(after.length < names.length ? [BEFORE] : [])];
  if (!choices.includes(view.shown)) view.shown = ALL;
  const radio = (name) => {
    const label = make("label", name);
    label.append(make("input", "", { type: "radio", name: "shown", value: name, checked: name === view.shown }));
    return label;
  };
  element("shown").replaceChildren(make("legend", "Maps"), ...choices.map(radio));
  const by = [...after, ...(costs ? [costs] : [])];
  if (!by.includes(view.by)) view.by = after[after.length - 1];
  element("by").replaceChildren(...by.map((name) => make("option", name, { value: name, selected: name === view.by })));
  element("unit").max =
    Math.max(...ofPlace(seen.page.quantities).map((name) => seen.page.quantities[name].low.length)) - 1;
}

async function showAll() {
  offer();
  await draw();
  element("unit").value = view.unit;
  showStep();
  drawCards();
}

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  element("theme").textContent = dark ? "Light" : "Dark";
  element("theme").setAttribute("aria-label", `Switch to ${dark ? "light" : "dark"} colours`);
}

/** What predictions hold: numbers that were said and observed, and what they are measured by. */
function readPredictions() {
  const rows = seen.predictions;
  const names = Object.keys(rows.find((row) => row.said)?.said ?? {}).slice(0, SERIES);
  series = names.map((name) => ({
    name,
    said: rows.map((row) => row.said?.[name] ?? null),
    observed: rows.map((row) => row.observed?.[name] ?? null),
  }));
  costs = ["surprisal", "loss"].find((name) => rows.some((row) => row[name] !== undefined)) ?? "";
}

function writeHead() {
  const { cell, steps, page, verdict } = seen;
  const places = [...new Set(Object.keys(page.quantities).map(placeOf))];
  const units = Math.max(...Object.values(page.quantities).map((one) => one.low.length));
  element("name").textContent = `Inside ${cell.name}`;
  const layers = places.length === 1 ? "one layer" : `${places.length} layers and directions`;
  const about = seen.about?.task ? `${seen.about.task}, ${seen.about.part}: ` : "";
  element("facts").textContent = `${about}${steps.length.toLocaleString("en")} steps, ${layers}, ${units} units`;
  element("followed").textContent = seen.about?.loss ? `Followed back: ${seen.about.loss}.` : "";
  const healthy = !verdict.findings.length;
  element("verdict").textContent = `${healthy ? "✓" : "⚠"} ${verdict.says}`;
  element("verdict").classList.toggle("healthy", healthy);
  const findings = verdict.findings.map((one) => {
    const item = make("li", "");
    item.append(make("b", one.kind), make("div", one.says), make("span", `Try: ${one.remedy}`));
    return item;
  });
  const well = make("li", "", { className: "healthy" });
  well.append(make("b", "healthy"), make("div", "Nothing vanishes, explodes, saturates or stands still."));
  element("found").replaceChildren(...(healthy ? [well] : findings));
  element("place").replaceChildren(...places.map((place) => make("option", spoken(place), { value: place })));
  const exact = `Values are exact to 1/${2 * (page.levels - 1)} of what their unit ranges over`;
  const means = page.stride > 1 ? `, and means of ${page.stride} steps` : "";
  element("exactness").textContent =
    `${exact}${means}.${page.complete ? "" : " Pre-activations of so long a sequence are left out."}`;
  element("attention-card").hidden = !seen.attention;
  element("series").hidden = !series.length;
  element("text").hidden = series.length > 0;
  const { deviation } = seen.quantities[Object.keys(page.quantities).findLast((name) => placeOf(name) === places[0])];
  view.unit = Math.max(0, deviation.indexOf(Math.max(...deviation))); // the liveliest of the first layer's output
  [view.place, view.to] = [places[0], Math.max(0, steps.length - 1)];
  for (const id of ["from", "to", "step"]) element(id).max = view.to;
  [element("from").value, element("to").value] = [0, view.to];
}

function listen() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const retheme = (to) => (setTheme(to), showAll());
  dark.addEventListener("change", () => retheme(dark.matches));
  element("theme").addEventListener("click", () => retheme(document.documentElement.dataset.theme !== "dark"));
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  element("place").addEventListener("change", (event) => ((view.place = event.target.value), showAll()));
  element("shown").addEventListener("change", (event) => ((view.shown = event.target.value), draw().then(showStep)));
  element("by").addEventListener("change", (event) => ((view.by = event.target.value), draw(false)));
  element("unit").addEventListener(
    "input",
    (event) => event.target.value !== "" && pick(view.step, Math.round(Number(event.target.value))),
  );
  element("step").addEventListener("input", (event) => pick(Number(event.target.value), view.unit));
  element("strongest").addEventListener("change", (event) => ((view.strongest = event.target.value !== ""), draw()));
  element("from").addEventListener("change", () => show(Number(element("from").value), view.to));
  element("to").addEventListener("change", () => show(view.from, Number(element("to").value)));
  element("closer").addEventListener("click", () => zoom(0.5));
  element("farther").addEventListener("click", () => zoom(2));
  element("whole").addEventListener("click", () => show(0, seen.steps.length - 1));
  for (const id of ["text", "series", "stack"]) element(id).addEventListener("keydown", onKey);
  const at = (point, rows) => [
    within(Math.round(point.x), 0, seen.steps.length - 1),
    rows[point.curveNumber].quantity ? Math.round(point.y) : view.unit,
  ];
  for (const id of ["curves", "maps"]) {
    element(id).on("plotly_click", ({ points: [point] }) => pick(...at(point, drawn[id])));
    element(id).on("plotly_hover", ({ points: [point] }) => {
      const [step, unit] = at(point, drawn[id]);
      const values = drawn.maps
        .filter((row) => unit < row.quantity.units)
        .map(({ quantity }) => `${quantity.name} ${round(quantity.at(step, unit), quantity.digits)}`);
      element("pointer").textContent =
        `step ${step} “${visible(seen.steps[step])}”, unit ${unit}:  ${values.join("   ")}`;
    });
  }
  for (const id of series.length ? ["curves", "maps", "series"] : ["curves", "maps"])
    element(id).on("plotly_relayout", (change) => {
      if ("xaxis.range[0]" in change) show(Math.ceil(change["xaxis.range[0]"]), Math.floor(change["xaxis.range[1]"]));
    });
  let later;
  addEventListener("resize", () => (clearTimeout(later), (later = setTimeout(draw, 150))));
}

async function begin() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
  seen = JSON.parse(await unpackText("document"));
  readPredictions();
  writeHead();
  writeText();
  document.head.append(make("script", await unpackText("plotly")));
  await showAll();
  listen();
  document.documentElement.dataset.ready = "yes";
}

begin();
