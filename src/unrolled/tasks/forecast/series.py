"""Series: values in step with their covariates; what is missing filled as asked, and the last part held out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrolled.errors import UsageError


@dataclass(frozen=True)
class Series:
    """One series, a value for every step of its frequency.

    Attributes:
        name: What it is called; None for one given without a name.
        start: Its first time: microseconds since 1970, or the whole number.
        values: (T,), NaN where a value is missing; the first and the last are there.
        past: (T, P), covariates known up to the present.
        future: (T + A, F), covariates known ahead, A steps of them behind the last value.
        static: One value for each covariate that does not change.
        asked: Rows behind the last value, which ask for forecasts.
        scored: The last so many values are there to be forecast.
        known_from: The step of the first row of ``future``; what was before it is let go.
    """

    name: str | None
    start: int
    values: np.ndarray
    past: np.ndarray
    future: np.ndarray
    static: tuple[Any, ...] = ()
    asked: int = 0
    scored: int = 0
    known_from: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shown(self) -> str:
        """Its name, for a message."""
        return "the series" if self.name is None else f"series '{self.name}'"

    def until(self, steps: int) -> "Series":
        """Its first ``steps`` values; what is known ahead stays."""
        return replace(self, values=self.values[:steps], past=self.past[:steps], scored=0, asked=0)


def plain(name: str | None, values: Any) -> Series:
    """A series of numbers in memory, its steps counted from 0. Raises UsageError where they are no numbers."""
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise UsageError("a series in memory is a list of numbers; tables bring times and covariates.") from None
    if array.ndim != 1 or not (~np.isnan(array)).any():
        raise UsageError(f"a series in memory is a list of numbers, one or more, and this has shape {array.shape}.")
    if np.isinf(array).any():
        raise UsageError(
            f"a series in memory holds an infinite value at step {int(np.flatnonzero(np.isinf(array))[0])}."
        )
    there = np.flatnonzero(~np.isnan(array))
    array = array[there[0] : there[-1] + 1]
    return Series(name, int(there[0]), array, np.zeros((len(array), 0)), np.zeros((len(array), 0)))


def filled(values: np.ndarray, how: str) -> np.ndarray:
    """Values (T,) with what is missing put in: by the ``previous`` value, on a ``linear`` way, as ``zero``, or not."""
    missing = np.isnan(values)
    if how == "none" or not missing.any():
        return values
    places = np.arange(len(values))
    if how == "zero":
        return np.where(missing, 0.0, values)
    if how == "linear":
        return np.where(missing, np.interp(places, places[~missing], values[~missing]), values)
    return values[np.maximum.accumulate(np.where(missing, 0, places))]


def hold_out_last(series: Sequence[Series], valid: int, fraction: float | None, test: int) -> "Parts":
    """Cut the last steps off each series, for validation and behind them for the test.

    Args:
        series: What there is.
        valid: Steps to validate on.
        fraction: The share of each series to validate on instead.
        test: Steps for the test; 0 for none.

    Returns:
        The parts, and the names of series too short to give anything away, which are only learned from.

    Raises:
        UsageError: no series is long enough.
    """
    train, validated, tested, short = [], [], [], []
    for one in series:
        steps = valid if fraction is None else max(1, round(fraction * (len(one) - test)))
        learned = len(one) - steps - test
        if learned < max(2, steps if fraction is None else 2):
            train.append(one)
            short.append(one.shown)
            continue
        train.append(_whole(one, learned))
        validated.append(replace(one.until(learned + steps), scored=steps))
        if test:
            tested.append(replace(one, scored=test))
    if not validated:
        longest = max(len(one) for one in series)
        wanted = f"{valid + test} steps are to be held out, and at least as many as are validated on must be left"
        raise UsageError(f"the longest series has {longest} steps: {wanted}; give a smaller --horizon, or --valid.")
    return Parts(train, validated, tested or None, tuple(short))


def _whole(series: Series, steps: int) -> Series:
    """The first steps, ended where the last value is there."""
    there = np.flatnonzero(~np.isnan(series.values[:steps]))
    return series.until(int(there[-1]) + 1) if len(there) else series.until(1)


@dataclass(frozen=True)
class Parts:
    """Series cut by time."""

    train: list[Series]
    valid: list[Series]
    test: list[Series] | None
    short: tuple[str, ...] = ()


def continued(known: Sequence[Series], more: Sequence[Series], time_of: Any, steps: int) -> list[Series]:
    """Series to score: those that go on where a known one of the same name ends stand behind it, and are scored whole.

    Of any other the last ``steps`` are scored, as far as it is longer than that.

    Args:
        known: What came before.
        more: The series of another file.
        time_of: Gives the time of a step of a series: ``time_of(series, step)``.
        steps: How much of a whole series is scored.
    """
    before = {one.name: one for one in known}
    joined = []
    for one in more:
        old = before.get(one.name)
        if old is not None and one.start > time_of(old, len(old) - 1):
            if time_of(old, len(old)) != one.start:
                raise UsageError(
                    f"{one.shown} goes on behind a gap: its first time does not follow the known last one."
                )
            whole = {part: np.concatenate([getattr(old, part)[: len(old)], getattr(one, part)]) for part in _ARRAYS}
            joined.append(replace(one, start=old.start, static=old.static or one.static, scored=len(one), **whole))
        elif len(one) > 1:
            joined.append(replace(one, scored=min(steps, len(one) - 1)))
        else:
            raise UsageError(f"{one.shown} has one value; nothing stands before it to forecast it from.")
    return joined


_ARRAYS = ("values", "past", "future")
