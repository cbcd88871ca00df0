"""Reading pictures and their captions: tables, files, folders, values in memory; splits by picture."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.data.holdout import hold_out
from unrolled.data.pictures import ENDINGS, read_picture
from unrolled.data.splits import Splits
from unrolled.data.tables import Table, is_table, read_table
from unrolled.errors import UsageError
from unrolled.tasks.caption.config import CaptionConfig
from unrolled.tasks.estimator import Sources

PICTURES = ("picture", "image", "file", "path", "photo", "img", "filename", "file_name", "image_file", "image_path")
CAPTIONS = ("caption", "captions", "text", "description", "sentence", "title", "label", "name")


class Captioned(NamedTuple):
    """A picture and what it shows, in words."""

    name: str | None
    """As the data call it; None for a picture in memory."""
    picture: Tensor
    """Bytes, (3, size, size)."""
    captions: tuple[str, ...]


class Pictures(NamedTuple):
    """The pictures of one split, each once."""

    pictures: list[Captioned]
    name: str
    fingerprint: str
    """sha256 (hex) over names, captions, and the pictures as they are seen."""
    notes: tuple[str, ...]


def read_splits(sources: Sources, config: CaptionConfig) -> Splits[list[Captioned]]:
    """The pictures in their splits; without ``valid``, a share of the pictures validates, with all their captions."""
    if sources.train is None:
        raise UsageError("there is nothing to learn from: give a table of pictures and captions.")
    parts = [None if one is None else read_captioned(one, config) for one in sources]
    assert parts[0] is not None
    train, notes = parts[0].pictures, list(parts[0].notes)
    if parts[1] is None:
        kept, held = hold_out([None] * len(train), config.validation_fraction, config.seed)
        train, valid = [train[place] for place in kept], [train[place] for place in held]
        share = f"{config.validation_fraction:.0%} of the pictures"
        notes.append(f"validation: {share}, chosen by seed {config.seed} (--valid names others)")
    else:
        valid = parts[1].pictures
    digest = hashlib.sha256("".join(one.fingerprint for one in parts if one).encode()).hexdigest()
    return Splits(parts[0].name, train, valid, parts[2].pictures if parts[2] else None, digest, tuple(notes))


def read_captioned(data: Any, config: CaptionConfig) -> Pictures:
    """Pictures with their captions.

    Args:
        data: A table (see :func:`unrolled.data.tables.read_table`) with a picture file and a caption a row; rows of one
            file are captions of one picture, and in JSON lines, Parquet and frames a caption may be a list of them. Or
            a list of pairs: a picture (see :func:`unrolled.data.pictures.read_picture`), and a caption or several.
        config: The settings.

    Raises:
        UsageError: a column, file or caption is missing or damaged; the message names the row.
    """
    if isinstance(data, list | tuple):
        rows = _pairs(data)
        name, notes = "pictures in memory", []
    else:
        table = _table(data)
        picture, first = table.column(config.picture, "picture", PICTURES)
        caption, second = table.column(config.caption, "caption", CAPTIONS)
        rows = zip(_files(table, picture, _folder(data)), table.frame[caption].to_list(), strict=True)
        name, notes = table.name, [note for note in (first, second) if note]
    found: dict[_File | _Value, list[str]] = {}
    without = []
    for place, (source, said) in enumerate(rows, 1):
        captions = _captions(said, f"{name}, row {place}")
        if captions:
            found.setdefault(source, []).extend(captions)
        else:
            without.append(place)
    if not found:
        raise UsageError(f"{name}: there is no caption.")
    if without:
        notes.append(f"left out: {len(without):,} row(s) without a caption, the first is row {without[0]}")
    pictures = [Captioned(one.name, one.read(name, config.size), tuple(said)) for one, said in found.items()]
    digest = hashlib.sha256()
    for one in pictures:
        digest.update(repr((one.name, one.captions)).encode())
        digest.update(one.picture.numpy().tobytes())
    return Pictures(pictures, name, digest.hexdigest(), tuple(notes))


def read_pictures(data: Any, config: CaptionConfig) -> Iterator[tuple[str | None, Tensor]]:
    """Names and bytes (3, size, size) of pictures to caption, one after the other.

    Args:
        data: A list of pictures (see :func:`unrolled.data.pictures.read_picture`), a picture file, a folder of them, or
            a table as in training; captions are not needed, and each file is given once.
        config: The settings.
    """
    if isinstance(data, list | tuple):
        sources: Sequence[_File | _Value] = [_named(place, one) for place, one in enumerate(data, 1)]
        name = "the list"
    elif isinstance(data, str | Path) and Path(data).is_dir():
        files = sorted(one for one in Path(data).iterdir() if one.suffix.lower() in ENDINGS)
        if not files:
            raise UsageError(f"{data} is a folder without pictures ({', '.join(ENDINGS)}).")
        sources, name = [_File(place, one.name, one) for place, one in enumerate(files, 1)], str(data)
    elif isinstance(data, str | Path) and Path(data).suffix.lower() in ENDINGS:
        sources, name = [_File(0, str(data), Path(data))], str(data)
    else:
        table = _table(data)
        column, _ = table.column(config.picture, "picture", PICTURES)
        sources, name = list(dict.fromkeys(_files(table, column, _folder(data)))), table.name
    return ((one.name, one.read(name, config.size)) for one in sources)


@dataclass(frozen=True)
class _File:
    """A picture file that a row names; two are the same where the file is."""

    row: int = field(compare=False)
    """0 where there is only one."""
    name: str = field(compare=False)
    path: Path

    def read(self, data: str, size: int) -> Tensor:
        """Its bytes; an error names the row."""
        try:
            return read_picture(self.path, size)
        except UsageError as error:
            raise UsageError(f"{data}, row {self.row}: {error}" if self.row else str(error)) from None


class _Value:
    """A picture in memory: no two are the same."""

    name = None

    def __init__(self, row: int, source: Any) -> None:
        self.row, self.source = row, source

    def read(self, data: str, size: int) -> Tensor:
        """Its bytes; an error names its place."""
        try:
            return read_picture(self.source, size)
        except UsageError as error:
            raise UsageError(f"{data}, number {self.row}: {error}") from None


def _named(place: int, source: Any) -> _File | _Value:
    return _File(place, str(source), Path(source)) if isinstance(source, str | Path) else _Value(place, source)


def _pairs(data: Sequence[Any]) -> list[tuple[_File | _Value, Any]]:
    pairs = []
    for place, one in enumerate(data, 1):
        if not (isinstance(one, list | tuple) and len(one) == 2):
            raise UsageError(f"number {place} is no pair of a picture and its caption: {one!r:.60}.")
        pairs.append((_named(place, one[0]), one[1]))
    return pairs


def _table(data: Any) -> Table:
    if isinstance(data, str | Path) and str(data) != "-" and not is_table(data) and Path(data).exists():
        raise UsageError(f"{data} is no table by its name; give a table of picture files and captions.")
    return read_table(data, as_text=True)


def _folder(data: Any) -> Path:
    """What the names of files are relative to: the folder of the table, or the one we are in."""
    return Path(data).parent if isinstance(data, str | Path) and str(data) != "-" else Path()


def _files(table: Table, column: str, folder: Path) -> list[_File]:
    files = []
    for place, name in enumerate(table.frame[column].to_list(), 1):
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"{table.name}, row {place}: the column '{column}' names no picture file.")
        files.append(_File(place, name, folder / name))
    return files


def _captions(said: Any, where: str) -> list[str]:
    """The captions that a row gives, without the blanks around them."""
    several = said if isinstance(said, list | tuple) else [said]
    for one in several:
        if one is not None and not isinstance(one, str):
            raise UsageError(f"{where}: a caption is a text or a list of texts, and this is {one!r:.60}.")
    return [" ".join(one.split()) for one in several if one is not None and one.split()]
