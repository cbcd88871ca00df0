"""Small sequences of steps with labels: a signal whose label depends on what came before."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tasks.contract import Case
from tasks.samples_video import write_clips
from unrolled.tasks.estimator import Sources
from unrolled.tasks.frames.model import FramesModel

TINY: dict[str, Any] = {"hidden": 6, "batch": 3, "steps": 4, "validations": 2}
"""Settings for FramesModel.fit that make a network of no use in no time."""
LENGTHS = (9, 4, 12, 7, 1, 10, 5)


def drawn(length: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Features (T, 3), and labels: ``up`` from a large first number on, ``down`` from a small one on, else ``rest``."""
    features = np.random.default_rng(seed).normal(size=(length, 3))
    labels, now = [], "rest"
    for first in features[:, 0]:
        now = "up" if first > 0.8 else "down" if first < -0.8 else now
        labels.append(now)
    return features, labels


def rows(lengths: tuple[int, ...] = LENGTHS, seed: int = 1) -> list[dict[str, Any]]:
    """A long table: clip, step, three numbers, a label."""
    table = []
    for number, length in enumerate(lengths):
        features, labels = drawn(length, 100 * seed + number)
        for step, (values, label) in enumerate(zip(features.tolist(), labels, strict=True)):
            numbers = dict(zip(("lift", "turn", "tilt"), values, strict=True))
            table.append({"clip": f"clip{number}", "step": step, **numbers, "phase": label})
    return table


def as_csv(table: list[dict[str, Any]]) -> str:
    """Rows as CSV; None is an empty cell."""
    lines = [",".join(table[0])]
    lines += [",".join("" if value is None else str(value) for value in row.values()) for row in table]
    return "\n".join(lines) + "\n"


def write_csv(folder: Path, name: str = "steps.csv", table: list[dict[str, Any]] | None = None) -> Path:
    """A CSV file of steps."""
    path = folder / name
    path.write_text(as_csv(rows() if table is None else table), encoding="utf-8")
    return path


def chords(count: int = 6, seed: int = 1) -> list[list[list[int]]]:
    """Sequences of chords that go round: each step shifts the notes by one of three."""
    generator = np.random.default_rng(seed)
    pieces = []
    for number in range(count):
        first = int(generator.integers(3))
        pieces.append([[60 + (first + step) % 3, 70][: 1 + (step + first) % 2] for step in range(4 + number)])
    return pieces


def write_chords(folder: Path, name: str = "chords.json") -> Path:
    """A JSON file of label sets."""
    path = folder / name
    path.write_text(json.dumps(chords()), encoding="utf-8")
    return path


INPUTS = [drawn(length, 50 + length)[0] for length in (5, 11, 1, 8)]
"""Four sequences in memory."""
SETTINGS = {"hidden": 6, "batch": 3, "projection": 4, "dropout_input": 0.1}
CASES = {
    "frames": Case(FramesModel, lambda folder: Sources(write_csv(folder)), INPUTS, SETTINGS | {"lookahead": 2}),
    "frames, both ways": Case(
        FramesModel,
        lambda folder: Sources(write_csv(folder), write_csv(folder, "valid.csv", rows((6, 3), 2))),
        INPUTS,
        SETTINGS | {"bidirectional": True, "window": 4, "layers": 2, "cell": "gru"},
    ),
    "frames, label sets": Case(
        FramesModel,
        lambda folder: Sources(write_chords(folder)),
        [piece[:length] for piece, length in zip(chords(4, 3), (3, 1, 6, 2), strict=True)],
        {"hidden": 6, "batch": 3, "multilabel": True, "ahead": 1},
    ),
    "frames, videos": Case(
        FramesModel,
        lambda folder: Sources(write_clips(folder / "clips", 4)),
        [np.full((length, 3, 4), 20 * length, dtype=np.uint8) for length in (5, 11, 1, 8)],
        {"hidden": 6, "batch": 3, "picture": "4x3", "baseline": False},
    ),
}
"""The frames task on data as small as can be."""
