"""Splits: what a data set is cut into, and how it was found."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Part = TypeVar("Part")


@dataclass(frozen=True)
class Splits(Generic[Part]):
    """A data set in its parts.

    fingerprint: sha256 (hex) over all that was read: so a resumed run, or a recipe, can tell whether it is the same.
    notes: What was guessed or made on the way, in words, for whoever waits: columns, a split by chance and its seed.
    """

    name: str
    train: Part
    valid: Part
    test: Part | None
    fingerprint: str
    notes: tuple[str, ...] = ()
