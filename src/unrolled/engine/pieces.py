"""A pass in pieces: only the state before each piece is kept, and the piece is run once more on the way back.

Memory grows with T / k + k instead of T. The gradients are those of the whole run, bit by bit: every sum over steps is
taken from the last step to the first, in the same blocks.
"""

from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor

from unrolled.engine.cpu import directions, execute
from unrolled.engine.cpu.directions import Gradients
from unrolled.engine.cpu.execute import Inputs
from unrolled.engine.cpu.outer import STEPS
from unrolled.engine.plan import Plan

States = dict[str, Tensor]


def forward(plan: Plan, inputs: Inputs, steps: int) -> tuple[dict[str, Tensor], States, list[States]]:
    """What is wanted over time, the final states, and the states before each piece of so many steps."""
    rooms = _rooms(plan, inputs, plan.split.over_time)
    state, begins = dict(inputs.state), []
    for start, stop in _bounds(inputs.shape[1], steps):
        begins.append(state)
        own = {key: value[:, start:stop] for key, value in rooms.items()}
        _, state, _ = directions.forward(plan, _piece(inputs, start, stop, state), keep=False, rooms=own)
    return _cut(plan, inputs, rooms), state, begins


def backward(
    plan: Plan,
    inputs: Inputs,
    steps: int,
    begins: list[States],
    arriving: Mapping[str, Tensor | None],
    final: Mapping[str, Tensor | None],
    wanted: frozenset[str],
) -> Gradients:
    """The gradients that :func:`unrolled.engine.cpu.directions.backward` gives for the whole run."""
    total: Gradients | None = None
    wanted |= frozenset(final)  # each piece hands its states' gradients to the one before it
    rooms = _rooms(plan, inputs, plan.reached(wanted))
    for begin, (start, stop) in reversed(list(zip(begins, _bounds(inputs.shape[1], steps), strict=True))):
        piece = _piece(inputs, start, stop, begin)
        _, _, tape = directions.forward(plan, piece, keep=True)
        arrived = {key: None if value is None else value[:, start:stop] for key, value in arriving.items()}
        own = {name: value[:, start:stop] for name, value in rooms.items()}
        total = directions.backward(plan, piece, tape, arrived, final, wanted, total, own)
        final = total.state
    assert total is not None
    sums, start = (_cut(plan, inputs, values) for values in (total.sums, total.start))
    return Gradients(total.matrices, sums, _cut(plan, inputs, rooms), total.state, start)


def _rooms(plan: Plan, inputs: Inputs, keys: Iterable[str]) -> dict[str, Tensor]:
    """Room for results over all steps, in which every piece writes its own."""
    return {key: execute.room(inputs, _units(plan, inputs, key)) for key in keys}


def _cut(plan: Plan, inputs: Inputs, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: execute.cut(value, _units(plan, inputs, key)) for key, value in values.items()}


def _units(plan: Plan, inputs: Inputs, key: str) -> int:
    return dict(inputs.units)[plan.split.sizes[key.removesuffix("'")]]


def _bounds(steps: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Where pieces begin and end: a whole number of blocks each."""
    length = -(-wanted // STEPS) * STEPS
    return ((start, min(start + length, steps)) for start in range(0, steps, length))


def _piece(inputs: Inputs, start: int, stop: int, state: Mapping[str, Tensor]) -> Inputs:
    return inputs._replace(
        steps={name: value[:, start:stop] for name, value in inputs.steps.items()},
        state=state,
        lengths=None if inputs.lengths is None else (inputs.lengths - start).clamp(0, stop - start),
        reset=None if inputs.reset is None else inputs.reset[:, start:stop],
        shape=(inputs.shape[0], stop - start),
        steps_of_all=inputs.shape[1],
    )
