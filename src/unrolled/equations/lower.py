"""One op a statement: composed ops written out, every part named once, nothing computed twice."""

from functools import cache

from unrolled.equations.expression import Call, Expression, Name, Statement, substitute
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
        self._counts: dict[str, int] = {}

    def add(self, statement: Statement) -> None:
        """Lower one statement behind those already there."""
        self._prefix = f"_{statement.target.name}"
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
        call = Call(expression.op, arguments)
        if call in self._known:
            return self._known[call]
        if whole:
            return call
        self._counts[self._prefix] = count = self._counts.get(self._prefix, 0) + 1
        name = Name(f"{self._prefix}{count}")
        self.statements.append(Statement(name, call))
        self._known[call] = name
        return name


def lower(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements with one primitive op each, applied to names and numbers only."""
    lowering = Lowering()
    for statement in statements:
        lowering.add(statement)
    return tuple(lowering.statements)
