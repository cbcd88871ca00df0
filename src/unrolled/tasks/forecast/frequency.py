"""Frequency: how far apart the times of series are, which season that means, and what the calendar says of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from unrolled.errors import UsageError

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
"""Times are whole microseconds since 1970; whole numbers are themselves."""
UNITS = ((7 * DAY, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"), (1, "microsecond"))
ADVERBS = {"week": "weekly", "day": "daily", "hour": "hourly", "month": "monthly", "business day": "business daily"}


@dataclass(frozen=True)
class Frequency:
    """So many units from a time to the next: ``step`` (whole numbers), ``microsecond``, ``business day``, ``month``."""

    unit: str
    count: int = 1

    def __str__(self) -> str:
        unit, count = self.unit, self.count
        if unit == "step":
            return "whole numbers" if count == 1 else f"whole numbers {count} apart"
        if unit == "month" and count in (3, 12):
            return "quarterly" if count == 3 else "yearly"
        if unit == "microsecond":
            size, unit = next(pair for pair in UNITS if count % pair[0] == 0)
            count //= size
        return ADVERBS.get(unit, f"every {unit}") if count == 1 else f"every {count} {unit}s"

    @property
    def season(self) -> int:
        """Steps of the usual season: a day of hours, a week of days, a year of months; 1 where there is none."""
        if self.unit == "business day":
            return 5
        if self.unit == "month":
            return 12 // self.count if 12 % self.count == 0 else 1
        if self.unit != "microsecond":
            return 1
        if self.count >= 7 * DAY:
            return 52 if self.count == 7 * DAY else 1
        whole = 7 * DAY if self.count >= DAY else DAY if self.count >= MINUTE else HOUR
        return whole // self.count if whole % self.count == 0 else 1

    def lags(self, season: int) -> list[int]:
        """Which values before a target are worth showing: the last few, and those around one and two seasons ago."""
        chosen = {2, 3}
        if season > 1:
            chosen |= {season - 1, season, season + 1, 2 * season}
        if self.unit == "microsecond" and self.count < DAY and season * self.count == DAY:
            chosen.add(7 * season)
        return sorted(lag for lag in chosen if lag > 1)

    def positions(self, times: np.ndarray, name: str) -> np.ndarray:
        """The step of each time (T,) from the first, which is 0. Raises UsageError for a time between two steps."""
        if self.unit == "business day":
            days = (times // DAY).astype("datetime64[D]")
            return np.busday_count(days[0], days)
        if self.unit == "month":
            months = _months(times)
            steps, rest = np.divmod(months - months[0], self.count)
        else:
            steps, rest = np.divmod(times - times[0], self.count)
        if rest.any():
            where = int(np.flatnonzero(rest)[0])
            seen = f"{self.shown(int(times[where]))} is no whole number of steps behind {self.shown(int(times[0]))}"
            raise UsageError(f"series '{name}': the times are {self}, and {seen}; one frequency a file.")
        return steps

    def times(self, start: int, positions: np.ndarray) -> np.ndarray:
        """The times of steps (R,) of a series that begins at ``start``."""
        if self.unit == "business day":
            day = np.datetime64(start // DAY, "D")
            return np.busday_offset(day, positions, roll="forward").astype(np.int64) * DAY + start % DAY
        if self.unit != "month":
            return start + positions * self.count
        first = np.array([start])
        month = _months(first)[0]
        begins = int(month.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64))
        months = month + positions * self.count
        at = months.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        after = (months + 1).astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        if _is_month_end(first)[0]:
            return after - DAY + start % DAY
        return np.minimum(at + (start - begins), after - DAY + start % DAY)

    def shown(self, time: int) -> Any:
        """A time as people and JSON have it: ISO 8601, or the whole number."""
        if self.unit == "step":
            return time
        text = str(np.datetime64(time, "us"))
        return text[:10] if time % DAY == 0 and (self.unit != "microsecond" or self.count % DAY == 0) else text[:19]

    def calendar(self, times: np.ndarray) -> np.ndarray:
        """What the calendar says of times (R,): sine and cosine of the place in each cycle, (R, C)."""
        cycles = []
        if self.unit == "microsecond" and self.count < DAY:
            per_day = 24 if self.count >= HOUR else 1440
            cycles.append((times % DAY // (DAY // per_day), per_day))
        if self.unit == "business day" or (self.unit == "microsecond" and self.count < 7 * DAY):
            cycles.append(((times // DAY + 3) % 7, 7))
        if self.unit == "business day" or (self.unit == "microsecond" and self.count >= DAY):
            year = times.astype("datetime64[us]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
            cycles.append((times // DAY - year, 366))
        if self.unit == "month" and self.count < 12:
            cycles.append((_months(times) % 12, 12))
        if not cycles:
            return np.zeros((len(times), 0))
        return np.concatenate([_circle(period)[places] for places, period in cycles], 1)

    @property
    def calendar_size(self) -> int:
        """C, the numbers that the calendar gives a time."""
        return self.calendar(np.zeros(1, np.int64)).shape[1]


def infer(times: Mapping[str, np.ndarray], whole_numbers: bool) -> Frequency:
    """The frequency of all series, given their times in order. Raises UsageError where they differ or none is seen."""
    found: dict[str, Frequency] = {}
    for name, own in times.items():
        if len(own) > 1:
            found[name] = _of_one(own, whole_numbers)
    if not found:
        raise UsageError("every series has one time only; a frequency is seen from two on.")
    kinds = list(found.values())
    common = max(dict.fromkeys(kinds), key=kinds.count)
    if any(kind.unit == "microsecond" for kind in kinds) and common.unit == "business day":
        common = Frequency("microsecond", DAY)
    for name, kind in found.items():
        daily = {Frequency("business day"), Frequency("microsecond", DAY)}
        if kind != common and not {kind, common} <= daily:
            other = next(one for one, its in found.items() if its == common)
            raise UsageError(f"mixed frequency: series '{other}' is {common}, and '{name}' {kind}; one a file.")
    return common


def _of_one(times: np.ndarray, whole_numbers: bool) -> Frequency:
    step = _commonest(np.diff(times))
    if whole_numbers:
        return Frequency("step", step)
    inside = times - times // DAY * DAY
    if step >= 28 * DAY and (inside == inside[0]).all() and (_same_day(times) or _is_month_end(times).all()):
        return Frequency("month", _commonest(np.diff(_months(times))))
    weekdays = (times // DAY + 3) % 7
    if step == DAY and (weekdays < 5).all() and (np.diff(times) == 3 * DAY).any():
        return Frequency("business day")
    return Frequency("microsecond", step)


def _commonest(steps: np.ndarray) -> int:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def _months(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def _day_of_month(times: np.ndarray) -> np.ndarray:
    return times // DAY - _months(times).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _same_day(times: np.ndarray) -> bool:
    days = _day_of_month(times)
    return bool((days == days[0]).all())


def _is_month_end(times: np.ndarray) -> np.ndarray:
    return _day_of_month(times + DAY) == 0


@cache
def _circle(period: int) -> np.ndarray:
    """Sine and cosine of every place in a cycle, (period, 2): a table, so that a place has the same bits anywhere."""
    angles = [2 * math.pi * place / period for place in range(period)]
    return np.array([(math.sin(angle), math.cos(angle)) for angle in angles])
