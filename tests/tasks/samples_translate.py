"""A language made by hand, in pairs, and settings that train on them in a second."""

from pathlib import Path
from typing import Any

from tasks.contract import Case
from unrolled.tasks.estimator import Sources
from unrolled.tasks.translate.model import TranslateModel

WORDS = {"der": "the", "hund": "dog", "mann": "man", "sieht": "sees", "rote": "red", "ball": "ball", "ein": "a"}
PAIRS = [
    (one, " ".join(WORDS[word] for word in one.split()))
    for one in (
        f"{first} {noun} sieht {second} {other}"
        for first in ("der", "ein")
        for noun in ("hund", "mann", "rote hund", "rote ball")
        for second in ("der", "ein")
        for other in ("ball", "mann", "rote mann")
    )
]
TINY: dict[str, Any] = {"hidden": 8, "embedding": 6, "batch": 8, "unit": "word", "longest": 12, "beam": 3, "n_best": 2}
"""Settings for TranslateModel.fit that make a network of no use in no time."""


def write_pairs(folder: Path, name: str = "pairs.tsv", pairs: list[tuple[str, str]] = PAIRS) -> Path:
    """A table of pairs."""
    path = folder / name
    path.write_text("source\ttarget\n" + "".join(f"{one}\t{other}\n" for one, other in pairs), encoding="utf-8")
    return path


def write_parallel(folder: Path, name: str, pairs: list[tuple[str, str]] = PAIRS) -> Path:
    """Two files side by side, ``name.de`` and ``name.en``; the beginning of their names."""
    for place, ending in enumerate(("de", "en")):
        lines = "".join(f"{pair[place]}\n" for pair in pairs)
        (folder / f"{name}.{ending}").write_text(lines, encoding="utf-8")
    return folder / name


TRANSLATE = Case(
    TranslateModel,
    lambda folder: Sources(write_pairs(folder)),
    ["der hund sieht ein rote ball", "mann", "ein", "der mann sieht", "", "ein hund sieht der mann sieht der hund"],
    TINY,
)
