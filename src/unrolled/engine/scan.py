"""The one door to the engine: a cell, its parameters and sequences go in; outputs, state and records come out."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.engine.backends import compute
from unrolled.engine.operator import traced
from unrolled.equations.cell import Cell
from unrolled.state import State


class Scanned(NamedTuple):
    """What :func:`scan` gives."""

    outputs: Tensor
    """The cell's output at each step, (N, T, size); zero past a row's length."""
    state: State
    """Each state after the last valid step, (N, units)."""
    recorded: dict[str, Tensor]
    """Each recorded quantity over time, (N, T, size); zero past a row's length."""


def scan(
    cell: Cell,
    parameters: Mapping[str, Tensor],
    x: Tensor,
    state: Mapping[str, Tensor] | None = None,
    lengths: Tensor | None = None,
    reset: Tensor | None = None,
    record: Sequence[str] = (),
    backend: str = "auto",
    checkpoint: int | None = None,
) -> Scanned:
    """Run a cell over a batch of sequences.

    Args:
        cell: The equations.
        parameters: A tensor for each of the cell's parameters, of the shapes that ``cell.parameters(D, H)`` lists; for
            each noise name that is drawn, its values (left out, noise is its mean, as outside training).
        x: The input, (N, T, D), any float dtype.
        state: What to begin from, (N, units) each; the cell's own start where it is left out.
        lengths: Valid steps of each row, (N,) whole numbers from 0 to T, on any device. What stands behind them changes
            no number.
        reset: (N, T), true where the state returns to its start before that step.
        record: Names of quantities to return over time.
        backend: ``"auto"`` chooses (:func:`unrolled.explain` says what and why); a backend that is named, ``"cpu"``,
            ``"torch"`` or ``"loop"``, runs, or raises.
        checkpoint: Keep only the state before every so many steps for the backward pass, and compute the rest again
            there: memory grows with T / k + k instead of T, time by a third, gradients are the same. It is rounded up
            to a multiple of 64. The loop and torch's kernels keep everything all the same.

    Raises:
        UsageError: a shape, a name or the backend does not fit.
    """
    given = (cell, parameters, x, state, lengths, reset, tuple(record), backend, checkpoint)
    outputs, final, recorded = (traced if torch.compiler.is_compiling() else compute)(*given)
    return Scanned(outputs, State.of_one_batch(final), recorded)
