"""Times as people write them, to whole microseconds since 1970, or to the whole numbers that they are."""

import numpy as np
import polars as pl

from unrolled.data.tables import Table
from unrolled.errors import UsageError

PLAIN = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
)
"""What can be read in one way only."""
DAY_FIRST, MONTH_FIRST = ("%d/%m/%Y", "%d/%m/%Y %H:%M"), ("%m/%d/%Y", "%m/%d/%Y %H:%M")
EITHER = r"^\d{1,2}[/-]\d{1,2}[/-]\d{4}( .*)?$"
FIRST_DAY, LAST_DAY = 1900_01_01, 2100_12_31


def stamps_of(table: Table, times: pl.Series, column: str, notes: list[str]) -> tuple[np.ndarray, bool]:
    """Times as whole microseconds since 1970, or as the whole numbers that they are; and which of both.

    Raises:
        UsageError: a time is missing, is none, or can be read in two ways; the message names its row.
    """
    if times.null_count():
        row = int(np.flatnonzero(times.is_null().to_numpy())[0]) + 1
        raise UsageError(f"{table.name}: row {row} has no time in '{column}'.")
    if times.dtype.is_integer():
        dates = _dates_in_digits(times)
        if dates is None:
            return times.cast(pl.Int64).to_numpy(), True
        notes.append(f"time: {times[0]} is read as the date {dates[0]}")
        times = dates
    if times.dtype == pl.String:
        times = _parsed(table, times, column, notes)
    if times.dtype == pl.Datetime and getattr(times.dtype, "time_zone", None):
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if times.dtype not in (pl.Date, pl.Datetime):
        raise UsageError(f"{table.name}: the times in '{column}' are dates, times or whole numbers, not {times.dtype}.")
    return times.cast(pl.Datetime("us")).cast(pl.Int64).to_numpy(), False


def _dates_in_digits(numbers: pl.Series) -> pl.Series | None:
    """``20240131`` as 31 January 2024, where every number is such a date."""
    if not numbers.is_between(FIRST_DAY, LAST_DAY).all():
        return None
    dates = numbers.cast(pl.String).str.to_date("%Y%m%d", strict=False)
    return None if dates.null_count() else dates


def _parsed(table: Table, texts: pl.Series, column: str, notes: list[str]) -> pl.Series:
    if bool(texts.str.contains(r"^\d{4}-\d{1,2}$").all()):
        return (texts + "-01").str.to_date("%Y-%m-%d")
    read = _by(texts, PLAIN)
    if not read.null_count():
        return read
    if bool(texts.str.contains(EITHER).all()):
        return _by_order(table, texts, column, notes)
    row = int(np.flatnonzero(read.is_null().to_numpy())[0])
    raise UsageError(
        f"{table.name}: row {row + 1} has {texts[row]!r} in '{column}', and a time is like 2024-01-31 13:00."
    )


def _by(texts: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Each text by the first format that reads it; null where none does."""
    tries = [texts.str.to_datetime(one, strict=False, time_unit="us").alias(one) for one in formats]
    return pl.DataFrame(tries).select(pl.coalesce(pl.all()).alias("time"))["time"]


def _by_order(table: Table, texts: pl.Series, column: str, notes: list[str]) -> pl.Series:
    """Days and months as the only order in which all of them are dates, or each the first of a month."""
    slashed = texts.str.replace_all("-", "/", literal=True)
    found = [(how, _by(slashed, one)) for how, one in (("day", DAY_FIRST), ("month", MONTH_FIRST))]
    whole = [(how, one) for how, one in found if not one.null_count()]
    firsts = [(how, one) for how, one in whole if bool((one.dt.day() == 1).all())]
    chosen = firsts if len(whole) > 1 else whole
    if len(chosen) != 1:
        seen = "can be read day first or month first" if whole else "are not all dates, neither day nor month first"
        raise UsageError(f"{table.name}: times like {texts[0]!r} in '{column}' {seen}; write them as 2024-01-31.")
    how, times = chosen[0]
    notes.append(f"time: {texts[0]} is read {how} first, as {times.dt.date()[0]}")
    return times
