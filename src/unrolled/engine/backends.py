"""Who computes a run: the backends by name, the choice between them, and a request put to the one chosen."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from unrolled.engine import fused, torch_kernels
from unrolled.engine.loop import loop
from unrolled.engine.precision import widening
from unrolled.engine.run import Run, Values, prepare
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError, did_you_mean

BACKENDS: dict[str, Callable[[Run], tuple[Tensor, Values, Values]]] = {
    "loop": loop,
    "cpu": widening(fused.fused),
    "torch": torch_kernels.by_torch,
}
WHY_NOT: dict[str, Callable[[Run, torch.device], str]] = {"cpu": fused.why_not, "torch": torch_kernels.why_not}
"""Why a backend cannot do a run on a device, empty where it can. One that is not here can do all."""


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
    return BACKENDS[choice(resolve(backend), run, x.device)[0]](run)


def resolve(backend: str) -> str:
    """Check a backend's name. Raises UsageError for one that is not there."""
    if backend != "auto" and backend not in BACKENDS:
        known = ("auto", *BACKENDS)
        raise UsageError(
            f"there is no backend '{backend}' here; choose from {', '.join(known)}.{did_you_mean(backend, known)}"
        )
    return backend


def choice(backend: str, run: Run, device: torch.device) -> tuple[str, str]:
    """The backend for a run on ``device`` and why: what is asked for, or by ``auto`` the fastest that can do it.

    The run's tensors tell shapes and dtypes; that they are on ``device`` is what is asked about.

    Raises:
        UsageError: a backend is named that cannot do the run.
    """
    if backend != "auto":
        reason = WHY_NOT[backend](run, device) if backend in WHY_NOT else ""
        if reason:
            raise UsageError(f"the backend {backend} cannot do this run: {reason}; the loop can.")
        return backend, "it is asked for"
    if device.type == "cuda":
        reason = torch_kernels.why_not(run, device)
        where = f"its tensors are on {device}, and "
        return ("loop", where + reason) if reason else ("torch", where + "torch has a kernel for its equations")
    reason = fused.why_not(run, device)
    return ("loop", reason) if reason else ("cpu", "nothing about the run wants the loop")
