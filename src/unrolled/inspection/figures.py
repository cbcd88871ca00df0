"""Figures of an examination: quantities over time, the gradient by lag, the factors of single steps."""

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.inspection.examine import Examined
from unrolled.inspection.gradients import HORIZON
from unrolled.model_folder import write_whole

NAMED = 80
"""Steps at most whose names stand below a figure."""
UNITS = 128
"""Units at most that a heat map shows, the most lively ones."""
SHARP = 400
"""Steps at most that have a column of their own in a heat map; more are blended, so that none is lost."""
STEEP = 3.0
"""Factors beyond which they are drawn by their logarithm."""
FEW = 5
"""Classes at most whose chances are all drawn."""
BULK = 0.99
"""The share of values that colours tell apart, where no function bounds them; a few are larger."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which the colour-blind can tell apart."""

LINES = ("-", "--", ":")
"""Styles of lines, once the colours are used up."""


def draw(examined: Examined, folder: Path, form: str = "png") -> list[Path]:
    """Draw every figure into a folder; returns the files. ``form`` is ``png`` or ``svg``."""
    drawn = [("gradients", _gradients(examined)), ("factors", _factors(examined))]
    places = dict.fromkeys(name.rsplit(".", 1)[0] for name in examined.recorded)
    drawn += [(f"quantities-{place.replace('.', '-')}", _quantities(examined, place)) for place in places]
    drawn += [(name, figure) for name, figure in _said(examined) if figure is not None]
    paths = []
    for name, figure in drawn:
        picture, path = io.BytesIO(), folder / f"{name}.{form}"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # the font lacks many scripts, and shows a box
            figure.savefig(picture, format=form)
        write_whole(path, picture.getvalue())
        paths.append(path)
    return paths


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def _gradients(examined: Examined) -> Any:
    """Mean gradient norms by lag, each as a share of that at the loss, and the line of the horizon."""
    figure = _figure(8.0, 5.0)
    axes = figure.add_subplot()
    drawn = 0
    for place, one in examined.document["gradients"].items():
        lags = _numbers(one["by_lag"])
        if not lags.size or not lags[0] > 0:
            continue
        horizon = "no horizon in sight" if one["horizon"] is None else f"1% after {one['horizon']} steps"
        style = {"color": COLOURS[drawn % len(COLOURS)], "label": f"{place}: {horizon}"}
        style["linestyle"] = LINES[drawn // len(COLOURS) % len(LINES)]
        axes.plot(lags / lags[0], marker="." if lags.size < NAMED else None, **style)
        drawn += 1
    axes.axhline(HORIZON, color="grey", linestyle=":", linewidth=1)
    axes.set_yscale("log")
    axes.set_xlabel("steps between the loss and the state")
    axes.set_ylabel("mean norm of the gradient, share of that at the loss")
    axes.set_title("Gradient through time")
    if drawn:
        axes.legend(fontsize=9)
    return figure


def _factors(examined: Examined) -> Any:
    """How each step passes a change of the whole state on, and how much of a state it keeps as it is."""
    factors, direct = examined.document["factors"], examined.document["direct_path"]
    figure = _figure(10.0, 2.8 * max(1, len(factors)))
    for row, (place, one) in enumerate(factors.items()):
        axes = figure.add_subplot(max(1, len(factors)), 1, row + 1)
        whole = _numbers(one["norms"])
        axes.plot(one["times"], whole, color=COLOURS[0], label="largest factor of the whole state")
        own = {name: kept for name, kept in direct.items() if name.startswith(f"{place}.")}
        for colour, (name, kept) in zip(COLOURS[1:], own.items(), strict=False):
            state = name.rsplit(".", 1)[1]
            axes.plot(_numbers(kept["mean"]), color=colour, label=f"mean share of {state} kept as it is")
        axes.axhline(1.0, color="grey", linestyle=":", linewidth=1)
        if np.nanmax(whole, initial=0.0) > STEEP:
            axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(low if high > STEEP else 0, (4.0 if high > STEEP else 1.4) * high)  # room for the legend
        axes.set_title(f"{place}: how a step passes the state on", fontsize=11)
        axes.set_ylabel("factor")
        axes.legend(fontsize=9, loc="upper right", ncols=2)
        _name_steps(axes, examined, row + 1 == len(factors))
    return figure


def _quantities(examined: Examined, place: str) -> Any:
    """A heat map for each gate and state of a layer and direction: units over steps."""
    found = {
        name.rsplit(".", 1)[1]: values.double().numpy()
        for name, values in examined.recorded.items()
        if name.rsplit(".", 1)[0] == place and not name.endswith("_pre")
    }
    columns = 2
    rows = -(-len(found) // columns)
    figure = _figure(13.0, 3.0 * rows + 0.4)
    figure.suptitle(f"Layer {place}: quantities over time")
    for number, (name, values) in enumerate(found.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        lively = np.sort(np.argsort(-values.std(0), kind="stable")[:UNITS]) if len(values) else np.arange(0)
        function = examined.document["quantities"][f"{place}.{name}"]["function"]
        reach = max(float(np.quantile(np.abs(values), BULK)), 1e-12) if values.size else 1.0
        gate = function in ("sigmoid", "hard_sigmoid")
        low, high, colours = (0.0, 1.0, "viridis") if gate else (-reach, reach, "RdBu_r")
        axes.set_title(f"{name}{f' ({function})' if function else ''}", fontsize=11)
        if not values.size:
            continue
        how = {
            "cmap": colours,
            "vmin": low,
            "vmax": high,
            "interpolation": "nearest" if len(values) <= SHARP else "auto",
        }
        picture = axes.imshow(values[:, lively].T, aspect="auto", **how)
        cut = f", the {UNITS} liveliest of {values.shape[1]}" if len(lively) < values.shape[1] else ""
        axes.set_ylabel(f"unit{cut}", fontsize=9)
        marked = np.unique(np.linspace(0, len(lively) - 1, 9).round().astype(int))
        axes.set_yticks(marked, [str(lively[one]) for one in marked], fontsize=8)
        figure.colorbar(picture, ax=axes, shrink=0.9)
        _name_steps(axes, examined, number >= len(found) - columns, NAMED // columns)
    return figure


def _said(examined: Examined) -> list[tuple[str, Any]]:
    """Figures that there are where there is something to show: how saturated gates are, what was said and looked at."""
    return [
        ("saturation", _saturation(examined)),
        ("predictions", _predictions(examined)),
        ("attention", _attention(examined)),
        ("gradients-at", _gradients_at(examined)),
    ]


def _saturation(examined: Examined) -> Any:
    """How often each bounded quantity is near its ends, and how many of its units never move."""
    told = {name: one for name, one in examined.document["quantities"].items() if one["low"] is not None}
    if not told:
        return None
    figure = _figure(9.0, 1.4 + 0.32 * len(told))
    axes = figure.add_subplot()
    low, high = (np.array([one[end] for one in told.values()]) for end in ("low", "high"))
    names = [f"{name} ({one['function']})" for name, one in told.items()]
    axes.barh(names, low, color=COLOURS[0], label="near the lower end")
    axes.barh(names, 1 - low - high, left=low, color="0.88", label="between")
    axes.barh(names, high, left=1 - high, color=COLOURS[1], label="near the upper end")
    for row, one in enumerate(told.values()):
        still = f"{len(one['still'])} of {len(one['mean'])} units never move" if one["still"] else ""
        axes.text(0.5, row, still, ha="center", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set(title="Saturation: how often a value lies within a tenth of its range from an end", xlim=(0, 1))
    axes.set_xlabel("share of units and steps")
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _numbers(values: Any) -> np.ndarray:
    """Numbers, NaN in the place of None."""
    return np.array([np.nan if value is None else value for value in values], float)


def _predictions(examined: Examined) -> Any:
    """Values said and observed, or the likeliest classes, over time; and below how surprising what came was."""
    rows = examined.document["predictions"]
    costs = _numbers([row.get("surprisal", row.get("loss")) for row in rows])
    if not rows or not any(rows):
        return None
    if len(rows) > 1 and not any(rows[:-1]):
        return _at_the_end(rows[-1])
    figure = _figure(10.0, 5.5)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    steps = np.arange(len(rows))
    if any("said" in row for row in rows):
        names = list(next(row["said"] for row in rows if "said" in row))[: len(COLOURS)]
        for name, colour in zip(names, COLOURS, strict=False):
            said = _numbers([row.get("said", {}).get(name) for row in rows])
            observed = _numbers([row.get("observed", {}).get(name) for row in rows])
            axes.plot(steps, said, color=colour, label=f"{name}: said")
            axes.plot(steps, observed, color=colour, linestyle="none", marker=".", label=f"{name}: observed")
        axes.set(title="What was said of the next value, and what came", ylabel="value")
    else:
        for name, chances in _chances(rows).items():
            marked = "." if len(rows) < NAMED else None
            axes.plot(steps, chances, color=COLOURS[len(axes.lines)], marker=marked, label=name)
        axes.set(title="What was expected", ylabel="probability", ylim=(0, 1.15))
    axes.legend(fontsize=9, ncols=5)
    unit = "surprisal, nats" if any("surprisal" in row for row in rows) else "loss"
    if len(rows) < NAMED:
        below.bar(steps, costs, color=COLOURS[1])
    else:
        below.plot(steps, costs, color=COLOURS[1])
    below.set(title="How surprising what came was", ylabel=unit)
    _name_steps(below, examined, True)
    return figure


def _at_the_end(row: Mapping[str, Any]) -> Any:
    """The likeliest classes of a sequence that was judged as a whole."""
    figure = _figure(8.0, 1.4 + 0.4 * len(row["top"]))
    axes = figure.add_subplot()
    axes.barh([_plain(name) for name, _ in row["top"]], [chance for _, chance in row["top"]], color=COLOURS[0])
    axes.invert_yaxis()
    right = f"; right is {_plain(row['right'])}" if "right" in row else ""
    axes.set(title=f"What was said of the whole sequence{right}", xlabel="probability", xlim=(0, 1))
    return figure


def _chances(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The chance of each class over time where there are few; else that of the likeliest and of what was right."""
    names = list(dict.fromkeys(name for row in rows for name, _ in row.get("top", ())))
    if len(names) <= FEW:
        return {_plain(one): _numbers([dict(row["top"]).get(one) if row else None for row in rows]) for one in names}
    likeliest = _numbers([row["top"][0][1] if row else None for row in rows])
    right = np.exp(-_numbers([row.get("surprisal") for row in rows]))
    return {"the likeliest": likeliest, "what came": right}


def _attention(examined: Examined) -> Any:
    """How much each thing looked at counted at each step: a heat map."""
    looked = examined.document["attention"]
    if looked is None:
        return None
    weights = np.array(looked["weights"], float)
    width, height = (min(16.0, 3.0 + 0.28 * count) for count in weights.shape[::-1])
    figure = _figure(max(6.0, width), max(4.0, height))
    axes = figure.add_subplot()
    picture = axes.imshow(weights, aspect="auto", cmap="viridis", vmin=0.0, vmax=max(float(weights.max()), 1e-12))
    figure.colorbar(picture, ax=axes, label="share of the attention")
    axes.set(title="What was looked at", xlabel="looked at", ylabel="step: what was read there")
    steps = examined.document["steps"]
    if len(looked["over"]) <= NAMED:
        axes.set_xticks(range(len(looked["over"])), list(map(_plain, looked["over"])), rotation=90, fontsize=8)
    if len(steps) <= NAMED:
        axes.set_yticks(range(len(steps)), list(map(_plain, steps)), fontsize=8)
    return figure


def _gradients_at(examined: Examined) -> Any:
    """For each step that was asked for, how much its loss changes with each state at every step."""
    gradients = examined.document["gradients"]
    asked = [one["step"] for one in next(iter(gradients.values()), {"at": []})["at"]]
    if not asked:
        return None
    figure = _figure(10.0, 3.0 * len(asked))
    for row, step in enumerate(asked):
        axes = figure.add_subplot(len(asked), 1, row + 1)
        for number, (place, one) in enumerate(gradients.items()):
            norms = _numbers(one["at"][row]["norms"])
            norms[norms <= 0] = np.nan  # where nothing reaches; a logarithm has no place for it
            axes.plot(norms, marker=".", color=COLOURS[number % len(COLOURS)], label=place)
        axes.axvline(step, color="grey", linestyle=":", linewidth=1)
        axes.set_yscale("log")
        read = _plain(examined.document["steps"][step])
        axes.set(title=f"Gradient of the loss at step {step} ({read})", ylabel="norm by the state")
        axes.legend(fontsize=9)
        _name_steps(axes, examined, row + 1 == len(asked))
    return figure


def _plain(text: str) -> str:
    """A token as it can be read in a figure: matplotlib would read dollars as mathematics."""
    seen = text if text.isprintable() and text.strip() else repr(text)[1:-1].replace(" ", "␣") or "␣"
    return (seen if len(seen) <= 16 else f"{seen[:15]}…").replace("$", r"\$")


def _name_steps(axes: Any, examined: Examined, last: bool, most: int = NAMED) -> None:
    """Write what stands at each step below, where that can be read; else number them."""
    steps = examined.document["steps"]
    if len(steps) <= most:
        shown = list(map(_plain, steps))
        axes.set_xticks(
            range(len(steps)), shown, rotation=0 if max(map(len, shown), default=0) <= 2 else 90, fontsize=7
        )
    if last:
        axes.set_xlabel("step")
