"""The verdict: what is wrong inside a network, if anything is, each with its figure and what to try."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from unrolled.inspection.gradients import Reached
from unrolled.inspection.quantities import Behaviour

Kind = Literal["vanishing", "exploding", "saturated", "dead", "rate"]
SATURATED = 0.9
"""The share of steps and units near an end of the range from which a quantity hardly answers to its input any more."""
SHORT = 10
"""A memory horizon of no more steps is a plain recurrent network's (Bengio, Simard & Frasconi 1994)."""
GROWTH = 10.0
"""How many times its size at the loss a gradient may reach on its way back."""
RADIUS = 2.0
"""The spectral radius of a recurrent matrix from which even a gate that is half open lets a change grow."""

RISE, OFTEN, LEAST = 0.25, 0.2, 3
"""A rate is too high where the training loss stands so much above where it began, in so large a share of the rows, and
so many of them."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    where: str
    """Layer, direction and quantity: ``"0.forward.f"``."""
    figure: float
    says: str
    """The figure in a sentence."""
    remedy: str

    def row(self) -> dict[str, object]:
        """The finding as JSON-able names and values."""
        return asdict(self)


def of_behaviours(behaviours: Mapping[str, Behaviour]) -> list[Finding]:
    """Saturated quantities and dead units."""
    found = []
    for where, one in behaviours.items():
        units = len(one.mean)
        if one.saturated is not None and one.saturated >= SATURATED:
            assert one.low is not None
            assert one.high is not None
            ends = f"{one.low:.0%} near its lower end, {one.high:.0%} near its upper end"
            remedy = "a smaller rate, layer norm (--layer-norm), or smaller initial weights; look at the inputs' scale"
            found.append(
                Finding("saturated", where, one.saturated, f"{one.function} of {where} is saturated: {ends}", remedy)
            )
        elif one.dead:
            shown = ", ".join(map(str, one.dead[:8])) + (", ..." if len(one.dead) > 8 else "")
            says = f"{len(one.dead)} of {units} units of {where} never move: {shown}"
            remedy = "a smaller rate, other initial weights, or fewer units"
            found.append(Finding("dead", where, len(one.dead) / units, says, remedy))
    return found


def of_gradients(reached: Mapping[str, Reached], everywhere: bool = False) -> list[Finding]:
    """Gradients that vanish within few steps, or grow on their way back.

    A layer's memory is that of its longest state. Of a loss that reads the outputs ``everywhere`` the gradient gathers
    up with every step, and grows by as much without exploding.
    """
    found = []
    longest: dict[str, tuple[float, str]] = {}
    for where, one in reached.items():
        lags = one.by_lag[~one.by_lag.isnan()]
        if len(lags) < 2 or not float(lags[0]):
            continue
        grown = lags / lags[0] / (torch.arange(1, len(lags) + 1, device=lags.device) if everywhere else 1)
        if float(grown.max()) >= GROWTH:
            growth = float(lags.max() / lags[0])
            says = (
                f"the gradient at {where} is {growth:.3g} times as large {int(lags.argmax())} steps away from the loss "
                "as at it"
            )
            remedy = f"clip the gradient (--clip {_clip(growth)}), a smaller rate, orthogonal recurrent weights"
            found.append(Finding("exploding", where, growth, says, remedy))
        horizon = math.inf if one.horizon is None else float(one.horizon)
        place = where.rpartition(".")[0]
        longest[place] = max(longest.get(place, (0.0, "")), (horizon, where), key=lambda pair: pair[0])
    for horizon, where in longest.values():
        if horizon <= SHORT and not any(one.where.rpartition(".")[0] == where.rpartition(".")[0] for one in found):
            says = f"the gradient at {where} falls to 1% within {horizon:.0f} steps"
            remedy = (
                "a gated cell, chrono initialisation for the memory that is wanted (--chrono STEPS), or orthogonal "
                "recurrent weights"
            )
            found.append(Finding("vanishing", where, horizon, says, remedy))
    return found


def of_radii(radii: Mapping[str, float]) -> list[Finding]:
    """Recurrent matrices that blow up whatever passes through them again and again."""
    remedy = "clip the gradient (--clip 1), a smaller rate, or orthogonal recurrent weights"
    return [
        Finding("exploding", where, radius, f"the spectral radius of {where} is {radius:.2f}", remedy)
        for where, radius in radii.items()
        if radius >= RADIUS
    ]


def of_training(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """A rate that is too high: the loss of training rose above where it began, or left all numbers."""
    losses = [float(row["train"]) for row in rows if row.get("train") is not None]
    if len(losses) < 2:
        return []
    rates = [float(row["rate"]) for row in rows if row.get("rate") is not None]
    remedy = f"a smaller rate (--rate {max(rates) / 10:.2g})" if rates else "a smaller rate (--rate)"
    if not all(map(math.isfinite, losses)):
        return [Finding("rate", "training", math.inf, "the loss of training became infinite or no number", remedy)]
    above = [one for one in losses[1:] if one > losses[0] + RISE * abs(losses[0])]
    share = len(above) / (len(losses) - 1)
    if share < OFTEN or len(above) < LEAST:
        return []
    course = f"the loss of training began at {losses[0]:.3g}, rose to {max(losses):.3g}"
    says = f"the rate was too high: {course}, and stood well above its beginning {share:.0%} of the time"
    return [Finding("rate", "training", max(losses), says, remedy)]


def in_words(findings: Iterable[Finding]) -> str:
    """The verdict in one line: ``healthy``, or what is wrong."""
    kinds = dict.fromkeys("rate too high" if one.kind == "rate" else one.kind for one in findings)
    return ", ".join(kinds) or "healthy"


def _clip(growth: float) -> str:
    """A bound on the gradient's norm: the more it grows the tighter."""
    return "1" if growth < 100 else "0.25"
