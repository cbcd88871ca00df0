"""A step parted in two: what torch computes beforehand, and the recurrence itself, which a fused backend compiles.

Beforehand, and for all steps at once, come values of parameters alone (a dropped matrix, a transposed one) and what a
matrix multiplies that is made of the input alone. The product itself stays in the recurrence's hands: it knows best
when to compute it, and always rounds it the same way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import torch

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, Number, Statement, names, substitute
from unrolled.equations.lower import lower
from unrolled.equations.ops import OPS
from unrolled.equations.sizes import Size

KINDS = ("number", "parameter", "row", "step", "state")
"""What a value depends on, each kind including those before it: on nothing, on parameters, on what a row is given for a
whole sequence, on what each step is given anew, on the states."""


@dataclass(frozen=True)
class Matrix:
    """A matrix as the core multiplies by it: (out, in) sizes and diagonal blocks."""

    out: Size
    into: Size
    heads: int = 1


@dataclass(frozen=True)
class Split:
    """The two parts, and what the core is given from outside, by kind. Values are named as statements print them."""

    before: tuple[Statement, ...]
    core: tuple[Statement, ...]
    states: tuple[str, ...]
    matrices: Mapping[str, Matrix]
    vectors: tuple[str, ...]
    rows: tuple[str, ...]
    """Given once a sequence, (N, size)."""
    steps: tuple[str, ...]
    """Given anew each step, (N, T, size)."""
    numbers: Mapping[str, float]
    over_time: tuple[str, ...]
    """What of the core the outside reads over time."""
    sizes: Mapping[str, Size]
    """The size of every vector."""


@cache
def split(cell: Cell, wanted: tuple[str, ...], drawn: frozenset[str] = frozenset()) -> Split:
    """Part a cell's step.

    Args:
        cell: The equations.
        wanted: The quantities to give over time.
        drawn: The noise that is drawn; the rest is its mean.
    """
    return _Splitter(cell, wanted, drawn).split()


@dataclass
class _Splitter:
    cell: Cell
    wanted: tuple[str, ...]
    drawn: frozenset[str]
    kinds: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    matrices: dict[str, Matrix] = field(default_factory=dict)

    def split(self) -> Split:
        self._externals()
        statements = self._folded(lower(self.cell.statements))
        self.by_target = {str(one.target): one for one in statements}
        for statement in statements:
            self._classify(statement)
        self.before: set[str] = set()
        for statement in statements:
            self._hoist(statement)
        keys = [f"{name}'" if name in self.cell.states else name for name in self.wanted]
        for name in keys:
            if self.kinds[name] in ("parameter", "row"):
                self._mark(name)
        over_time = [name for name in keys if name not in self.before or not self._is_handed_in(name)]
        core = self._core(statements, (*(f"{state}'" for state in self.cell.states), *over_time))
        read = dict.fromkeys(str(name) for one in core for name in names(one.expression))
        given = {name: self.kinds[name] for name in read if name not in {str(one.target) for one in core}}
        return Split(
            tuple(one for one in statements if str(one.target) in self.before),
            core,
            self.cell.states,
            {name: self.matrices[name] for name in given if name in self.matrices},
            tuple(name for name, kind in given.items() if kind == "parameter" and name not in self.matrices),
            tuple(name for name, kind in given.items() if kind == "row"),
            tuple(name for name, kind in given.items() if kind == "step"),
            {name: value for name, value in self._numbers().items() if name in given},
            tuple(dict.fromkeys(over_time)),
            {name: size for name, size in self.sizes.items() if name not in self.matrices},
        )

    def _folded(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements with what numbers alone make put in as a number."""
        known: dict[str, Expression] = {name: Number(value) for name, value in self._numbers().items()}
        folded: dict[str, Expression] = {}
        rest = []
        for one in statements:
            expression = substitute(one.expression, folded)
            parts = expression.arguments if isinstance(expression, Call) else (expression,)
            values = [known.get(str(part)) if isinstance(part, Name) else part for part in parts]
            if isinstance(expression, Call) and all(isinstance(value, Number) for value in values):
                numbers = [
                    torch.tensor(value.value, dtype=torch.float64) for value in values if isinstance(value, Number)
                ]
                meaning = OPS[expression.op].meaning
                assert meaning is not None
                folded[str(one.target)] = Number(float(meaning(torch, *numbers)))
            else:
                rest.append(Statement(one.target, expression, one.line, one.accumulates))
        return tuple(rest)

    def _numbers(self) -> dict[str, float]:
        means = {name: noise.mean for name, noise in self.cell.noise.items() if name not in self.drawn}
        return {**self.cell.constants, **means}

    def _externals(self) -> None:
        program = self.cell.program
        self.kinds = {"x": "step", **dict.fromkeys(self._numbers(), "number"), **dict.fromkeys(program.states, "state")}
        self.sizes = {"x": program.sizes["x"], **{state: program.sizes[state] for state in program.states}}
        for name, parameter in {**program.parameters, **program.noise}.items():
            if name in self.kinds:
                continue
            if len(parameter.shape) == 2:
                self.matrices[name] = Matrix(*parameter.shape, parameter.heads)
            else:
                self.sizes[name] = parameter.shape[0]
            noise = self.cell.noise.get(name)
            random = "parameter" if noise is None or name in self.matrices else noise.per
            self.kinds[name] = {"sequence": "row"}.get(random, random)

    def _classify(self, statement: Statement) -> None:
        """Note a statement's kind and size."""
        target, expression = str(statement.target), statement.expression
        read = [str(name) for name in names(expression)]
        self.kinds[target] = max((self.kinds[name] for name in read), key=KINDS.index, default="number")
        if isinstance(expression, Call) and expression.op == "transpose":
            matrix = self.matrices[read[0]]
            self.matrices[target] = Matrix(matrix.into, matrix.out, matrix.heads)
        elif isinstance(expression, Call) and expression.op == "matmul":
            self.sizes[target] = self.matrices[read[0]].out
        elif any(name in self.matrices for name in read):
            self.matrices[target] = next(self.matrices[name] for name in read if name in self.matrices)
        else:
            sized = [self.sizes[name] for name in read if name in self.sizes]
            if sized:
                self.sizes[target] = sized[0]
        self.sizes.setdefault(target, self.cell.program.sizes.get(statement.target.name, "hidden"))

    def _hoist(self, statement: Statement) -> None:
        """Mark what torch must compute for this statement before the core runs."""
        target, expression = str(statement.target), statement.expression
        kind = self.kinds[target]
        product = _is_product(statement)
        if isinstance(expression, Call) and (kind == "parameter" or (kind == "row" and product)):
            self._mark(target)
        if isinstance(expression, Call) and product:
            source = str(expression.arguments[1])
            if self.kinds[source] in ("step", "row") and source in self.by_target and self.kinds[target] != "row":
                self._mark(source)

    def _mark(self, name: str) -> None:
        if name in self.by_target and name not in self.before:
            self.before.add(name)
            for read in names(self.by_target[name].expression):
                if self.kinds[str(read)] != "number":
                    self._mark(str(read))

    def _core(self, statements: Iterable[Statement], roots: Iterable[str]) -> tuple[Statement, ...]:
        """The statements that the roots need and that torch has not computed."""
        hoisted = {name for name in self.before if self._is_handed_in(name)}
        needed, kept = set(roots), []
        for statement in reversed(list(statements)):
            target = str(statement.target)
            if target in needed and target not in hoisted:
                kept.append(statement)
                needed.update(str(name) for name in names(statement.expression))
        return tuple(reversed(kept))

    def _is_handed_in(self, name: str) -> bool:
        """Whether the core is given a value that torch computed, and does not compute it once more itself."""
        return self.kinds[name] == "parameter" or self._is_source(name) or self._is_row_product(name)

    def _is_source(self, name: str) -> bool:
        """Whether a matrix multiplies it, so that torch hands it in."""
        return self.kinds[name] in ("step", "row") and any(
            _is_product(one) and isinstance(one.expression, Call) and str(one.expression.arguments[1]) == name
            for one in self.by_target.values()
        )

    def _is_row_product(self, name: str) -> bool:
        return self.kinds[name] == "row" and _is_product(self.by_target[name])


def _is_product(statement: Statement) -> bool:
    return isinstance(statement.expression, Call) and statement.expression.op == "matmul"
