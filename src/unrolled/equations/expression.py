"""What stands right of an equals sign: numbers, names and calls, as immutable trees, and how they are printed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number."""

    value: float
    column: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A quantity read by name; with ``primed`` the value of a state just computed, without it the previous one."""

    name: str
    primed: bool = False
    column: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.name + "'" * self.primed


@dataclass(frozen=True, slots=True)
class Call:
    """An op of the table (:mod:`unrolled.equations.ops`) applied to expressions; ``a + b`` is a call of ``add``."""

    op: str
    arguments: "tuple[Expression, ...]"
    column: int | None = field(default=None, compare=False)


Expression = Number | Name | Call


@dataclass(frozen=True, slots=True)
class Statement:
    """One line: ``target = expression``. ``accumulates`` marks ``+=``, which only derived programs hold."""

    target: Name
    expression: Expression
    line: int = field(default=0, compare=False)
    accumulates: bool = False

    def __str__(self) -> str:
        return f"{self.target} {'+=' if self.accumulates else '='} {write(self.expression)}"


def walk(expression: Expression) -> Iterator[Expression]:
    """Every part of the expression, the whole first."""
    yield expression
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from walk(argument)


def names(expression: Expression) -> Iterator[Name]:
    """Every name that is read, in reading order, as often as it is read."""
    return (part for part in walk(expression) if isinstance(part, Name))


def transform(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with ``change`` applied to every part, innermost first."""
    if isinstance(expression, Call):
        arguments = tuple(transform(argument, change) for argument in expression.arguments)
        expression = Call(expression.op, arguments, expression.column)
    return change(expression)


def substitute(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """The expression with each unprimed name that ``values`` holds replaced."""

    def change(part: Expression) -> Expression:
        if isinstance(part, Name) and not part.primed:
            return values.get(part.name, part)
        return part

    return transform(expression, change)


# How tightly an operator binds. A product with a matrix never stands beside * or / without parentheses: (a * W) @ x
# and a * (W @ x) are different things, and the grammar asks which one is meant.
_OPERATORS = {"add": (" + ", 1), "sub": (" - ", 1), "mul": (" * ", 2), "div": (" / ", 2), "matmul": (" @ ", 2)}
_UNARY, _ATOM = 3, 4


def write(expression: Expression) -> str:
    """The expression as text of the grammar, with no more parentheses than its meaning needs."""
    return _write(expression)[0]


def write_number(value: float) -> str:
    """A number as the grammar spells it: no trailing ``.0``, and it reads back as the same float."""
    return repr(float(value)).removesuffix(".0")


def _write(expression: Expression) -> tuple[str, int]:
    if isinstance(expression, Number):
        return write_number(expression.value), _ATOM if expression.value >= 0 else _UNARY
    if isinstance(expression, Name):
        return str(expression), _ATOM
    op, arguments = expression.op, expression.arguments
    if op in _OPERATORS:
        sign, strength = _OPERATORS[op]
        left, right = (
            _operand(op, argument, strength, right) for argument, right in zip(arguments, (False, True), strict=True)
        )
        return left + sign + right, strength
    if op == "neg":
        text, strength = _write(arguments[0])
        return "-" + (text if strength >= _ATOM else f"({text})"), _UNARY
    if op == "transpose":
        text, strength = _write(arguments[0])
        return (text if strength >= _ATOM else f"({text})") + ".T", _ATOM
    if op == "outer":
        left, right, _ = arguments  # the third says only which shape the result has
        return f"outer({write(left)}, {write(right)})", _ATOM
    return f"{op}({', '.join(write(argument) for argument in arguments)})", _ATOM


def _operand(op: str, argument: Expression, strength: int, right: bool) -> str:
    text, own = _write(argument)
    bare = own > strength or (own == strength and not right)
    if isinstance(argument, Call) and own == strength == 2 and "matmul" in (op, argument.op):
        bare = op == argument.op and right  # A @ B @ h means A @ (B @ h)
    return text if bare else f"({text})"
