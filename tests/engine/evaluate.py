"""A second reading of the equations, all steps at once: what a recorded quantity has to be, given the others."""

import operator
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from engine.cases import Case, valid_steps
from unrolled.engine.scan import Scanned
from unrolled.equations.expression import Call, Expression, Name, Number, walk


def _product(matrix: Tensor, vector: Tensor) -> Tensor:
    dense = matrix if matrix.dim() == 2 else torch.block_diag(*matrix)
    return vector @ dense.T


MEANINGS: dict[str, Callable[..., Tensor]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "matmul": _product,
    "transpose": lambda matrix: matrix.transpose(-1, -2),
    "sigmoid": torch.special.expit,
    "tanh": torch.tanh,
    "relu": lambda value: value.clamp(min=0.0),
    "exp": torch.exp,
    "max": torch.maximum,
    "step": lambda value: (value > 0.0).to(value.dtype),
    "softmax": lambda value: torch.exp(value) / torch.exp(value).sum(-1, keepdim=True),
    "layer_norm": lambda value: functional.layer_norm(value, value.shape[-1:], eps=1e-5),
    "log_sigmoid": functional.logsigmoid,
}
"""The ops that the cases use, not in the engine's words. Vectors are (N, T, size)."""

KINKS = ("relu", "max")


def values_over_time(case: Case, result: Scanned) -> dict[str, Tensor | float]:
    """All that an equation may read, each (N, T, size): ``h`` is the state before a step, ``h'`` the one behind it."""
    rows = case.x.shape[0]
    values: dict[str, Tensor | float] = {"x": case.x, **case.cell.constants, **case.parameters}
    for name, drawn in case.noise.items():
        per_sequence = case.cell.noise[name].per == "sequence" and len(case.cell.program.noise[name].shape) == 1
        values[name] = drawn.unsqueeze(1) if per_sequence else drawn
    for name in case.cell.quantities:
        recorded = result.recorded[name]
        values[f"{name}'" if name in case.cell.states else name] = recorded
        if name in case.cell.states:
            start = case.start(name).expand(rows, 1, recorded.shape[2])
            first = start if case.state is None else case.state[name].unsqueeze(1)
            before = torch.cat([first, recorded[:, :-1]], 1)
            values[name] = before if case.reset is None else torch.where(case.reset.unsqueeze(2), start, before)
    return values


def evaluate(expression: Expression, values: Mapping[str, Tensor | float]) -> Tensor | float:
    """An expression's value over all steps of all rows."""
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        return values[str(expression)]
    return MEANINGS[expression.op](*(evaluate(argument, values) for argument in expression.arguments))


def distance_to_kinks(case: Case) -> float:
    """How near a valid step comes to a point where a derivative jumps; infinite where no equation has one."""
    values, valid, nearest = values_over_time(case, case.scan()), valid_steps(case), float("inf")
    for statement in case.cell.statements:
        for part in walk(statement.expression):
            if isinstance(part, Call) and part.op in KINKS:
                first, *second = (evaluate(argument, values) for argument in part.arguments)
                distance = (first - second[0] if second else first).abs()
                nearest = min(nearest, float(distance[valid].min()))
    return nearest
