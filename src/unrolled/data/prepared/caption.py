"""Drawings with their names, as picture files and tables that the caption task reads."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from unrolled.data.reading import read_text
from unrolled.errors import UsageError

PARTS = {0: "test", 1: "valid"}
"""Of ten parts of all drawings, by the sha256 of their code points; the others are to learn from."""


def openmoji(source: Path, into: Path) -> None:
    """``openmoji_captions`` as PNG files and ``train.tsv``, ``valid.tsv``, ``test.tsv``: file, caption.

    The caption is OpenMoji's own name (``annotation``), which every drawing has: names by CLDR lack a third of them. A
    tenth is test, another tenth validates, by the sha256 of the code points.
    """
    folder = source / "openmoji_captions"
    header, *lines = read_text(folder / "captions.tsv").removesuffix("\n").split("\n")
    columns = header.split("\t")
    try:
        with np.load(folder / "images_48.npz", allow_pickle=False) as file:
            pictures = file["images"]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{folder / 'images_48.npz'} holds no array 'images' ({error}).") from None
    if len(lines) != len(pictures):
        raise UsageError(f"captions.tsv has {len(lines)} rows, and images_48.npz {len(pictures)} pictures.")
    (into / "pictures").mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for line, picture in zip(lines, pictures, strict=True):
        row = dict(zip(columns, line.split("\t"), strict=True))
        name = f"pictures/{row['hexcode']}.png"
        Image.fromarray(picture).save(into / name)
        part = PARTS.get(hashlib.sha256(row["hexcode"].encode()).digest()[0] % 10, "train")
        rows[part].append(f"{name}\t{row['annotation']}\n")
    for part, found in rows.items():
        (into / f"{part}.tsv").write_text("file\tcaption\n" + "".join(found), encoding="utf-8")
