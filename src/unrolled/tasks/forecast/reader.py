"""Reading series: from a long or a wide table, every value at its step; what is odd is said, or refused in one line."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from unrolled.data.tables import Table, read_table
from unrolled.errors import UsageError, did_you_mean
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.frequency import Frequency, infer
from unrolled.tasks.forecast.series import Series, filled
from unrolled.tasks.forecast.times import stamps_of

IDS = ("unique_id", "item_id", "series_id", "id", "series")
TIMES = ("ds", "date", "datetime", "timestamp", "time", "month", "week", "day", "year", "step", "t")
TARGETS = ("y", "target", "value", "values")
MISSING = ("", "na", "n/a", "nan", "null", "none")
"""What stands in files for a value that is missing."""
SHOWN = 3
LARGEST = 1e18
"""Squares of larger values pass what 32 bits hold."""


@dataclass(frozen=True)
class Columns:
    """What stands where in a table. A wide one has no ``target``; a long one of a single series no ``id``."""

    time: str
    id: str | None = None
    target: str | None = None
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> "Columns":
        """What ``dataclasses.asdict`` gave, through JSON or not."""
        past, future, static = (tuple(known[name]) for name in ("past", "future", "static"))
        return cls(known["time"], known["id"], known["target"], past, future, static)


@dataclass(frozen=True)
class Found:
    """The series of a table."""

    series: list[Series]
    columns: Columns
    frequency: Frequency
    name: str
    fingerprint: str
    notes: list[str] = field(default_factory=list)


def read_series(
    source: Any, config: ForecastConfig, columns: Columns | None = None, frequency: Frequency | None = None
) -> Found:
    """Read the series of a table.

    Args:
        source: See :func:`unrolled.data.tables.read_table`.
        config: Names columns, and says how missing values are filled.
        columns: What stands where, if that is known already.
        frequency: How far times are apart, if that is known already.

    Raises:
        UsageError: columns, times or values do not fit; the message names column, series and time.
    """
    table = read_table(source)
    notes: list[str] = []
    if columns is None:
        columns = _find_columns(table, config, notes)
    found, (frame, columns) = columns, _long(table, columns)
    stamps, whole = stamps_of(table, frame[columns.time], columns.time, notes)
    if frequency is not None and whole != (frequency.unit == "step"):
        kind = "whole numbers" if whole else "dates"
        raise UsageError(f"{table.name}: the times are {kind}, and the model's are {frequency}.")
    own = [name for name in (columns.target, *columns.past, *columns.future) if name]
    numbers = {name: _numbers(table, frame, name) for name in own}
    if columns.id and frame[columns.id].null_count():
        row = int(np.flatnonzero(frame[columns.id].is_null().to_numpy())[0]) + 1
        raise UsageError(f"{table.name}: row {row} names no series in '{columns.id}'.")
    ids = np.array(frame[columns.id].cast(pl.String).to_list()) if columns.id else None
    groups = _groups(ids, stamps, columns.target or "", notes)
    times = {name: stamps[rows] for name, rows in groups.items()}
    _refuse_twice(table, times, whole)
    frequency = frequency or infer(times, whole)
    notes.insert(0, f"{len(groups)} series, {frequency}, season {config.season or frequency.season}")
    made = []
    for name, rows in groups.items():
        static = _static(frame, columns.static, rows, name)
        made.append(
            _series(
                name, stamps[rows], {key: value[rows] for key, value in numbers.items()}, static, columns, frequency
            )
        )
    series = [one for one in made if one is not None]
    if len(series) < len(made):
        notes.append(f"{len(made) - len(series)} series without a value left out")
    if not series:
        raise UsageError(f"{table.name}: no series has a value in '{columns.target}'.")
    return Found(_fill(series, config.fill, frequency, notes), found, frequency, table.name, table.fingerprint, notes)


def _find_columns(table: Table, config: ForecastConfig, notes: list[str]) -> Columns:
    """What stands where: as named, or guessed with a note."""
    names = table.frame.columns
    time, note = table.column(config.time, "time", TIMES)
    notes += [note] * bool(note)
    covariates = [*(config.past or ()), *(config.future or ()), *(config.static or ())]
    for name in covariates:
        table.column(name, "past, --future or --static", ())
    lower = {name.lower() for name in names}
    is_long = config.target or config.id or covariates or any(one in lower for one in TARGETS)
    if config.wide or (config.wide is None and not is_long):
        series = [name for name in names if name != time]
        if not series:
            raise UsageError(f"{table.name}: beside the time '{time}' there is no column that could be a series.")
        if config.wide is None:
            _refuse_text(table, series)
            shown = ", ".join(series[:SHOWN]) + (", …" if len(series) > SHOWN else "")
            notes.append(f"a wide table: each column but '{time}' is a series ({shown}); --target names one instead")
        return Columns(time)
    target, note = table.column(config.target, "target", TARGETS)
    notes += [note] * bool(note)
    identity = config.id
    if identity is not None or any(one in lower for one in IDS):
        identity, note = table.column(config.id, "id", IDS)
        notes += [note] * bool(note)
    past, future, static = (tuple(one or ()) for one in (config.past, config.future, config.static))
    return Columns(time, identity, target, past, future, static)


def _refuse_text(table: Table, series: Sequence[str]) -> None:
    """A wide table holds numbers only; where it does not, it may be long with columns of other names."""
    for name in series:
        column = table.frame[name]
        texts = column.drop_nulls() if column.dtype == pl.String else column.clear()
        if len(texts) and texts.cast(pl.Float64, strict=False).null_count() == len(texts):
            first = texts[0]
            way = f"name what it holds with --id, --time and --target; it has {table.listed}"
            raise UsageError(f"{table.name}: '{name}' holds text ({first!r:.40}), so the table is not wide; {way}.")


def _long(table: Table, columns: Columns) -> tuple[pl.DataFrame, Columns]:
    """The frame in long form, and what stands where in it."""
    wanted = [columns.time, columns.id, columns.target, *columns.past, *columns.future, *columns.static]
    for name in wanted:
        if name is not None and name not in table.frame.columns:
            near = did_you_mean(name, table.frame.columns)
            raise UsageError(
                f"{table.name} has no column '{name}', and the model reads it; it has {table.listed}.{near}"
            )
    if columns.target is not None:
        return table.frame, columns
    series = [name for name in table.frame.columns if name != columns.time]
    numbers = {name: _numbers(table, table.frame, name) for name in series}
    frame = table.frame.select(columns.time).with_columns(pl.Series(name, one) for name, one in numbers.items())
    long = frame.unpivot(index=columns.time, on=series, variable_name=IDS[0], value_name=TARGETS[0])
    values = long[TARGETS[0]].fill_nan(None)
    return long.with_columns(values), Columns(columns.time, IDS[0], TARGETS[0])


def _numbers(table: Table, frame: pl.DataFrame, column: str) -> np.ndarray:
    """A column as float64, NaN where it is empty."""
    values = frame[column]
    if values.dtype == pl.Boolean or values.null_count() == len(values):
        values = values.cast(pl.Float64)
    if values.dtype == pl.String:
        values = values.set(values.str.strip_chars().str.to_lowercase().is_in(MISSING), None)
    as_numbers = values.cast(pl.Float64, strict=False) if values.dtype == pl.String else values
    bad = (as_numbers.is_null() & values.is_not_null()).to_numpy()
    if bad.any() or not as_numbers.dtype.is_numeric():
        row = int(np.flatnonzero(bad)[0]) if bad.any() else 0
        raise UsageError(f"{table.name}: row {row + 1} has {values[row]!r} in '{column}', where numbers are wanted.")
    array = as_numbers.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if (np.abs(array) > LARGEST).any():
        row = int(np.flatnonzero(np.abs(array) > LARGEST)[0])
        seen = "an infinite value" if np.isinf(array[row]) else f"{array[row]:g}, too large a value,"
        raise UsageError(f"{table.name}: row {row + 1} has {seen} in '{column}'.")
    return array


def _groups(ids: np.ndarray | None, stamps: np.ndarray, single: str, notes: list[str]) -> dict[str, np.ndarray]:
    """The rows of each series in order of time; series in order of their first row."""
    if ids is None:
        groups = {single: np.arange(len(stamps))}
    else:
        names, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
        rows = np.argsort(inverse, kind="stable")
        ends = np.cumsum(np.bincount(inverse))[:-1]
        split = dict(zip(names.tolist(), np.split(rows, ends), strict=True))
        groups = {names[place].item(): split[names[place].item()] for place in np.argsort(first)}
    unsorted = [name for name, rows in groups.items() if (np.diff(stamps[rows]) < 0).any()]
    if unsorted:
        notes.append(f"rows of {len(unsorted)} series were not in order of time ('{unsorted[0]}'); they were sorted")
    return {name: rows[np.argsort(stamps[rows], kind="stable")] for name, rows in groups.items()}


def _refuse_twice(table: Table, times: dict[str, np.ndarray], whole: bool) -> None:
    for name, own in times.items():
        twice = np.flatnonzero(np.diff(own) == 0)
        if len(twice):
            when = Frequency("step" if whole else "microsecond").shown(int(own[twice[0]]))
            shown = str(when).removesuffix("T00:00:00")
            raise UsageError(f"{table.name}: series '{name}' has two rows for {shown}; one a time.")


def _static(frame: pl.DataFrame, columns: Sequence[str], rows: np.ndarray, name: str) -> tuple[Any, ...]:
    values = []
    for column in columns:
        own = frame[column][rows.tolist()].unique()
        if len(own) > 1:
            raise UsageError(
                f"series '{name}' has {len(own)} values of the static '{column}'; a static has one a series."
            )
        values.append(own[0])
    return tuple(values)


def _series(
    name: str,
    times: np.ndarray,
    numbers: dict[str, np.ndarray],
    static: tuple[Any, ...],
    columns: Columns,
    frequency: Frequency,
) -> Series | None:
    """A series on its steps, from its first value on; None where it has no value."""
    places = frequency.positions(times, name)
    if (np.diff(places) == 0).any():
        where = frequency.shown(int(times[1:][np.diff(places) == 0][0]))
        raise UsageError(f"series '{name}' is {frequency}, and {where} falls on the step of the time before it.")
    steps = int(places[-1]) + 1

    def placed(column: str) -> np.ndarray:
        array = np.full(steps, np.nan)
        array[places] = numbers[column]
        return array

    values = placed(columns.target or "")
    there = np.flatnonzero(~np.isnan(values))
    if not len(there):
        return None
    first, last = int(there[0]), int(there[-1]) + 1
    past = (
        np.stack([placed(one)[first:last] for one in columns.past], 1) if columns.past else np.zeros((last - first, 0))
    )
    future = (
        np.stack([placed(one)[first:] for one in columns.future], 1) if columns.future else np.zeros((steps - first, 0))
    )
    start = int(frequency.times(int(times[0]), np.array([first]))[0])
    return Series(name, start, values[first:last], past, future, static, asked=steps - last)


def _fill(series: list[Series], how: str, frequency: Frequency, notes: list[str]) -> list[Series]:
    """The series with missing values as asked; a note tells how many there were, and the first."""
    missing = [(one, np.flatnonzero(np.isnan(one.values))) for one in series]
    found = [(one, places) for one, places in missing if len(places)]
    if not found:
        return series
    one, places = found[0]
    when = frequency.shown(int(frequency.times(one.start, places[:1])[0]))
    count = sum(len(places) for _, places in found)
    done = (
        f"filled: {how}" if how != "none" else "neither learned nor scored; --fill previous, linear or zero fills them"
    )
    notes.append(f"{count:,} values missing in {len(found)} series (first: '{one.name}' at {when}), {done}")
    return [replace(one, values=filled(one.values, how)) for one in series]
