"""How a recurrence is computed: its forward pass, its derived backward pass, and what the one keeps for the other.

The backward pass is the derivative of :mod:`unrolled.equations.derive`, arranged like the forward pass. What it reads
of the forward step is kept over time, but for what is computed again more cheaply than it is read back.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from unrolled.engine.arrange import Arranger
from unrolled.engine.passes import REDUCTIONS, Pass
from unrolled.engine.split import Split, split
from unrolled.equations.cell import Cell
from unrolled.equations.derive import derive_step
from unrolled.equations.expression import Call, Expression, Name, Number, Statement, names
from unrolled.equations.lower import lower
from unrolled.equations.sizes import Size

_CHEAP = ("add", "sub", "mul", "neg", "relu", "max", "min")


@dataclass(frozen=True)
class Plan:
    """Both passes of a recurrence."""

    split: Split
    forward: Pass
    training: Pass
    """The forward pass that keeps what the backward pass reads."""
    backward: Pass
    kept: tuple[str, ...]
    gradients: tuple[str, ...]
    """The vectors and rows whose gradient the backward pass sums."""

    def reached(self, wanted: Collection[str]) -> tuple[str, ...]:
        """What is given by step and has its gradient computed: what is wanted, and what the loop itself writes."""
        return tuple(name for name in self.split.steps if name in wanted or f"d_{name}" in self.backward.written)

    @cached_property
    def given(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of every tensor that a call is given, in order; where states may be reset, ``resettable``."""
        parts = self.split
        kinds = {kind: getattr(parts, kind) for kind in ("matrices", "vectors", "rows", "steps")}
        return tuple((kind, name) for kind, names in (*kinds.items(), ("state", parts.states)) for name in names)

    @cached_property
    def resettable(self) -> tuple[tuple[str, str], ...]:
        """As :attr:`given`, with the starts behind it that states return to."""
        return *self.given, *(("start", name) for name in self.split.states)


@cache
def make_plan(cell: Cell, wanted: tuple[str, ...], drawn: frozenset[str] = frozenset()) -> Plan:
    """Plan a cell's recurrence; for the arguments see :func:`unrolled.engine.split.split`."""
    cell_split = split(cell, wanted, drawn)
    forward_statements = tuple(_expanded(cell_split.core))
    defined = {str(one.target): one for one in forward_statements}
    back, carried = _backward_statements(cell_split)
    back, kept = _recomputed(tuple(_expanded(back)), defined)
    exits = tuple(f"{state}'" for state in cell_split.states)
    forward = Arranger(cell_split, forward_statements, {*exits, *cell_split.over_time}, {}).arrange()
    training = Arranger(
        cell_split, forward_statements, {*exits, *cell_split.over_time, *kept}, dict.fromkeys(kept, "time")
    )
    sizes = {**cell_split.sizes, **carried}
    back_exits = {
        f"d_{name}" for name in (*cell_split.states, *cell_split.steps, *cell_split.vectors, *cell_split.rows)
    }
    backward = Arranger(cell_split, back, back_exits, {}, sizes, backwards=True)
    summed = tuple(name for name in (*cell_split.vectors, *cell_split.rows) if f"d_{name}" in backward.by_target)
    return Plan(cell_split, forward, training.arrange(), backward.arrange(), kept, summed)


def _expanded(statements: Iterable[Statement]) -> Iterable[Statement]:
    """The statements with a name for every sum over units, and with softmax written out.

    A sum is there only once a stage is over; the name's statement is what is stored, recorded or handed on. Softmax
    takes the largest value off first, so that nothing overflows.
    """
    for one in statements:
        expression = one.expression
        if isinstance(expression, Call) and expression.op in REDUCTIONS:
            total = Name("_" + str(one.target).replace("'", "_") + "_whole")
            yield Statement(total, expression)
            yield Statement(one.target, total, accumulates=one.accumulates)
            continue
        if not (isinstance(expression, Call) and expression.op == "softmax"):
            yield one
            continue
        base = str(one.target).replace("'", "_")
        (a,) = expression.arguments
        largest, powers, total = (Name(f"_{base}_{what}") for what in ("largest", "powers", "total"))
        yield Statement(largest, Call("row_max", (a,)))
        yield Statement(powers, Call("exp", (Call("sub", (a, largest)),)))
        yield Statement(total, Call("sum", (powers,)))
        yield Statement(one.target, Call("div", (powers, total)), accumulates=one.accumulates)


def _backward_statements(parts: Split) -> tuple[tuple[Statement, ...], dict[str, Size]]:
    """The derived step with what arrives written out: ``carry.h`` from the later step, ``arrive.y`` from outside."""
    shared = (*parts.matrices, *parts.vectors, *parts.rows)
    quantities = tuple(name.removesuffix("'") for name in parts.over_time)
    derived = derive_step(parts.core, parts.states, parts.steps, shared, quantities)
    sizes: dict[str, Size] = {}
    base: dict[Name, Expression] = {}
    for state in parts.states:
        base[Name(f"d_{state}", True)] = Name(f"carry.{state}")
        sizes[f"carry.{state}"] = parts.sizes[state]
    for key in parts.over_time:
        quantity = key.removesuffix("'")
        arrive = Name(f"arrive.{key}")
        sizes[str(arrive)] = parts.sizes[key]
        gradient = Name(f"d_{quantity}", key.endswith("'"))
        base[gradient] = Call("add", (base[gradient], arrive)) if gradient in base else arrive
    accumulated = {one.target for one in derived.statements}
    begun = [Statement(name, expression) for name, expression in base.items() if name not in accumulated]
    rest = [
        Statement(one.target, Call("add", (base[one.target], one.expression))) if one.target in base else one
        for one in derived.statements
    ]
    return lower((*begun, *rest)), sizes


def _recomputed(
    statements: tuple[Statement, ...], defined: Mapping[str, Statement]
) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """Put before the backward statements what is cheaper computed again than kept; give them and what is kept."""
    own = {str(one.target) for one in statements}
    read = [str(name) for one in statements for name in names(one.expression)]
    wanted = dict.fromkeys(name for name in read if name in defined and name not in own)
    sources = {
        str(one.expression.arguments[1])
        for one in statements
        if isinstance(one.expression, Call) and one.expression.op in ("outer", "matmul")
    }
    again: dict[str, Statement] = {}
    for name in (one for one in defined if one in wanted):  # a value behind those that it is made of
        statement = defined[name]
        expression = statement.expression
        inputs = [str(part) for part in names(expression)]
        cheap = isinstance(expression, Name | Number) or (isinstance(expression, Call) and expression.op in _CHEAP)
        given = all(part in wanted or part not in defined for part in inputs)
        # A value that a kept one is made of again must be kept itself, and not made of yet another.
        if cheap and given and name not in sources and not any(part in again for part in inputs):
            again[name] = Statement(statement.target, expression)
    return (*again.values(), *statements), tuple(name for name in wanted if name not in again)
