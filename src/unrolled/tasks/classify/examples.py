"""Examples: sequences with their classes, wherever they came from, and what all of one model's have in common."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import UsageError, did_you_mean

KINDS = {
    "text": ("text", "texts"),
    "series": ("series", "series"),
    "pictures": ("picture", "pictures"),
    "sound": ("sound", "sounds"),
}
"""What the sequences can be, and what one is called, and several."""


@dataclass(frozen=True)
class Form:
    """What a model reads: told by its training data, asked of all others."""

    kind: str
    """``text``, ``series`` (numbers over time), ``pictures`` (read row by row) or ``sound``."""
    width: int = 0
    """Numbers of a step (D); 0 for texts."""
    rate: int = 0
    """Sounds: samples a second."""
    columns: dict[str, Any] = field(default_factory=dict)
    """Columns of a table by what they hold: text, label, id, time, channels, file."""


@dataclass(frozen=True)
class Examples:
    """Sequences in order.

    inputs: Texts, or numbers (T_n, D), float32.
    labels: The class of each; None where they were not asked for.
    ids: What the data call each; None where they do not.
    where: The place of one in the data, for messages: ``reviews.csv, row 7``.
    notes: What was guessed or made on the way.
    folder: Where the file lies that they were read from.
    classes: All classes of the training data, once these are known.
    """

    form: Form
    inputs: Sequence[Any]
    labels: list[str] | None
    where: Callable[[int], str]
    name: str
    fingerprint: str
    ids: list[Any] | None = None
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, part: slice) -> "Examples":
        return self.some(range(len(self))[part])

    def some(self, places: Sequence[int]) -> "Examples":
        """The examples at some places."""
        return replace(
            self,
            inputs=[self.inputs[place] for place in places],
            labels=self.labels and [self.labels[place] for place in places],
            ids=self.ids and [self.ids[place] for place in places],
            where=lambda index: self.where(places[index]),
        )

    def of_classes(self) -> "Examples":
        """The same, with their classes found: numbers by size, words by letter. Raises UsageError for a single one."""
        assert self.labels is not None
        distinct = set(self.labels)
        if len(distinct) == 1:
            raise UsageError(
                f"{self.name}: all {len(self)} examples are of one class, {self.labels[0]!r}; two are needed."
            )
        return replace(self, classes=tuple(sorted(distinct, key=_by_size)))

    def targets(self, classes: Sequence[str]) -> Tensor:
        """The place of each label among the classes, (N,). Raises UsageError for a label that is none of them."""
        assert self.labels is not None
        place = {label: index for index, label in enumerate(classes)}
        for index, label in enumerate(self.labels):
            if label not in place:
                known = ", ".join(classes[:8]) + (f" and {len(classes) - 8} more" if len(classes) > 8 else "")
                near = did_you_mean(label, classes)
                raise UsageError(
                    f"{self.where(index)}: the class {label!r} was not learned; the model knows {known}.{near}"
                )
        return torch.tensor([place[label] for label in self.labels])


def _by_size(label: str) -> tuple[bool, float, str]:
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def labels_of(values: Sequence[Any], where: Callable[[int], str]) -> list[str]:
    """Classes as texts. Raises UsageError for one that is missing."""
    for index, value in enumerate(values):
        if value is None or value != value or str(value) == "":
            raise UsageError(f"{where(index)} has no class; every example to learn from or to measure on needs one.")
    return [str(value) for value in values]


def check_ids(ids: Sequence[Any], where: Callable[[int], str]) -> None:
    """Raise UsageError where two examples bear the same id, or one bears none."""
    first: dict[Any, int] = {}
    for index, one in enumerate(ids):
        if one is None:
            raise UsageError(f"{where(index)} has no id.")
        if one in first:
            raise UsageError(f"{where(index)} has the id {one!r}, as has {where(first[one])}; ids are unique.")
        first[one] = index


def check_numbers(inputs: Sequence[Tensor], where: Callable[[int], str]) -> tuple[list[Tensor], tuple[str, ...]]:
    """Sequences without the tails that only pad them, and a word on what is missing in them.

    Steps at the end without any number are padding, as archives write series of different lengths. A number missing
    elsewhere stays NaN; the network reads its mean instead.

    Raises:
        UsageError: a number is infinite, or a sequence has no step; the message names sequence, step and channel.
    """
    cut, missing, shortened = [], 0, 0
    for index, values in enumerate(inputs):
        infinite = values.isinf().nonzero()
        if len(infinite):
            step, channel = infinite[0].tolist()
            raise UsageError(f"{where(index)}: the number at step {step + 1}, channel {channel + 1} is infinite.")
        there = (~values.isnan()).any(1).nonzero()
        if not len(there):
            raise UsageError(f"{where(index)} is empty: it holds no number.")
        length = int(there[-1]) + 1
        shortened += length < len(values)
        cut.append(values[:length])
        missing += int(values[:length].isnan().sum())
    notes = []
    if shortened:
        notes.append(f"{shortened} of {len(inputs)} sequences end in steps without numbers, which count as padding")
    if missing:
        notes.append(f"{missing} numbers are missing; each stands as its channel's mean")
    return cut, tuple(notes)


def fingerprint_of(parts: Sequence[Any]) -> str:
    """sha256 (hex) over arrays and texts, their shapes included."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str | bytes):
            raw = part if isinstance(part, bytes) else part.encode()
            digest.update(f"{len(raw)}:".encode() + raw)
        else:
            array = np.ascontiguousarray(part)
            digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
