"""Randomness that a rewrite brings into a cell: a name that is a coin toss in training and its mean otherwise."""

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

Span = Literal["step", "sequence"]
_NUMBER = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"
_TEXT = re.compile(rf"(?P<value>{_NUMBER}) with probability (?P<probability>{_NUMBER}) per (?P<span>\w+)")


@dataclass(frozen=True)
class Noise:
    """``value`` with the given probability, else 0; drawn anew each step, or once a sequence.

    Drawn for every row and unit; a matrix of noise (DropConnect) is drawn once a sequence for the whole batch.

    Raises:
        ValueError: the value is not finite, the probability lies outside 0 to 1, or the span is no span.
    """

    value: float
    probability: float
    per: Span

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"noise has a finite value, and not {self.value}")
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"a probability lies between 0 and 1, and is {self.probability}")
        if self.per not in get_args(Span):
            raise ValueError(f"noise is drawn per step or per sequence, not per {self.per}")

    @property
    def mean(self) -> float:
        """The value that stands in outside training."""
        return self.value * self.probability

    def __str__(self) -> str:
        return f"{float(self.value)!r} with probability {float(self.probability)!r} per {self.per}"

    @classmethod
    def parse(cls, text: str) -> "Noise":
        """Read ``1.25 with probability 0.8 per sequence``; raises ValueError otherwise."""
        match = _TEXT.fullmatch(" ".join(text.split()))
        if match is None:
            raise ValueError(f"'{text}' is no noise; write VALUE with probability P per step (or: per sequence)")
        value, probability = float(match["value"]), float(match["probability"])
        return cls(value, probability, match["span"])  # pyright: ignore[reportArgumentType]  # checked where it is made
