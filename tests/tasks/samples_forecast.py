"""Small series to forecast, and settings that train on them in a second."""

import math
from pathlib import Path
from typing import Any

from tasks.contract import Case
from unrolled.tasks.estimator import Sources
from unrolled.tasks.forecast.model import ForecastModel

TINY: dict[str, Any] = {"hidden": 6, "batch": 8, "season": 4, "horizon": 4, "context": 8, "samples": 5}
"""Settings for ForecastModel.fit that make a network of no use in no time."""


def wave(step: int, phase: float = 0.0) -> float:
    """A wave of four steps on a rising line, with something that looks like noise."""
    return round(10 + 0.1 * step + 3 * math.sin(math.pi * step / 2 + phase) + 0.5 * math.sin(step * step), 3)


def long_rows(count: int = 3, steps: int = 30) -> list[tuple[str, int, float]]:
    """Rows of a long table: series, whole-number time, value."""
    return [(f"s{one}", step, wave(step, one)) for one in range(count) for step in range(steps + 3 * one)]


def write_long(
    folder: Path, rows: list[tuple[Any, ...]] | None = None, name: str = "series.csv", more: str = ""
) -> Path:
    """A long table as CSV."""
    path = folder / name
    lines = [",".join(map(str, row)) for row in rows or long_rows()]
    path.write_text("\n".join([f"unique_id,ds,y{more}", *lines, ""]), encoding="utf-8")
    return path


CASE = Case(
    ForecastModel,
    lambda folder: Sources(write_long(folder)),
    [[wave(step) for step in range(count)] for count in (1, 17, 9, 26)],
    TINY,
)
