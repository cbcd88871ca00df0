"""A course: what a trainer teaches a network, update by update, and how well the network knows it by now."""

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn


class Lesson(NamedTuple):
    """What one update learns from."""

    loss: Tensor
    """A mean, with its gradients."""
    size: int
    """Of how many tokens, sequences or steps it is the mean."""


class Course(Protocol):
    """Lessons in passes over the data."""

    def __len__(self) -> int:
        """Updates in one pass."""
        ...

    def lesson(self, ready: Any, epoch: int, index: int) -> Lesson:
        """The loss of the lesson ``index`` of a pass. ``ready`` is the network as the device and precision want it."""
        ...

    def validate(self) -> float:
        """How badly the network does on what it does not learn from; the lower the better."""
        ...

    def content(self) -> dict[str, Any]:
        """What the next lesson depends on, beyond the network and torch's randomness."""
        ...

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what :meth:`content` gave."""
        ...


def device_of(network: nn.Module) -> torch.device:
    """Where a network's parameters are."""
    return next(network.parameters()).device
