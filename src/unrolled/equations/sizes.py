"""Which sizes fit: every vector and matrix of a text gets symbolic sizes, by unification."""

from collections.abc import Mapping
from dataclasses import dataclass

from unrolled.equations.expression import Call, Expression, Name, Number
from unrolled.equations.ops import OPS
from unrolled.equations.source import EquationError, Source

Size = str | int
"""``"input"``, ``"hidden"``, a declared name such as ``"projection"``, or a fixed number of units."""


@dataclass(frozen=True)
class Unknown:
    """A size still to be found."""

    index: int


@dataclass(frozen=True)
class Vector:
    """One number a unit: (N, size)."""

    size: Size | Unknown


@dataclass(frozen=True)
class Matrix:
    """A matrix (out, in)."""

    out: Size | Unknown
    into: Size | Unknown


Kind = Vector | Matrix | None
"""What an expression is; None is a plain number, which fits everything."""


class Sizes:
    """Finds the kind of every name of one text. Ask for :meth:`infer` line by line, then for :meth:`resolved`."""

    def __init__(self, source: Source, known: Mapping[str, Kind]) -> None:
        self.source, self.kinds, self.line = source, dict(known), 0
        self._found: dict[Unknown, Size | Unknown] = {}
        self._count = 0

    def unknown(self) -> Unknown:
        """A fresh size that stands for any."""
        self._count += 1
        return Unknown(self._count)

    def assign(self, name: str, expression: Expression, line: int) -> None:
        """Read one statement: what is right of = must fit what is known of ``name``."""
        self.line = line
        kind = self.infer(expression)
        if not isinstance(kind, Vector):
            problem = (
                "no input, state or parameter: declare it as a constant"
                if kind is None
                else "a matrix alone: multiply it by a vector with @"
            )
            raise self.error(f"'{name}' is computed from {problem}.", expression)
        declared = self.kinds.get(name)
        if isinstance(declared, Vector):
            self.unify(declared.size, kind.size, expression, f"'{name}' has", "the right side")
        self.kinds[name] = kind if declared is None else declared

    def infer(self, expression: Expression) -> Kind:
        """The kind of an expression; raises EquationError where its parts do not fit."""
        if isinstance(expression, Number):
            return None
        if isinstance(expression, Name):
            return self.kinds[expression.name]
        if expression.op == "matmul":
            return self._infer_product(expression)
        kinds = [self.infer(argument) for argument in expression.arguments]
        if expression.op == "transpose":
            if not isinstance(kinds[0], Matrix):
                raise self.error("only a matrix can be transposed.", expression)
            return Matrix(kinds[0].into, kinds[0].out)
        if OPS[expression.op].over_units and not isinstance(kinds[0], Vector):
            raise self.error(f"{expression.op} goes over the units of a vector, and this is none.", expression)
        return self._infer_unitwise(expression, kinds)

    def _infer_product(self, product: Call) -> Kind:
        left, right = (self.infer(argument) for argument in product.arguments)
        if not isinstance(left, Matrix):
            first = product.arguments[0]
            shown = f"'{first}' is a {'vector' if left else 'number'}" if isinstance(first, Name) else "this is none"
            raise self.error(f"left of @ stands a matrix, and {shown}; write W @ x.", product)
        if not isinstance(right, Vector):
            raise self.error("right of @ stands a vector (the input, a state, a gate), and this is none.", product)
        self.unify(left.into, right.size, product, "the matrix takes", "what stands right of @")
        return Vector(left.out)

    def _infer_unitwise(self, call: Call, kinds: list[Kind]) -> Kind:
        sized = [kind for kind in kinds if kind is not None]
        for other in sized[1:]:
            first = sized[0]
            if isinstance(first, Vector) and isinstance(other, Vector):
                self.unify(first.size, other.size, call, "the left side has", "the right side")
            elif isinstance(first, Matrix) and isinstance(other, Matrix):
                self.unify(first.out, other.out, call, "the left matrix gives", "the right one")
                self.unify(first.into, other.into, call, "the left matrix takes", "the right one")
            else:
                raise self.error("a matrix and a vector do not fit unit by unit; multiply them with @.", call)
        return sized[0] if sized else None

    def unify(self, one: Size | Unknown, other: Size | Unknown, place: Expression, first: str, second: str) -> None:
        one, other = self.resolve(one), self.resolve(other)
        if one == other:
            return
        if isinstance(one, Unknown):
            self._found[one] = other
        elif isinstance(other, Unknown):
            self._found[other] = one
        else:
            remedy = "bring one to the other's size with a matrix, as in W @ x, or declare a size."
            raise self.error(f"{first} {_spell(one)}, {second} {_spell(other)}: {remedy}", place)

    def resolve(self, size: Size | Unknown) -> Size | Unknown:
        """What is known of a size by now."""
        while isinstance(size, Unknown) and size in self._found:
            size = self._found[size]
        return size

    def settled(self, size: Size | Unknown) -> Size:
        """The size, or ``"hidden"`` where nothing says another."""
        size = self.resolve(size)
        return "hidden" if isinstance(size, Unknown) else size

    def shape(self, name: str) -> tuple[Size, ...]:
        """The symbolic shape of a name: (size,) or (out, in)."""
        kind = self.kinds[name]
        if isinstance(kind, Matrix):
            return self.settled(kind.out), self.settled(kind.into)
        return (self.settled(kind.size),) if isinstance(kind, Vector) else ()

    def error(self, message: str, place: Expression) -> EquationError:
        return self.source.error(message, self.line, place.column)


def _spell(size: Size | Unknown) -> str:
    return f"{size} units" if isinstance(size, int) else f"the {size} size"
