"""Reading sentences: columns as CoNLL writes them, CoNLL-U, JSON lines, plain text, or values in memory."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.data.reading import read_text
from unrolled.errors import UsageError, did_you_mean
from unrolled.tasks.tag.columns import Columns, read_columns
from unrolled.tasks.tag.config import TagConfig
from unrolled.tasks.tag.sentences import Sentence, Sentences

JSON_LINES = (".jsonl", ".ndjson")
CONLLU = (".conllu", ".conllup")
COLUMN_KINDS = (
    *CONLLU,
    ".conll",
    ".conll03",
    ".tsv",
    ".tab",
    ".col",
    ".bio",
    ".bio2",
    ".iob",
    ".iob2",
    ".bioes",
    ".iobes",
)
GIVEN = "the sentences given"
_USUAL_WORDS, _USUAL_TAGS = ("words", "tokens"), ("tags", "labels", "pos_tags", "ner_tags")


def read_tagged(source: Any, config: TagConfig) -> Sentences:
    """Sentences with their tags, from a file or from values.

    Args:
        source: A file: ``.jsonl`` holds ``{"words": [...], "tags": [...]}`` a line, ``.conllu`` CoNLL-U, any other
            columns with an empty line between sentences. Or such objects in memory, or pairs of words and tags.
        config: Says which columns, and the encoding.

    Raises:
        UsageError: the file is missing or broken, or holds no sentence; the message names the line.
    """
    if isinstance(source, str | Path):
        text = read_text(source, config.encoding)
        return _of_text(source, text, config).with_tags()
    if not isinstance(source, Sequence):
        raise UsageError(
            f"tagged sentences are a file, or a list of words and tags; this is a {type(source).__name__}."
        )
    objects = [one if isinstance(one, Mapping) else _paired(place, one) for place, one in enumerate(source)]
    text = "".join(f"{json.dumps(dict(one), default=str)}\n" for one in objects)
    return _of_objects(GIVEN, list(enumerate(objects, 1)), text, config).with_tags()


def read_words(source: Any, config: TagConfig, tags: Sequence[str]) -> list[Sentence]:
    """Sentences to be tagged, in order.

    Args:
        source: A file as in training, its tags not needed, or a text with a sentence a line, its words between blanks;
            or sentences in memory, each a text or a list of words.
        config: The model's.
        tags: Those it knows; by them a text of columns without a name that says so is told from plain text.
    """
    if not isinstance(source, str | Path):
        return [Sentence(_words_given(place, one)) for place, one in enumerate(source)]
    text = read_text(source, config.encoding)
    kind = _kind(source)
    if kind in JSON_LINES or kind in COLUMN_KINDS or _looks_like_columns(text, config, tags):
        return list(_of_text(source, text, config, needs_tags=False).rows)
    return [Sentence(tuple(line.split())) for line in text.removesuffix("\n").split("\n")]


def _of_text(source: str | Path, text: str, config: TagConfig, needs_tags: bool = True) -> Sentences:
    name = "standard input" if str(source) == "-" else Path(source).name
    kind = _kind(source)
    if kind in JSON_LINES:
        return _of_objects(name, _parsed_lines(name, text), text, config, needs_tags)
    found = read_columns(text, name, Columns(config.word, config.tag, conllu=kind in CONLLU, needs_tags=needs_tags))
    return _checked(Sentences(name, found.rows, _fingerprint(text), found.notes))


def _kind(source: str | Path) -> str:
    return Path(str(source).removesuffix(".gz")).suffix.lower()


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _checked(sentences: Sentences) -> Sentences:
    if not sentences.rows:
        raise UsageError(f"{sentences.name} holds no sentence.")
    return sentences


def _looks_like_columns(text: str, config: TagConfig, tags: Sequence[str]) -> bool:
    """Whether every line has the same number of columns, two or more, and a tag that is known where the tags stand."""
    lines = [line.split("\t") if "\t" in text else line.split() for line in text.split("\n") if line.strip()]
    lines = [line for line in lines if not line[0].startswith("#")]
    place = int(config.tag) - 1 if config.tag is not None and config.tag.isdecimal() else -1
    width = len(lines[0]) if lines else 0
    known = set(tags)
    return width > max(1, place) and all(len(line) == width and line[place] in known for line in lines)


def _parsed_lines(name: str, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    objects = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{name}, line {number} is no JSON: {error}.") from None
        if not isinstance(one, Mapping):
            raise UsageError(f'{name}, line {number}: a sentence is an object {{"words": [...], "tags": [...]}}.')
        objects.append((number, one))
    return objects


def _of_objects(
    name: str, objects: list[tuple[int, Mapping[str, Any]]], text: str, config: TagConfig, needs_tags: bool = True
) -> Sentences:
    if not objects:
        raise UsageError(f"{name} holds no sentence.")
    word_field, word_note = _field(name, objects[0][1], config.word, "word", _USUAL_WORDS)
    tag_field, tag_note = _field(name, objects[0][1], config.tag, "tag", _USUAL_TAGS) if needs_tags else ("", "")
    rows = []
    for number, one in objects:
        words = _strings(name, number, one, word_field)
        tags = _strings(name, number, one, tag_field) if needs_tags else ()
        if needs_tags and len(tags) != len(words):
            raise UsageError(f"{_at(name, number)} has {len(words)} words and {len(tags)} tags; each word has one.")
        if needs_tags and not words:
            raise UsageError(f"{_at(name, number)}: a sentence without words.")
        rows.append(Sentence(words, tags, () if name == GIVEN else (number,)))
    notes = tuple(note for note in (word_note, tag_note) if note)
    return _checked(Sentences(name, rows, _fingerprint(text), notes))


def _field(name: str, first: Mapping[str, Any], given: str | None, what: str, usual: Sequence[str]) -> tuple[str, str]:
    if given is not None:
        if given not in first:
            near = did_you_mean(given, map(str, first))
            raise UsageError(f"{name} has no field '{given}' (--{what}); it has {', '.join(map(str, first))}.{near}")
        return given, ""
    found = next((one for one in usual if one in first), None)
    if found is None:
        has = ", ".join(map(str, first)) or "none"
        raise UsageError(f"{name}: name the field of the {what}s with --{what}; it has {has}.")
    return found, "" if found == usual[0] else f"{what}s: field '{found}' (guessed; --{what} names another)"


def _strings(name: str, number: int, one: Mapping[str, Any], field: str) -> tuple[str, ...]:
    values = one.get(field)
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise UsageError(f"{_at(name, number)}: '{field}' is a list of strings, and is {_shown(values)}.")
    if "" in values:
        raise UsageError(f"{_at(name, number)}: '{field}' holds an empty string.")
    return tuple(values)


def _at(name: str, number: int) -> str:
    return f"{name}, {'sentence' if name == GIVEN else 'line'} {number}"


def _paired(place: int, one: Any) -> Mapping[str, Any]:
    if isinstance(one, Sequence) and not isinstance(one, str) and len(one) == 2:
        return {"words": one[0], "tags": one[1]}
    raise UsageError(f"sentence {place + 1} is a pair of words and tags, and is {_shown(one)}.")


def _words_given(place: int, one: Any) -> tuple[str, ...]:
    if isinstance(one, str):
        return tuple(one.split())
    if isinstance(one, Iterable) and not isinstance(one, Mapping | bytes):
        words = tuple(one)
        if all(isinstance(word, str) for word in words):
            return words
    raise UsageError(f"sentence {place + 1} is a text or a list of words, and is {_shown(one)}.")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
