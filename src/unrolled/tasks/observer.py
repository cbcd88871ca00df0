"""Who is told how a training goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from unrolled.training.trainer import Progress


@dataclass(frozen=True)
class Told:
    """What is said before the first update."""

    heading: str
    """What is trained, for how long."""
    lines: Sequence[str]
    """The data, and what was guessed of them."""
    unit: str
    """What is counted: character, sentence, step."""
    loss: str
    """What the losses are: ``nats a character``."""


class Observer(Protocol):
    """Shows a training to whoever waits for it."""

    def begun(self, told: Told) -> None:
        """Called once before the first update."""
        ...

    def stepped(self, progress: Progress) -> None:
        """Called behind every update."""
        ...

    def validated(self, progress: Progress, loss: float, sample: str) -> None:
        """Called behind every validation with its loss, and a line that shows what the network can do by now."""
        ...

    def scoring(self, what: str, done: int, total: int) -> None:
        """Called while the final figures are made."""
        ...


class Silent:
    """An observer that shows nothing."""

    def begun(self, told: Told) -> None: ...

    def stepped(self, progress: Progress) -> None: ...

    def validated(self, progress: Progress, loss: float, sample: str) -> None: ...

    def scoring(self, what: str, done: int, total: int) -> None: ...
