"""The derivative of a cell: from its Program the backward Program, by reverse mode over the table of ops.

The backward Program of one step reads the quantities of the forward step and the gradients that arrive (``d_h'``: of
the loss with respect to the state just computed; ``d_y`` of an output), and gives the gradient of every previous state
(``d_h``), of the input (``d_x``) and, summed over steps, of every parameter (``d_W_i``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from unrolled.equations.expression import Call, Expression, Name, Number, Statement, names, substitute, transform
from unrolled.equations.lower import lower
from unrolled.equations.ops import OPS
from unrolled.equations.program import Program
from unrolled.equations.reader import parse_expression


@dataclass(frozen=True)
class Backward:
    """The derived step. ``forward`` is the lowered forward step; ``kept`` names what the backward step reads of it."""

    forward: tuple[Statement, ...]
    statements: tuple[Statement, ...]
    kept: tuple[Name, ...]
    arriving: tuple[str, ...]

    def text(self) -> str:
        """The backward step as text, behind the lines that compute what it reads and the cell does not name."""
        needed = set(self.kept)
        helpers: list[Statement] = []
        for one in reversed(self.forward):
            if one.target in needed and one.target.name.startswith("_"):
                helpers.append(one)
                needed.update(names(one.expression))
        return "\n".join(str(statement) for statement in (*reversed(helpers), *self.statements))


@cache
def derivatives(op: str) -> tuple[Expression, ...]:
    """One expression an argument, over the arguments ``a`` and ``b``, the result ``y`` and its gradient ``dy``."""
    return tuple(parse_expression(text) for text in OPS[op].derivatives)


def gradient_name(name: Name) -> Name:
    """``d_h'`` for ``h'``: the loss's gradient with respect to that quantity."""
    return Name(f"d_{name.name}", name.primed)


def derive(program: Program, arriving: Iterable[str]) -> Backward:
    """The backward Program of one step.

    Args:
        program: The forward step.
        arriving: Quantities besides the new states that the loss sees directly: the output, and anything recorded.
            Their ``d_`` values, and those of the new states, arrive from outside and are added to.
    """
    return derive_step(lower(program.statements), program.states, ("x",), tuple(program.parameters), arriving)


def derive_step(
    forward: tuple[Statement, ...],
    states: tuple[str, ...],
    inputs: tuple[str, ...],
    parameters: tuple[str, ...],
    arriving: Iterable[str],
) -> Backward:
    """The backward step of lowered statements.

    Args:
        forward: One op a statement.
        states: What one step hands to the next.
        inputs: What each step is given anew; their gradients are assigned.
        parameters: What all steps share; their gradients are added to.
        arriving: Quantities besides the new states that the loss sees directly.
    """
    seen = {Name(state, True) for state in states}
    seen |= {Name(name, name in states) for name in arriving}
    reverse = _Reverse((*inputs, *states), parameters, seen)
    for statement in reversed(forward):
        reverse.through(statement)
    statements = without_unread(reverse.finish(), {gradient_name(Name(name)) for name in inputs})
    defined = {one.target for one in forward} | {Name(name) for name in (*inputs, *states)}
    kept = dict.fromkeys(name for one in statements for name in names(one.expression) if name in defined)
    return Backward(forward, statements, tuple(kept), tuple(str(name) for name in sorted(seen, key=str)))


def simplify(expression: Expression) -> Expression:
    """What a product with 0 or 1, or a sum with 0, comes to in a derivative; anything else as it is."""
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


class _Reverse:
    """Collects, quantity by quantity, what each use adds to its gradient."""

    def __init__(self, given: tuple[str, ...], parameters: tuple[str, ...], seen: set[Name]) -> None:
        self.parameters, self.seen = set(parameters), seen
        self.statements: list[Statement] = []
        self.contributions: dict[Name, list[Expression]] = {}
        self.wanted = {*map(Name, (*given, *parameters))}

    def through(self, statement: Statement) -> None:
        """Pass the gradient of a statement's target on to what the statement reads."""
        target = statement.target
        adjoint = self.settle(target)
        if adjoint is None:
            return
        expression = statement.expression
        if isinstance(expression, Name):
            self.give(expression, adjoint)
        elif isinstance(expression, Call):
            arguments = expression.arguments
            values = {**dict(zip("ab", arguments, strict=False)), "y": target, "dy": adjoint}
            for argument, derivative in zip(arguments, derivatives(expression.op), strict=True):
                if isinstance(argument, Name):
                    self.give(argument, substitute(derivative, values))

    def give(self, name: Name, contribution: Expression) -> None:
        contribution = transform(contribution, simplify)
        if contribution != Number(0.0):
            self.contributions.setdefault(name, []).append(contribution)

    def settle(self, name: Name) -> Expression | None:
        """The gradient of a quantity once all its uses are known: bound to a name, unless it has a name already."""
        parts = self.contributions.pop(name, [])
        if not parts and name not in self.seen:
            return None
        total = _sum(parts)
        if isinstance(total, Name | Number) and name not in self.seen:
            return total
        gradient = gradient_name(name)
        if parts:
            self.statements.append(Statement(gradient, total, accumulates=name in self.seen))
        return gradient

    def finish(self) -> list[Statement]:
        """The statements with those of the input, the previous states and the parameters behind them."""
        for name in sorted(self.wanted, key=lambda name: (name.name in self.parameters, name.name)):
            parts = self.contributions.pop(name, [])
            is_parameter = name.name in self.parameters
            if parts or not is_parameter:
                self.statements.append(Statement(gradient_name(name), _sum(parts), accumulates=is_parameter))
        return self.statements


def _sum(parts: list[Expression]) -> Expression:
    total: Expression = parts[0] if parts else Number(0.0)
    for part in parts[1:]:
        total = Call("add", (total, part))
    return total


def without_unread(statements: Iterable[Statement], wanted: Iterable[Name] = ()) -> tuple[Statement, ...]:
    """Drop the gradients of temporaries that no later statement reads and that are not ``wanted``."""
    kept: list[Statement] = []
    read = set(wanted)
    for statement in reversed(list(statements)):
        target = statement.target
        inner = target.name.startswith("d__") and not statement.accumulates
        if inner and target not in read:
            continue
        kept.append(statement)
        read.update(names(statement.expression))
    return tuple(reversed(kept))
