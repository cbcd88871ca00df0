"""How good forecasts are: the measures of the field, over all steps of all forecasts; missing values are not scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scored:
    """Forecasts of one series beside what came.

    Attributes:
        actual: (O, horizon), a row for each forecast.
        told: What was said by name, (O, horizon) each: ``mean``, ``median``, ``q0.1``, …
        history: The values before the first of them, by which errors are scaled.
    """

    actual: np.ndarray
    told: Mapping[str, np.ndarray]
    history: np.ndarray


def seasonal_scale(history: np.ndarray, season: int) -> float:
    """Mean absolute error of the seasonal naive forecast inside a history (T,); NaN where there is none."""
    away = np.abs(history[season:] - history[:-season])
    away = away[~np.isnan(away)]
    return float(away.mean()) if len(away) else float("nan")


def measures(scored: Sequence[Scored], season: int) -> dict[str, float]:
    """The figures, by name.

    ``mase``: absolute error over that of the seasonal naive forecast inside the history, mean over series (Hyndman &
    Koehler 2006, section 3); a series whose history never changes from season to season has none. ``smape``: percent,
    200 |e| / (|y| + |f|), as in the M4 competition. ``nd``: sum of |e| over sum of |y|. ``wql``: twice the pinball
    loss over the sum of |y|, mean over levels. ``coverage_80``: the share of values within the interval that is said
    to hold 80 percent. ``mse``, ``mae``. Errors are of the median where it is said, in ``mse`` of the mean.
    """
    names = scored[0].told.keys()
    middle = "median" if "median" in names else "mean"
    actual = np.concatenate([one.actual.ravel() for one in scored])
    told = {name: np.concatenate([one.told[name].ravel() for one in scored]) for name in names}
    there = ~np.isnan(actual)
    actual, told = actual[there], {name: values[there] for name, values in told.items()}
    errors, size = np.abs(actual - told[middle]), np.abs(actual)
    both = size + np.abs(told[middle])
    figures = {
        "mase": _mase(scored, middle, season),
        "smape": float(np.where(both > 0, 200 * errors / np.where(both > 0, both, 1), 0).mean()),
        "nd": float(errors.sum() / size.sum()) if size.any() else float("nan"),
        "mse": float(((actual - told["mean" if "mean" in names else middle]) ** 2).mean()),
        "mae": float(errors.mean()),
    }
    levels = {0.5 if name == "median" else float(name[1:]): name for name in names if name != "mean"}
    if len(levels) > 1:
        losses = [_pinball(actual, told[name], level) for level, name in sorted(levels.items())]
        figures["wql"] = float(np.mean(losses) * 2 * len(actual) / size.sum()) if size.any() else float("nan")
        low, high = min(levels), max(levels)
        inside = (told[levels[low]] <= actual) & (actual <= told[levels[high]])
        figures[f"coverage_{100 * (high - low):.0f}"] = float(inside.mean())
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _mase(scored: Sequence[Scored], middle: str, season: int) -> float:
    ratios = []
    for one in scored:
        errors = np.abs(one.actual - one.told[middle])
        errors = errors[~np.isnan(errors)]
        scale = seasonal_scale(one.history, season)
        if len(errors) and scale > 0:
            ratios.append(errors.mean() / scale)
    return float(np.mean(ratios)) if ratios else float("nan")


def _pinball(actual: np.ndarray, told: np.ndarray, level: float) -> float:
    away = actual - told
    return float(np.maximum(level * away, (level - 1) * away).mean())
