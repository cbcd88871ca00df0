"""What a classifier learns from, update by update, how it is validated, and its scores over many sequences."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.batches import by_length, padded
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.training.course import Lesson, device_of
from unrolled.wirings.many_to_one import ManyToOne

TIE = 1e-3
"""What a nat counts beside a share of errors, where accuracy chooses the weights: it decides between equals."""


class Known(NamedTuple):
    """Sequences as the network reads them, and the places of their classes."""

    sequences: list[Tensor]
    targets: Tensor


class Teaching:
    """The lessons of a classifier.

    Args:
        network: What learns.
        train, valid: What it learns from, and what it is validated on.
        weights: What an example of each class weighs, (C,); None for all alike.
        unknown: The id that dropped tokens become; None for numbers.
        config: The settings.
    """

    def __init__(
        self,
        network: ManyToOne,
        train: Known,
        valid: Known,
        weights: Tensor | None,
        unknown: int | None,
        config: ClassifyConfig,
    ) -> None:
        self.network, self.train, self.valid = network, train, valid
        self.weights, self.unknown, self.config = weights, unknown, config
        self.accuracy: float | None = None

    def learn(self, ready: Any, places: list[int]) -> Lesson:
        """The loss of some sequences, in nats."""
        sequences = [self.train.sequences[place] for place in places]
        if self.config.crop is not None:
            sequences = [stretch(one, self.config.crop) for one in sequences]
        inputs, lengths = batch_of(self.network, sequences, range(len(sequences)))
        if self.unknown is not None and self.config.dropout_tokens:
            dropped = torch.rand(inputs.shape) < self.config.dropout_tokens
            inputs = inputs.masked_fill(dropped.to(inputs.device), self.unknown)
        scores = ready(inputs, lengths)
        weights = None if self.weights is None else self.weights.to(scores)
        targets = self.train.targets[places].to(scores.device)
        return Lesson(cross_entropy(scores, targets, weights, label_smoothing=self.config.smoothing), len(places))

    def validate(self) -> float:
        """The loss, or the share of errors, on what is not learned from."""
        scores = scores_of(self.network, self.valid.sequences, self.config.batch)
        loss = float(cross_entropy(scores, self.valid.targets, label_smoothing=self.config.smoothing))
        self.accuracy = float((scores.argmax(1) == self.valid.targets).double().mean())
        return loss if self.config.select == "loss" else 1 - self.accuracy + TIE * loss


def stretch(sequence: Tensor, steps: int) -> Tensor:
    """At most so many steps of a sequence, from a place by chance."""
    start = int(torch.randint(max(1, len(sequence) - steps + 1), ()))
    return sequence[start : start + steps]


def batch_of(network: ManyToOne, sequences: Sequence[Tensor], places: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Some sequences side by side where the network is, and their lengths."""
    inputs, lengths = padded([sequences[place] for place in places])
    return inputs.to(device_of(network)), lengths


@torch.inference_mode()
def scores_of(
    network: ManyToOne, sequences: Sequence[Tensor], batch: int, report: Callable[[int, int], None] | None = None
) -> Tensor:
    """The scores of all sequences in order, (N, C), float64."""
    network.eval()
    scores, done = [Tensor()] * len(sequences), 0
    for places in by_length([len(one) for one in sequences], batch):
        found = network(*batch_of(network, sequences, places)).double().cpu()
        for place, row in zip(places, found, strict=True):
            scores[place] = row
        done += len(places)
        if report is not None:
            report(done, len(sequences))
    return torch.stack(scores)


def balanced(counts: Sequence[int]) -> Tensor:
    """What an example of each class weighs, (C,), so that every class weighs the same in all, one on average."""
    number = torch.tensor(counts, dtype=torch.float64).clamp(min=1)
    return number.sum() / (len(counts) * number)
