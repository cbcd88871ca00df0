"""Raw sets for the classify task as tables with a header."""

import csv
import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from unrolled.errors import UsageError

FIRST = 20
"""Characters of a paragraph that the hard form of language detection shows."""


def sentiment(source: Path, into: Path) -> None:
    """Movie review sentences, positive and negative, and GloVe vectors in their text form.

    ``train.csv``, ``test.csv``: a tenth is test, by sha256 of the sentence. ``vectors.txt``: the words and vectors of
    ``glove_20k_100d``.
    """
    rows = []
    for name, label in (("pos", "positive"), ("neg", "negative")):
        path = source / "sentiment_mr" / f"rt-polarity.{name}.txt"
        rows += [(line.strip(), label) for line in _lines(path) if line.strip()]
    _split_by_hash(dict.fromkeys(rows), into, ("text", "label"))
    _glove(source / "glove_20k_100d", into / "vectors.txt")


def names(source: Path, into: Path) -> None:
    """Surnames and their languages; ``train.csv``, ``test.csv``: a tenth is test, by sha256 of the name.

    A name that comes twice counts once, and one that comes in several languages is left out, as SOURCE.md advises.
    """
    languages: dict[str, set[str]] = {}
    for path in sorted((source / "names_nationality").glob("*.txt")):
        if path.stem == "LICENSE":
            continue
        for line in _lines(path):
            if line.strip():
                languages.setdefault(line.strip(), set()).add(path.stem)
    rows = [(name, next(iter(found))) for name, found in languages.items() if len(found) == 1]
    _split_by_hash(rows, into, ("text", "label"))


def languages(source: Path, into: Path) -> None:
    """Paragraphs of the 57 core languages in the given splits: ``train.csv``, ``valid.csv``, ``test.csv``."""
    _languages(source, into, None)


def languages_short(source: Path, into: Path) -> None:
    """The same paragraphs to learn from; to validate and to test on, only their first 20 characters."""
    _languages(source, into, FIRST)


def _languages(source: Path, into: Path, first: int | None) -> None:
    folder = source / "lang_id_udhr"
    core = set(_lines(folder / "core_languages.txt"))
    for split in ("train", "valid", "test"):
        parts = (line.split("\t") for line in _lines(folder / f"{split}.tsv") if line)
        shown = None if split == "train" else first
        _write(
            into / f"{split}.csv", ("text", "label"), ((text[:shown], code) for code, _, text in parts if code in core)
        )


def questions(source: Path, into: Path) -> None:
    """Questions and what they ask for, in six classes, standard split: ``train.csv``, ``test.csv``; ``vectors.txt``."""
    for split in ("train", "test"):
        parts = (line.split("\t") for line in _lines(source / "trec_questions" / f"{split}.tsv") if line)
        _write(into / f"{split}.csv", ("text", "label"), ((text, coarse) for coarse, _, text in parts))
    _glove(source / "glove_20k_100d", into / "vectors.txt")


def spoken_digits(source: Path, into: Path) -> None:
    """Spoken digits as wav files and tables of them: ``train.csv``, ``test.csv``; takes 0 to 4 are test."""
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    (into / "wav").mkdir(parents=True, exist_ok=True)
    for path in sorted((source / "audio_fsdd" / "wav").glob("*.wav")):
        digit, _, take = path.stem.split("_")
        rows["test" if int(take) <= 4 else "train"].append((f"wav/{path.name}", digit))
        shutil.copyfile(path, into / "wav" / path.name)
    for split, found in rows.items():
        _write(into / f"{split}.csv", ("file", "label"), found)


def in_test(text: str) -> bool:
    """Whether an example belongs to the test tenth: by the sha256 of its text, so for everyone alike."""
    return hashlib.sha256(text.encode()).digest()[0] % 10 == 0


def _split_by_hash(rows: Iterable[tuple[str, str]], into: Path, header: Sequence[str]) -> None:
    whole = list(rows)
    _write(into / "train.csv", header, (row for row in whole if not in_test(row[0])))
    _write(into / "test.csv", header, (row for row in whole if in_test(row[0])))


def _glove(folder: Path, path: Path) -> None:
    words = _lines(folder / "words.txt")
    with np.load(folder / "vectors.npz", allow_pickle=False) as file:
        vectors = file["vectors"]
    rows = (f"{word} {' '.join(f'{one:.5g}' for one in row)}\n" for word, row in zip(words, vectors, strict=True))
    path.write_text("".join(rows), encoding="utf-8")


def _lines(path: Path) -> list[str]:
    """The lines of a text file. Raises UsageError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
