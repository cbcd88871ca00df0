"""What the recipes of the translate task read: Multi30k as tables of pairs, and spellings with their sounds."""

import re
from collections.abc import Iterable
from pathlib import Path

from unrolled.data.reading import read_text
from unrolled.errors import UsageError

MULTI30K = {"train": "train", "valid": "val", "test": "test_2016_flickr"}


def multi30k(source: Path, into: Path) -> None:
    """``multi30k_en_de_fr`` as ``train.tsv``, ``valid.tsv``, ``test.tsv`` (the test set of 2016), German to English."""
    for split, name in MULTI30K.items():
        sides = [_lines(source / "multi30k_en_de_fr" / f"{name}.{side}.txt") for side in ("de", "en")]
        if len(sides[0]) != len(sides[1]):
            raise UsageError(f"{name}.de.txt has {len(sides[0])} lines, and {name}.en.txt {len(sides[1])}.")
        _write(into / f"{split}.tsv", zip(*sides, strict=True))


def spelling(source: Path, into: Path) -> None:
    """``cmudict_g2p`` as ``train.tsv``, ``valid.tsv``, ``test.tsv``: a word, and its 39 phonemes without their stress.

    As the literature has it (Yao & Zweig 2015, arXiv:1506.00196, section 4.1). The splits are those of the folder, by
    the words' sha256; pronunciations that differ in stress alone become one, the others stay rows of their own.
    """
    for split in ("train", "valid", "test"):
        rows = [line.split("\t") for line in _lines(source / "cmudict_g2p" / f"{split}.tsv")]
        pairs = {(word, re.sub(r"\d", "", sounds)): None for word, sounds in rows}
        _write(into / f"{split}.tsv", pairs)


def _lines(path: Path) -> list[str]:
    return read_text(path).removesuffix("\n").split("\n")


def _write(path: Path, pairs: Iterable[Iterable[str]]) -> None:
    rows = ("\t".join(" ".join(side.split()) for side in pair) for pair in [("source", "target"), *pairs])
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
