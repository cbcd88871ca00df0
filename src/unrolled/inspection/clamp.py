"""Clamp: units or whole gates held at a value over some steps, and what that changes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.equations.observe import held, opened
from unrolled.errors import UsageError, did_you_mean
from unrolled.inspection.examine import Subject, plain
from unrolled.layers.recast import recast
from unrolled.layers.recurrent import Recurred, Recurrent

SHOWN = 10
"""Steps told of, those that change most."""


@dataclass(frozen=True)
class Hold:
    """What is held at which value."""

    where: str
    """Layer, direction and quantity: ``"0.forward.c"``; a pre-activation is called ``f_pre``."""
    value: float
    units: Sequence[int] | None = None
    """Which units; all of them where left out."""
    begin: int = 0
    """The first step, counted in the sequence from 0 in both directions."""
    end: int | None = None
    """The step behind the last one; to the end where left out."""


def run_held(
    layer: Recurrent,
    x: Tensor,
    holds: Sequence[Hold],
    state: Mapping[str, Tensor] | None = None,
    record: Sequence[str] = (),
) -> Recurred:
    """Run layers over x (N, T, D) with some of their quantities held; everything that reads one reads what is held.

    It is the engine's own run of rewritten equations (:func:`unrolled.equations.observe.held`), and has gradients.

    Raises:
        UsageError: there is no such layer, direction, quantity, unit or step.
    """
    names = dict.fromkeys(_parts(layer, one)[1] for one in holds)
    cell, found = held(opened(layer.cell).cell, list(names))
    network, noise = recast(layer, cell), dict[str, Tensor]()
    for one in holds:
        place, name = _parts(layer, one)
        index, direction = place.split(".")
        keep, value = f"{place}.{found[name]}", f"{place}.{found[found[name]]}"
        size = network.one(int(index), direction).noise_shapes[found[name]].shape[-1]
        if keep not in noise:
            noise[keep], noise[value] = x.new_ones(*x.shape[:2], size), x.new_zeros(*x.shape[:2], size)
        units = list(range(size)) if one.units is None else list(one.units)
        wrong = [unit for unit in units if not 0 <= unit < size]
        if wrong:
            raise UsageError(f"{one.where} has the units 0 to {size - 1}, and {wrong[0]} is to be held.")
        end = x.shape[1] if one.end is None else one.end
        if not 0 <= one.begin < end <= x.shape[1]:
            raise UsageError(f"steps go from 0 to {x.shape[1]}, and {one.begin} to {end} are to be held.")
        noise[keep][:, one.begin : end, units] = 0.0
        noise[value][:, one.begin : end, units] = one.value
    return network(x, state, record=record, noise=noise)


def _parts(layer: Recurrent, hold: Hold) -> tuple[str, str]:
    """Layer and direction, and quantity, that a hold is of."""
    place, _, name = hold.where.rpartition(".")
    places = [f"{index}.{direction}" for index in range(layer.num_layers) for direction in layer.directions]
    known = [f"{one}.{quantity}" for one in places for quantity in opened(layer.cell).cell.quantities]
    if hold.where not in known:
        raise UsageError(f"there is no '{hold.where}' here; there are {', '.join(known)}.{did_you_mean(name, known)}")
    return place, name


@dataclass(frozen=True)
class Changed:
    """What holding changed at one step."""

    step: int
    at: str
    """What stands there."""
    loss: float | None
    """In nats, of the plain run, where the right answer is known."""
    loss_held: float | None
    divergence: float | None
    """Kullback and Leibler's, in nats, of the predictions: what is lost on average by believing the held run."""
    top: tuple[str, float] | None
    """The likeliest class of the plain run, and its probability."""
    top_held: tuple[str, float] | None


@dataclass(frozen=True)
class Effect:
    """The plain run beside the held one."""

    outputs: Tensor
    """(T, size), of the layers."""
    outputs_held: Tensor
    losses: Tensor
    """In nats at each step whose right answer is known; the one loss of a sequence that has only one."""
    losses_held: Tensor
    divergences: Tensor | None
    """(T,), of the predictions, where there are any."""
    steps: list[Changed]
    """The steps that change most, in their order."""

    def row(self) -> dict[str, Any]:
        """As JSON-able names and values, without what is there at every step."""
        told = {
            "loss": float(self.losses.mean()) if self.losses.numel() else None,
            "loss_held": float(self.losses_held.mean()) if self.losses.numel() else None,
            "divergence": None if self.divergences is None else float(self.divergences.mean()),
            "largest_change_of_an_output": float((self.outputs_held - self.outputs).abs().max()),
            "steps": [asdict(one) for one in self.steps],
        }
        return plain(told)


def effect(subject: Subject, holds: Sequence[Hold], most: int = SHOWN) -> Effect:
    """Run a subject as it is and with some quantities held, and say what that changes.

    Raises:
        UsageError: as :func:`run_held`.
    """
    layer, x = subject.layer.eval(), subject.x.detach()
    with torch.no_grad():
        plainly = Said.of(subject, layer(x, subject.state))
        instead = Said.of(subject, run_held(layer, x, holds, subject.state))
    apart = None
    if plainly.chances is not None and instead.chances is not None:
        apart = divergences(plainly.chances, instead.chances)
    moved = (instead.outputs - plainly.outputs).norm(dim=-1) if apart is None else apart
    chosen = sorted(moved.sort(descending=True, stable=True).indices[:most].tolist())
    steps = [
        Changed(
            step,
            subject.steps[step],
            plainly.loss_at(step),
            instead.loss_at(step),
            None if apart is None else float(apart[step]),
            plainly.top_at(step),
            instead.top_at(step),
        )
        for step in map(int, chosen)
    ]
    return Effect(plainly.outputs, instead.outputs, plainly.losses, instead.losses, apart, steps)


@dataclass(frozen=True)
class Said:
    """What a network says over one sequence."""

    subject: Subject
    outputs: Tensor
    """(T, size), of the layers."""
    losses: Tensor
    """In nats at each of :attr:`known`; one number where the sequence has one loss."""
    known: list[int]
    """The steps that have a loss."""
    chances: Tensor | None
    """(T, V), where it says what it takes for how likely."""

    @classmethod
    def of(cls, subject: Subject, recurred: Recurred) -> "Said":
        """What the subject's network says when its layers give this."""
        outputs = recurred.outputs
        assert isinstance(outputs, Tensor)
        with torch.no_grad():
            chances = None if subject.predict is None else subject.predict(outputs).double()
            if subject.loss is None:
                assert subject.whole_loss is not None
                return cls(subject, outputs[0], subject.whole_loss(recurred).double().reshape(1), [], chances)
            known = list(subject.times) or list(range(outputs.shape[1]))
            losses = subject.loss(outputs)[0].double()
        return cls(subject, outputs[0], losses[known], known, chances)

    def loss_at(self, step: int) -> float | None:
        """The loss at a step, where it has one."""
        return float(self.losses[self.known.index(step)]) if step in self.known else None

    def top_at(self, step: int) -> tuple[str, float] | None:
        """The likeliest class at a step, and its probability."""
        if self.chances is None:
            return None
        share, place = self.chances[step].max(-1)
        return self.subject.classes[int(place)], float(share)


def divergences(chances: Tensor, others: Tensor) -> Tensor:
    """Kullback and Leibler's divergence of each step's probabilities from others, (T, V) both, in nats: (T,)."""
    tiny = torch.finfo(chances.dtype).tiny
    ratio = chances.clamp(min=tiny).log() - others.clamp(min=tiny).log()
    return (chances * ratio).sum(-1).clamp(min=0.0)
