"""Quantities over time: every gate, state, pre-activation and output of a network, and how each of them behaves."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call
from unrolled.equations.observe import opened
from unrolled.layers.recast import recast
from unrolled.layers.recurrent import Recurrent

BOUNDS = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""Functions that saturate, with the values that they come close to."""
NEAR = 0.1
"""The share of the range from which on a value counts as saturated: a gate below 0.1 or above 0.9."""
STILL = 1e-6
"""How much a unit that never changes may move, as a share of the range of its quantity or of its largest value."""


@dataclass(frozen=True)
class Behaviour:
    """What one quantity does over a sequence."""

    function: str | None
    """The function that bounds it (:data:`BOUNDS`), if one does."""
    mean: Tensor
    """Of each unit, (units,)."""
    deviation: Tensor
    """Of each unit over time, (units,)."""
    low: float | None
    """The share of steps and units within a tenth of the range from its lower end."""
    high: float | None
    still: list[int]
    """Units that never change; of several steps only."""
    dead: list[int]
    """Those of them that are zero, or stand at an end of the range."""

    @property
    def saturated(self) -> float | None:
        """The share of steps and units near either end."""
        return None if self.low is None or self.high is None else self.low + self.high


def quantities(
    layer: Recurrent, x: Tensor, state: Mapping[str, Tensor] | None = None, lengths: Tensor | None = None
) -> dict[str, Tensor]:
    """Every named quantity over time, (N, T, units), by layer, direction and name: ``"0.forward.f"``.

    Pre-activations are called after what is made of them: ``"0.forward.f_pre"``. Layers with dropout must be in
    evaluation mode to show what they do outside training.
    """
    cell, _ = opened(layer.cell)
    with torch.no_grad():
        return recast(layer, cell)(x, state, lengths, record=cell.quantities).recorded


def bounded_by(cell: Cell) -> dict[str, str]:
    """The function that bounds each quantity which is one: ``{"f": "sigmoid"}``."""
    lines = {one.target.name: one.expression for one in cell.statements}
    return {name: line.op for name, line in lines.items() if isinstance(line, Call) and line.op in BOUNDS}


def behaviour(values: Tensor, function: str | None = None) -> Behaviour:
    """What a quantity does over one sequence's valid steps, (T, units); ``function`` bounds it."""
    values = values.double()
    steps, units = values.shape
    if not steps:
        nothing = values.new_zeros(units)
        return Behaviour(function, nothing, nothing, None, None, [], [])
    deviation = values.std(0, correction=0)
    low = high = None
    ends: tuple[float, ...] = (0.0,)
    reach = max(float(values.abs().max()), torch.finfo(torch.float64).tiny)
    if function is not None:
        ends = first, last = BOUNDS[function]
        reach = last - first
        low = float((values < first + NEAR * reach).double().mean())
        high = float((values > last - NEAR * reach).double().mean())
    still = deviation <= STILL * reach if steps > 1 else torch.zeros(units, dtype=torch.bool)
    at_end = torch.stack([(values - end).abs().amax(0) <= STILL * reach for end in (*ends, 0.0)]).any(0)
    return Behaviour(
        function,
        values.mean(0),
        deviation,
        low,
        high,
        still.nonzero().flatten().tolist(),
        (still & at_end).nonzero().flatten().tolist(),
    )
