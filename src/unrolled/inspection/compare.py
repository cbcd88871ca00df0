"""Two models on one input: what they say side by side, where they differ most, how alike their quantities are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.inspection.clamp import SHOWN, Said
from unrolled.inspection.examine import Subject, plain
from unrolled.inspection.quantities import Behaviour, behaviour, bounded_by, quantities


@dataclass(frozen=True)
class Beside:
    """One quantity that both models have."""

    where: str
    units: tuple[int, int]
    alike: float
    """Linear centred kernel alignment over the steps, 1 where one is a rotation of the other (Kornblith et al. 2019,
    arXiv:1905.00414, eq. 3): which unit says what does not matter."""
    difference: float | None
    """The mean difference of a value, where both have as many units."""
    means: tuple[float, float]
    saturated: tuple[float | None, float | None]


@dataclass(frozen=True)
class Apart:
    """A step where the models differ."""

    step: int
    at: str
    losses: tuple[float | None, float | None]
    """In nats."""
    tops: tuple[tuple[str, float] | None, tuple[str, float] | None]
    """The likeliest classes, each with its probability."""


@dataclass(frozen=True)
class Compared:
    """Two models on one input."""

    quantities: list[Beside]
    losses: tuple[Tensor, Tensor]
    """Of each model, in nats, at each step that has a loss; one number where a sequence has one."""
    agree: float | None
    """The share of steps at which both take the same class for the likeliest."""
    steps: list[Apart]
    """The steps whose losses differ most, in their order."""

    def row(self) -> dict[str, Any]:
        """As JSON-able names and values."""
        means = [float(one.mean()) if one.numel() else None for one in self.losses]
        return plain(
            {
                "losses": means,
                "losses_by_step": list(self.losses),
                "agree": self.agree,
                "quantities": [asdict(one) for one in self.quantities],
                "steps": [asdict(one) for one in self.steps],
            }
        )


def compare(one: Subject, other: Subject, most: int = SHOWN) -> Compared:
    """Look at two models as they read the same.

    Raises:
        UsageError: they do not read the same steps.
    """
    if list(one.steps) != list(other.steps):
        counts = f"{len(one.steps):,} and {len(other.steps):,}"
        raise UsageError(
            f"both models have to read the same steps, and they cut the input into others ({counts}); "
            "compare models with one vocabulary."
        )
    said = [_said(subject) for subject in (one, other)]
    left, right = said
    steps = []
    if left.known and left.known == right.known:
        order = (left.losses - right.losses).abs().sort(descending=True, stable=True).indices[:most]
        chosen = sorted(left.known[place] for place in order.tolist())
        for step in map(int, chosen):
            losses, tops = (left.loss_at(step), right.loss_at(step)), (left.top_at(step), right.top_at(step))
            steps.append(Apart(step, one.steps[step], losses, tops))
    return Compared(_beside(one, other), (left.losses, right.losses), _agreement(left, right), steps)


def _said(subject: Subject) -> Said:
    layer = subject.layer.eval()
    with torch.no_grad():
        return Said.of(subject, layer(subject.x.detach(), subject.state))


def _agreement(left: Said, right: Said) -> float | None:
    if left.chances is None or right.chances is None or not len(left.chances):
        return None
    mine, theirs = (list(map(int, chances.argmax(-1))) for chances in (left.chances, right.chances))
    classes, others = left.subject.classes, right.subject.classes
    return sum(classes[a] == others[b] for a, b in zip(mine, theirs, strict=True)) / len(mine)


def _beside(one: Subject, other: Subject) -> list[Beside]:
    seen = [quantities(subject.layer, subject.x.detach(), subject.state) for subject in (one, other)]
    found = []
    for where in seen[0]:
        if where not in seen[1]:
            continue
        values = [own[where][0].double() for own in seen]
        told = [_behaviour(subject, where, own) for subject, own in zip((one, other), values, strict=True)]
        same = values[0].shape == values[1].shape
        found.append(
            Beside(
                where,
                (values[0].shape[1], values[1].shape[1]),
                alignment(*values),
                float((values[0] - values[1]).abs().mean()) if same else None,
                (float(told[0].mean.mean()), float(told[1].mean.mean())),
                (told[0].saturated, told[1].saturated),
            )
        )
    return found


def _behaviour(subject: Subject, where: str, values: Tensor) -> Behaviour:
    functions: Mapping[str, str] = bounded_by(subject.layer.cell)
    return behaviour(values, functions.get(where.rpartition(".")[2]))


def alignment(one: Tensor, other: Tensor) -> float:
    """Linear centred kernel alignment of values over the same steps, (T, units) each: from 0 to 1."""
    one, other = one.double() - one.double().mean(0), other.double() - other.double().mean(0)
    lengths = (one.T @ one).norm() * (other.T @ other).norm()
    return float((other.T @ one).square().sum() / lengths) if float(lengths) else 0.0
