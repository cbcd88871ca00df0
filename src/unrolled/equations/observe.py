"""Rewrites that change no number and show more of a cell: what its functions are given, and a way into its states."""

from collections.abc import Sequence
from typing import NamedTuple

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, Statement, transform
from unrolled.equations.noise import Noise
from unrolled.equations.rewrite import Fresh, holds_product, is_function, rewritten


class Observed(NamedTuple):
    """A rewritten cell, and what the rewrite named."""

    cell: Cell
    names: dict[str, str]
    """From a quantity of the cell that was given to the new name that belongs to it."""


def opened(cell: Cell) -> Observed:
    """Pre-activations become quantities: ``i = sigmoid(W @ x + b)`` becomes ``i_pre = W @ x + b; i = sigmoid(i_pre)``.

    A pre-activation is what a function such as sigmoid or tanh is applied to, where it holds a product with a matrix;
    where a line has several, the first is named.
    """
    fresh, found, lines = Fresh(cell), dict[str, str](), list[Statement]()
    sizes = dict(cell.sizes)
    for statement in cell.statements:
        target = statement.target.name

        def name(part: Expression, target: str = target) -> Expression:
            if not isinstance(part, Call) or not is_function(part) or len(part.arguments) != 1:
                return part
            if target in found or not holds_product(part.arguments[0]):
                return part
            found[target] = fresh(f"{target}_pre")
            lines.append(Statement(Name(found[target]), part.arguments[0]))
            if target in cell.sizes:
                sizes[found[target]] = cell.sizes[target]
            return Call(part.op, (Name(found[target]),))

        expression = transform(statement.expression, name)
        lines.append(Statement(statement.target, expression))
    return Observed(rewritten(cell, "opened", lines, sizes=sizes), found)


def probed(cell: Cell) -> Observed:
    """Something may be added to each state at each step: ``h' = e`` becomes ``h' = e + h_probe``, where it is 0.

    Given as values of the cell's noise (N, T, units), the gradient of a loss with respect to it is the loss's gradient
    with respect to the state behind that step, all ways onwards counted.
    """
    fresh, found, lines = Fresh(cell), dict[str, str](), list[Statement]()
    for statement in cell.statements:
        expression = statement.expression
        if statement.target.primed:
            state = statement.target.name
            found[state] = fresh(f"{state}_probe")
            expression = Call("add", (expression, Name(found[state])))
        lines.append(Statement(statement.target, expression))
    silent = {name: Noise(1.0, 0.0, "step") for name in found.values()}
    return Observed(rewritten(cell, "probed", lines, noise={**cell.noise, **silent}), found)


def held(cell: Cell, quantities: Sequence[str]) -> Observed:
    """Quantities that can be held: ``i = e`` becomes ``i = i_keep * e + i_held``, where it is 1 times e and 0 more.

    Given as values of the cell's noise (N, T, units), ``i_keep`` is 0 where the quantity is to be what ``i_held`` says;
    every line that reads it then reads that. A quantity's name leads to that of its ``_keep``, and that name to the
    ``_held`` one's.
    """
    fresh, found, lines = Fresh(cell), dict[str, str](), list[Statement]()
    for statement in cell.statements:
        name, expression = statement.target.name, statement.expression
        if name in quantities:
            keep, value = fresh(f"{name}_keep"), fresh(f"{name}_held")
            found[name], found[keep] = keep, value
            expression = Call("add", (Call("mul", (Name(keep), expression)), Name(value)))
        lines.append(Statement(statement.target, expression))
    keeps = [found[name] for name in quantities]
    drawn = {keep: Noise(1.0, 1.0, "step") for keep in keeps} | {found[one]: Noise(1.0, 0.0, "step") for one in keeps}
    return Observed(rewritten(cell, "held", lines, noise={**cell.noise, **drawn}), found)
