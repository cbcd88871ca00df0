"""What is said of a step: one label, any number of labels, or numbers; how it is learned, told and measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from unrolled.errors import UsageError
from unrolled.tasks.frames.metrics import accuracy, edit_score, macro_f1, micro_f1
from unrolled.tasks.frames.recordings import Recording

UNKNOWN = -100
"""The place of a label that training did not have."""
Figures = dict[str, Any]


class Answers(Protocol):
    """One kind of answer. Scores are what the network gives, (..., size)."""

    KIND: ClassVar[str]
    loss_name: ClassVar[str]
    """What the loss is."""
    chance: ClassVar[str]
    """What the cheapest baseline is called."""
    size: int

    def encode(self, recording: Recording) -> Tensor:
        """A recording's answers as numbers, a step a row. Raises UsageError for those that cannot be learned."""
        ...

    def loss(self, scores: Tensor, answers: Tensor) -> Tensor:
        """The mean loss of steps, scores (R, size)."""
        ...

    def tell(self, scores: Tensor) -> dict[str, Any]:
        """What the scores (size,) of one step say, by the names of a stream's row."""
        ...

    def figures(self, scores: Sequence[Tensor], recordings: Sequence[Recording]) -> Figures:
        """The metrics over sequences: of each the scores (T, size), and the recording with the true answers."""
        ...

    def by_chance(self, recordings: Sequence[Recording]) -> list[Tensor]:
        """The scores that the cheapest baseline gives each of these sequences."""
        ...

    def to_dict(self) -> dict[str, Any]: ...


class OneLabel:
    """Every step has one label."""

    KIND: ClassVar[str] = "label"
    loss_name: ClassVar[str] = "nats a frame"
    chance: ClassVar[str] = "majority"

    def __init__(self, counts: Mapping[str, int], balanced: bool) -> None:
        self.counts, self.balanced = dict(counts), balanced
        self.names = list(self.counts)
        self.size = len(self.names)
        self.places = {name: place for place, name in enumerate(self.names)}
        share = torch.tensor([float(count) for count in self.counts.values()]) / max(sum(self.counts.values()), 1)
        self.weights = 1.0 / (self.size * share) if balanced else None

    @classmethod
    def learned(cls, recordings: Sequence[Recording], balanced: bool) -> "OneLabel":
        """The labels that training has. Raises UsageError where there is only one."""
        counts = Counter(label for one in recordings for (label,) in _labels(one))
        if len(counts) < 2:
            raise UsageError(f"every step to learn from has the label '{next(iter(counts))}'; two or more are needed.")
        return cls({name: counts[name] for name in in_order(counts)}, balanced)

    def encode(self, recording: Recording) -> Tensor:
        """See :class:`Answers`; a label that training did not have is :data:`UNKNOWN`."""
        return torch.tensor([self.places.get(label, UNKNOWN) for (label,) in _labels(recording)])

    def loss(self, scores: Tensor, answers: Tensor) -> Tensor:
        """See :class:`Answers`; unknown labels do not count."""
        if not (answers != UNKNOWN).any():
            return scores.sum() * 0.0
        weights = None if self.weights is None else self.weights.to(scores)
        return cross_entropy(scores, answers, weights, ignore_index=UNKNOWN)

    def tell(self, scores: Tensor) -> dict[str, Any]:
        """See :class:`Answers`."""
        probabilities = torch.softmax(scores.double(), -1).tolist()
        best = max(range(self.size), key=probabilities.__getitem__)
        return {"label": self.names[best], "probabilities": dict(zip(self.names, probabilities, strict=True))}

    def figures(self, scores: Sequence[Tensor], recordings: Sequence[Recording]) -> Figures:
        """See :class:`Answers`. A label that training did not have is never right; its steps have no nll."""
        places = dict(self.places)
        true = [np.array([places.setdefault(one, len(places)) for (one,) in _labels(r)]) for r in recordings]
        said = [one.argmax(-1).numpy() for one in scores]
        all_true, all_said = np.concatenate(true), np.concatenate(said)
        known = torch.from_numpy(all_true < self.size)
        surprise = cross_entropy(torch.cat(list(scores)).double()[known], torch.from_numpy(all_true)[known])
        figures: Figures = {
            "accuracy": accuracy(all_true, all_said),
            "macro_f1": macro_f1(all_true, all_said),
            "edit_score": float(np.mean([edit_score(*pair) for pair in zip(true, said, strict=True)])),
            "nll": float(surprise) if known.any() else None,
            "frames": len(all_true),
        }
        if len(places) > self.size:
            figures["unseen_frames"] = int((~known).sum())
            figures["unseen_labels"] = sorted(set(places) - set(self.names))
        return figures

    def by_chance(self, recordings: Sequence[Recording]) -> list[Tensor]:
        """See :class:`Answers`: at each step the shares of the labels in training."""
        scores = torch.tensor([float(count) for count in self.counts.values()]).log()
        return [scores.expand(len(_labels(one)), -1) for one in recordings]

    def to_dict(self) -> dict[str, Any]:
        """What :func:`from_dict` makes it of."""
        return {"kind": self.KIND, "counts": self.counts, "balanced": self.balanced}


class LabelSets:
    """Every step has any number of labels."""

    KIND: ClassVar[str] = "labels"
    loss_name: ClassVar[str] = "nats a frame"
    chance: ClassVar[str] = "independent frames"

    def __init__(self, counts: Mapping[str, int], frames: int) -> None:
        self.counts, self.frames = dict(counts), frames
        self.names = list(self.counts)
        self.size = len(self.names)
        self.places = {name: place for place, name in enumerate(self.names)}

    @classmethod
    def learned(cls, recordings: Sequence[Recording], also: Sequence[Recording]) -> "LabelSets":
        """The labels of training, how often each holds there, and the names of those that other parts have."""
        counts = Counter(label for one in recordings for step in _labels(one) for label in step)
        if not counts:
            raise UsageError("no step to learn from has any label.")
        names = {label for one in also for step in _labels(one) for label in step} | set(counts)
        frames = sum(len(_labels(one)) for one in recordings)
        return cls({name: counts[name] for name in in_order(names)}, frames)

    def encode(self, recording: Recording) -> Tensor:
        """See :class:`Answers`: (T, L), ones where a label holds. Raises UsageError for an unknown label."""
        steps = _labels(recording)
        encoded = torch.zeros(len(steps), self.size)
        for row, step in enumerate(steps):
            for label in step:
                if label not in self.places:
                    known = ", ".join(self.names[:12]) + (", …" if self.size > 12 else "")
                    raise UsageError(
                        f"{recording}, step {row + 1}, has the label '{label}', which the model does not know; "
                        f"it knows {known}."
                    )
                encoded[row, self.places[label]] = 1.0
        return encoded

    def loss(self, scores: Tensor, answers: Tensor) -> Tensor:
        """See :class:`Answers`: the sum over labels, the mean over steps."""
        return binary_cross_entropy_with_logits(scores, answers.to(scores), reduction="sum") / max(len(scores), 1)

    def tell(self, scores: Tensor) -> dict[str, Any]:
        """See :class:`Answers`."""
        probabilities = dict(zip(self.names, torch.sigmoid(scores.double()).tolist(), strict=True))
        return {
            "label": [name for name, value in probabilities.items() if value >= 0.5],
            "probabilities": probabilities,
        }

    def figures(self, scores: Sequence[Tensor], recordings: Sequence[Recording]) -> Figures:
        """See :class:`Answers`; nll is in nats a frame, summed over labels (Boulanger-Lewandowski et al. 2012)."""
        true = torch.cat([self.encode(one) for one in recordings])
        together = torch.cat(list(scores)).double()
        return {
            "nll": float(self.loss(together, true.double())),
            "micro_f1": micro_f1(true.numpy() > 0, together.numpy() >= 0),
            "frames": len(true),
        }

    def by_chance(self, recordings: Sequence[Recording]) -> list[Tensor]:
        """See :class:`Answers`: each label by its share of the frames of training, one added on both sides."""
        share = (torch.tensor([float(one) for one in self.counts.values()]) + 1.0) / (self.frames + 2.0)
        return [torch.logit(share).expand(len(_labels(one)), -1) for one in recordings]

    def to_dict(self) -> dict[str, Any]:
        """What :func:`from_dict` makes it of."""
        return {"kind": self.KIND, "counts": self.counts, "frames": self.frames}


class Numbers:
    """Every step has K numbers; they are learned less their mean, over their standard deviation."""

    KIND: ClassVar[str] = "numbers"
    loss_name: ClassVar[str] = "squared error over variance"
    chance: ClassVar[str] = "mean"

    def __init__(self, names: Sequence[str], means: Sequence[float], deviations: Sequence[float]) -> None:
        self.names, self.size = list(names), len(names)
        self.means, self.deviations = torch.tensor(list(means)), torch.tensor(list(deviations))

    @classmethod
    def learned(cls, recordings: Sequence[Recording], names: Sequence[str]) -> "Numbers":
        """Means and deviations of training. Raises UsageError for numbers that are all the same."""
        together = torch.cat([_numbers(one) for one in recordings]).double()
        deviations = together.std(0, correction=0)
        if not bool((deviations > 0).all()):
            same = names[int((deviations <= 0).nonzero()[0])]
            raise UsageError(f"'{same}' is the same at every step to learn from; there is nothing to predict.")
        return cls(names, together.mean(0).tolist(), deviations.tolist())

    def encode(self, recording: Recording) -> Tensor:
        """See :class:`Answers`: (T, K), as they are."""
        return _numbers(recording)

    def loss(self, scores: Tensor, answers: Tensor) -> Tensor:
        """See :class:`Answers`: the mean over steps and numbers."""
        wanted = (answers.to(scores) - self.means.to(scores)) / self.deviations.to(scores)
        return (scores - wanted).square().mean()

    def tell(self, scores: Tensor) -> dict[str, Any]:
        """See :class:`Answers`."""
        values = scores.double() * self.deviations.double() + self.means.double()
        return {"values": dict(zip(self.names, values.tolist(), strict=True))}

    def figures(self, scores: Sequence[Tensor], recordings: Sequence[Recording]) -> Figures:
        """See :class:`Answers`; r2 is the mean of each number's."""
        true = torch.cat([_numbers(one) for one in recordings]).double()
        said = torch.cat(list(scores)).double() * self.deviations.double() + self.means.double()
        error, spread = (true - said).square(), (true - true.mean(0)).square()
        around = spread.sum(0)
        return {
            "mae": float((true - said).abs().mean()),
            "rmse": float(error.mean().sqrt()),
            "r2": float((1.0 - error.sum(0) / around).mean()) if bool((around > 0).all()) else None,
            "frames": len(true),
        }

    def by_chance(self, recordings: Sequence[Recording]) -> list[Tensor]:
        """See :class:`Answers`: the mean of training."""
        return [torch.zeros(len(_numbers(one)), self.size) for one in recordings]

    def to_dict(self) -> dict[str, Any]:
        """What :func:`from_dict` makes it of."""
        means, deviations = self.means.tolist(), self.deviations.tolist()
        return {"kind": self.KIND, "names": self.names, "means": means, "deviations": deviations}


def from_dict(known: Mapping[str, Any]) -> Answers:
    """Answers from what ``to_dict`` gave. Raises KeyError, TypeError or ValueError for anything else."""
    kinds = {OneLabel.KIND: OneLabel, LabelSets.KIND: LabelSets, Numbers.KIND: Numbers}
    return kinds[known["kind"]](**{name: value for name, value in known.items() if name != "kind"})


def in_order(names: Any) -> list[str]:
    """Labels by number where all are whole numbers, else by letter."""
    try:
        return sorted(names, key=int)
    except ValueError:
        return sorted(names)


def _labels(recording: Recording) -> list[tuple[str, ...]]:
    if not isinstance(recording.answers, list):
        raise UsageError(f"{recording} has no labels.")
    return recording.answers


def _numbers(recording: Recording) -> Tensor:
    if not isinstance(recording.answers, Tensor):
        raise UsageError(f"{recording} has no numbers to compare with.")
    return recording.answers
