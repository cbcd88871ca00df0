"""Tables: CSV, TSV, JSON lines and Parquet files, standard input, or a frame of polars or pandas, to one frame."""

import codecs
import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError, did_you_mean

KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Table:
    """A frame, what it is called, and the sha256 (hex) of what it was read from."""

    frame: pl.DataFrame
    name: str
    fingerprint: str

    def column(self, given: str | None, what: str, usual: Sequence[str]) -> tuple[str, str]:
        """The column that holds ``what``: the one given, or the one column with a usual name; and a word on a guess.

        Raises:
            UsageError: there is no such column, or nothing to guess by; the message lists the columns.
        """
        columns = self.frame.columns
        if given is not None:
            if given not in columns:
                near = did_you_mean(given, columns)
                raise UsageError(f"{self.name} has no column '{given}' (--{what}); it has {self.listed}.{near}")
            return given, ""
        found = [name for wanted in usual for name in columns if name.lower() == wanted]
        if not found:
            raise UsageError(f"{self.name}: name the column that holds the {what} with --{what}; it has {self.listed}.")
        return found[0], f"{what}: column '{found[0]}' (guessed by its name; --{what} names another)"

    @property
    def listed(self) -> str:
        """The columns, for a message."""
        return f"the columns {', '.join(self.frame.columns)}" if self.frame.columns else "no columns"


def is_table(source: Any) -> bool:
    """Whether a source is a frame, or a file whose name says that it holds a table."""
    if isinstance(source, str | Path):
        return Path(str(source).removesuffix(".gz")).suffix.lower() in KINDS
    return isinstance(source, pl.DataFrame) or _is_pandas(source)


def read_table(source: Any, as_text: bool = False, header: bool = True) -> Table:
    """Read a table.

    Args:
        source: A file (its name says which kind; ``.gz`` is unpacked), ``-`` for standard input (its first line says
            whether it is CSV, TSV or JSON lines), or a frame.
        as_text: Columns of CSV and TSV stay text; otherwise numbers and dates are found out.
        header: Whether the first line of CSV and TSV names the columns; else they are ``column_1``, ``column_2``, …

    Raises:
        UsageError: the file is missing, empty, damaged or of another kind; the message names the first bad line.
    """
    if isinstance(source, pl.DataFrame) or _is_pandas(source):
        frame = source if isinstance(source, pl.DataFrame) else _of_pandas(source)
        digest = hashlib.sha256(repr(frame.schema).encode())
        digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
        return _checked(Table(frame, "the frame", digest.hexdigest()))
    if not isinstance(source, str | Path):
        raise UsageError(f"a table is a file or a frame of polars or pandas, and this is a {type(source).__name__}.")
    raw = read_bytes(source)
    name = "standard input" if str(source) == "-" else Path(source).name
    kind = _kind_by_looks(raw) if str(source) == "-" else Path(str(source).removesuffix(".gz")).suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"{name} is no table by its name; tables end in {', '.join(KINDS)} (and .gz).")
    return _checked(Table(_parsed(raw, kind, name, as_text, header), name, hashlib.sha256(raw).hexdigest()))


def _kind_by_looks(raw: bytes) -> str:
    """The kind of a table without a name."""
    first = raw.removeprefix(codecs.BOM_UTF8).lstrip().split(b"\n", 1)[0]
    if first.startswith(b"{"):
        return ".jsonl"
    if first.startswith(b"PAR1"):
        return ".parquet"
    return ".tsv" if b"\t" in first and b"," not in first else ".csv"


def _is_pandas(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "pandas" and type(source).__name__ == "DataFrame"


def _of_pandas(frame: Any) -> pl.DataFrame:
    """A frame of pandas, without pyarrow; an index that has a name, or is of times, is a column, too."""
    index = frame.index
    named = all(name is not None for name in index.names)
    if named or index.dtype.kind == "M":
        frame = frame.reset_index(names=None if named else "time")
    return pl.DataFrame([_of_column(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns)])


def _of_column(name: str, column: Any) -> pl.Series:
    """One column of pandas; a missing cell is null, as in a file it would be empty."""
    kind = getattr(column.dtype, "kind", "O")
    if isinstance(column.dtype, np.dtype) and kind in "iufbM":
        values = column.to_numpy()
        return pl.Series(name, values if kind != "M" else values.astype("datetime64[us]"), nan_to_null=kind == "f")
    if str(column.dtype).startswith("period"):
        return _of_column(name, column.dt.to_timestamp())
    there = column.notna().tolist()
    cells = [value if known else None for value, known in zip(column.tolist(), there, strict=True)]
    return pl.Series(name, cells, strict=False)


def _checked(table: Table) -> Table:
    if not table.frame.height:
        raise UsageError(f"{table.name} holds no rows.")
    return table


def _parsed(raw: bytes, kind: str, name: str, as_text: bool, header: bool) -> pl.DataFrame:
    raw = raw if kind == ".parquet" else _utf8(raw, name)
    try:
        if kind == ".parquet":
            return pl.read_parquet(io.BytesIO(raw))
        if kind in (".jsonl", ".ndjson"):
            return pl.read_ndjson(io.BytesIO(raw), infer_schema_length=None)
        frame = _separated(raw, kind, header, not as_text)
        dated = [name for name, form in frame.schema.items() if form.is_temporal() and form != pl.Time]
        if dated:
            plain = _separated(raw, kind, header, False)
            frame = frame.with_columns(plain[name] for name in dated if not _year_first(plain[name]))
        return frame if header else frame.rename(lambda name: f"column_{frame.columns.index(name) + 1}")
    except pl.exceptions.NoDataError:
        raise UsageError(f"{name} is empty.") from None
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        reason = _first_bad_line(raw, kind) or (str(error).splitlines() or ["it cannot be read"])[0]
        raise UsageError(f"{name} is no table of the kind {kind}: {reason}.") from None


def _separated(raw: bytes, kind: str, header: bool, found_out: bool) -> pl.DataFrame:
    """CSV or TSV; ``found_out``: which columns hold numbers and dates."""
    how = {"infer_schema": found_out, "infer_schema_length": None, "try_parse_dates": found_out}
    tabs = {"separator": "\t", "quote_char": None} if kind == ".tsv" else {}
    return pl.read_csv(io.BytesIO(raw), has_header=header, **how, **tabs)


def _year_first(texts: pl.Series) -> bool:
    """Whether all dates begin with their year; of others polars guesses which is the day, and they stay text."""
    return bool(texts.drop_nulls().str.contains(r"^\s*\d{4}\D").all())


def _utf8(raw: bytes, name: str) -> bytes:
    """A text table as UTF-8: what spreadsheets write as "Unicode text" is UTF-16, and its first two bytes say so."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return raw.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise UsageError(f"{name} begins as UTF-16, and is damaged or cut off; save it as UTF-8.") from None
    if not raw.startswith(GZIP) and b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise UsageError(f"{name} is no text: line {line} holds a zero byte; a table is saved as UTF-8.")
    return raw.removeprefix(codecs.BOM_UTF8)


def _first_bad_line(raw: bytes, kind: str) -> str:
    """Which line of CSV or TSV has more or fewer fields than the first, or is no UTF-8; empty where all are alike."""
    if kind not in (".csv", ".tsv"):
        return ""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8; save it as UTF-8"
    quoting = csv.QUOTE_NONE if kind == ".tsv" else csv.QUOTE_MINIMAL
    rows = csv.reader(io.StringIO(text), delimiter="\t" if kind == ".tsv" else ",", quoting=quoting)
    wanted = len(next(rows, []))
    for row in rows:
        if row and len(row) != wanted:
            return f"line {rows.line_num} has {len(row)} fields, and the first line {wanted}"
    return ""
