"""Columns: a word a line, its tags beside it, an empty line between sentences; CoNLL-U is one such form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from unrolled.errors import UsageError, did_you_mean
from unrolled.tasks.tag.sentences import Sentence

CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""https://universaldependencies.org/format.html; another order is said by a line ``# global.columns = ID FORM ...``."""
_NAMED = "# global.columns ="
_DOCUMENT = "-DOCSTART-"
_FIELD = re.compile(r"[^ \t]+")


@dataclass(frozen=True)
class Columns:
    """Which columns are wanted: by number from 1, or by name where the file has names."""

    word: str | None
    tag: str | None
    conllu: bool = False
    needs_tags: bool = True


class Found(NamedTuple):
    """What columns hold."""

    rows: list[Sentence]
    notes: tuple[str, ...]


class _Line(NamedTuple):
    number: int
    fields: Sequence[str]


def read_columns(text: str, name: str, columns: Columns) -> Found:
    """The sentences in a text of columns.

    Columns stand between tabs where the first line has one, otherwise between blanks (not those that stand within a
    word, as in 10 000). A line -DOCSTART- ends a sentence and is left out. A line that begins with # and
    has not as many columns as the others is a comment. In CoNLL-U every line that begins with # is one, and lines of
    multiword tokens (3-4) and empty nodes (8.1) are left out: their words have lines of their own, or none.

    Args:
        text: The file.
        name: What it is called in messages.
        columns: Which are wanted.

    Raises:
        UsageError: a line has more or fewer columns than the first, lacks its word or tag, or a column is not there.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    names = _names(lines, columns.conllu)
    first = next((line for line in lines if line.strip() and not line.startswith(("#", _DOCUMENT))), "")
    tabbed = "\t" in first or columns.conllu
    width = len(_cut(first, tabbed))
    if columns.conllu and first and width != len(names):
        line = lines.index(first) + 1
        raise UsageError(
            f"{name}, line {line} has {width} column(s) between tabs, and CoNLL-U has {len(names)}: {', '.join(names)}."
        )
    word_place = _place(name, columns.word, "word", "form", names, width)
    tag_place = _place(name, columns.tag, "tag", "upos", names, width) if columns.needs_tags else None
    if word_place == tag_place:
        raise UsageError(f"{name}: words and tags are both in column {word_place + 1} of {width}; name another.")
    rows: list[Sentence] = []
    documents, block = 0, list[_Line]()
    for number, line in enumerate([*lines, ""], 1):
        document = line.startswith(_DOCUMENT)
        documents += document
        if line.strip(" \t") and not document:
            fields = _cut(line, tabbed)
            if line.startswith("#") and (columns.conllu or len(fields) != width):
                continue
            if len(fields) != width:
                raise UsageError(f"{name}, line {number} has {len(fields)} column(s), and the first has {width}.")
            if not columns.conllu or fields[0].isdecimal():
                block.append(_Line(number, fields))
            elif not fields[0].replace("-", "").replace(".", "").isdecimal():
                raise UsageError(
                    f"{name}, line {number}: a word of CoNLL-U begins with its number, and is {fields[0]!r}."
                )
        elif block:
            rows.append(_sentence(name, block, word_place, tag_place))
            block = []
    notes = _guessed(columns, names, width, tag_place)
    if documents:
        notes.append(f"{name}: {documents:,} mark(s) of documents ({_DOCUMENT}) left out: no sentences")
    return Found(rows, tuple(notes))


def _names(lines: Sequence[str], conllu: bool) -> tuple[str, ...]:
    if not conllu:
        return ()
    said = next((line for line in lines[:50] if line.startswith(_NAMED)), None)
    return CONLLU_COLUMNS if said is None else tuple(one.lower() for one in said.removeprefix(_NAMED).split())


def _cut(line: str, tabbed: bool) -> list[str]:
    return [field.strip(" ") for field in line.split("\t")] if tabbed else _FIELD.findall(line)


def _place(name: str, given: str | None, what: str, usual: str, names: Sequence[str], width: int) -> int:
    """Where a column stands, from 0."""
    if given is None:
        return names.index(usual) if usual in names else 0 if what == "word" else width - 1
    if given.isdecimal():
        if not 1 <= int(given) <= width:
            raise UsageError(f"--{what} {given}: {name} has {width} column(s), counted from 1.")
        return int(given) - 1
    if given.lower() in names:
        return names.index(given.lower())
    if not names:
        raise UsageError(f"--{what} {given}: the columns of {name} have no names; give a number from 1 to {width}.")
    near = did_you_mean(given, names)
    raise UsageError(f"--{what} {given}: {name} has no such column; it has {', '.join(names)}.{near}")


def _sentence(name: str, block: Sequence[_Line], word_place: int, tag_place: int | None) -> Sentence:
    for number, fields in block:
        for what, place in (("word", word_place), ("tag", tag_place)):
            if place is not None and not fields[place]:
                raise UsageError(f"{name}, line {number} has an empty {what} in column {place + 1}.")
    words = tuple(fields[word_place] for _, fields in block)
    tags = () if tag_place is None else tuple(fields[tag_place] for _, fields in block)
    return Sentence(words, tags, tuple(number for number, _ in block))


def _guessed(columns: Columns, names: Sequence[str], width: int, tag_place: int | None) -> list[str]:
    if columns.tag is not None or tag_place is None or width == 2:
        return []
    shown = f"'{names[tag_place]}'" if names else f"{tag_place + 1}, the last"
    return [f"tags: column {shown} of {width} (guessed; --tag names another)"]
