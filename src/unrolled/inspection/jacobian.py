"""The factors of the lecture's product: how one step passes a small change of the state on to the next."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.engine.loop import stepper
from unrolled.engine.run import prepare
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Name, Statement, walk
from unrolled.equations.lower import lower
from unrolled.equations.observe import opened
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.reversal import reversed_in_time

ROUNDS = 32
"""Products with a Jacobian and its transpose from which its largest singular value is found, at most."""
Product = Callable[[Tensor], Tensor]


class Steps(NamedTuple):
    """What a layer in one direction reads at each step, in the order in which it goes: rows are steps."""

    inputs: Tensor
    """(T, D) of this layer."""
    before: dict[str, Tensor]
    """Each state before the step, (T, units)."""
    values: dict[str, Tensor]
    """Every quantity of the opened cell at the step, (T, units); states are those behind it."""


def steps_of(
    layer: Recurrent, x: Tensor, recorded: Mapping[str, Tensor], index: int, direction: str, begin: Mapping[str, Tensor]
) -> Steps:
    """The steps of one layer and direction over one sequence.

    Args:
        layer: The layers.
        x: What they read, (1, T, D).
        recorded: What :func:`unrolled.inspection.quantities.quantities` gave for it.
        index: The layer.
        direction: Its direction.
        begin: The states before the first step, by layer, direction and name, (1, units).
    """
    values, output = x, layer.cell.output
    for below in range(index):
        above = torch.cat([recorded[f"{below}.{side}.{output}"] for side in layer.directions], -1)
        values = above + values if layer.residual and below else above
    place = f"{index}.{direction}."
    own = {name.removeprefix(place): value for name, value in recorded.items() if name.startswith(place)}
    if direction == "reverse":
        values, own = reversed_in_time(values, None), {name: reversed_in_time(one, None) for name, one in own.items()}
    before = {name: torch.cat([begin[place + name], own[name][0]])[: x.shape[1]] for name in layer.cell.states}
    return Steps(values[0], before, {name: one[0] for name, one in own.items()})


def step_factors(cell: Cell, parameters: Mapping[str, Tensor], inputs: Tensor, before: Mapping[str, Tensor]) -> Tensor:
    """The largest singular value of the Jacobian of each step, ||d s_t / d s_(t-1)||, (K,).

    s is the whole state, all its parts side by side. The value is found by Golub and Kahan's bidiagonalisation (1965,
    SIAM J. Numer. Anal. B 2(2), with all vectors kept orthogonal), which sees the Jacobian only through products with
    it and its transpose; it is exact where the state has no more than :data:`ROUNDS` numbers.

    Args:
        cell: The cell.
        parameters: Its parameters.
        inputs: What each step reads, (K, D).
        before: Each state before each step, (K, units).
    """
    weights = {name: value.detach() for name, value in parameters.items()}
    start = {name: value.detach().requires_grad_() for name, value in before.items()}
    states = tuple(start.values())
    generator = torch.Generator().manual_seed(0)
    sizes = [one.shape[1] for one in states]
    with torch.enable_grad():
        found = scan(cell, weights, inputs.unsqueeze(1), start, backend="loop").state
        after = tuple(found[name] for name in start)
        weighed = tuple(torch.zeros_like(one, requires_grad=True) for one in after)
        pulled = _gradients(after, states, weighed, create_graph=True)  # J^T u, linear in u: its derivative is J

    def forth(vector: Tensor) -> Tensor:
        return torch.cat(_gradients(pulled, weighed, vector.split(sizes, -1)), -1)

    def back(vector: Tensor) -> Tensor:
        return torch.cat(_gradients(after, states, vector.split(sizes, -1)), -1)

    first = torch.randn(len(inputs), sum(sizes), generator=generator, dtype=states[0].dtype).to(states[0].device)
    return _largest_singular_value(forth, back, first)


def _largest_singular_value(forth: Product, back: Product, vector: Tensor) -> Tensor:
    """Of each row's matrix J, (K,), given J v and J^T u for rows of vectors (K, S)."""
    rounds = min(ROUNDS, vector.shape[1])
    rows, columns = list[Tensor](), list[Tensor]()
    bands = vector.new_zeros(len(vector), rounds, rounds)
    for place in range(rounds):
        length, vector = _unit(_less(vector, columns))
        if place:
            bands[:, place - 1, place] = length
        columns.append(vector)
        bands[:, place, place], row = _unit(_less(forth(vector), rows))
        rows.append(row)
        vector = back(row)
    return torch.linalg.svdvals(bands)[:, 0]


def _less(vector: Tensor, others: Sequence[Tensor]) -> Tensor:
    """What of vectors (K, S) is orthogonal to others, each of unit length; taken away twice, for the rounding."""
    for one in (*others, *others):
        vector = vector - (vector * one).sum(-1, keepdim=True) * one
    return vector


def _unit(vector: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths (K,), and vectors (K, S) of length 1, or of zeros where nothing is left."""
    length = vector.norm(dim=-1)
    return length, torch.where(length.unsqueeze(1) > 0, vector / length.unsqueeze(1), 0)


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], weights: Sequence[Tensor], create_graph: bool = False
) -> tuple[Tensor, ...]:
    live = [(one, weight) for one, weight in zip(outputs, weights, strict=True) if one.requires_grad]
    how = {"retain_graph": True, "create_graph": create_graph, "allow_unused": True, "materialize_grads": True}
    if not live:
        return tuple(torch.zeros_like(one) for one in inputs)
    return torch.autograd.grad([one for one, _ in live], inputs, [weight for _, weight in live], **how)


def direct_path(cell: Cell, parameters: Mapping[str, Tensor], steps: Steps) -> dict[str, Tensor]:
    """How much of each state a step keeps as it is, all gates held: f of an LSTM's c, z of a GRU's h; (T, units).

    It is the derivative of the line that gives the state by the state itself, where it stands beside no matrix and in
    no pre-activation; states whose line has no such place are left out. The product over steps is the direct path of
    the gradient.
    """
    cell = opened(cell).cell
    run = prepare(cell, {**parameters}, steps.inputs.unsqueeze(1), dict(steps.before))
    found = {}
    for line in cell.statements:
        state = line.target.name
        if not line.target.primed or not _stands_free(line, state):
            continue
        lowered = lower((Statement(Name("direct"), line.expression),))
        kept = steps.before[state].detach().requires_grad_()
        after = {f"{name}'": value for name, value in steps.values.items() if name in cell.states}
        plain = {name: value for name, value in steps.values.items() if name not in cell.states}
        given = {**run.numbers(lowered), **parameters, **plain, **after, **steps.before, state: kept}
        with torch.enable_grad():
            outcome = stepper(lowered)({**given, "x": steps.inputs})["direct"]
            (found[state],) = torch.autograd.grad(outcome.expand_as(kept).sum(), kept)
    return found


def _stands_free(line: Statement, state: str) -> bool:
    """Whether a line reads its state's previous value, and never by a matrix."""
    multiplied = [
        part
        for one in walk(line.expression)
        if isinstance(one, Call) and one.op == "matmul"
        for part in walk(one.arguments[1])
    ]
    return Name(state) in walk(line.expression) and Name(state) not in multiplied


def spectral_radii(cell: Cell, parameters: Mapping[str, Tensor]) -> dict[str, float]:
    """The largest absolute eigenvalue of each square recurrent matrix."""
    found = {}
    for name, one in cell.program.parameters.items():
        value = parameters[name].detach().double()
        if one.recurrent and value.dim() >= 2 and value.shape[-1] == value.shape[-2]:
            found[name] = float(torch.linalg.eigvals(value).abs().max())
    return found


def time_constants(kept: Tensor) -> Tensor:
    """How many steps each unit remembers, 1 / (1 - f) of the mean of what a step keeps, (units,).

    After so many steps what was there has fallen to 1 / e.
    """
    return 1.0 / (1.0 - kept.double().mean(0).clamp(max=1.0))
