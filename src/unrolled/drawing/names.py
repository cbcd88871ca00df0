"""What stands beside the arrows: quantities with their step, layer and direction; weights by what they multiply."""

from collections.abc import Iterable
from dataclasses import dataclass

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, names, walk
from unrolled.equations.program import Program
from unrolled.equations.render import symbol

_MOST_INDICES, _MOST_STEMS = 5, 3
_BETWEEN, _BESIDE = r",\, ", r"\,"


@dataclass(frozen=True)
class Place:
    """Where in the net: layer (counted from 1; 0 where there is one only), direction, decoder."""

    layer: int = 0
    direction: str = "forward"
    both: bool = False
    """Whether there are two directions, so that names carry an arrow."""
    decodes: bool = False

    @property
    def above(self) -> str:
        """What stands above: ``(2)`` for the second layer, ``d`` in a decoder."""
        layer = f"({self.layer})" if self.layer else ""
        return "\\mathrm{d}" + layer if self.decodes else layer


def named(name: str, time: str, place: Place | None = None) -> str:
    """A quantity at a step, as mathematics: the state c of the second layer at step 3 carries both."""
    return f"${_marked(symbol(name, time), place or Place())}$"


def _marked(latex: str, place: Place) -> str:
    stem, low, rest = latex.partition("_")
    if place.both:
        stem = f"\\over{'right' if place.direction == 'forward' else 'left'}arrow{{{stem}}}"
    above = f"^{{{_BESIDE if place.both else ''}{place.above}}}" if place.above else ""
    return f"{stem}{low}{rest}{above}"


@dataclass(frozen=True)
class Weights:
    """The learned matrices and vectors of a cell by the arrow that they stand at."""

    of_input: tuple[str, ...]
    of_state: dict[str, tuple[str, ...]]
    of_output: tuple[str, ...]
    """Those of the line that makes the output out of what this step has made."""


def weights(cell: Cell) -> Weights:
    """Sort the parameters that multiply something by what that is; those at work deep inside a step are left out."""
    program = cell.program
    found: dict[str, list[str]] = {"x": [], **{state: [] for state in program.states}}
    output: list[str] = []
    for statement in program.statements:
        for factors, operand in _products(statement.expression, program):
            read = list(names(operand))
            before = {one.name for one in read if not one.primed and one.name in found}
            for source in before:
                found[source] += factors
            if not before and statement.target.name == cell.output:
                output += factors
    return Weights(
        tuple(dict.fromkeys(found.pop("x"))),
        {state: tuple(dict.fromkeys(one)) for state, one in found.items()},
        tuple(dict.fromkeys(output)),
    )


def _products(expression: Expression, program: Program) -> Iterable[tuple[list[str], Expression]]:
    """Each product with parameters: their names, and what is multiplied. ``A @ B @ h`` is one product."""
    for part in walk(expression):
        if not isinstance(part, Call) or part.op not in ("matmul", "mul"):
            continue
        for left, right in (part.arguments, part.arguments[::-1] if part.op == "mul" else part.arguments):
            factors = [one.name for one in names(left) if one.name in program.parameters]
            if factors and (part.op == "matmul" or (isinstance(left, Name) and isinstance(right, Name))):
                yield factors, right


def written(found: Iterable[str], place: Place) -> str:
    """Some weights as one short piece of mathematics: those of one letter share it, ``W_{i,f,o,g}``."""
    stems: dict[str, list[str]] = {}
    for name in found:
        stem, _, index = name.partition("_")
        stems.setdefault(stem, []).append(index)
    texts = []
    for stem in _cut([*stems], _MOST_STEMS):
        if stem is None:
            texts.append(r"\ldots")
            continue
        indices = [symbol(f"{stem}_{index}").partition("_")[2][1:-1] for index in stems[stem] if index]
        inner = ",".join(r"\ldots" if one is None else one for one in _cut(indices, _MOST_INDICES))
        texts += [_marked(symbol(stem), place)] if "" in stems[stem] else []
        texts += [_marked(f"{symbol(stem)}_{{{inner}}}", place)] if inner else []
    return f"${_BETWEEN.join(texts)}$" if texts else ""


def _cut(items: list[str], most: int) -> list[str | None]:
    """The items, or where they are too many the first ones, None for those left out, and the last."""
    return [*items] if len(items) <= most else [*items[: most - 2], None, items[-1]]
