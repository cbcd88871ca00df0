"""The plain loop: one op at a time, step after step. It is the specification; every other backend is judged by it."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from unrolled.engine.run import Run, Values, number_key
from unrolled.equations.expression import Call, Expression, Number, Statement
from unrolled.equations.lower import lower
from unrolled.equations.ops import OPS


def loop(run: Run) -> tuple[Tensor, Values, Values]:
    """Compute a run; returns the outputs (N, T, size), the final states and the recorded quantities (N, T, size)."""
    (batch, steps, _), states = run.x.shape, run.cell.states
    seen: dict[str, list[Tensor]] = {name: [] for name in (run.cell.output, *run.record)}
    final = dict(run.state)
    for values, now, final in unroll(run, lower(run.cell.statements)):  # noqa: B007
        for name, over_time in seen.items():
            value = values[f"{name}'" if name in states else name].expand(batch, run.units[name])
            over_time.append(value if now is None else torch.where(now, value, 0))
    stacked = {
        name: torch.stack(over_time, 1) if steps else run.x.new_empty(batch, 0, run.units[name])
        for name, over_time in seen.items()
    }  # (N, T, size)
    return stacked[run.cell.output], final, {name: stacked[name] for name in run.record}


def unroll(run: Run, statements: tuple[Statement, ...]) -> Iterator[tuple[Values, Tensor | None, Values]]:
    """Step after step: every value of the step, which rows it is valid for (N, 1), and the states behind it."""
    step, numbers, valid, x = stepper(statements), run.numbers(statements), run.valid, run.x
    state = {name: _fresh(value) for name, value in run.state.items()}
    if valid is not None and x.numel():
        # A valid step stands in for the padding. Nothing of it counts, but nought times a zero's 1 / 0 would.
        longest = valid.sum(1).argmax()
        stand_in = torch.where(valid[longest, 0], x[longest, 0], 1).detach()  # (D,)
        x = torch.where(valid.unsqueeze(-1), x, stand_in)
    for t in range(x.shape[1]):
        if run.reset is not None:
            state = {name: torch.where(run.reset[:, t, None], run.start[name], value) for name, value in state.items()}
        values = step({**numbers, **run.parameters_at(t), **state, "x": _fresh(x[:, t])})
        now = None if valid is None else valid[:, t, None]
        after = {name: values[f"{name}'"].expand_as(value) for name, value in state.items()}
        state = after if now is None else {name: torch.where(now, after[name], value) for name, value in state.items()}
        yield values, now, state


def _fresh(value: Tensor) -> Tensor:
    """A copy in memory of its own: a product rounds by where its rows lie, and a piece must equal the whole run."""
    return value.clone(memory_format=torch.contiguous_format)


def stepper(statements: tuple[Statement, ...]) -> Callable[[Values], Values]:
    """A function that runs statements of one op each on values by name, and adds each result by its target's name."""
    rows = [(str(one.target), _function(one.expression), _keys(one.expression), one.accumulates) for one in statements]

    def step(values: Values) -> Values:
        for target, function, keys, accumulates in rows:
            result = function(*[values[key] for key in keys])
            values[target] = values[target] + result if accumulates else result
        return values

    return step


def _function(expression: Expression) -> Callable[..., Tensor]:
    if not isinstance(expression, Call):
        return lambda value: value
    meaning = OPS[expression.op].meaning
    if meaning is None:
        raise KeyError(f"{expression.op} is a composed op and has to be lowered first")
    return partial(meaning, torch)


def _keys(expression: Expression) -> list[str]:
    parts = expression.arguments if isinstance(expression, Call) else (expression,)
    return [number_key(part) if isinstance(part, Number) else str(part) for part in parts]
