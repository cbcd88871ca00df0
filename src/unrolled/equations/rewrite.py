"""Rewrites: from a cell's equations to another cell's equations; they compose, and the engine need not know them."""

from collections.abc import Callable, Mapping
from typing import Any

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, Number, Statement, names, transform, walk
from unrolled.equations.noise import Noise
from unrolled.equations.ops import OPS
from unrolled.errors import UsageError, did_you_mean


def zoneout(cell: Cell, rates: float | Mapping[str, float]) -> Cell:
    """Each unit of a state keeps its previous value with the given probability, at each step anew.

    The other lines read the state that would have come, as in Krueger et al. 2017, Zoneout, arXiv:1606.01305, eq. 3-4.

    Args:
        cell: The cell to rewrite.
        rates: One probability by state (``{"c": 0.5, "h": 0.05}``), or one for every state that begins at 0.
            A state that begins elsewhere, such as sLSTM's stabiliser, is then left as it is.
    """
    starts = cell.program.starts.items()
    plain = [
        state for state, start in starts if (cell.initial.get(start, 0.0) if isinstance(start, str) else start) == 0.0
    ]
    by_state = dict.fromkeys(plain, rates) if isinstance(rates, int | float) else dict(rates)
    for state, rate in by_state.items():
        _check_name(state, cell.states, f"cell {cell.name} has no state '{state}'")
        _check_rate("zoneout", rate)
    fresh = Fresh(cell)
    candidates = {state: Name(fresh(f"{state}_new")) for state in by_state}
    noise = {state: Name(fresh(f"zoneout_{state}")) for state in by_state}

    def read_candidate(part: Expression) -> Expression:
        return candidates.get(part.name, part) if isinstance(part, Name) and part.primed else part

    lines: list[Statement] = []
    for statement in cell.statements:
        state, expression = statement.target.name, transform(statement.expression, read_candidate)
        if not statement.target.primed or state not in by_state:
            lines.append(Statement(statement.target, expression))
            continue
        kept = Call("mul", (noise[state], Name(state)))
        renewed = Call("mul", (Call("sub", (Number(1.0), noise[state])), candidates[state]))
        lines.append(Statement(candidates[state], expression))
        lines.append(Statement(statement.target, Call("add", (kept, renewed))))
    drawn = {noise[state].name: Noise(1.0, rate, "step") for state, rate in by_state.items()}
    sizes = {candidates[state].name: size for state, size in cell.sizes.items() if state in candidates}
    return rewritten(cell, "zoneout", lines, noise={**cell.noise, **drawn}, sizes={**cell.sizes, **sizes})


def variational_dropout(cell: Cell, inputs: float = 0.0, recurrent: float = 0.0) -> Cell:
    """One dropout mask a sequence on x, and one on each state where it meets a matrix; the same at every step and gate.

    Gal & Ghahramani 2016, A theoretically grounded application of dropout in recurrent neural networks, section 4.

    Args:
        cell: The cell to rewrite.
        inputs: The share of x that is dropped.
        recurrent: The share of each recurrent state that is dropped.
    """
    _check_rate("inputs", inputs)
    _check_rate("recurrent", recurrent)
    fresh, drawn, before = Fresh(cell), {}, []
    masked: dict[str, Name] = {}

    def mask(name: str, rate: float) -> None:
        drop, dropped = Name(fresh(f"drop_{name}")), Name(fresh(f"{name}_dropped"))
        drawn[drop.name] = Noise(1.0 / (1.0 - rate), 1.0 - rate, "sequence")
        before.append(Statement(dropped, Call("mul", (drop, Name(name)))))
        masked[name] = dropped

    def read_masked(part: Expression) -> Expression:
        return masked.get(part.name, part) if isinstance(part, Name) and not part.primed else part

    if recurrent:
        multiplied = _multiplied_states(cell)
        if not multiplied:
            raise UsageError(
                f"cell {cell.name} multiplies no state itself by a matrix: there is no recurrent path to drop."
            )
        for state in multiplied:
            mask(state, recurrent)
    lines = [Statement(one.target, _inside_products(one.expression, read_masked)) for one in cell.statements]
    if inputs:
        mask("x", inputs)
        dropped = masked["x"]
        lines = [
            Statement(one.target, transform(one.expression, lambda part: dropped if part == Name("x") else part))
            for one in lines
        ]
    sizes = {masked[name].name: cell.sizes[name] for name in masked if name in cell.sizes}
    return rewritten(cell, "variational", before + lines, noise={**cell.noise, **drawn}, sizes={**cell.sizes, **sizes})


def drop_connect(cell: Cell, rate: float) -> Cell:
    """Weights of every recurrent matrix are dropped, one mask a sequence for the whole batch.

    Wan et al. 2013, Regularization of neural networks using DropConnect; on recurrent matrices: Merity et al. 2018,
    arXiv:1708.02182, section 2.
    """
    _check_rate("DropConnect", rate)
    recurrent = [one for one in cell.program.parameters.values() if one.recurrent]
    if not recurrent:
        raise UsageError(f"cell {cell.name} has no recurrent matrix to drop weights of.")
    fresh = Fresh(cell)
    drops = {one.name: Name(fresh(f"drop_{one.name}")) for one in recurrent}

    def drop(part: Expression) -> Expression:
        return Call("mul", (drops[part.name], part)) if isinstance(part, Name) and part.name in drops else part

    lines = [Statement(one.target, transform(one.expression, drop)) for one in cell.statements]
    drawn = {name.name: Noise(1.0 / (1.0 - rate), 1.0 - rate, "sequence") for name in drops.values()}
    heads = {drops[one.name].name: one.heads for one in recurrent if one.heads > 1}
    return rewritten(cell, "drop_connect", lines, noise={**cell.noise, **drawn}, heads={**cell.heads, **heads})


def layer_norm(cell: Cell) -> Cell:
    """Layer normalisation of every pre-activation.

    ``f(products + rest)`` becomes ``f(gain * layer_norm(products) + rest)``. A pre-activation is what a function such
    as sigmoid or tanh is applied to, where it holds a product with a matrix; its biases and peepholes stay outside the
    norm. Ba et al. 2016, arXiv:1607.06450 (which norms W x and U h apart).
    """
    fresh, gains = Fresh(cell), {}

    def norm(target: Name) -> Callable[[Expression], Expression]:
        def change(part: Expression) -> Expression:
            if not isinstance(part, Call) or part.op == "layer_norm" or not is_function(part):
                return part
            products, rest = _split_sum(part.arguments[0])
            if products is None or len(part.arguments) > 1:
                return part
            gain = Name(fresh(f"gain_{target.name}"))
            gains[gain.name] = 1.0
            normed = Call("mul", (gain, Call("layer_norm", (products,))))
            return Call(part.op, (Call("add", (normed, rest)) if rest is not None else normed,))

        return change

    lines = [Statement(one.target, transform(one.expression, norm(one.target))) for one in cell.statements]
    if not gains:
        raise UsageError(f"cell {cell.name} has no pre-activation with a product: there is nothing to norm.")
    return rewritten(cell, "layer_norm", lines, initial={**cell.initial, **gains})


def diagonal(cell: Cell, matrix: str) -> Cell:
    """A recurrent matrix made diagonal: ``U @ h`` becomes ``U * h``, with U a vector."""
    _check_matrix(cell, matrix)

    def change(part: Expression) -> Expression:
        if isinstance(part, Call) and part.op == "matmul" and part.arguments[0] == Name(matrix):
            return Call("mul", part.arguments)
        return part

    lines = [Statement(one.target, transform(one.expression, change)) for one in cell.statements]
    return rewritten(cell, "diagonal", lines, **_without(cell, matrix))


def low_rank(cell: Cell, matrix: str, rank: int) -> Cell:
    """A matrix made of two: ``U @ h`` becomes ``U_left @ (U_right @ h)``, with ``rank`` numbers between."""
    _check_matrix(cell, matrix)
    fresh, sizes = Fresh(cell), {}
    left, right = Name(fresh(f"{matrix}_left")), Name(fresh(f"{matrix}_right"))
    lines: list[Statement] = []

    def change(part: Expression) -> Expression:
        if not (isinstance(part, Call) and part.op == "matmul" and part.arguments[0] == Name(matrix)):
            return part
        inner = Name(fresh(f"low_{matrix}"))
        sizes[inner.name] = rank
        lines.append(Statement(inner, Call("matmul", (right, part.arguments[1]))))
        return Call("matmul", (left, inner))

    for one in cell.statements:
        expression = transform(one.expression, change)
        lines.append(Statement(one.target, expression))
    return rewritten(cell, "low_rank", lines, sizes={**cell.sizes, **sizes}, **_without(cell, matrix))


def learned_start(cell: Cell) -> Cell:
    """Every state begins from a learned vector: the state ``h`` from the parameter ``h_0``."""
    fresh = Fresh(cell)
    starts = {state: cell.start.get(state, 0.0) for state in cell.states}
    learned = {state: start if isinstance(start, str) else fresh(f"{state}_0") for state, start in starts.items()}
    initial = {learned[state]: start for state, start in starts.items() if not isinstance(start, str)}
    return cell.replaced(cell.name, start=learned, initial={**cell.initial, **initial})


def rewritten(cell: Cell, how: str, lines: list[Statement], **changes: object) -> Cell:
    """The cell with other lines; what changes beside them is named as :class:`Cell` names it."""
    return cell.replaced(f"{cell.name}_{how}", "\n".join(str(line) for line in lines), **changes)


def _without(cell: Cell, matrix: str) -> dict[str, dict[str, Any]]:
    """What the cell declares of its matrices, but for one that a rewrite takes away."""
    declared: dict[str, dict[str, Any]] = {"initial": cell.initial, "heads": cell.heads}
    return {key: {name: value for name, value in one.items() if name != matrix} for key, one in declared.items()}


class Fresh:
    """Gives names that a cell does not use: the one asked for, or that with a number behind it."""

    def __init__(self, cell: Cell) -> None:
        self.taken = {"x", *cell.quantities, *cell.program.parameters, *cell.constants, *cell.noise}

    def __call__(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self.taken:
            count += 1
            name = f"{wanted}_{count}"
        self.taken.add(name)
        return name


def _check_rate(what: str, rate: float) -> None:
    if not 0.0 <= rate < 1.0:
        raise UsageError(f"{what}: a rate lies from 0 to below 1, and is {rate}.")


def _check_name(name: str, known: tuple[str, ...], message: str) -> None:
    if name not in known:
        raise UsageError(f"{message}.{did_you_mean(name, known)}")


def _check_matrix(cell: Cell, matrix: str) -> None:
    matrices = tuple(name for name, one in cell.program.parameters.items() if len(one.shape) == 2)
    _check_name(matrix, matrices, f"cell {cell.name} has no matrix '{matrix}'")
    for statement in cell.statements:
        for part in walk(statement.expression):
            if not isinstance(part, Call) or Name(matrix) not in part.arguments:
                continue
            if part.op != "matmul" or part.arguments[0] != Name(matrix):
                raise UsageError(
                    f"'{matrix}' stands in '{statement}' otherwise than as {matrix} @ ...; this form stays dense."
                )


def _multiplied_states(cell: Cell) -> list[str]:
    """States whose previous value stands right of a matrix."""
    found: dict[str, None] = {}
    for statement in cell.statements:
        for part in walk(statement.expression):
            if isinstance(part, Call) and part.op == "matmul":
                found |= {
                    name.name: None for name in names(part.arguments[1]) if name.name in cell.states and not name.primed
                }
    return list(found)


def _inside_products(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with ``change`` applied to its products with a matrix."""
    if not isinstance(expression, Call):
        return expression
    if expression.op == "matmul":
        return transform(expression, change)
    return Call(expression.op, tuple(_inside_products(argument, change) for argument in expression.arguments))


def _split_sum(expression: Expression) -> tuple[Expression | None, Expression | None]:
    """The terms of a sum that hold a product with a matrix, and the others; None for an empty side."""
    if isinstance(expression, Call) and expression.op in ("add", "sub"):
        (left_products, left_rest), (right_products, right_rest) = (_split_sum(part) for part in expression.arguments)
        return _joined(expression.op, left_products, right_products), _joined(expression.op, left_rest, right_rest)
    return (expression, None) if holds_product(expression) else (None, expression)


def holds_product(expression: Expression) -> bool:
    """Whether a product with a matrix stands in an expression, and not inside another function of its own."""
    if not isinstance(expression, Call) or is_function(expression):
        return False
    return expression.op == "matmul" or any(holds_product(argument) for argument in expression.arguments)


def is_function(call: Call) -> bool:
    """Whether a call is written as a function, such as tanh, and not as an operator."""
    return OPS[call.op].written


def _joined(op: str, left: Expression | None, right: Expression | None) -> Expression | None:
    if left is None or right is None:
        return left if right is None else right if op == "add" else Call("neg", (right,))
    return Call(op, (left, right))
