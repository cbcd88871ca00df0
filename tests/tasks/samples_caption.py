"""Small pictures with what they show, drawn by hand, and settings that train on them in a second."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tasks.contract import Case
from unrolled.tasks.caption.model import CaptionModel
from unrolled.tasks.estimator import Sources

COLOURS = {"red": (220, 30, 30), "green": (30, 170, 60), "blue": (40, 60, 220), "black": (0, 0, 0)}
SHAPES = ("square", "bar", "cross")
CAPTIONS = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]


def drawn(caption: str, size: tuple[int, int] = (16, 16)) -> np.ndarray:
    """What a caption says, (H, W, 3) bytes on white."""
    colour, shape = caption.split()
    picture = np.full((*size, 3), 255, dtype=np.uint8)
    high, wide = size
    middle, centre = slice(high // 3, -(high // 3)), slice(wide // 3, -(wide // 3))
    if shape in ("bar", "cross"):
        picture[middle] = COLOURS[colour]
    if shape == "cross":
        picture[:, centre] = COLOURS[colour]
    if shape == "square":
        picture[middle, centre] = COLOURS[colour]
    return picture


def write_pictures(folder: Path, name: str = "pictures.tsv", captions: list[str] = CAPTIONS) -> Path:
    """A table of pictures and captions; the pictures beside it."""
    (folder / "drawn").mkdir(parents=True, exist_ok=True)
    rows = ["file\tcaption"]
    for place, caption in enumerate(captions):
        file = f"drawn/{Path(name).stem}{place}.png"
        Image.fromarray(drawn(caption)).save(folder / file)
        rows.append(f"{file}\t{caption}")
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


TINY: dict[str, Any] = {"hidden": 8, "embedding": 6, "batch": 4, "size": 16, "channels": 2, "beam": 3, "n_best": 2}
"""Settings for CaptionModel.fit that make a network of no use in no time."""
SIZES = ((16, 16), (40, 20), (9, 30), (16, 17), (5, 5), (64, 64))
INPUTS = [drawn(one, size) for one, size in zip(CAPTIONS[::2], SIZES, strict=True)]
"""Pictures in memory."""
CASES = {
    "caption": Case(CaptionModel, lambda folder: Sources(write_pictures(folder)), INPUTS, TINY),
    "caption, by characters, looking nowhere": Case(
        CaptionModel,
        lambda folder: Sources(write_pictures(folder), write_pictures(folder, "valid.tsv", CAPTIONS[:3])),
        INPUTS,
        TINY | {"unit": "char", "attention": "none", "cell": "gru", "input_feeding": True, "baseline": False},
    ),
}
"""The caption task on data as small as can be."""
