"""Small data to classify, written as a user would write them, and the contract's cases of the task."""

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.contract import Case
from unrolled.tasks.classify.model import ClassifyModel
from unrolled.tasks.estimator import Sources

TINY: dict[str, Any] = {"hidden": 8, "embedding": 6, "batch": 8, "baselines": False}
"""Settings that make a network of no use in no time."""
GOOD, BAD = ("a fine film", "truly great fun", "lovely", "i liked it a lot"), ("a dull film", "truly awful", "boring")
TAILS = ("", " , really", " !", " and so on", " ; it isn't long")


def write_table(path: Path, rows: Sequence[Sequence[Any]], header: Sequence[str] = ("text", "label")) -> Path:
    """A CSV file."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def reviews(count: int = 40, seed: int = 1) -> list[tuple[str, str]]:
    """Texts that a word tells apart."""
    draw = random.Random(seed)
    kinds = [("good", GOOD), ("bad", BAD)]
    return [(draw.choice(texts) + draw.choice(TAILS), label) for label, texts in (kinds * count)[:count]]


def waves(count: int = 24, seed: int = 1) -> tuple[list[np.ndarray], list[str]]:
    """Series of two channels, slow or fast, of lengths from 5 to 12."""
    draw = np.random.default_rng(seed)
    series, labels = [], []
    for index in range(count):
        steps = np.arange(draw.integers(5, 13))
        speed = (0.4, 1.6)[index % 2]
        angles = speed * steps + draw.uniform(0, 6)
        series.append(np.stack([np.sin(angles), 3 + 10 * np.cos(angles)], 1).astype(np.float32))
        labels.append(("slow", "fast")[index % 2])
    return series, labels


def write_ts(path: Path, series: Sequence[np.ndarray], labels: Sequence[str]) -> Path:
    """A ``.ts`` file."""
    lines = ["# made by hand", "@problemName waves", "@timeStamps false", "@univariate false"]
    lines += [f"@classLabel true {' '.join(sorted(set(labels)))}", "@data"]
    for one, label in zip(series, labels, strict=True):
        channels = [",".join(f"{number:.6g}" for number in channel) for channel in one.T]
        lines.append(":".join([*channels, label]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


CASES = {
    "classify texts": Case(
        ClassifyModel,
        lambda folder: Sources(write_table(folder / "reviews.csv", reviews())),
        ["fine", "a dull film , really", "it was lovely and so on ; it isn't long", "zebra !"],
        TINY,
    ),
    "classify series": Case(
        ClassifyModel,
        lambda folder: Sources(write_ts(folder / "waves.ts", *waves())),
        [np.full((length, 2), 0.3 * length, dtype=np.float32) for length in (3, 1, 17, 8, 30)],
        {**TINY, "pooling": "attention", "noise": 0.1, "layers": 2, "select": "accuracy"},
    ),
}
"""The task on texts and on numbers, as small as can be."""
