"""Forecasts drawn: a few series, what was said of them with its interval, and what came."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unrolled.model_folder import write_whole
from unrolled.tasks.forecast.frequency import Frequency

SHOWN = 4


@dataclass(frozen=True)
class Example:
    """A series near the moment of a forecast. Times are those of :mod:`unrolled.tasks.forecast.frequency`."""

    name: str
    times: np.ndarray
    values: np.ndarray
    ahead: np.ndarray
    told: dict[str, np.ndarray]


def draw_forecasts(examples: Sequence[Example], path: Path, title: str, target: str, frequency: Frequency) -> None:
    """Draw forecasts, one below the other; a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1 + 2.4 * len(examples)), dpi=120, layout="constrained")
    rows = figure.subplots(len(examples), squeeze=False)[:, 0]
    for axes, one in zip(rows, examples, strict=True):
        times, ahead = (_shown(part, frequency) for part in (one.times, one.ahead))
        axes.plot(times, one.values, color="#333333", linewidth=1.2, label="what came")
        levels = sorted((name for name in one.told if name.startswith("q")), key=lambda name: float(name[1:]))
        if levels:
            low, high = levels[0], levels[-1]
            wide = round(100 * (float(high[1:]) - float(low[1:])))
            axes.fill_between(
                ahead,
                one.told[low],
                one.told[high],
                color="#d55e00",
                alpha=0.22,
                linewidth=0,
                label=f"{wide} % interval",
            )
        middle = "median" if "median" in one.told else "mean"
        axes.plot(ahead, one.told[middle], color="#d55e00", linewidth=1.6, label=f"forecast, {middle}")
        axes.set(title=one.name, ylabel=target)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    rows[0].legend(frameon=False, fontsize=8, loc="upper left")
    rows[-1].set_xlabel("step" if frequency.unit == "step" else f"time, {frequency}")
    figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_whole(path, picture.getvalue())


def _shown(times: np.ndarray, frequency: Frequency) -> np.ndarray:
    return times if frequency.unit == "step" else times.astype("datetime64[us]")
