"""The frame of every figure: sizes, colours that the colour-blind can tell apart, markers that need no colour."""

from collections.abc import Iterator, Sequence
from typing import Any

from unrolled.inspection.figures import COLOURS

MARKERS = "osD^vPX"


def figure(columns: int = 1, rows: int = 1, width: float = 5.6, height: float = 4.4) -> tuple[Any, list[Any]]:
    """A figure and its axes, row by row."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(max(7.0, width * columns), 0.7 + height * rows), dpi=120, layout="constrained")
    axes = made.subplots(rows, columns, squeeze=False).flatten().tolist()
    for one in axes:
        one.grid(alpha=0.25)
        one.spines[["top", "right"]].set_visible(False)
    return made, axes


def styles() -> Iterator[dict[str, Any]]:
    """A colour and a marker for each line, without end."""
    place = 0
    while True:
        yield {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)], "markersize": 5}
        place += 1


def dots(axes: Any, names: Sequence[str], values: Sequence[Sequence[float]], label: str) -> None:
    """A dot a value above each name, and a line at their mean."""
    for place, (own, style) in enumerate(zip(values, styles(), strict=False)):
        axes.plot([place] * len(own), own, linestyle="none", **style)
        axes.hlines(sum(own) / len(own), place - 0.3, place + 0.3, color=style["color"])
    axes.set_xticks(range(len(names)), names, rotation=20, ha="right", fontsize=9)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylabel(label)


def number_ticks(axes: Any, numbers: Sequence[int]) -> None:
    """Ticks below at just these numbers."""
    axes.set_xticks(numbers, [str(one) for one in numbers])
    axes.set_xticks([], minor=True)
