"""Tables of texts and their classes, of files and their classes; series as long tables, a row a step, or wide ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import torch

from unrolled.data.tables import Table, read_table
from unrolled.errors import UsageError
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import Examples, Form, check_ids, check_numbers, labels_of

TEXT = ("text", "sentence", "question", "review", "comment", "message", "tweet", "content", "document", "body", "name")
LABEL = ("label", "class", "target", "category", "sentiment", "language", "y")
FILE = ("file", "filename", "file_name", "path", "wav", "audio", "image", "picture")
ID = ("id", "series", "unique_id", "case", "sequence", "series_id")
FEWEST = 3
"""Columns of numbers at least by which a table is taken for one with a row a series."""
TIME = ("time", "t", "step", "timestamp", "date", "ds", "frame", "index")


def read_classify_table(source: Any, config: ClassifyConfig, form: Form | None, answers: bool) -> Examples:
    """The examples of a table; of files only their paths, still to be read.

    Args:
        source: A file, ``-``, or a frame.
        config: Names columns.
        form: What the model reads, where there is a model already.
        answers: Whether classes are needed.

    Raises:
        UsageError: a column is missing, or a row holds what cannot be used; the message names row and column.
    """
    table = read_table(source, as_text=True, header=config.header)
    if form is None:
        form, notes = _guessed(table, config)
    else:
        form, notes = _of_the_model(table, form), []
    columns = dict(form.columns)
    if answers:
        columns["label"], note = _label(table, config, form)
        notes.append(note)
    form = Form(form.kind, form.width, form.rate, columns)
    read = _read_wide if "wide" in columns else _read_long if "time" in columns else _read_rows
    return read(table, form, answers, tuple(note for note in notes if note))


def _guessed(table: Table, config: ClassifyConfig) -> tuple[Form, list[str]]:
    """What a table holds, by the columns that are named, else by their names."""
    lower = [name.lower() for name in table.frame.columns]
    if config.wide:
        return _wide(table, config)
    if config.text is None and (config.time or config.channels):
        return _long(table, config)
    if config.file is not None or (config.text is None and not set(TEXT) & set(lower) and set(FILE) & set(lower)):
        column, note = table.column(config.file, "file", FILE)
        return Form("files", columns=_with_id(table, config, {"file": column})), [note]
    if config.text is None and not set(TEXT) & set(lower):
        if set(ID) & set(lower) and set(TIME) & set(lower):
            return _long(table, config)
        found = _the_other(table, config.label)
        if found:
            columns, note = found
            return Form("text", columns=_with_id(table, config, columns)), [note]
        if config.wide is None and _looks_wide(table, config):
            return _wide(table, config)
        way = "name the column of texts with --text, or for series, a row a step, their columns with --id and --time"
        raise UsageError(f"{table.name}: {way}; it has {table.listed}.")
    column, note = table.column(config.text, "text", TEXT)
    return Form("text", columns=_with_id(table, config, {"text": column})), [note]


def _the_other(table: Table, label: str | None) -> tuple[dict[str, Any], str] | None:
    """Of two columns, which holds the texts: the one that is not the label's, which is the one with fewer values."""
    names = table.frame.columns
    if len(names) != 2:
        return None
    label = label or next((name for name in names if name.lower() in LABEL), None)
    if label is None:
        first, second = (table.frame[name].n_unique() for name in names)
        if first == second:
            return None
        label = names[0] if first < second else names[1]
    if label not in names:
        return None
    text = next(name for name in names if name != label)
    return {"text": text, "label": label}, f"text: column '{text}', label: column '{label}' (guessed from two columns)"


def _with_id(table: Table, config: ClassifyConfig, columns: dict[str, Any]) -> dict[str, Any]:
    if config.id is not None:
        columns["id"] = table.column(config.id, "id", ())[0]
    return columns


def _long(table: Table, config: ClassifyConfig) -> tuple[Form, list[str]]:
    one, first = table.column(config.id, "id", ID)
    time, second = table.column(config.time, "time", TIME)
    label = config.label or next((name for name in table.frame.columns if name.lower() in LABEL), None)
    if config.channels is not None:
        names = [table.column(name.strip(), "channels", ())[0] for name in config.channels.split(",")]
        third = ""
    else:
        names = [name for name in table.frame.columns if name not in (one, time, label)]
        third = f"channels: columns {', '.join(names)} (all that are left; --channels names others)"
    if not names:
        raise UsageError(f"{table.name} has no column with numbers (--channels); it has {table.listed}.")
    return Form("series", len(names), columns={"id": one, "time": time, "channels": names}), [first, second, third]


def _wide(table: Table, config: ClassifyConfig) -> tuple[Form, list[str]]:
    one = config.id or next((name for name in table.frame.columns if name.lower() in ID), None)
    columns: dict[str, Any] = {"wide": True} | ({} if one is None else {"id": table.column(one, "id", ())[0]})
    if config.label is None and not any(name.lower() in LABEL for name in table.frame.columns):
        columns["label"] = table.frame.columns[0]  # as the UCR archive has it
    names = _steps(table, columns, config.label)
    if not names:
        raise UsageError(f"{table.name} has no columns beside id and class, which are a series' steps (--wide).")
    said = f"{len(names)} columns, {names[0]} to {names[-1]}, are the steps of a series, a row each"
    first = f"label: column '{columns['label']}', the first (--label names another)" if "label" in columns else ""
    return Form("series", 1, columns=columns), [first, said if config.wide else f"{said} (guessed; --no-wide)"]


def _looks_wide(table: Table, config: ClassifyConfig) -> bool:
    """Whether all columns hold numbers but those of id and class."""
    named = {name for name in table.frame.columns if name.lower() in (*ID, *LABEL)} | {config.label, config.id}
    rest = [name for name in table.frame.columns if name not in named]
    rest = rest if any(name in table.frame.columns for name in named) else rest[1:]
    return len(rest) >= FEWEST and all(_is_numbers(table.frame[name]) for name in rest)


def _steps(table: Table, columns: dict[str, Any], label: str | None) -> list[str]:
    """The columns of a wide table that are steps: those beside id and class."""
    known = columns.get("label") or label
    taken = {columns.get("id"), known}
    if known is None:
        taken.add(next((name for name in table.frame.columns if name.lower() in LABEL), None))
    return [name for name in table.frame.columns if name not in taken]


def _is_numbers(column: pl.Series) -> bool:
    """Whether all that a column holds are numbers."""
    return not (column.cast(pl.Float64, strict=False).is_null() & column.is_not_null() & _said(column)).any()


def _said(column: pl.Series) -> pl.Series:
    return column.cast(pl.String) != ""


def _of_the_model(table: Table, form: Form) -> Form:
    """The columns that the model was trained with, checked."""
    columns: dict[str, Any] = {}
    for what, name in form.columns.items():
        if what == "label" or (what == "id" and "time" not in form.columns and name not in table.frame.columns):
            continue
        if what == "wide":
            columns |= {"wide": name} | {one: two for one, two in form.columns.items() if two in table.frame.columns}
            continue
        if what == "text" and name not in table.frame.columns and len(table.frame.columns) == 1:
            name = table.frame.columns[0]
        names = name if isinstance(name, list) else [name]
        found = [table.column(one, what, ())[0] for one in names]
        columns[what] = found if isinstance(name, list) else found[0]
    if not columns:
        raise UsageError(f"{table.name} is a table, and the model was trained on {form.kind} of another form.")
    return Form("files" if "file" in columns else form.kind, form.width, form.rate, columns)


def _label(table: Table, config: ClassifyConfig, form: Form) -> tuple[str, str]:
    if config.label is None and "label" in form.columns:
        return table.column(form.columns["label"], "label", ())[0], ""
    return table.column(config.label, "label", LABEL)


def _read_rows(table: Table, form: Form, answers: bool, notes: tuple[str, ...]) -> Examples:
    """A sequence a row: its text, or the file that holds it."""

    def where(index: int) -> str:
        return f"{table.name}, row {index + 1}"

    what = "text" if form.kind == "text" else "file"
    column = form.columns[what]
    values = table.frame[column].to_list()
    for index, value in enumerate(values):
        if value is None or not str(value).strip():
            raise UsageError(f"{where(index)}: the {what} (column '{column}') is empty.")
    ids = None
    if "id" in form.columns:
        ids = table.frame[form.columns["id"]].to_list()
        check_ids(ids, where)
    labels = labels_of(table.frame[form.columns["label"]].to_list(), where) if answers else None
    texts = [str(value) for value in values]
    return Examples(form, texts, labels, where, table.name, table.fingerprint, ids, notes)


def _read_wide(table: Table, form: Form, answers: bool, notes: tuple[str, ...]) -> Examples:
    """A series a row, (T, 1); its last numbers may be missing."""

    def where(index: int) -> str:
        return f"{table.name}, row {index + 1}"

    label = form.columns.get("label")
    numbers = [_numbers(table, name) for name in _steps(table, form.columns, label)]
    rows = torch.from_numpy(np.stack([one.to_numpy() for one in numbers], 1)).float()  # (N, T)
    ids = None
    if "id" in form.columns:
        ids = table.frame[form.columns["id"]].to_list()
        check_ids(ids, where)
    labels = labels_of(table.frame[label].to_list(), where) if answers and label else None
    inputs, more = check_numbers(list(rows.unsqueeze(-1)), where)
    return Examples(form, inputs, labels, where, table.name, table.fingerprint, ids, (*notes, *more))


def _read_long(table: Table, form: Form, answers: bool, notes: tuple[str, ...]) -> Examples:
    """A series for each id, in the order in which ids first come, its steps by time."""
    columns = form.columns
    frame = table.frame.with_row_index("row number")
    numbers = [_numbers(table, name).alias(f"channel {place}") for place, name in enumerate(columns["channels"])]
    kept = {"id": columns["id"], "label": columns["label"]} if answers else {"id": columns["id"]}
    frame = frame.select(
        pl.col("row number"), _times(table, columns["time"]), *(pl.col(name).alias(one) for one, name in kept.items())
    ).with_columns(*numbers)
    ids, inputs, labels = [], [], []
    moved = 0
    for part in frame.partition_by("id", maintain_order=True):
        one = part["id"][0]
        if one is None:
            raise UsageError(f"{table.name}, row {part['row number'][0] + 1} has no id (column '{columns['id']}').")
        inputs.append(_by_time(table, part, one, columns))
        moved += not part["time"].is_sorted()
        ids.append(one)
        if answers:
            classes = part["label"].unique(maintain_order=True).to_list()
            if len(classes) > 1:
                raise UsageError(f"{table.name}: the series {one!r} has the classes {classes[0]!r} and {classes[1]!r}.")
            labels += classes
    if moved:
        notes = (*notes, f"{moved} series were not in the order of their times, and are put in it")

    def where(index: int) -> str:
        return f"{table.name}, series {ids[index]!r}"

    known = labels_of(labels, where) if answers else None
    inputs, more = check_numbers(inputs, where)
    return Examples(form, inputs, known, where, table.name, table.fingerprint, ids, (*notes, *more))


def _by_time(table: Table, part: pl.DataFrame, one: Any, columns: dict[str, Any]) -> torch.Tensor:
    """The steps of one series, (T, D)."""
    sorted_part = part.sort("time")
    twice = sorted_part.filter(pl.col("time") == pl.col("time").shift(1))
    if twice.height:
        row = twice["row number"][0] + 1
        raise UsageError(f"{table.name}, row {row}: the series {one!r} has a step of the same time already.")
    wanted = [f"channel {place}" for place in range(len(columns["channels"]))]
    return torch.from_numpy(sorted_part.select(wanted).to_numpy(writable=True)).float()


def _numbers(table: Table, name: str) -> pl.Series:
    """A column as numbers, NaN where one is missing. Raises UsageError for what is neither."""
    column = table.frame[name]
    numbers = column.cast(pl.Float64, strict=False)
    bad = (numbers.is_null() & column.is_not_null() & _said(column)).arg_true()
    if len(bad):
        raise UsageError(f"{table.name}, row {bad[0] + 1}, column '{name}': {column[bad[0]]!r} is no number.")
    return numbers.fill_null(float("nan"))


def _times(table: Table, name: str) -> pl.Series:
    """A column as numbers or dates. Raises UsageError for what is neither."""
    column = table.frame[name]
    if column.dtype != pl.String:
        times: pl.Series = column
    else:
        times = column.cast(pl.Float64, strict=False)
        if times.null_count():
            times = column.str.to_datetime(strict=False) if _dated(column) else times
    missing = times.is_null().arg_true()
    if len(missing):
        seen = column[missing[0]]
        said = "is missing" if seen is None else f"{seen!r} is no number and no ISO date"
        raise UsageError(f"{table.name}, row {missing[0] + 1}, column '{name}': the time {said}.")
    return times.alias("time")


def _dated(column: pl.Series) -> bool:
    """Whether the first value reads as an ISO date, from which polars finds the form of all."""
    first: Sequence[Any] = column.drop_nulls().head(1).to_list()
    return bool(first) and str(first[0])[:4].isdecimal() and "-" in str(first[0])
