"""Figures of an examination: quantities over time, the gradient by lag, the factors of single steps."""

import io
import warnings
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
BULK = 0.99
"""The share of values that colours tell apart, where no function bounds them; a few are larger."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which the colour-blind can tell apart."""


def draw(examined: Examined, folder: Path, form: str = "png") -> list[Path]:
    """Draw every figure into a folder; returns the files. ``form`` is ``png`` or ``svg``."""
    drawn = [("gradients", _gradients(examined)), ("factors", _factors(examined))]
    places = dict.fromkeys(name.rsplit(".", 1)[0] for name in examined.recorded)
    drawn += [(f"quantities-{place.replace('.', '-')}", _quantities(examined, place)) for place in places]
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
        lags = np.array([np.nan if value is None else value for value in one["by_lag"]], float)
        if not lags.size or not lags[0] > 0:
            continue
        horizon = "no horizon in sight" if one["horizon"] is None else f"1% after {one['horizon']} steps"
        style = {"color": COLOURS[drawn % len(COLOURS)], "label": f"{place}: {horizon}"}
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
        whole = np.array([np.nan if value is None else value for value in one["norms"]], float)
        axes.plot(one["times"], whole, color=COLOURS[0], label="largest factor of the whole state")
        for number, (name, kept) in enumerate(direct.items()):
            if name.startswith(f"{place}."):
                state = name.rsplit(".", 1)[1]
                means = np.array([np.nan if value is None else value for value in kept["mean"]], float)
                colour = COLOURS[1 + number % (len(COLOURS) - 1)]
                axes.plot(means, color=colour, label=f"mean share of {state} kept as it is")
        axes.axhline(1.0, color="grey", linestyle=":", linewidth=1)
        axes.set_ylim(bottom=0)
        axes.set_title(f"{place}: how a step passes the state on", fontsize=11)
        axes.set_ylabel("factor")
        axes.legend(fontsize=9, loc="upper right")
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
        picture = axes.imshow(values[:, lively].T, aspect="auto", cmap=colours, vmin=low, vmax=high)
        cut = f", the {UNITS} liveliest of {values.shape[1]}" if len(lively) < values.shape[1] else ""
        axes.set_ylabel(f"unit{cut}", fontsize=9)
        figure.colorbar(picture, ax=axes, shrink=0.9)
        _name_steps(axes, examined, number >= len(found) - columns)
    return figure


def _name_steps(axes: Any, examined: Examined, last: bool) -> None:
    """Write what stands at each step below, where that can be read; else number them."""
    steps = examined.document["steps"]
    if len(steps) <= NAMED:
        seen = [one if one.isprintable() and one.strip() else repr(one)[1:-1] or "␣" for one in steps]
        shown = [(one if len(one) <= 12 else f"{one[:11]}…").replace("$", r"\$") for one in seen]
        axes.set_xticks(
            range(len(steps)), shown, rotation=0 if max(map(len, shown), default=0) <= 2 else 90, fontsize=7
        )
    if last:
        axes.set_xlabel("step")
