"""Splits: what a data set is cut into, and how it was found."""

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

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


def shortened(splits: Splits[Part], count: int) -> Splits[Part]:
    """The splits with about so many examples each, evenly spaced; of a text so many lines' worth of its beginning."""
    parts = {name: _few(getattr(splits, name), count) for name in ("train", "valid", "test")}
    return replace(splits, **parts)


def _few(part: Any, count: int) -> Any:
    if part is None:
        return None
    if isinstance(part, str):
        return part[: 100 * count]
    return part[:: max(1, len(part) // count)]
