"""What the network reads: values scaled by what is behind them, lags, calendar, age and covariates; always of the past.

A step's numbers depend on the steps before it alone, and are made by the same operations whether a whole series is read
or one observation more: that is why reading on gives the same bits as reading all again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from unrolled.errors import UsageError
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.frequency import Frequency
from unrolled.tasks.forecast.series import Series


@dataclass(frozen=True)
class Scaling:
    """How values become numbers near one: less a centre, over a scale, both of the values before.

    ``mean``: over the mean of absolute values (Salinas et al. 2020, section 3.3); ``standard``: by mean and deviation;
    ``global``: by mean and deviation of all training values. Means are plain over the first ``memory`` values and
    exponential after them, so that one more value costs one update (variance: West 1979).
    """

    kind: str
    memory: int
    mean: float
    deviation: float

    def begin(self, value: Any) -> tuple[Any, Any]:
        """Level and spread behind a first value."""
        return (value, value * value) if self.kind == "standard" else (abs(value), value * 0)

    def advance(self, level: Any, spread: Any, count: Any, value: Any) -> tuple[Any, Any]:
        """Level and spread behind one more value, ``count`` values before it."""
        if self.kind == "global":
            return level, spread
        if self.kind == "mean":
            return level + (abs(value) - level) / np.minimum(count + 1, self.memory), spread
        share = 1 / np.minimum(count + 1, self.memory)
        away = value - level
        return level + away * share, (spread + away * away * share) * (1 - share)

    def of(self, level: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and scale, each (R,)."""
        if self.kind == "global":
            return np.full_like(level, self.mean), np.full_like(level, self.deviation)
        scale = level if self.kind == "mean" else np.sqrt(spread)
        centre = np.zeros_like(level) if self.kind == "mean" else level
        return centre, np.where(scale > 1e-10, scale, 1.0)


@dataclass(frozen=True)
class History:
    """A series as it is read: what is known behind each of its values."""

    series: Series
    values: np.ndarray
    """(T,), a missing one as the value before it."""
    missing: np.ndarray
    level: np.ndarray
    spread: np.ndarray
    tails: np.ndarray
    """(T + 1, L): the last L values behind each number of values."""


@dataclass(frozen=True)
class Encoder:
    """What is learned from training data beside the weights: scales, covariates' means, which lags, which series."""

    frequency: Frequency
    scaling: Scaling
    season: int
    lags: tuple[int, ...]
    names: tuple[str, ...]
    past: tuple[tuple[float, float], ...]
    future: tuple[tuple[float, float], ...]
    static: tuple[Any, ...]
    """For each static covariate its mean and deviation, or the list of its values."""

    @classmethod
    def learn(cls, series: Sequence[Series], frequency: Frequency, config: ForecastConfig) -> "Encoder":
        """Take all of it from the training part."""
        assert config.season is not None
        assert config.context is not None
        assert config.scale is not None
        longest = max(len(one) for one in series)
        usual = [lag for lag in frequency.lags(config.season) if lag <= longest // 2]
        lags = config.lags if config.lags is not None else usual
        values = np.concatenate([one.values for one in series])
        mean, deviation = _moments(values)
        return cls(
            frequency,
            Scaling(config.scale, config.context, mean, deviation),
            config.season,
            tuple(sorted({lag for lag in lags if lag > 1})),
            tuple(str(one.name) for one in series),
            tuple(_moments(column) for column in np.concatenate([one.past for one in series]).T),
            tuple(_moments(column) for column in np.concatenate([one.future for one in series]).T),
            tuple(_kinds(column) for column in zip(*(one.static for one in series), strict=True)),
        )

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> "Encoder":
        """What ``dataclasses.asdict`` gave, through JSON or not."""
        frequency, scaling = Frequency(**known["frequency"]), Scaling(**known["scaling"])
        past, future = (
            tuple((float(mean), float(deviation)) for mean, deviation in known[name]) for name in ("past", "future")
        )
        whole = (tuple(known["lags"]), tuple(known["names"]), past, future, tuple(known["static"]))
        return cls(frequency, scaling, int(known["season"]), *whole)

    @property
    def seasonal(self) -> tuple[int, ...]:
        """The lags that are whole seasons."""
        return tuple(lag for lag in self.lags if self.season > 1 and lag % self.season == 0)

    @property
    def reach(self) -> int:
        """L, the values that are looked back on."""
        return max(self.season, *self.lags, 1) if self.lags else max(self.season, 1)

    @property
    def ahead_size(self) -> int:
        """F, what is known of each step ahead."""
        return self.frequency.calendar_size + len(self.future) + len(self.seasonal)

    @property
    def size(self) -> int:
        """D, the numbers of a step: value, whether it is missing, age, lags, calendar, covariates."""
        static = sum(len(one) if isinstance(one, list) else 1 for one in self.static)
        known = self.frequency.calendar_size + len(self.future)
        return 3 + len(self.lags) + known + len(self.past) + static

    def history(self, series: Series) -> History:
        """A series as it is read."""
        values, missing = series.values, np.isnan(series.values)
        places = np.maximum.accumulate(np.where(missing, 0, np.arange(len(values))))
        values = values[places]
        level, spread = np.empty(len(values)), np.empty(len(values))
        one, other = self.scaling.begin(float(values[0]))
        level[0], spread[0] = one, other
        for step, (value, gone) in enumerate(zip(values.tolist(), missing.tolist(), strict=True)):
            if step and not gone:
                one, other = self.scaling.advance(one, other, step, value)
            level[step], spread[step] = one, other
        padded = np.concatenate([np.full(self.reach, np.nan), values])
        return History(
            series, values, missing, level, spread, np.lib.stride_tricks.sliding_window_view(padded, self.reach)
        )

    def inputs(self, history: History, first: int, last: int) -> np.ndarray:
        """What is read before each of the values ``first`` to ``last`` - 1, (R, D)."""
        behind = np.arange(first, last) - 1
        rows = self.rows(
            history.tails[first:last], history.level[behind], history.spread[behind], history.missing[behind]
        )
        series = history.series
        known = self.known(series, np.arange(first, last))
        static = np.broadcast_to(self.statics(series), (len(behind), len(self.statics(series))))
        return np.concatenate([rows, self.ages(behind), known, self.pasts(series.past[behind]), static], 1)

    def rows(self, tails: np.ndarray, level: np.ndarray, spread: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """What is read of values: the last one, whether it was missing, and the lags; (R, 2 + lags)."""
        centre, scale = self.scaling.of(level, spread)
        places = [-1, *(-lag for lag in self.lags)]
        seen = (tails[:, places] - centre[:, None]) / scale[:, None]
        return np.concatenate([np.nan_to_num(seen, nan=0.0), missing[:, None].astype(np.float64)], 1)

    def ages(self, behind: np.ndarray) -> np.ndarray:
        """How much stands before each last value, as log10 of it, (R, 1)."""
        return np.array([_age(int(one)) for one in behind]).reshape(-1, 1)

    def known(self, series: Series, positions: np.ndarray) -> np.ndarray:
        """What is known ahead of steps (R,): calendar and future covariates, (R, C + F)."""
        calendar = self.frequency.calendar(self.frequency.times(series.start, positions))
        if not self.future:
            return calendar
        have = series.known_from + len(series.future)
        if positions[-1] >= have:
            lacking = int(positions[-1]) + 1 - have
            raise UsageError(
                f"{series.shown}: the future covariates of {lacking} more step(s) ahead are needed; add rows for them, "
                "the target left empty."
            )
        return np.concatenate([calendar, _standard(series.future[positions - series.known_from], self.future)], 1)

    def pasts(self, past: np.ndarray) -> np.ndarray:
        """Past covariates (R, P), standardised."""
        return _standard(past, self.past)

    def statics(self, series: Series) -> np.ndarray:
        """What does not change: numbers standardised, words as one of those known."""
        parts: list[float] = []
        for value, kind in zip(series.static, self.static, strict=True):
            if isinstance(kind, list):
                parts += [float(value == one) for one in kind]
            else:
                parts.append(0.0 if value is None else (float(value) - kind["mean"]) / kind["deviation"])
        return np.array(parts)

    def ahead(self, tails: np.ndarray, centre: np.ndarray, scale: np.ndarray, steps: int) -> np.ndarray:
        """The values whole seasons before each of the next steps, scaled, (R, steps, lags)."""
        if not self.seasonal:
            return np.zeros((len(tails), steps, 0))
        places = np.array([[step % lag - lag for lag in self.seasonal] for step in range(steps)])  # (steps, lags)
        seen = (tails[:, places] - centre[:, None, None]) / scale[:, None, None]
        return np.nan_to_num(seen, nan=0.0)

    def anchors(self, kind: str, tails: np.ndarray, centre: np.ndarray, scale: np.ndarray, steps: int) -> np.ndarray:
        """What the answers for the next steps are added to, scaled, (R, steps)."""
        if kind == "none":
            return np.zeros((len(tails), steps))
        season = self.season if kind == "seasonal" else 1
        places = np.arange(steps) % season - season
        values = tails[:, places]
        values = np.where(np.isnan(values), tails[:, -1:], values)
        return (values - centre[:, None]) / scale[:, None]


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of what is there; 0 and 1 where nothing is, or nothing varies."""
    there = values[~np.isnan(values)]
    if not len(there):
        return 0.0, 1.0
    deviation = float(there.std())
    return float(there.mean()), deviation if deviation > 0 else 1.0


def _kinds(values: Sequence[Any]) -> Any:
    """Mean and deviation of numbers, or the different words in order."""
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        mean, deviation = _moments(np.array(values, np.float64))
        return {"mean": mean, "deviation": deviation}
    return sorted({one for one in values if one is not None}, key=str)


def _standard(values: np.ndarray, moments: Sequence[tuple[float, float]]) -> np.ndarray:
    if not moments:
        return np.zeros((len(values), 0))
    mean, deviation = np.array(moments).T
    return np.nan_to_num((values - mean) / deviation, nan=0.0)


@cache
def _age(count: int) -> float:
    return math.log10(2.0 + count)
