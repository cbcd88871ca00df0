"""What a toy task is: batches by rule, the score of a trivial answer, and when it counts as solved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from unrolled.errors import UsageError

Kind = Literal["class", "number", "events"]


class Batch(NamedTuple):
    """Sequences of a toy task."""

    x: Tensor
    """(N, T, D), float32."""
    targets: Tensor
    """What is wanted at each step: a class (N, T) for ``class``; numbers, or events of 0 and 1, (N, T, K)."""
    counts: Tensor
    """At which steps it is wanted, (N, T)."""
    lengths: Tensor
    """Valid steps of each sequence, (N,)."""
    allowed: Tensor | None = None
    """Which classes could have stood at each step, (N, T, K), where more than one could."""


@dataclass(frozen=True)
class Toy:
    """A toy task.

    Attributes:
        name: What it is called.
        about: What is to be done, in a line.
        source: The paper that posed it, with its section.
        kind: ``class``: one of K at a step, learned by cross-entropy. ``number``: K numbers, by the mean squared error.
            ``events``: K of which any may happen, by binary cross-entropy.
        inputs: D.
        outputs: K.
        make: Batches of so many sequences of a length, drawn by a generator.
        metric: What :meth:`score` gives.
        trivial: What an answer without memory scores at a length.
        solved: The score at which the task counts as solved.
        known: What others reported, in words, with where.
    """

    name: str
    about: str
    source: str
    kind: Kind
    inputs: int
    outputs: int
    make: Callable[[int, int, Generator], Batch]
    metric: Literal["mean squared error", "accuracy", "nats"]
    trivial: Callable[[int], float]
    solved: float
    known: Mapping[str, str] = field(default_factory=dict)
    shortest: int = 1
    """The shortest length that the task makes sense for."""

    def batch(self, count: int, length: int, seed: int | Generator) -> Batch:
        """``count`` sequences of a length in steps (where the task's lengths vary, about so long).

        Raises:
            UsageError: there are none, or they are too short for the task.
        """
        if count < 1 or length < self.shortest:
            raise UsageError(
                f"toy task {self.name}: 1 sequence or more, of {self.shortest} steps or more; asked for {count} of "
                f"{length}."
            )
        return self.make(count, length, seed if isinstance(seed, Generator) else Generator().manual_seed(seed))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean loss over the steps that count, of outputs (N, T, K)."""
        found, wanted = outputs[batch.counts], batch.targets[batch.counts]
        if self.kind == "class":
            return cross_entropy(found, wanted)
        if self.kind == "events":
            return binary_cross_entropy_with_logits(found, wanted)
        return (found - wanted).square().mean()

    def score(self, outputs: Tensor, batch: Batch) -> float:
        """The metric over the steps that count; ``accuracy`` is the share of sequences that are wholly right.

        Where several classes could have come, those that could must be the ones with the highest scores.
        """
        found, wanted = outputs.detach().double()[batch.counts], batch.targets[batch.counts]
        if self.metric == "mean squared error":
            return float((found - wanted).square().mean())
        if self.metric == "nats":
            return float(cross_entropy(found, wanted))
        if batch.allowed is not None:
            inside = torch.where(batch.allowed, outputs, torch.inf).amin(-1)
            right = inside > torch.where(batch.allowed, -torch.inf, outputs).amax(-1)  # (N, T)
        elif self.kind == "class":
            right = outputs.argmax(-1) == batch.targets
        else:
            right = ((outputs > 0) == (batch.targets > 0)).all(-1)
        return float((right | ~batch.counts).all(1).double().mean())

    def is_solved(self, score: float) -> bool:
        """Whether a score is good enough."""
        return score >= self.solved if self.metric == "accuracy" else score <= self.solved


def last_step(count: int, steps: int) -> Tensor:
    """Only the last step counts, (N, T)."""
    counts = torch.zeros(count, steps, dtype=torch.bool)
    counts[:, -1] = True
    return counts


def all_long(count: int, steps: int) -> Tensor:
    """Sequences that are all of one length, (N,)."""
    return torch.full((count,), steps)


def symbols(ids: Tensor, count: int) -> Tensor:
    """Symbols (N, T) as vectors with a single one, (N, T, count)."""
    return one_hot(ids, count).float()
