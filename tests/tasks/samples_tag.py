"""Small files of tagged sentences, and settings that train on them in a second."""

import random
from pathlib import Path
from typing import Any

from tasks.contract import Case
from unrolled.tasks.estimator import Sources
from unrolled.tasks.tag.model import TagModel

TINY: dict[str, Any] = {"hidden": 6, "embedding": 5, "characters": 4, "character_embedding": 3, "batch": 4}
"""Settings for TagModel.fit that make a network of no use in no time."""

_KINDS = {
    "DET": ("the", "a", "every"),
    "ADJ": ("small", "red", "happy"),
    "NOUN": ("cat", "dog", "house", "Anna"),
    "VERB": ("sees", "likes", "finds"),
    "PUNCT": (".", "!"),
}
_FORMS = (
    ("DET", "NOUN", "VERB", "DET", "ADJ", "NOUN", "PUNCT"),
    ("DET", "ADJ", "NOUN", "VERB", "PUNCT"),
    ("NOUN", "VERB", "NOUN", "PUNCT"),
    ("DET", "ADJ", "ADJ", "NOUN", "VERB", "DET", "NOUN", "PUNCT"),
    ("NOUN", "PUNCT"),
)


def sentences(count: int = 40, seed: int = 1) -> list[tuple[list[str], list[str]]]:
    """Sentences of a small grammar: words and tags."""
    chance = random.Random(seed)
    forms = [chance.choice(_FORMS) for _ in range(count)]
    return [([chance.choice(_KINDS[tag]) for tag in form], list(form)) for form in forms]


def columns(rows: list[tuple[list[str], list[str]]], between: str = "\t") -> str:
    """The same as a word a line."""
    blocks = ("".join(f"{word}{between}{tag}\n" for word, tag in zip(*row, strict=True)) for row in rows)
    return "\n".join(blocks)


def conllu(rows: list[tuple[list[str], list[str]]]) -> str:
    """The same as CoNLL-U."""
    blocks = []
    for number, (words, tags) in enumerate(rows, 1):
        lines = [f"# sent_id = {number}", f"# text = {' '.join(words)}"]
        for place, (word, tag) in enumerate(zip(words, tags, strict=True), 1):
            lines.append(f"{place}\t{word}\t{word}\t{tag}\tX{tag}\t_\t0\t_\t_\t_")
        blocks.append("\n".join(lines) + "\n\n")
    return "".join(blocks)


def write(folder: Path, text: str | None = None, name: str = "train.tsv") -> Path:
    """A file with tagged sentences."""
    path = folder / name
    path.write_text(columns(sentences()) if text is None else text, encoding="utf-8")
    return path


INPUTS = ["the cat sees a small dog .", "Anna !", ["every", "unheard-of", "thing", "likes", "Łódź", "."], "", "cat"]
TAG_CASES = {
    "tag": Case(TagModel, lambda folder: Sources(write(folder)), INPUTS, TINY),
    "tag with a CRF": Case(TagModel, lambda folder: Sources(write(folder)), INPUTS, TINY | {"crf": True}),
}
