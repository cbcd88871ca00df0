"""Following: series that are read once and then go on, one value after the other, each at the same cost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unrolled.errors import UsageError, did_you_mean
from unrolled.tasks.forecast.backtest import Forecast
from unrolled.tasks.forecast.series import Series
from unrolled.tasks.forecast.standing import Reader, Standing


class Following:
    """Series at the moment that they have come to. What it says is what the model says of the whole histories."""

    def __init__(self, reader: Reader, series: Sequence[Series], horizon: int) -> None:
        self.reader, self.horizon = reader, horizon
        histories = [reader.encoder.history(one) for one in series]
        standing = reader.begin(histories, [len(one) for one in series])
        self.standing = {one.name: _light(standing.rows([row])) for row, one in enumerate(series)}

    def update(
        self,
        value: float | None,
        name: str | None = None,
        past: Sequence[float] = (),
        future: Sequence[float] = (),
    ) -> None:
        """Take in the next value of a series; None where it is missing.

        Args:
            value: The observation, one step behind the last.
            name: Which series; may be left out where there is one.
            past: Its past covariates, in the order of the settings.
            future: Its future covariates, where they were not given before.

        Raises:
            UsageError: no such series, or covariates are missing.
        """
        name = self._named(name)
        standing, encoder = self.standing[name], self.reader.encoder
        number = np.nan if value is None else float(value)
        if np.isinf(number):
            raise UsageError(f"the next value of '{name}' is a number or None, and is {value}.")
        if len(past) != len(encoder.past):
            raise UsageError(f"past covariates: {len(encoder.past)} are wanted, and {len(past)} given.")
        standing = self._with_future(standing, list(future))
        self.standing[name] = _light(self.reader.observe(standing, np.array([number]), np.array([past], np.float64)))

    def forecast(self, horizon: int | None = None) -> list[Forecast]:
        """What is said of the next steps of each series."""
        together = Standing.together(list(self.standing.values()))
        told = self.reader.ahead(together, horizon or self.horizon)
        pairs = zip(together.series, together.seen.tolist(), told, strict=True)
        return [Forecast(series, seen, one) for series, seen, one in pairs]

    def _named(self, name: str | None) -> str | None:
        if name is None and len(self.standing) == 1:
            return next(iter(self.standing))
        if name not in self.standing:
            names = [str(one) for one in self.standing]
            raise UsageError(f"no series '{name}' is followed.{did_you_mean(str(name), names)}")
        return name

    def _with_future(self, standing: Standing, future: list[Any]) -> Standing:
        series, seen, wanted = standing.series[0], int(standing.seen[0]), len(self.reader.encoder.future)
        if not future or not wanted:
            return standing
        if len(future) != wanted:
            raise UsageError(f"future covariates: {wanted} are wanted, and {len(future)} given.")
        kept = series.future[: seen - series.known_from]
        whole = np.concatenate([kept, np.array([future], np.float64), series.future[len(kept) + 1 :]])
        return replace(standing, series=[replace(series, future=whole)])


def _light(standing: Standing) -> Standing:
    """What is no longer needed of a series let go, so that it does not grow."""
    series, seen = standing.series[0], int(standing.seen[0])
    gone = max(0, seen - series.known_from)
    light = replace(
        series, values=series.values[:0], past=series.past[:0], future=series.future[gone:], known_from=seen
    )
    return replace(standing, series=[light])
