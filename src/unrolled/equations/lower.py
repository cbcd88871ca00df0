"""One op a statement: composed ops written out, every part named once, nothing computed twice."""

from functools import cache

from unrolled.equations.expression import Call, Expression, Name, Number, Statement, substitute
from unrolled.equations.ops import OPS
from unrolled.equations.reader import parse_expression


@cache
def definition(op: str) -> Expression:
    """The expression that a composed op stands for, over ``a`` (and ``b``)."""
    text = OPS[op].definition
    if text is None:
        raise KeyError(f"{op} is a primitive op")
    return parse_expression(text)


class Lowering:
    """Turns statements into primitive ones; temporaries are called ``_i1``, ``_i2``, … for the quantity they serve."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self._known: dict[Expression, Name] = {}

    def add(self, statement: Statement) -> None:
        """Lower one statement behind those already there."""
        self._prefix, self._count = f"_{statement.target.name}", 0
        value = self._lower(statement.expression, whole=True)
        self.statements.append(Statement(statement.target, value, statement.line, statement.accumulates))
        if isinstance(value, Call) and not statement.accumulates:
            self._known.setdefault(value, statement.target)

    def _lower(self, expression: Expression, whole: bool = False) -> Expression:
        if not isinstance(expression, Call):
            return expression
        if OPS[expression.op].definition is not None:
            arguments = [self._lower(argument) for argument in expression.arguments]
            return self._lower(substitute(definition(expression.op), dict(zip("ab", arguments, strict=False))), whole)
        arguments = tuple(self._lower(argument) for argument in expression.arguments)
        call = simplify(Call(expression.op, arguments))
        if not isinstance(call, Call):
            return call
        if call in self._known:
            return self._known[call]
        if whole:
            return call
        self._count += 1
        name = Name(f"{self._prefix}{self._count}")
        self.statements.append(Statement(name, call))
        self._known[call] = name
        return name


def simplify(expression: Expression) -> Expression:
    """What a product with 0 or 1, or a sum with 0, comes to; anything else as it is."""
    if not isinstance(expression, Call):
        return expression
    op, first, last = expression.op, expression.arguments[0], expression.arguments[-1]
    zero, one = Number(0.0), Number(1.0)
    if op == "mul" and zero in (first, last):
        return zero
    if op == "mul" and one in (first, last):
        return last if first == one else first
    if op == "add" and zero in (first, last):
        return last if first == zero else first
    if op == "sub" and last == zero:
        return first
    if op == "neg" and isinstance(first, Number):
        return Number(-first.value)
    return expression


def lower(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements with one primitive op each, applied to names and numbers only."""
    lowering = Lowering()
    for statement in statements:
        lowering.add(statement)
    return tuple(lowering.statements)
