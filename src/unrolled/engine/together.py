"""Layers of a stack side by side: each goes through time a little behind the one before it, on a thread of its own.

Forward the lowest begins; on the way back the highest does, and each that reads gradients follows the one above it.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.engine.cpu.chain import run_chain
from unrolled.engine.cpu.directions import Backward, Forward, Gradients
from unrolled.engine.cpu.execute import Call
from unrolled.engine.cpu.form import beside, form_of, is_small, sharing
from unrolled.engine.cpu.team import threads_now
from unrolled.engine.fused import (
    Request,
    by_the_loop,
    differentiable,
    effective,
    gradients_in_order,
    request_for,
    why_not,
)
from unrolled.engine.precision import HALVES
from unrolled.engine.repeat import Begun, Repeat
from unrolled.engine.run import prepare
from unrolled.engine.scan import Scanned
from unrolled.state import State

_WORTH = 1 << 23
"""Multiplications of a forward pass from which layers learn faster side by side than one after the other."""


class Part(NamedTuple):
    """One run of a cell, of those that are done together."""

    repeat: Repeat
    parameters: Mapping[str, Tensor]
    state: Mapping[str, Tensor] | None


def run_stack(parts: Sequence[Part], x: Tensor) -> list[Scanned] | None:
    """What each layer of a stack gives, from the lowest, which reads x (N, T, D); None where that is not worth it.

    It may be over one row, and is as :func:`beside` says; layers that are left, as there are more of them than threads,
    share the threads as they would alone. With gradients, only the output of the highest layer is given; of the others
    there are the states.
    """
    threads = threads_now(torch.get_num_threads())
    if threads == 1 or x.dim() != 3 or x.shape[0] != 1 or not x.shape[1]:
        return None
    return _train(parts, x, threads) if torch.is_grad_enabled() else _infer(parts, x, threads)


def _infer(parts: Sequence[Part], x: Tensor, threads: int) -> list[Scanned] | None:
    with ExitStack() as stack:
        begun: list[Begun] = []
        for number, part in enumerate(parts):
            own = _threads_of(number, len(parts), threads)
            one = part.repeat.begin(part.parameters, begun[-1].outputs if begun else x, part.state, own)
            if one is None:
                return None
            begun.append(stack.enter_context(one))
            call = one.call
            how = (call.inputs.dtype, call.inputs.units, call.inputs.shape, threads)
            if own == 1 and not beside(call.form.plan, "forward", *how):
                return None
        if is_small(sum(one.call.form.multiplications for one in begun)):
            return None
        if not _any_side_by_side([one.call.alone for one in begun], threads):
            return None
        for group in _groups(len(parts), threads):
            _run([begun[number].call for number in group])
        return [one.result() for one in begun]


def _groups(layers: int, threads: int) -> list[range]:
    """The layers that go side by side, from the lowest: as many as there are threads, or those that are left."""
    return [range(first, min(first + threads, layers)) for first in range(0, layers, threads)]


def _threads_of(layer: int, layers: int, threads: int) -> int:
    """How many threads a layer may take: one in a full group, all of them where it is one of those that are left."""
    return 1 if layer < layers // threads * threads else threads


def _any_side_by_side(alone: Sequence[bool], threads: int) -> bool:
    groups = _groups(len(alone), threads)
    return any(len(group) > 1 and all(alone[layer] for layer in group) for group in groups)


def _run(calls: Sequence[Call]) -> None:
    """Run calls of which each reads what the one before it gives: side by side where each takes one thread."""
    if len(calls) > 1 and all(call.alone for call in calls):
        run_chain(calls)
    else:
        for call in calls:
            call.run()


def _train(parts: Sequence[Part], x: Tensor, threads: int) -> list[Scanned] | None:
    if not x.is_cpu or x.dtype in HALVES or torch.is_autocast_enabled("cpu"):
        return None
    layers: list[tuple[Request, tuple[Tensor, ...]]] = []
    below, work, alone = x, 0, []
    for number, part in enumerate(parts):
        run = prepare(part.repeat.cell, part.parameters, below, part.state)
        if why_not(run, x.device):
            return None
        plan, values = effective(run)
        own = plan.split
        if own.before or own.rows or own.steps != ("x",) or not own.states or len(own.over_time) != 1:
            return None
        extent, own_threads = (1, x.shape[1]), _threads_of(number, len(parts), threads)
        if own_threads == 1 and not beside(plan, "training", x.dtype, run.sizes, extent, threads):
            return None
        share = sharing(plan, extent, run.sizes, own_threads)
        form = form_of(plan, "training", x.dtype, run.sizes, extent, share)
        if run.cell.output != own.over_time[0].removesuffix("'"):
            return None
        alone.append(share.threads == 1)
        place = form.place("x", "x")
        if layers and place.units != place.padded:  # it would be copied before it is there
            return None
        layers.append(request_for(run, plan, values))
        below, work = x.new_empty(1).expand(*x.shape[:2], run.units[run.cell.output]), work + form.multiplications
    needed = any(tensor.requires_grad for _, tensors in layers for tensor in tensors)
    if not needed or work < _WORTH or not _any_side_by_side(alone, threads):
        return None
    requests = tuple(request for request, _ in layers)
    given = [tensor for layer, (request, tensors) in enumerate(layers) for tensor in _own(request, tensors, layer)]
    outputs, *final = _Stack.apply(requests, threads, *given)
    found, rest = [], iter(final)
    for request in requests:
        states = {name: next(rest) for name in request.plan.split.states}
        found.append(Scanned(outputs, State.of_one_batch(states), {}))
    return found


def _place_of_x(request: Request) -> int:
    return request.names.index(("steps", "x"))


def _own(request: Request, tensors: Sequence[Tensor], layer: int) -> tuple[Tensor, ...]:
    """What a layer is given from outside: all but what the layer below gives."""
    at = _place_of_x(request)
    return tuple(tensor for place, tensor in enumerate(tensors) if place != at or not layer)


def _with_x(request: Request, own: Sequence[Any], x: Any) -> tuple[Any, ...]:
    """What :func:`_own` left, with ``x`` in its place."""
    at = _place_of_x(request)
    return *own[:at], x, *own[at:]


class _Stack(torch.autograd.Function):
    """All layers as autograd sees them: the highest layer's output over time, then the final states of each."""

    @staticmethod
    def forward(ctx: Any, requests: tuple[Request, ...], threads: int, *given: Tensor) -> tuple[Tensor, ...]:  # pyright: ignore
        running: list[Forward] = []
        between: list[Tensor] = []
        for layer, (request, own) in enumerate(zip(requests, _by_layer(requests, given), strict=True)):
            tensors = _with_x(request, own, between[-1]) if layer else tuple(own)
            may = _threads_of(layer, len(requests), threads)
            running.append(Forward(request.plan, request.inputs(tensors), keep=True, threads=may))
            between.append(running[-1].over_time(*request.plan.split.over_time))
        for group in _groups(len(requests), threads):
            _run([running[layer].call for layer in group])
        found = [one.results() for one in running]
        ctx.save_for_backward(*(tape.memory for _, _, tape in found), *between[:-1], *given)
        ctx.tapes = [tape._replace(memory=None) for _, _, tape in found]  # the memory goes with what autograd saves
        ctx.requests, ctx.threads = requests, threads
        ctx.set_materialize_grads(False)
        (outputs,) = found[-1][0].values()
        return outputs, *(value for _, final, _ in found for value in final.values())

    @staticmethod
    def backward(ctx: Any, of_outputs: Tensor | None, *of_final: Tensor | None) -> tuple[Any, ...]:  # pyright: ignore
        requests: tuple[Request, ...] = ctx.requests
        count = len(requests)
        memories, rest = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        between, given = rest[: count - 1], rest[count - 1 :]
        own = _by_layer(requests, given)
        if torch.is_grad_enabled():  # somebody will differentiate these gradients once more
            arriving = [of_outputs, *of_final]
            return None, None, *differentiable(_stack_by_the_loop(requests, own), given, arriving)
        needs = [list(part) for part in _by_layer(requests, ctx.needs_input_grad[2:])]
        lowest = next(layer for layer, part in enumerate(needs) if any(part))
        finals, states = iter(of_final), []
        for request in requests:
            states.append({name: next(finals) for name in request.plan.split.states})
        running: dict[int, Backward] = {}
        arriving = of_outputs
        for layer in reversed(range(lowest, count)):
            request, below = requests[layer], [between[layer - 1]] if layer else []
            tensors = _with_x(request, own[layer], *below) if layer else tuple(own[layer])
            asked = _with_x(request, needs[layer], layer > lowest) if layer else needs[layer]
            wanted = frozenset(name for (_, name), need in zip(request.names, asked, strict=True) if need)
            (key,) = request.plan.split.over_time
            tape = ctx.tapes[layer]._replace(memory=memories[layer])
            inputs = request.inputs(tuple(tensors))
            running[layer] = Backward(request.plan, inputs, tape, {key: arriving}, states[layer], wanted)
            arriving = running[layer].steps.get("x")
        for group in reversed(_groups(count, ctx.threads)):
            _run([running[layer].call for layer in reversed(group) if layer >= lowest])
        gradients: list[Tensor | None] = [None] * sum(map(len, own[:lowest]))
        for layer in range(lowest, count):
            found = running[layer].results()
            gradients += _gradients(requests[layer], found, own[layer], needs[layer], layer)
        return None, None, *gradients


def _gradients(
    request: Request, found: Gradients, own: Sequence[Tensor], needs: Sequence[bool], layer: int
) -> list[Tensor | None]:
    """The gradients of what a layer was given from outside."""
    if not layer:
        return gradients_in_order(request, found, own, needs)
    all_of_them = gradients_in_order(request, found, _with_x(request, own, own[0]), _with_x(request, needs, False))
    at = _place_of_x(request)
    return all_of_them[:at] + all_of_them[at + 1 :]


def _by_layer(requests: Sequence[Request], values: Sequence[Any]) -> list[Sequence[Any]]:
    """What belongs to each layer, of values in the order in which the stack is given its tensors."""
    found, first = [], 0
    for layer, request in enumerate(requests):
        count = len(request.names) - bool(layer)
        found.append(values[first : first + count])
        first += count
    return found


def _stack_by_the_loop(requests: Sequence[Request], own: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """What the stack gives, by the plain loop, layer after layer, which autograd follows."""
    below: list[Tensor] = []
    final: list[Tensor] = []
    for layer, (request, tensors) in enumerate(zip(requests, own, strict=True)):
        all_of_them = _with_x(request, tensors, *below) if layer else tuple(tensors)
        over_time, *states = by_the_loop(request, all_of_them)
        below, final = [over_time], final + states
    return [*below, *final]
