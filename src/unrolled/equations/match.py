"""Whether a cell computes what a pattern computes: under other names, in another order, with more biases or fewer.

Both are read as sums of products, each intermediate put in where it is used, so that ``(1 - z) * g + z * h`` and
``g + z * (h - g)`` are one thing. What no rule of sums and products turns into the pattern is no match.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Expression, Name, Number

Term = tuple[float, tuple[Expression, ...]]
"""A number and the factors beside it."""
Found = Mapping[str, str | tuple[str, ...]]
"""Names of the cell by those of the pattern; a vector has as many as are added."""

LONGEST_SUM, LONGEST_PRODUCT, MOST_LINES = 8, 3, 32
"""More than these no pattern has, nor a cell that is meant to be one."""


@dataclass(frozen=True)
class Match:
    """What stands in a cell for the names of a pattern."""

    states: Mapping[str, str]
    matrices: Mapping[str, str]
    vectors: Mapping[str, tuple[str, ...]]
    """The sum that stands for each of the pattern's vectors; empty where the cell has none."""


def match(pattern: Cell, cell: Cell) -> Match | None:
    """What in ``cell`` stands for each name of ``pattern``, if its states are computed by the same equations.

    A vector of the pattern must be added where it stands, and may stand for a sum of vectors, or for nothing. A
    parameter of the cell may be used in several places. Noise, and matrices in blocks, stand for nothing.
    """
    if len(cell.states) != len(pattern.states) or len(cell.statements) > MOST_LINES:
        return None
    try:
        found = next(_Matcher(pattern, cell).matches(), None)
    except _TooLong:
        return None
    if found is None:
        return None
    matrices, vectors = _parameters(pattern)
    return Match(
        {name: str(found[name]) for name in pattern.states},
        {name: str(found[name]) for name in matrices},
        {name: tuple(found[name]) for name in vectors},
    )


def other_names(cell: Cell, state: str) -> frozenset[str]:
    """The quantities that are nothing but the state's next value, itself included: ``y`` where ``y = h'``."""
    defined = {str(one.target): one.expression for one in cell.statements}

    def origin(key: str) -> str:
        while isinstance(value := defined[key], Name) and str(value) in defined:
            key = str(value)
        return key

    keys = {str(one.target): one.target.name for one in cell.statements}
    return frozenset(name for key, name in keys.items() if origin(key) == origin(f"{state}'"))


class _TooLong(Exception):
    """A sum or product is longer than any pattern's."""


class _Sums:
    """A cell's quantities as sums of products."""

    def __init__(self, cell: Cell) -> None:
        self._defined: dict[str, Expression] = {str(one.target): one.expression for one in cell.statements}
        self._defined |= {name: Number(value) for name, value in cell.constants.items()}
        self._known: dict[str, tuple[Term, ...]] = {}

    def of(self, expression: Expression) -> tuple[Term, ...]:
        """The terms of an expression; what is neither sum nor product is a factor as it stands."""
        if isinstance(expression, Number):
            return ((expression.value, ()),)
        if isinstance(expression, Name):
            key = str(expression)
            if key not in self._defined:
                return ((1.0, (expression,)),)
            if key not in self._known:
                self._known[key] = self.of(self._defined[key])
            return self._known[key]
        if expression.op not in ("add", "sub", "neg", "mul"):
            return ((1.0, (expression,)),)
        first, *rest = (self.of(one) for one in expression.arguments)
        if expression.op == "neg":
            return _times(-1.0, first)
        (second,) = rest
        if expression.op == "mul":
            terms = tuple((a * b, (*left, *right)) for a, left in first for b, right in second)
        else:
            terms = (*first, *(second if expression.op == "add" else _times(-1.0, second)))
        if len(terms) > LONGEST_SUM or any(len(factors) > LONGEST_PRODUCT for _, factors in terms):
            raise _TooLong
        return terms


def _times(number: float, terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple((number * coefficient, factors) for coefficient, factors in terms)


def _parameters(cell: Cell) -> tuple[set[str], set[str]]:
    """The names of whole matrices, and of vectors."""
    of = cell.program.parameters.values()
    return {one.name for one in of if len(one.shape) == 2 and one.heads == 1}, {
        one.name for one in of if len(one.shape) == 1
    }


class _Matcher:
    """Goes through all ways to read the cell as the pattern; each step yields what is found so far."""

    def __init__(self, pattern: Cell, cell: Cell) -> None:
        self.pattern, self.cell = pattern, cell
        self.wanted, self.given = _Sums(pattern), _Sums(cell)
        (self.matrices, self.vectors), (self.own_matrices, self.own_vectors) = _parameters(pattern), _parameters(cell)

    def matches(self) -> Iterator[Found]:
        for order in permutations(self.cell.states):
            states = dict(zip(self.pattern.states, order, strict=True))
            pairs = [(Name(one, True), Name(other, True)) for one, other in states.items()]
            yield from self._all(pairs, {"x": "x", **states})

    def _all(self, pairs: Sequence[tuple[Expression, Expression]], found: Found) -> Iterator[Found]:
        if not pairs:
            yield found
            return
        (wanted, given), *rest = pairs
        terms = self.wanted.of(wanted)
        plain = [term for term in terms if not self._vector_of(term)]
        added = [term for term in terms if self._vector_of(term)]
        for more in self._sum(plain, list(self.given.of(given)), added, found):
            yield from self._all(rest, more)

    def _sum(self, plain: list[Term], given: list[Term], added: list[Term], found: Found) -> Iterator[Found]:
        """Each plain term with one of its own; what is left over are vectors."""
        if not plain:
            yield from self._left_over(given, added, found)
            return
        first, *rest = plain
        for place, term in enumerate(given):
            for more in self._term(first, term, found):
                yield from self._sum(rest, given[:place] + given[place + 1 :], added, more)

    def _term(self, wanted: Term, given: Term, found: Found) -> Iterator[Found]:
        if wanted[0] == given[0] and len(wanted[1]) == len(given[1]):
            for factors in permutations(given[1]):
                yield from self._factors(list(zip(wanted[1], factors, strict=True)), found)

    def _factors(self, pairs: list[tuple[Expression, Expression]], found: Found) -> Iterator[Found]:
        if not pairs:
            yield found
            return
        (wanted, given), *rest = pairs
        for more in self._factor(wanted, given, found):
            yield from self._factors(rest, more)

    def _factor(self, wanted: Expression, given: Expression, found: Found) -> Iterator[Found]:
        if isinstance(wanted, Name) and isinstance(given, Name):
            if wanted.name in found:
                if found[wanted.name] == given.name:
                    yield found
            elif wanted.name in self.matrices and given.name in self.own_matrices:
                yield {**found, wanted.name: given.name}
        elif not isinstance(wanted, Name | Number) and not isinstance(given, Name | Number) and wanted.op == given.op:
            yield from self._all(list(zip(wanted.arguments, given.arguments, strict=True)), found)

    def _left_over(self, given: list[Term], added: list[Term], found: Found) -> Iterator[Found]:
        """The terms that are left, each a part of one of the pattern's vectors."""
        parts: dict[str, list[str]] = {self._vector_of(term): [] for term in added}
        for term in given:
            place = next(((to, name) for to in added for name in self._as_vector(to, term, found)), None)
            if place is None:
                return
            parts[self._vector_of(place[0])].append(place[1])
        sums = {name: tuple(sorted(names)) for name, names in parts.items()}
        if all(found.get(name, names) == names for name, names in sums.items()):
            yield {**found, **sums}

    def _as_vector(self, wanted: Term, given: Term, found: Found) -> Iterator[str]:
        """The vector that stands in a term where the pattern has its own."""
        if wanted[0] != given[0] or len(wanted[1]) != len(given[1]):
            return
        others = [one for one in wanted[1] if not self._is_vector(one)]
        for last, *rest in permutations(given[1]):
            if isinstance(last, Name) and last.name in self.own_vectors:
                pairs = list(zip(others, rest, strict=True))
                if next(self._factors(pairs, found), None) is not None:
                    yield last.name

    def _vector_of(self, term: Term) -> str:
        """The pattern's vector in a term of it; empty where there is none."""
        return next((str(one) for one in term[1] if self._is_vector(one)), "")

    def _is_vector(self, factor: Expression) -> bool:
        return isinstance(factor, Name) and factor.name in self.vectors
