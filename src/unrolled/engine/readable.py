"""A pass as text for people: products and passing quantities put back where they are read, so that equations return."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from unrolled.engine.passes import Group, Pass, Term
from unrolled.engine.plan import Plan
from unrolled.equations.expression import Call, Expression, Name, Statement, names, substitute, transform, write
from unrolled.equations.sizes import Size


@dataclass(frozen=True)
class ReadableStage:
    """What waits for the same thing: its products, and the statements that each unit is computed by."""

    size: str
    products: tuple[str, ...]
    """One text a group: what is computed as one product."""
    statements: tuple[str, ...]


@dataclass(frozen=True)
class ReadablePass:
    """One way through time; printed, it is readable."""

    name: str
    hoisted: tuple[str, ...]
    """Products computed before the steps that read them, for many steps at a time."""
    stages: tuple[ReadableStage, ...]
    sunk: tuple[str, ...]
    """Products that no step waits for, computed behind every block of steps, for each row at a time."""
    summed: tuple[str, ...]
    """Gradients of matrices: sums over all rows and steps, computed behind every block of steps."""

    def __str__(self) -> str:
        lines = [self.name, *(f"  hoisted: {one}" for one in self.hoisted)]
        for number, stage in enumerate(self.stages, 1):
            lines.append(f"  stage {number}, {stage.size} units")
            lines += [f"    product: {one}" for one in stage.products]
            lines += [f"    {one}" for one in stage.statements]
        return "\n".join(
            [*lines, *(f"  sunk: {one}" for one in self.sunk), *(f"  summed: {one}" for one in self.summed)]
        )


def readable_pass(name: str, own: Pass, plan: Plan) -> ReadablePass:
    """A pass of a plan as text."""
    columns = {f"hoisted.{column}": _column(group, column) for group in own.hoisted for column in group.columns}
    handed_on = {*own.stored, *plan.split.over_time}
    stages = []
    for stage in own.stages:
        within = {f"product.{column}": _column(group, column) for group in stage.groups for column in group.columns}
        statements = tuple(readable(stage.statements, handed_on, {**columns, **within}))
        stages.append(ReadableStage(letter(stage.size), tuple(map(_product, stage.groups)), statements))
    written = own.written
    sunk = (
        f"{column} {'+=' if column in written else '='} {write(_column(group, column))}"
        for group in own.sunk
        for column in group.columns
    )
    summed = (f"d_{one.matrix} {'+=' if one.sign > 0 else '-='} outer({one.left}, {one.right})" for one in own.outers)
    return ReadablePass(name, tuple(map(_product, own.hoisted)), tuple(stages), tuple(sunk), tuple(summed))


def readable(
    statements: Iterable[Statement], handed_on: Collection[str], columns: Mapping[str, Expression]
) -> Iterator[str]:
    """Statements with columns written out, and what is read once and not handed on put where it is read."""
    statements = tuple(statements)
    reads = Counter(str(name) for one in statements for name in names(one.expression))
    known = dict(columns)
    for one in statements:
        target = str(one.target)
        expression = transform(substitute(one.expression, known), _tidy)
        if target.startswith(("_", "d__")) and reads[target] == 1 and target not in handed_on:
            known[target] = expression
        else:
            yield f"{target} {'+=' if one.accumulates else '='} {write(expression)}"


def letter(size: Size) -> str:
    """D, H, a size's own name, or a number."""
    return {"input": "D", "hidden": "H"}.get(str(size), str(size))


def _column(group: Group, column: str) -> Expression:
    """A column of a group as the sum of products that it is."""
    place = group.columns.index(column)
    total: Expression | None = None
    for segment in group.segments:
        term = segment.terms[place]
        matrix = Call("transpose", (Name(term.matrix),)) if term.transposed else Name(term.matrix)
        product: Expression = Call("matmul", (matrix, Name(segment.source)))
        product = product if term.sign > 0 else Call("neg", (product,))
        total = product if total is None else Call("add", (total, product))
    assert total is not None
    return total


def _product(group: Group) -> str:
    """``[U_i, U_f] @ h``: the products that are computed as one."""
    texts = (f"{_matrices(segment.terms)} @ {segment.source}" for segment in group.segments)
    return " + ".join(texts).replace("+ -", "- ")


def _matrices(terms: tuple[Term, ...]) -> str:
    texts = [f"{'-' * (term.sign < 0)}{term.matrix}{'.T' * term.transposed}" for term in terms]
    return f"[{', '.join(texts)}]" if len(texts) > 1 else texts[0]


def _tidy(expression: Expression) -> Expression:
    """a + (-b) as a - b."""
    if isinstance(expression, Call) and expression.op == "add":
        left, right = expression.arguments
        if isinstance(right, Call) and right.op == "neg":
            return Call("sub", (left, right.arguments[0]))
    return expression
