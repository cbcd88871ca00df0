"""Stored in half precision, computed in single: what stands between a run and a backend of float32 and float64 alone.

Numbers are widened once on the way in and rounded once on the way out; in between, states and gates are float32. The
casts are torch's own, so gradients are summed in float32 and rounded once to the dtype of what they belong to.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce

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


def widen(
    parameters: Mapping[str, Tensor], x: Tensor, state: Mapping[str, Tensor] | None
) -> tuple[Values, Tensor, Values | None]:
    """Parameters, x and states in the dtype of their arithmetic; what has it already is left as it is."""
    dtype = arithmetic(x, *parameters.values(), *(state or {}).values())
    begin = None if state is None else {name: value.to(dtype) for name, value in state.items()}
    return {name: value.to(dtype) for name, value in parameters.items()}, x.to(dtype), begin


def widened(run: Run) -> Run:
    """The run in the dtype of its arithmetic."""
    # A start is made anew from wide parameters: so its gradient is summed over rows before it is rounded.
    begin = None if run.state is run.start else run.state
    wide = prepare(run.cell, *widen(run.parameters, run.x, begin), run.lengths, run.reset, run.record)
    return replace(wide, checkpoint=run.checkpoint)


def described(x: Tensor) -> str:
    """Storage and arithmetic in words: ``bfloat16 storage, float32 arithmetic``, or one name where they are one."""
    stored, computed = (str(dtype).removeprefix("torch.") for dtype in (x.dtype, arithmetic(x)))
    words = stored if stored == computed else f"{stored} storage, {computed} arithmetic"
    return f"{words}, apart from autocast" if torch.is_autocast_enabled("cpu") else words


def dtype_named(name: str) -> torch.dtype:
    """The float dtype of that name. Raises UsageError where there is none."""
    if name not in _NAMES:
        raise UsageError(f"there is no dtype '{name}'; choose from {', '.join(_NAMES)}.{did_you_mean(name, _NAMES)}")
    return _NAMES[name]


def _rounded(results: tuple[Tensor, Values, Values], dtype: torch.dtype) -> tuple[Tensor, Values, Values]:
    outputs, *others = results
    final, recorded = ({name: value.to(dtype) for name, value in one.items()} for one in others)
    return outputs.to(dtype), final, recorded
