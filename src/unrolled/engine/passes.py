"""One way through time, arranged: which products stand together, what waits for what, what needs an array of its own.

One step is a few *stages*; in a stage every unit can be computed without waiting for another. A product with a value
made in the same step needs all units of it, and so begins a new stage; so does what reads a sum over units. Products
that read the same sources are one *group*, computed as one product. Products with what is given from outside are
*hoisted* before the loop, those that only leave it are *sunk* behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from unrolled.equations.expression import Call, Expression, Statement
from unrolled.equations.sizes import Size

REDUCTIONS = ("sum", "mean", "row_max")
"""Ops whose result needs all units of a row."""


@dataclass(frozen=True)
class Term:
    """One matrix in a product: as it is or transposed, added or subtracted."""

    matrix: str
    transposed: bool
    sign: float


@dataclass(frozen=True)
class Segment:
    """A source and the matrices that multiply it, one a column of the group; all have the same number of heads."""

    source: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Group:
    """Products computed as one: each column is the sum over segments of ``matrix @ source``."""

    name: str
    columns: tuple[str, ...]
    size: Size
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Stage:
    """What is computed unit by unit once its groups are: statements over one size."""

    level: int
    size: Size
    groups: tuple[Group, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Outer:
    """A matrix's gradient: ``sign * left right^T`` summed over all rows and steps."""

    matrix: str
    left: str
    right: str
    sign: float


@dataclass(frozen=True)
class Pass:
    """One way through time."""

    stages: tuple[Stage, ...]
    hoisted: tuple[Group, ...]
    sunk: tuple[Group, ...]
    outers: tuple[Outer, ...]
    stored: Mapping[str, str]
    """Values with an array of their own: over all steps ("time") or for the present one ("step")."""

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Every group: hoisted, sunk, and those of the stages."""
        return (*self.hoisted, *self.sunk, *(group for stage in self.stages for group in stage.groups))

    @cached_property
    def written(self) -> frozenset[str]:
        """What its statements compute."""
        return frozenset(str(one.target) for one in self.statements)

    @cached_property
    def reduces(self) -> bool:
        """Whether anything is summed over the units of a row."""
        return any(op_of(one.expression) in REDUCTIONS for one in self.statements)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement in the order of stages."""
        return tuple(one for stage in self.stages for one in stage.statements)


def op_of(expression: Expression) -> str:
    """The op of a call; empty for a name or a number."""
    return expression.op if isinstance(expression, Call) else ""
