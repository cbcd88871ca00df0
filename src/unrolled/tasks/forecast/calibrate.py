"""Calibration: intervals made wider, step by step ahead, until they hold what they say on the validation part."""

import math
from collections.abc import Sequence

import numpy as np

from unrolled.tasks.forecast.backtest import Forecast, forecasts, rolling
from unrolled.tasks.forecast.series import Series
from unrolled.tasks.forecast.standing import Reader, level_of

FEWEST = 100
"""Values that a step's factor is taken from at least, those of the steps around it among them."""
MOST = 10.0
"""No interval is made wider than by this."""


def widenings(reader: Reader, series: Sequence[Series], horizon: int) -> np.ndarray:
    """By how much quantiles are to be moved away from the median, for each step ahead, (horizon,), 1 or more.

    Split conformal prediction (Vovk et al. 2005; Lei et al. 2018), with the distance from the median over the
    network's own as its score, for the outermost interval: it holds its share of new values if these are like those of
    the validation part. Intervals that hold more than they say are left alone, since the future is seldom easier than
    what one has. All are 1 where fewer than :data:`FEWEST` values can be looked at, or nothing but a point is said.

    Args:
        reader: The network, its own factors all 1.
        series: Those to validate on; the last ``scored`` values of each are forecast, a step more than a horizon apart,
            so that a step ahead is not always the same hour of the day.
        horizon: Steps of a forecast.
    """
    made = forecasts(reader, series, [rolling(one, horizon, horizon + 1) for one in series], horizon)
    scores = [_scores(one) for own in made for one in own]
    if not scores or scores[0] is None:
        return np.ones(horizon)
    return _factors(np.stack([one[0] for one in scores if one]), max(one[1] for one in scores if one))


def _scores(made: Forecast) -> tuple[np.ndarray, float] | None:
    """How far each value lies from the median, over how far the interval's end does, (horizon,); and its share."""
    levels = {name: level_of(name) for name in made.told if name != "mean"}
    if len(levels) < 2:
        return None
    low, high = min(levels, key=levels.__getitem__), max(levels, key=levels.__getitem__)
    middle = made.told["median"]
    actual = np.full(len(middle), np.nan)
    came = made.series.values[made.seen : made.seen + len(middle)]
    actual[: len(came)] = came
    away = actual - middle
    width = np.where(away < 0, middle - made.told[low], made.told[high] - middle)
    share = levels[high] - levels[low]
    return np.divide(np.abs(away), width, out=np.full(len(middle), np.nan), where=width > 0), share


def _factors(scores: np.ndarray, share: float) -> np.ndarray:
    """The factor of each step from scores (forecasts, horizon), NaN where there is none."""
    horizon = scores.shape[1]
    counts = (~np.isnan(scores)).sum(0)
    if counts.sum() < FEWEST:
        return np.ones(horizon)
    found = np.ones(horizon)
    for step in range(horizon):
        reach = next(r for r in range(horizon) if counts[max(0, step - r) : step + r + 1].sum() >= FEWEST)
        near = scores[:, max(0, step - reach) : step + reach + 1]
        near = np.sort(near[~np.isnan(near)])
        place = math.ceil((len(near) + 1) * share - 1e-9)
        found[step] = near[min(place, len(near)) - 1]
    return np.clip(found, 1.0, MOST)
