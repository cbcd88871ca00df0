"""Recordings: sequences of steps as their files have them, each with features and perhaps the answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import UsageError

Labels = list[tuple[str, ...]]
"""The labels of every step."""


@dataclass(frozen=True)
class Recording:
    """One sequence of T steps.

    id: None for values in memory.
    features: (T, D), float32 or uint8; None where the labels themselves are what is read.
    answers: The labels of each step (one where a step has one), or numbers, (T, K); None where nobody knows them.
    times: What the time column says of each step; empty without one.
    """

    id: str | None
    features: Tensor | None
    answers: Labels | Tensor | None
    times: tuple[Any, ...] = ()

    def __len__(self) -> int:
        known = self.answers if self.features is None else self.features
        return 0 if known is None else len(known)

    def __str__(self) -> str:
        return "the sequence" if self.id is None else f"sequence '{self.id}'"

    def cut(self, start: int, stop: int) -> "Recording":
        """The steps from ``start`` to before ``stop``."""
        features = None if self.features is None else self.features[start:stop]
        answers = None if self.answers is None else self.answers[start:stop]
        return Recording(self.id, features, answers, self.times[start:stop])


@dataclass(frozen=True)
class Form:
    """What the sequences of a data set are made of.

    features: Names of the numbers of a step; of an array without names their places.
    columns: ``id``, ``time``, ``label`` and what they are called where they were found; without a value where not.
    own: Whether a step's labels are what is read.
    """

    features: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    own: bool = False


@dataclass(frozen=True)
class Recordings:
    """The sequences of one source, and what was found about them."""

    name: str
    fingerprint: str
    sequences: list[Recording]
    form: Form
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, places: slice) -> "Recordings":
        return replace(self, sequences=self.sequences[places])

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return sum(map(len, self.sequences))

    def answered(self) -> "Recordings":
        """These, once every sequence is known to have its answers. Raises UsageError for the first that has none."""
        for one in self.sequences:
            if one.answers is None:
                raise UsageError(f"{self.name}: {one} has no labels, and they are needed here.")
        return self


def finite(numbers: np.ndarray, where: str, names: Sequence[str], place: Any, nan_too: bool) -> None:
    """Refuse numbers (R, D) that are infinite, or missing if ``nan_too``.

    Args:
        numbers: What to look at.
        where: The file.
        names: Of the D columns.
        place: Gives the words for a row, from its number.
        nan_too: Whether NaN is refused as well.
    """
    bad = np.isinf(numbers) if not nan_too else ~np.isfinite(numbers)
    if not bad.any():
        return
    row, column = (int(one) for one in np.argwhere(bad)[0])
    value = numbers[row, column]
    seen = "a missing number (NaN or empty)" if np.isnan(value) else "an infinite number"
    more = f" ({int(bad.sum()):,} in all)" if bad.sum() > 1 else ""
    remedy = "; --missing mean lets it stand as the column's mean" if np.isnan(value) else ""
    raise UsageError(f"{where}: column '{names[column]}', {place(row)}, holds {seen}{more}{remedy}.")


def as_tensor(numbers: np.ndarray) -> Tensor:
    """Numbers as a tensor: bytes stay bytes, all others are float32."""
    kept = numbers if numbers.dtype == np.uint8 else numbers.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(kept))
