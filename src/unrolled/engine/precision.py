"""Stored in one dtype, computed in another: what stands between a run and a backend.

For a backend of float32 and float64 alone, numbers are widened once on the way in and rounded once on the way out; in
between, states and gates are float32. For one that has half precision, they are cast to autocast's dtype on the way in.
The casts are torch's own, so gradients are summed in the dtype of the arithmetic, and cast once to that of what they
belong to.
"""

from collections.abc import Callable, Mapping
from functools import partial, reduce

import torch
from torch import Tensor

from unrolled.engine.run import Run, Values, prepare
from unrolled.errors import UsageError, did_you_mean

HALVES = (torch.float16, torch.bfloat16)
_NAMES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16}

Backend = Callable[[Run], tuple[Tensor, Values, Values]]


def widening(backend: Backend) -> Backend:
    """The backend for runs of any float dtype and under autocast.

    Results have the dtype of x, but under autocast that of the arithmetic. There torch's own classes do not agree (on
    the CPU its LSTM and RNN give bfloat16, its GRU float32); float32 keeps the law that pieces with carried state equal
    one run, and whatever comes next casts for itself.
    """

    def run_wide(run: Run) -> tuple[Tensor, Values, Values]:
        autocast = torch.is_autocast_enabled("cpu")
        if not autocast and run.x.dtype not in HALVES:
            return backend(run)
        with torch.autocast("cpu", enabled=False):
            results = backend(widened(run))
        return results if autocast else _rounded(results, run.x.dtype)

    return run_wide


def arithmetic(*tensors: Tensor) -> torch.dtype:
    """What numbers of these dtypes are computed in: the widest of them, float32 at least."""
    return reduce(torch.promote_types, {tensor.dtype for tensor in tensors}, torch.float32)


def autocasting(kind: str, *tensors: Tensor) -> torch.dtype:
    """What autocast on a kind of device computes numbers of these dtypes in: its own, as float64 stays."""
    widest = arithmetic(*tensors)
    return widest if widest is torch.float64 else torch.get_autocast_dtype(kind)


def cast(
    parameters: Mapping[str, Tensor],
    x: Tensor,
    state: Mapping[str, Tensor] | None,
    to: Callable[..., torch.dtype] = arithmetic,
) -> tuple[Values, Tensor, Values | None]:
    """Parameters, x and states in the dtype that all together call for; what has it already is left as it is."""
    dtype = to(x, *parameters.values(), *(state or {}).values())
    begin = None if state is None else {name: value.to(dtype) for name, value in state.items()}
    return {name: value.to(dtype) for name, value in parameters.items()}, x.to(dtype), begin


def widened(run: Run) -> Run:
    """The run in the dtype of its arithmetic."""
    return _cast(run, arithmetic)


def narrowed(run: Run) -> Run:
    """The run in the dtype of autocast."""
    return _cast(run, partial(autocasting, run.x.device.type))


def _cast(run: Run, to: Callable[..., torch.dtype]) -> Run:
    # A start is made anew from the parameters: so where they are widened, its gradient is summed before it is rounded.
    begin = None if run.state is run.start else run.state
    given = cast(run.parameters, run.x, begin, to)
    return prepare(run.cell, *given, run.lengths, run.reset, run.record, run.checkpoint)


def described(x: Tensor, backend: str, kind: str) -> str:
    """What a backend makes of numbers of this dtype on a kind of device, in words; one name where that is all.

    ``bfloat16 storage, float32 arithmetic``; ``float32, cast to bfloat16 by autocast``.
    """
    stored = _name(x.dtype)
    if backend == "loop":
        return stored
    mixed = torch.is_autocast_enabled(kind)
    if backend == "torch":
        computed = _name(autocasting(kind, x) if mixed else x.dtype)
        return stored if stored == computed else f"{stored}, cast to {computed} by autocast"
    computed = _name(arithmetic(x))
    words = stored if stored == computed else f"{stored} storage, {computed} arithmetic"
    return f"{words}, apart from autocast" if mixed else words


def dtype_named(name: str) -> torch.dtype:
    """The float dtype of that name. Raises UsageError where there is none."""
    if name not in _NAMES:
        raise UsageError(f"there is no dtype '{name}'; choose from {', '.join(_NAMES)}.{did_you_mean(name, _NAMES)}")
    return _NAMES[name]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _rounded(results: tuple[Tensor, Values, Values], dtype: torch.dtype) -> tuple[Tensor, Values, Values]:
    outputs, *others = results
    final, recorded = ({name: value.to(dtype) for name, value in one.items()} for one in others)
    return outputs.to(dtype), final, recorded
