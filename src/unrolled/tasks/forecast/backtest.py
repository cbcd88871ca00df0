"""Rolling forecasts: at one moment after the other, from what stood before it alone; and how good they were."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.tasks.forecast.baselines import baselines, naive
from unrolled.tasks.forecast.encode import Encoder
from unrolled.tasks.forecast.metrics import Scored, measures
from unrolled.tasks.forecast.series import Series
from unrolled.tasks.forecast.standing import Reader, Standing

ROWS = 256
"""Moments that wait to be forecast together."""


@dataclass(frozen=True)
class Forecast:
    """What is said of the steps behind the first ``seen`` values of a series."""

    series: Series
    seen: int
    told: dict[str, np.ndarray]
    """Statistics by name, (horizon,) each."""

    def rows(self, encoder: Encoder) -> Iterator[dict[str, Any]]:
        """A row a step: series, time, statistics."""
        frequency = encoder.frequency
        horizon = len(next(iter(self.told.values())))
        times = frequency.times(self.series.start, np.arange(self.seen, self.seen + horizon))
        for step, time in enumerate(times.tolist()):
            numbers = {name: float(values[step]) for name, values in self.told.items()}
            yield {"id": self.series.name, "time": frequency.shown(time), **numbers}


def forecasts(
    reader: Reader,
    series: Sequence[Series],
    moments: Sequence[Sequence[int]],
    horizon: int,
    report: Callable[[int, int], None] = lambda *_: None,
) -> list[list[Forecast]]:
    """Forecasts of series at moments of theirs: counts of values seen, in order; each series is read once.

    Args:
        reader: The network.
        series: What is forecast.
        moments: For each series when.
        horizon: How many steps.
        report: Called with the forecasts done and those in all.
    """
    made: list[list[Forecast]] = [[] for _ in series]
    total = sum(len(one) for one in moments)
    batch = reader.config.batch
    waiting: list[tuple[int, Standing]] = []
    done = 0

    def answer() -> None:
        nonlocal done
        told = reader.ahead(Standing.together([one for _, one in waiting]), horizon)
        for (place, standing), one in zip(waiting, told, strict=True):
            made[place].append(Forecast(series[place], int(standing.seen[0]), one))
        done += len(waiting)
        waiting.clear()
        report(done, total)

    order = [place for place in sorted(range(len(series)), key=lambda one: len(series[one])) if moments[place]]
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        histories = {place: reader.encoder.history(series[place]) for place in places}
        standing: Standing | None = None
        for turn in range(max(len(moments[place]) for place in places)):
            still = [row for row, place in enumerate(places) if len(moments[place]) > turn]
            if standing is not None and len(still) < len(places):
                standing = standing.rows(still)
            places = [places[row] for row in still]
            own, seen = [histories[place] for place in places], [moments[place][turn] for place in places]
            standing = reader.begin(own, seen) if standing is None else reader.on(standing, own, seen)
            waiting += [(place, standing.rows([row])) for row, place in enumerate(places)]
            if len(waiting) >= ROWS:
                answer()
    if waiting:
        answer()
    return made


def rolling(series: Series, horizon: int, stride: int) -> list[int]:
    """The moments at which the last ``scored`` values are forecast: from the first on, as long as a horizon fits."""
    first = max(1, len(series) - series.scored)
    last = len(series) - min(horizon, series.scored)
    return list(range(first, last + 1, stride))


def scores(
    reader: Reader,
    series: Sequence[Series],
    horizon: int,
    stride: int,
    report: Callable[[int, int], None] = lambda *_: None,
) -> tuple[dict[str, Any], list[list[Forecast]]]:
    """The figures of rolling forecasts, with those of the baselines at the same moments; and the forecasts."""
    moments = [rolling(one, horizon, stride) for one in series]
    made = forecasts(reader, series, moments, horizon, report)
    season = reader.encoder.season
    own, others = [], {name: [] for name in baselines(season)}
    for one, when, said in zip(series, moments, made, strict=True):
        if not said:
            continue
        padded = np.concatenate([one.values, np.full(horizon, np.nan)])
        actual = np.stack([padded[moment : moment + horizon] for moment in when])
        history = one.values[: when[0]]
        told = {name: np.stack([forecast.told[name] for forecast in said]) for name in said[0].told}
        own.append(Scored(actual, told, history))
        for name, period in baselines(season).items():
            simple = np.stack([naive(one.values[:moment], horizon, period) for moment in when])
            others[name].append(Scored(actual, {"median": simple}, history))
    figures: dict[str, Any] = measures(own, season)
    counts = {"series": len(own), "forecasts": sum(len(one.actual) for one in own), "horizon": horizon}
    compared = {name: measures(scored, season) for name, scored in others.items()}
    return {**figures, **counts, "baselines": compared}, made
