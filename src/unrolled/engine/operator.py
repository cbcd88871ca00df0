"""The engine as one operator of torch: what torch.compile and torch.export see instead of looking inside.

The operator is given the cell as text, so that an exported program opens anywhere. Its backward pass runs the forward
pass once more: nothing but tensors of known shapes may pass from one operator to the other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch._C import DispatchKey

from unrolled.engine.backends import compute
from unrolled.engine.precision import arithmetic, autocasting, cast
from unrolled.engine.run import Values, sizes_of_quantities
from unrolled.engine.torch_kernels import lacks
from unrolled.equations.cell import Cell


@lru_cache(maxsize=256)
def _cell(described: str) -> Cell:
    return Cell.from_dict(json.loads(described))


@torch.library.custom_op("unrolled::recurrence", mutates_args=())
def recurrence(
    cell: str,
    names: str,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: Sequence[Tensor],
    lengths: Tensor | None,
    reset: Tensor | None,
    record: str,
    backend: str,
    checkpoint: int,
) -> list[Tensor]:
    """Outputs, final states in the cell's order, recorded quantities in the order of ``record``."""
    with torch.no_grad():
        found = _run(cell, names, parameters, x, state, lengths, reset, record, backend, checkpoint)
    return _apart(found, (*parameters, x, *state))


@recurrence.register_fake
def _(cell, names, parameters, x, _state, _lengths, _reset, record, *_):
    of = _cell(cell)
    shapes = tuple((name, tuple(value.shape)) for name, value in zip(_split(names), parameters, strict=True))
    units = sizes_of_quantities(of, x.shape[2], shapes)
    batch, steps = x.shape[:2]
    over_time = (of.output, *_split(record))
    outputs, *recorded = (x.new_empty(batch, steps, units[name]) for name in over_time)
    return [outputs, *(x.new_empty(batch, units[name]) for name in of.states), *recorded]


@torch.library.custom_op("unrolled::recurrence_backward", mutates_args=())
def recurrence_backward(
    cell: str,
    names: str,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: Sequence[Tensor],
    lengths: Tensor | None,
    reset: Tensor | None,
    record: str,
    backend: str,
    checkpoint: int,
    arriving: Sequence[Tensor],
) -> list[Tensor]:
    """The gradients of parameters, x and states, given those of all results."""
    with torch.enable_grad(), _recording():
        leaves = [value.detach().requires_grad_() for value in (*parameters, x, *state)]
        count = len(parameters)
        own, of_x, of_state = leaves[:count], leaves[count], leaves[count + 1 :]
        found = _run(cell, names, own, of_x, of_state, lengths, reset, record, backend, checkpoint)
        pairs = [(value, gradient) for value, gradient in zip(found, arriving, strict=True) if value.requires_grad]
        results, gradients = zip(*pairs, strict=True)
        of_leaves = torch.autograd.grad(results, leaves, gradients, allow_unused=True, materialize_grads=True)
        return _apart(of_leaves, (*parameters, x, *state))


@recurrence_backward.register_fake
def _(_cell, _names, parameters, x, state, *_):
    return [torch.empty_like(value) for value in (*parameters, x, *state)]


def _keep_inputs(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    del output  # given by name
    cell, names, parameters, x, state, lengths, reset, record, backend, checkpoint = inputs
    ctx.save_for_backward(*parameters, x, *state, lengths, reset)
    ctx.counts, ctx.given = (len(parameters), len(state)), (cell, names, record, backend, checkpoint)


def _backward(ctx: Any, arriving: Sequence[Tensor]) -> tuple[Any, ...]:
    count, states = ctx.counts
    cell, names, record, backend, checkpoint = ctx.given
    *tensors, lengths, reset = ctx.saved_tensors
    parameters, x, state = tensors[:count], tensors[count], tensors[count + 1 :]
    found = torch.ops.unrolled.recurrence_backward(
        cell, names, parameters, x, state, lengths, reset, record, backend, checkpoint, list(arriving)
    )
    return None, None, found[:count], found[count], found[count + 1 :], None, None, None, None, None


torch.library.register_autograd("unrolled::recurrence", _backward, setup_context=_keep_inputs)


def _run(
    cell: str,
    names: str,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: Sequence[Tensor],
    lengths: Tensor | None,
    reset: Tensor | None,
    record: str,
    backend: str,
    checkpoint: int,
) -> list[Tensor]:
    of, quantities = _cell(cell), _split(record)
    by_name = dict(zip(_split(names), parameters, strict=True))
    begin = dict(zip(of.states, state, strict=True)) if state or not of.states else None
    found = compute(of, by_name, x, begin, lengths, reset, quantities, backend, checkpoint or None)
    outputs, final, recorded = found
    return [outputs, *(final[name] for name in of.states), *(recorded[name] for name in quantities)]


def _apart(values: Sequence[Tensor], given: Sequence[Tensor]) -> list[Tensor]:
    """The values, copied where they share memory with each other or with what is given: an operator's may not."""
    seen, apart = {value.untyped_storage().data_ptr() for value in given}, []
    for value in values:
        place = value.untyped_storage().data_ptr()
        apart.append(value.clone(memory_format=torch.contiguous_format) if place in seen else value.contiguous())
        seen.add(place)
    return apart


@contextmanager
def _recording() -> Iterator[None]:
    """Within it autograd records again: an operator's body runs below it."""
    off = torch._C._SetExcludeDispatchKeyGuard
    with off(DispatchKey.AutogradFunctionality, False), off(DispatchKey.ADInplaceOrView, False):
        yield


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split(",")) if names else ()


@torch.compiler.assume_constant_result
def has_kernel(described: str, record: tuple[str, ...], resets: bool) -> bool:
    """Whether torch has a kernel for a cell; to a program that is traced, a constant."""
    return not lacks(_cell(described), record, resets)


def traced(
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
    """A scan as a call of the operator, for whoever is tracing: outputs, final states, recorded quantities."""
    kind = x.device.type
    if torch.is_autocast_enabled(kind):  # compiled programs run without it, and so on one dtype
        by_torch = backend == "auto" and kind == "cuda" and has_kernel(cell.described, record, reset is not None)
        narrow = by_torch or backend == "torch"
        parameters, x, state = cast(parameters, x, state, partial(autocasting, kind) if narrow else arithmetic)
    begin = [] if state is None else [state[name] for name in cell.states]
    names, given = ",".join(parameters), list(parameters.values())
    found = torch.ops.unrolled.recurrence(
        cell.described, names, given, x, begin, lengths, reset, ",".join(record), backend, checkpoint or 0
    )
    count = len(cell.states)
    final = dict(zip(cell.states, found[1 : 1 + count], strict=True))
    return found[0], final, dict(zip(record, found[1 + count :], strict=True))
