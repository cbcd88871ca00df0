"""Randomness that a rewrite brings into a cell: a name that is a coin toss in training and its mean otherwise."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Span = Literal["step", "sequence"]
_TEXT = re.compile(r"(?P<value>\S+) with probability (?P<probability>\S+) per (?P<span>\w+)")


@dataclass(frozen=True)
class Noise:
    """``value`` with the given probability, else 0; drawn anew each step, or once a sequence.

    Drawn for every row and unit; a matrix of noise (DropConnect) is drawn once a sequence for the whole batch.
    """

    value: float
    probability: float
    per: Span

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"a probability lies between 0 and 1, and is {self.probability}")
        if self.per not in get_args(Span):
            raise ValueError(f"noise is drawn per step or per sequence, not per {self.per}")

    @property
    def mean(self) -> float:
        """The value that stands in outside training."""
        return self.value * self.probability

    def __str__(self) -> str:
        return f"{self.value!r} with probability {self.probability!r} per {self.per}"

    @classmethod
    def parse(cls, text: str) -> "Noise":
        """Read ``1.25 with probability 0.8 per sequence``; raises ValueError otherwise."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text}' is no noise; write VALUE with probability P per step (or: per sequence)")
        value, probability = float(match["value"]), float(match["probability"])
        return cls(value, probability, match["span"])  # pyright: ignore[reportArgumentType]  # checked where it is made
