"""Long tables: a row a step; columns for sequence, order, label and features; to recordings."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from unrolled.data.tables import Table, read_table
from unrolled.errors import UsageError, did_you_mean
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.recordings import Form, Labels, Recording, Recordings, finite

IDS = ("id", "sequence", "seq", "sequence_id", "unique_id", "video", "clip", "recording", "subject", "trial", "series")
TIMES = ("time", "step", "frame", "t", "timestamp", "ds", "index")
LABELS = ("label", "labels", "target", "class", "phase", "action", "activity", "state", "y")


def read_long(source: Any, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """The sequences of a long table.

    Args:
        source: A file, frame or table, see :func:`unrolled.data.tables.read_table`.
        config: Names of columns, kind of answer.
        form: The columns as training found them; found here where None.
        answers: Whether the labels must be there.

    Raises:
        UsageError: a column is missing, or a row holds what cannot be used; the message names both.
    """
    table = source if isinstance(source, Table) else read_table(source)
    notes: list[str] = []
    form = _find(table, config, notes) if form is None else _check(table, form, answers)
    rows = _sequences(table, form, notes)
    features = None if form.own else _numbers(table, form.features, config.missing == "refuse")
    there = form.columns["label"].split(",")[0] in table.frame.columns
    known = answers_in(table, form.columns["label"], config) if there and (answers or form.own) else None
    times = table.frame[form.columns["time"]].to_list() if "time" in form.columns else []
    sequences = []
    for name, places in rows.items():
        index = torch.from_numpy(places)
        mine = None if known is None else known[index] if isinstance(known, Tensor) else [known[one] for one in places]
        when = tuple(_plain(times[one]) for one in places) if times else ()
        sequences.append(Recording(name, None if features is None else features[index], mine, when))
    return Recordings(table.name, table.fingerprint, sequences, form, tuple(notes))


def _find(table: Table, config: FramesConfig, notes: list[str]) -> Form:
    """Which column is what: as the settings say, else by usual names."""
    columns: dict[str, str] = {}
    if config.regression and config.label:
        for one in _listed(config.label):
            table.column(one, "label", ())
        columns["label"] = ",".join(_listed(config.label))
    else:
        columns["label"], said = table.column(config.label, "label", LABELS)
        notes += [said] if said else []
    for what, given, usual in (("id", config.id, IDS), ("time", config.time, TIMES)):
        free = [name for name in table.frame.columns if name.lower() in usual and name not in columns.values()]
        if given is not None or free:
            columns[what], said = table.column(given, what, usual)
            notes += [said] if said else []
    if "id" not in columns:
        notes.append("id: no column says which sequence a row belongs to; all rows are one sequence (--id names one)")
    if "time" not in columns:
        notes.append("time: no column orders the steps; they stand as in the file (--time names one)")
    return _with_features(table, config, columns, notes)


def _with_features(table: Table, config: FramesConfig, columns: dict[str, str], notes: list[str]) -> Form:
    if config.features is not None:
        names = _listed(config.features)
        for one in names:
            table.column(one, "features", ())
        return Form(tuple(names), columns)
    taken = {one for value in columns.values() for one in _listed(value)}
    rest = [name for name in table.frame.columns if name not in taken]
    suspect = {name for name in rest if name.lower() in (*IDS, *TIMES, *LABELS)}
    names = [name for name in rest if _is_number(table.frame[name]) and name not in suspect]
    left = [name for name in rest if name not in names]
    if not names and config.multilabel:
        notes.append("features: no numeric columns, so the labels of each step are what is read")
        return Form((), columns, own=True)
    if not names:
        raise UsageError(f"{table.name}: no numeric column is left to read from (--features); it has {table.listed}.")
    notes.append(f"features: {len(names)} columns, {_shortened(names)} (all other numeric ones; --features lists them)")
    if left:
        notes.append(f"not read: {_shortened(left)} (text, or named like an id, a time or a label)")
    return Form(tuple(names), columns)


def _check(table: Table, form: Form, answers: bool) -> Form:
    wanted = [("features", name) for name in form.features]
    wanted += [(what, name) for what, value in form.columns.items() for name in _listed(value) if what != "label"]
    if answers or form.own:
        wanted += [("label", name) for name in _listed(form.columns["label"])]
    for what, name in wanted:
        if name not in table.frame.columns:
            near = did_you_mean(name, table.frame.columns)
            has = table.listed if len(table.frame.columns) < 40 else f"{len(table.frame.columns)} columns"
            raise UsageError(f"{table.name} has no column '{name}', which is the model's {what}; it has {has}.{near}")
    return form


def _sequences(table: Table, form: Form, notes: list[str]) -> dict[str, np.ndarray]:
    """Of each sequence its rows, in order of time."""
    frame, height = table.frame, table.frame.height
    ids = ["1"] * height
    if "id" in form.columns:
        column = form.columns["id"]
        _no_nulls(table, column, "id")
        ids = [_text(one) for one in frame[column].to_list()]
    places: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        places.setdefault(name, []).append(row)
    rows = {name: np.array(one, dtype=np.int64) for name, one in places.items()}
    if "time" not in form.columns:
        for name, one in rows.items():
            gap = np.flatnonzero(np.diff(one) != 1)
            if gap.size:
                again = f"'{name}' ends in row {one[gap[0]] + 1} and begins again in row {one[gap[0] + 1] + 1}"
                raise UsageError(f"{table.name}: the id {again}; its rows stand together, or --time orders them.")
        return rows
    return _ordered(table, form, rows, notes)


def _ordered(table: Table, form: Form, rows: dict[str, np.ndarray], notes: list[str]) -> dict[str, np.ndarray]:
    column = form.columns["time"]
    _no_nulls(table, column, "time")
    series = table.frame[column]
    if not (series.dtype.is_numeric() or series.dtype.is_temporal()):
        raise UsageError(
            f"{table.name}: the time column '{column}' holds text; numbers are wanted, or dates as 2024-01-31."
        )
    times = series.to_physical().to_numpy()
    unsorted = 0
    for name, one in rows.items():
        order = np.argsort(times[one], kind="stable")
        unsorted += bool((np.diff(order) < 0).any())
        sorted_rows = one[order]
        same = np.flatnonzero(np.diff(times[sorted_rows]) == 0)
        if same.size:
            first, second = (int(row) + 1 for row in sorted_rows[same[0] : same[0] + 2])
            value = series[first - 1]
            whose = f" of '{name}'" if "id" in form.columns else ""
            way = "" if "id" in form.columns else "; if it holds several sequences, --id names their column"
            said = f"rows {first} and {second}{whose} have the same {column}, {value}{way}"
            raise UsageError(f"{table.name}: {said}.")
        rows[name] = sorted_rows
    if unsorted:
        notes.append(f"time: {unsorted} of {len(rows)} sequences were out of order and are sorted by '{column}'")
    return rows


def _numbers(table: Table, names: Sequence[str], refuse: bool) -> Tensor:
    """Columns as numbers (R, D), checked."""
    for name in names:
        if not _is_number(table.frame[name]):
            raise UsageError(f"{table.name}: column '{name}' holds {_first_text(table.frame[name])}, and is no number.")
    columns = [table.frame[name].cast(pl.Float64).to_numpy() for name in names]
    with np.errstate(over="ignore"):
        numbers = np.stack(columns, 1).astype(np.float32)
    finite(numbers, table.name, names, lambda row: f"row {row + 1}", refuse)
    return torch.from_numpy(numbers)


def answers_in(table: Table, column: str, config: FramesConfig) -> Labels | Tensor:
    """What is to be said of every row."""
    if config.regression:
        return _numbers(table, _listed(column), True)
    values = table.frame[column].to_list()
    if config.multilabel:
        return [
            () if one is None else tuple(part for part in re.split(r"[;,|\s]+", _text(one)) if part) for one in values
        ]
    for row, value in enumerate(values):
        if value is None or value == "" or (isinstance(value, float) and value != value):
            raise UsageError(
                f"{table.name}: row {row + 1} has no label (column '{column}'); give it one or leave it out."
            )
        if isinstance(value, float) and not value.is_integer():
            raise UsageError(f"{table.name}: the label in row {row + 1} is {value}; --regression predicts numbers.")
    return [(_text(one),) for one in values]


def _no_nulls(table: Table, column: str, what: str) -> None:
    series = table.frame[column]
    bad = series.is_null()
    if series.dtype.is_float():
        bad = bad | series.is_nan().fill_null(True)
    if bad.any():
        raise UsageError(f"{table.name}: row {int(bad.arg_max() or 0) + 1} has no {what} (column '{column}').")


def _is_number(series: pl.Series) -> bool:
    return series.dtype.is_numeric() or series.dtype == pl.Boolean


def _first_text(series: pl.Series) -> str:
    """The first value that is no number, in words."""
    for row, value in enumerate(series.to_list()):
        try:
            float(value)
        except (TypeError, ValueError):
            return f"{value!r} in row {row + 1}"
    return f"values of type {series.dtype}"


def _text(value: Any) -> str:
    """A cell as text; a whole number without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _plain(value: Any) -> Any:
    """A time as JSON can hold it."""
    return value if isinstance(value, int | float) else str(value)


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _shortened(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
