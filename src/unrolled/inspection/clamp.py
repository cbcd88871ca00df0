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
    pre = bool(names.keys() - set(layer.cell.quantities))
    cell, found = held(opened(layer.cell).cell if pre else layer.cell, list(names))
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
    """(T,)"""
    losses_held: Tensor
    divergences: Tensor | None
    """(T,), of the predictions, where there are any."""
    steps: list[Changed]
    """The steps that change most, in their order."""

    def row(self) -> dict[str, Any]:
        """As JSON-able names and values, without what is there at every step."""
        return {
            "loss": plain(float(self.losses.mean())),
            "loss_held": plain(float(self.losses_held.mean())),
            "divergence": None if self.divergences is None else plain(float(self.divergences.mean())),
            "largest_change_of_an_output": plain(float((self.outputs_held - self.outputs).abs().max())),
            "steps": [plain(asdict(one)) for one in self.steps],
        }


def effect(subject: Subject, holds: Sequence[Hold], most: int = SHOWN) -> Effect:
    """Run a subject as it is and with some quantities held, and say what that changes.

    Raises:
        UsageError: as :func:`run_held`, or the sequence is empty.
    """
    layer, x = subject.layer.eval(), subject.x.detach()
    if not x.shape[1]:
        raise UsageError("there is no step to hold anything at: the sequence is empty.")
    with torch.no_grad():
        runs = [layer(x).outputs, run_held(layer, x, holds).outputs]  # (1, T, size) each
        losses = [subject.loss(one)[0].double() for one in runs]  # (T,)
        chances = None if subject.predict is None else [subject.predict(one).double() for one in runs]  # (T, V)
    apart = None if chances is None else divergences(chances[0], chances[1])
    ranks = (losses[1] - losses[0]).abs() if apart is None else apart
    chosen = sorted(ranks.sort(descending=True, stable=True).indices[:most].tolist())
    steps = []
    for step in map(int, chosen):
        known = not subject.wanted or subject.wanted[step] is not None
        told = [float(one[step]) if known else None for one in losses]
        tops = [None, None] if chances is None else [_top(subject, one[step]) for one in chances]
        lost = None if apart is None else float(apart[step])
        steps.append(Changed(step, subject.steps[step], told[0], told[1], lost, tops[0], tops[1]))
    return Effect(runs[0][0], runs[1][0], losses[0], losses[1], apart, steps)


def divergences(chances: Tensor, others: Tensor) -> Tensor:
    """Kullback and Leibler's divergence of each step's probabilities from others, (T, V) both, in nats: (T,)."""
    tiny = torch.finfo(chances.dtype).tiny
    ratio = chances.clamp(min=tiny).log() - others.clamp(min=tiny).log()
    return (chances * ratio).sum(-1).clamp(min=0.0)


def _top(subject: Subject, chances: Tensor) -> tuple[str, float]:
    share, place = chances.max(-1)
    return subject.classes[int(place)], float(share)
