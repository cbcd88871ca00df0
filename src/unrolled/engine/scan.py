"""The one door to the engine: a cell, its parameters and sequences go in; outputs, state and records come out."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from unrolled.engine.loop import loop
from unrolled.engine.run import Run, Values, prepare
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError, did_you_mean
from unrolled.state import State

BACKENDS: dict[str, Callable[[Run], tuple[Tensor, Values, Values]]] = {"loop": loop}


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
        backend: ``"auto"`` chooses (this version has the loop alone); a backend that is named runs, or raises.

    Raises:
        UsageError: a shape, a name or the backend does not fit.
    """
    run = prepare(cell, parameters, x, state, lengths, reset, tuple(record))
    outputs, final, recorded = BACKENDS[resolve(backend)](run)
    return Scanned(outputs, State(final), recorded)


def resolve(backend: str) -> str:
    """The backend that a name stands for. Raises UsageError for one that is not there."""
    if backend == "auto":
        return "loop"
    if backend not in BACKENDS:
        known = ("auto", *BACKENDS)
        raise UsageError(
            f"there is no backend '{backend}' here; choose from {', '.join(known)}.{did_you_mean(backend, known)}"
        )
    return backend
