"""The compiled backend: torch runs what needs no recurrence, machine code the rest; autograd sees one function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.engine import pieces
from unrolled.engine.cpu.directions import Gradients, backward, forward
from unrolled.engine.cpu.execute import Inputs
from unrolled.engine.cpu.form import joined
from unrolled.engine.loop import loop, stepper, unroll
from unrolled.engine.modes import looks_inside
from unrolled.engine.plan import Plan, make_plan
from unrolled.engine.precision import HALVES
from unrolled.engine.run import Run, Values
from unrolled.equations.expression import Statement


def why_not(run: Run, device: torch.device) -> str:
    """Why compiled code cannot do a run on ``device``; empty where it can."""
    if device.type != "cpu" or not all(tensor.is_cpu for tensor in run.tensors):
        return f"its tensors are on {device}"
    if run.x.dtype not in (*HALVES, torch.float32, torch.float64):
        return f"its numbers are {run.x.dtype}, and compiled code takes float16, bfloat16, float32 and float64"
    return looks_inside(run.tensors)


def fused(run: Run) -> tuple[Tensor, Values, Values]:
    """Compute a run by compiled code; the same results as the loop's, to rounding."""
    if not run.x.shape[0] or not run.x.shape[1]:
        return loop(run)
    plan, values = effective(run)
    over_time, final = _recur(run, plan, values)
    seen = {**values, **over_time}
    results = {
        name: _over_time(run, name, seen, clear=_key(run, name) not in over_time)
        for name in dict.fromkeys((run.cell.output, *run.record))
    }
    return results[run.cell.output], final, {name: results[name] for name in run.record}


def effective(run: Run) -> tuple[Plan, Mapping[str, Tensor]]:
    """A run's plan, and the values that its core is given: parameters, x, and what torch computes beforehand."""
    cell = run.cell
    wanted = tuple(dict.fromkeys((cell.output, *run.record)))
    drawn = frozenset([name for name in cell.noise if name in run.parameters])
    plan = make_plan(cell, wanted, drawn)
    values = {**run.parameters, "x": run.x}
    if plan.split.before:
        values = _before(run, plan.split.before, {**run.numbers(plan.split.before), **values})
    return plan, values


def _before(run: Run, statements: tuple[Statement, ...], values: Values) -> Values:
    """What torch computes for all steps at once: rows stand as (N, 1, size) beside steps (N, T, size)."""
    x, valid = run.x, run.valid
    if valid is not None and x.numel():
        longest = valid.sum(1).argmax()
        x = torch.where(valid.unsqueeze(-1), x, torch.where(valid[longest, 0], x[longest, 0], 1).detach())
    per_row = {
        name: value.unsqueeze(1)
        for name, value in run.parameters.items()
        if name in run.cell.noise and run.cell.noise[name].per == "sequence" and value.dim() == 2
        if len(run.cell.program.noise[name].shape) == 1
    }
    found = stepper(statements)({**values, **per_row, "x": x})
    return {**found, **per_row, "x": x}


def _key(run: Run, name: str) -> str:
    return f"{name}'" if name in run.cell.states else name


def _over_time(run: Run, name: str, values: Mapping[str, Tensor], clear: bool) -> Tensor:
    """A quantity at all steps, (N, T, size); with ``clear`` what lies behind a row's end is no zero yet."""
    value, batch, steps = values[_key(run, name)], *run.x.shape[:2]
    if value.dim() < 3:
        value = value.expand(batch, steps, run.units[name])
    elif value.shape[1] != steps:
        value = value.expand(batch, steps, -1)
    return torch.where(run.valid.unsqueeze(-1), value, 0) if clear and run.valid is not None else value


class Request(NamedTuple):
    """Everything of a call that is no differentiable tensor."""

    run: Run
    plan: Plan

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of each of the tensors."""
        return self.plan.given if self.run.reset is None else self.plan.resettable

    def inputs(self, tensors: tuple[Tensor, ...]) -> Inputs:
        """The tensors by kind and name."""
        run, parts, rest = self.run, self.plan.split, iter(tensors)
        kinds = (parts.matrices, parts.vectors, parts.rows, parts.steps, parts.states)
        matrices, vectors, rows, steps, state = (dict(zip(names, rest, strict=False)) for names in kinds)
        start = {} if run.reset is None else dict(zip(parts.states, rest, strict=True))
        reset = None if run.reset is None else run.reset.view(torch.uint8)
        shape = (run.x.shape[0], run.x.shape[1])
        of = (run.lengths, reset, shape, run.x.dtype, run.sizes)
        return Inputs(matrices, vectors, rows, steps, state, start, *of)


def request_for(run: Run, plan: Plan, values: Mapping[str, Tensor]) -> tuple["Request", tuple[Tensor, ...]]:
    """What the compiled core is asked, and the tensors that it is given."""
    parts = plan.split
    given = [joined(values[name], matrix, run.sizes) for name, matrix in parts.matrices.items()]
    given += [value if value.dim() == 1 else value.reshape(-1) for value in map(values.__getitem__, parts.vectors)]
    given += [value.squeeze(1) if value.dim() == 3 else value for value in map(values.__getitem__, parts.rows)]
    given += map(values.__getitem__, parts.steps)
    given += map(run.state.__getitem__, parts.states)
    if run.reset is not None:
        given += map(run.start.__getitem__, parts.states)
    return Request(run, plan), tuple(given)


def _recur(run: Run, plan: Plan, values: Mapping[str, Tensor]) -> tuple[Values, Values]:
    parts = plan.split
    request, tensors = request_for(run, plan, values)
    if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
        over_time, final, _ = forward(plan, request.inputs(tensors), keep=False)
        return over_time, final
    results = _Recurrence.apply(request, *tensors)
    split_at = len(parts.over_time)
    return dict(zip(parts.over_time, results[:split_at], strict=True)), dict(
        zip(parts.states, results[split_at:], strict=True)
    )


class _Recurrence(torch.autograd.Function):
    """The recurrence as autograd sees it: results over time, then final states."""

    @staticmethod
    def forward(ctx: Any, request: Request, *tensors: Tensor) -> tuple[Tensor, ...]:  # pyright: ignore
        inputs = request.inputs(tensors)
        if request.run.checkpoint:
            over_time, final, begins = pieces.forward(request.plan, inputs, request.run.checkpoint)
            ctx.save_for_backward(*(value for begin in begins for value in begin.values()), *tensors)
        else:
            over_time, final, tape = forward(request.plan, inputs, keep=True)
            ctx.save_for_backward(tape.memory, *tensors)
            ctx.tape = tape._replace(memory=None)  # the memory goes with what autograd saves
        ctx.request = request
        ctx.set_materialize_grads(False)
        return *over_time.values(), *final.values()

    @staticmethod
    def backward(ctx: Any, *arriving: Tensor | None) -> tuple[Tensor | None, ...]:  # pyright: ignore
        request: Request = ctx.request
        count = len(request.names)
        kept, tensors = ctx.saved_tensors[:-count], ctx.saved_tensors[-count:]
        if torch.is_grad_enabled():  # somebody will differentiate these gradients once more
            with torch.autocast("cpu", enabled=False):
                results = by_the_loop(request, tuple(tensors))
                return None, *differentiable(results, tensors, arriving)
        parts = request.plan.split
        split_at = len(parts.over_time)
        wanted = frozenset(
            name for (_, name), need in zip(request.names, ctx.needs_input_grad[1:], strict=True) if need
        )
        inputs = request.inputs(tuple(tensors))
        of_time = dict(zip(parts.over_time, arriving[:split_at], strict=True))
        of_final = dict(zip(parts.states, arriving[split_at:], strict=True))
        if request.run.checkpoint:
            states = iter(kept)
            begins = [{name: next(states) for name in parts.states} for _ in range(len(kept) // len(parts.states))]
            found = pieces.backward(request.plan, inputs, request.run.checkpoint, begins, of_time, of_final, wanted)
        else:
            tape = ctx.tape._replace(memory=kept[0])
            found = backward(request.plan, inputs, tape, of_time, of_final, wanted)
        return None, *gradients_in_order(request, found, tensors, ctx.needs_input_grad[1:])


def gradients_in_order(
    request: Request, found: Gradients, tensors: Sequence[Tensor], needed: Sequence[bool]
) -> list[Tensor | None]:
    """The gradient of each tensor that a request was given, where it is needed."""
    return [
        _gradient(found, kind, name, tensor) if need else None
        for (kind, name), tensor, need in zip(request.names, tensors, needed, strict=True)
    ]


def _gradient(found: Gradients, kind: str, name: str, like: Tensor) -> Tensor:
    if kind == "matrices":
        return found.matrices[name].contiguous() if name in found.matrices else torch.zeros_like(like)
    if kind in ("vectors", "rows"):
        value = found.sums.get(name)
        if value is None:
            return torch.zeros_like(like)
        return value if kind == "rows" else value[0] if value.shape[0] == 1 else value.sum(0)
    if kind == "steps":
        return found.steps[name].contiguous() if name in found.steps else torch.zeros_like(like)
    return (found.state if kind == "state" else found.start)[name]


@dataclass(frozen=True)
class _CoreRun(Run):
    """A run of a recurrence alone, for the plain loop."""

    stepwise: frozenset[str] = frozenset()

    def parameters_at(self, t: int) -> Values:
        """What step ``t`` is given."""
        return {name: value[:, t] if name in self.stepwise else value for name, value in self.parameters.items()}


def by_the_loop(request: Request, tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """The recurrence by the plain loop, which autograd follows: what is wanted over time, then the final states."""
    run, parts = request.run, request.plan.split
    kinds = dict(zip(request.names, tensors, strict=True))
    given = {name: value for (kind, name), value in kinds.items() if kind in ("matrices", "vectors", "rows", "steps")}
    state = {name: kinds["state", name] for name in parts.states}
    start = {name: kinds.get(("start", name), run.start[name]) for name in parts.states}
    x = given.pop("x", run.x.detach())
    of = (run.units, run.sizes, None, frozenset(parts.steps))
    core = _CoreRun(run.cell, given, x, start, state, run.lengths, run.reset, (), *of)
    seen: dict[str, list[Tensor]] = {name: [] for name in parts.over_time}
    final: Values = state
    for values, now, final in unroll(core, parts.core):  # noqa: B007
        for name, over_time in seen.items():
            value = values[name].expand(x.shape[0], -1)
            over_time.append(value if now is None else torch.where(now, value, 0))
    return [*(torch.stack(one, 1) for one in seen.values()), *(final[name] for name in parts.states)]


def differentiable(
    results: Sequence[Tensor], tensors: Sequence[Tensor], arriving: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """The gradients of tensors, given those of results (None: zero), as something to be differentiated once more."""
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    gradients = [torch.zeros_like(of) if one is None else one for of, one in zip(results, arriving, strict=True)]
    found = iter(torch.autograd.grad(results, wanted, gradients, create_graph=True, allow_unused=True))
    return [next(found) if tensor.requires_grad else None for tensor in tensors]
