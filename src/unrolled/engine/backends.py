"""Who computes a run: the backends by name, the choice between them, and a request put to the one chosen."""

from collections.abc import Callable, Mapping

from torch import Tensor

from unrolled.engine.fused import fused, why_not
from unrolled.engine.loop import loop
from unrolled.engine.precision import widening
from unrolled.engine.run import Run, Values, prepare
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError, did_you_mean

BACKENDS: dict[str, Callable[[Run], tuple[Tensor, Values, Values]]] = {"loop": loop, "cpu": widening(fused)}


def compute(
    cell: Cell,
    parameters: Mapping[str, Tensor],
    x: Tensor,
    state: Mapping[str, Tensor] | None,
    lengths: Tensor | None,
    reset: Tensor | None,
    record: tuple[str, ...],
    backend: str,
    checkpoint: int | None,
) -> tuple[Tensor, Values, Values]:
    """Outputs, final states and recorded quantities, by the arguments of :func:`unrolled.scan`."""
    run = prepare(cell, parameters, x, state, lengths, reset, record, checkpoint)
    return BACKENDS[choice(resolve(backend), run)[0]](run)


def resolve(backend: str) -> str:
    """Check a backend's name. Raises UsageError for one that is not there."""
    if backend != "auto" and backend not in BACKENDS:
        known = ("auto", *BACKENDS)
        raise UsageError(
            f"there is no backend '{backend}' here; choose from {', '.join(known)}.{did_you_mean(backend, known)}"
        )
    return backend


def choice(backend: str, run: Run) -> tuple[str, str]:
    """The backend for a run and why: what is asked for, or by ``auto`` the fastest that can do it.

    Raises:
        UsageError: a backend is named that cannot do the run.
    """
    if backend not in ("auto", "cpu"):
        return backend, "it is asked for"
    reason = why_not(run)
    if reason and backend != "auto":
        raise UsageError(f"the backend {backend} cannot do this run: {reason}; the loop can.")
    if reason:
        return "loop", reason
    return "cpu", "nothing about the run wants the loop" if backend == "auto" else "it is asked for"
