"""Pairs of sentences: from two files side by side, from a table, or from memory; and sources alone."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.data.folders import SPLITS
from unrolled.data.reading import read_bytes
from unrolled.data.tables import Table, is_table, read_table
from unrolled.errors import UsageError

SOURCES = ("source", "src", "input", "question")
TARGETS = ("target", "tgt", "translation", "output", "answer")
ENDINGS = ("", ".txt", ".gz", ".txt.gz")


class Pair(NamedTuple):
    """A sentence and what it is in the other language."""

    source: str
    target: str


class Pairs(NamedTuple):
    """The pairs of one split."""

    pairs: list[Pair]
    name: str
    fingerprint: str
    """sha256 (hex) over all that was read."""
    notes: tuple[str, ...]


class Sides(NamedTuple):
    """How the two sides are told apart."""

    source: str | None
    """Column of a table, or ending of a file (``train.de``: ``de``)."""
    target: str | None
    header: bool | None = None
    """Whether the first line of CSV and TSV names the columns; None to find out."""


def read_pairs(data: Any, sides: Sides) -> Pairs:
    """The pairs of one split, each side without the blanks around it.

    Args:
        data: A table (see :func:`unrolled.data.tables.read_table`), the common beginning of two files' names
            (``data/train`` for ``data/train.de`` and ``data/train.en``; ``.txt`` and ``.gz`` may follow), or a list of
            pairs of strings.
        sides: How the two sides are told apart.

    Raises:
        UsageError: a file, column or line is missing; the message names it.
    """
    if isinstance(data, list | tuple):
        return _in_memory(data)
    if is_table(data) or str(data) == "-" or not isinstance(data, str | Path):
        table, source, target, notes = _table(data, sides)
        columns = [_texts(table, one) for one in (source, target)]
        return Pairs([Pair(*both) for both in zip(*columns, strict=True)], table.name, table.fingerprint, notes)
    files = [_file(str(data), side, what) for side, what in ((sides.source, "source"), (sides.target, "target"))]
    raw = [read_bytes(file) for file in files]
    lines = [_lines(one, file) for one, file in zip(raw, files, strict=True)]
    if len(lines[0]) != len(lines[1]):
        counts = " and ".join(f"{file.name} has {len(one):,}" for file, one in zip(files, lines, strict=True))
        raise UsageError(f"line i of both files is one pair, but {counts} lines.")
    fingerprint = hashlib.sha256(b"".join(raw)).hexdigest()
    name = f"{Path(data).name} ({sides.source} to {sides.target})"
    return Pairs([Pair(*both) for both in zip(*lines, strict=True)], name, fingerprint, ())


def splits_of(folder: Path, sides: Sides) -> dict[str, Path]:
    """The parts of a folder with a pair of files for each split: ``train.de``, ``train.en``, ``val.de``, ``val.en``."""
    found = {}
    for split, names in SPLITS.items():
        there = [folder / name for name in names if _ending(str(folder / name), sides.source)]
        if len(there) > 1:
            raise UsageError(f"{folder} has {' and '.join(one.name for one in there)}; leave one, or give --{split}.")
        if there:
            found[split] = there[0]
    if "train" not in found:
        wanted = f"train.{sides.source or 'SOURCE'} and train.{sides.target or 'TARGET'}"
        raise UsageError(f"{folder} has no {wanted}; name the endings with --source and --target.")
    return found


def read_sources(data: Any, sides: Sides) -> list[str]:
    """Sources to translate: a list of strings, a table with the source column, a file or ``-`` with one a line."""
    if isinstance(data, list | tuple):
        for place, one in enumerate(data):
            if not isinstance(one, str):
                raise UsageError(f"what is translated are strings, and number {place + 1} is a {type(one).__name__}.")
        return [one.strip() for one in data]
    if is_table(data) or not isinstance(data, str | Path):
        table, source, _, _ = _table(data, sides, alone=True)
        return [str(one or "").strip() for one in table.frame[source].to_list()]
    known = str(data) == "-" or Path(data).exists() or sides.source is None
    file = Path(data) if known else _file(str(data), sides.source, "source")
    return _lines(read_bytes(file), file)


def _in_memory(data: Sequence[Any]) -> Pairs:
    if not data:
        raise UsageError("there are no pairs: the list is empty.")
    pairs = []
    for place, one in enumerate(data):
        if not (isinstance(one, list | tuple) and len(one) == 2 and all(isinstance(side, str) for side in one)):
            raise UsageError(f"a pair is a source and a target, both strings, and number {place + 1} is {one!r:.80}.")
        pairs.append(Pair(one[0].strip(), one[1].strip()))
    return Pairs(pairs, "pairs in memory", hashlib.sha256(repr(pairs).encode()).hexdigest(), ())


def _table(data: Any, sides: Sides, alone: bool = False) -> tuple[Table, str, str, tuple[str, ...]]:
    """A table, its columns for source and target, and what was guessed; ``alone``: no target is needed."""
    header = sides.header is not False
    table = read_table(data, as_text=True, header=header)
    columns = table.frame.columns
    usual = {name.lower() for name in columns} & {*SOURCES, *TARGETS}
    named = sides.source or sides.target or usual
    if sides.header is None and not named and _may_lack_header(data) and len(columns) in ((1, 2) if alone else (2,)):
        table = read_table(data, as_text=True, header=False)
        said = "the first line is a pair, for it names no usual columns (--header: it names the columns)"
        columns = table.frame.columns  # polars counts them from 0 or from 1, by its version
        return table, columns[0], columns[-1], (f"source and target: the first and the second column; {said}",)
    if sides.source is None and sides.target is None and not usual and len(columns) == 2:
        return (
            table,
            columns[0],
            columns[1],
            (f"source: column '{columns[0]}', target: column '{columns[1]}' (by their order)",),
        )
    source, first = table.column(sides.source, "source", SOURCES)
    target, second = ("", "") if alone else table.column(sides.target, "target", TARGETS)
    return table, source, target, tuple(note for note in (first, second) if note)


def _may_lack_header(data: Any) -> bool:
    return isinstance(data, str | Path) and not re.search(r"\.(jsonl|ndjson|parquet)(\.gz)?$", str(data).lower())


def _texts(table: Table, column: str) -> list[str]:
    return ["" if one is None else str(one).strip() for one in table.frame[column].to_list()]


def _lines(raw: bytes, file: Path) -> list[str]:
    """The lines of a file, without the blanks around them; only a line feed ends a line."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file} is not UTF-8: byte 0x{raw[error.start]:02x} in line {line}.") from None
    return [line.strip() for line in text.removesuffix("\n").split("\n")]


def _ending(stem: str, side: str | None) -> Path | None:
    """The file that a stem and a side's name make, where there is one."""
    paths = (Path(f"{stem}.{side}{ending}") for ending in ENDINGS)
    return next((path for path in paths if path.is_file()), None) if side else None


def _file(stem: str, side: str | None, what: str) -> Path:
    if side is None:
        raise UsageError(
            f"{stem} is no table by its name, so it is the beginning of two files' names: say how they end, as in "
            "--source de --target en for train.de and train.en."
        )
    found = _ending(stem, side)
    if found is None:
        folder = Path(stem).parent
        near = sorted(one.name for one in folder.glob(f"{Path(stem).name}.*"))[:4] if folder.is_dir() else []
        there = f"; there is {', '.join(near)}" if near else ""
        raise UsageError(f"there is no {stem}.{side} (nor with .txt or .gz) for the {what}{there}.")
    return found
