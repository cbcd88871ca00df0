"""Arranging a pass: products taken out of sums and grouped, statements sorted into stages, arrays where needed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from unrolled.engine.passes import REDUCTIONS, Group, Outer, Pass, Segment, Stage, Term, op_of
from unrolled.engine.split import Split
from unrolled.equations.expression import Call, Expression, Name, Statement, names
from unrolled.equations.sizes import Size


@dataclass(frozen=True)
class _Tree:
    """A sum taken apart: its products, its outer products and all else, each with a sign."""

    products: tuple[tuple[float, Statement], ...]
    outers: tuple[tuple[float, Statement], ...]
    others: tuple[tuple[float, Expression], ...]


class Arranger:
    """Sorts the statements of a pass into groups and stages."""

    def __init__(
        self,
        parts: Split,
        statements: tuple[Statement, ...],
        roots: set[str],
        stored: Mapping[str, str],
        sizes: Mapping[str, Size] | None = None,
        backwards: bool = False,
    ) -> None:
        self.parts, self.backwards = parts, backwards
        self.sizes = dict(parts.sizes if sizes is None else sizes)
        self.by_target = {str(one.target): one for one in statements}
        self.statements = self._needed(statements, roots)
        self.by_target = {str(one.target): one for one in self.statements}
        for one in self.statements:
            self.sizes[str(one.target)] = self._size(one)
        self.stored = dict(stored)
        self.uses = dict.fromkeys((*roots, *stored), 1)
        for one in self.statements:
            for name in names(one.expression):
                self.uses[str(name)] = self.uses.get(str(name), 0) + 1
        self.outers: list[Outer] = []
        self.sunk: dict[str, tuple[Segment, ...]] = {}
        self.hoisted: dict[str, tuple[Segment, ...]] = {}
        self.grouped: dict[str, tuple[Segment, ...]] = {}

    def arrange(self) -> Pass:
        """The pass."""
        merged, roots = set(), []
        for one in reversed(self.statements):  # from the whole sum to its parts
            if str(one.target) in merged:
                continue
            tree = self._tree(one, merged)
            roots.append(self._without_products(one, tree) if tree.products or tree.outers else one)
        statements = [one for one in reversed(roots) if one is not None and op_of(one.expression) != "transpose"]
        levels = self._levels(statements)
        stages = self._stages(statements, levels)
        for segments in (*self.sunk.values(), *self.grouped.values()):
            for segment in segments:
                if segment.source in self.sizes and segment.source in levels:
                    self.stored.setdefault(segment.source, "step")
        for segments in self.sunk.values():
            self.stored |= {segment.source: "time" for segment in segments if segment.source in levels}
        for one in self.outers:
            self.stored |= {side: "time" for side in (one.left, one.right) if side in levels}
        self._store_what_crosses(stages)
        hoisted, sunk = (tuple(self._groups(of, what)) for of, what in ((self.hoisted, "hoisted"), (self.sunk, "sunk")))
        return Pass(tuple(stages), hoisted, sunk, tuple(self.outers), dict(self.stored))

    def _needed(self, statements: tuple[Statement, ...], roots: set[str]) -> tuple[Statement, ...]:
        needed, kept = set(roots), []
        needed |= {f"d_{name}" for name in self.parts.matrices}
        for one in reversed(statements):
            if str(one.target) in needed:
                kept.append(one)
                needed.update(str(name) for name in names(one.expression))
        return tuple(reversed(kept))

    def _size(self, one: Statement) -> Size:
        target = str(one.target)
        if target in self.sizes:
            return self.sizes[target]
        if self.backwards and target.startswith("d_") and target.removeprefix("d_") in self.sizes:
            return self.sizes[target.removeprefix("d_")]
        expression = one.expression
        if op_of(expression) == "matmul":
            term = self._term(expression, 1.0)
            matrix = self.parts.matrices[term.matrix]
            return matrix.into if term.transposed else matrix.out
        found = (self.sizes[str(name)] for name in names(expression) if str(name) in self.sizes)
        return next(found, "hidden")

    def _term(self, product: Expression, sign: float) -> Term:
        assert isinstance(product, Call)
        name, transposed = str(product.arguments[0]), False
        while name not in self.parts.matrices:
            transpose = self.by_target[name].expression
            assert isinstance(transpose, Call)
            name, transposed = str(transpose.arguments[0]), not transposed
        return Term(name, transposed, sign)

    # Sums of products

    def _tree(self, root: Statement, merged: set[str]) -> _Tree:
        """Take a sum apart, going into parts that nothing else reads."""
        products: list[tuple[float, Statement]] = []
        outers: list[tuple[float, Statement]] = []
        others: list[tuple[float, Expression]] = []
        inside: set[str] = set()

        def part(expression: Expression, sign: float) -> None:
            statement = self.by_target.get(str(expression)) if isinstance(expression, Name) else None
            single = statement is not None and self.uses[str(statement.target)] == 1
            if statement is not None and single and (_is_product(statement) or self._holds_product(statement)):
                inside.add(str(statement.target))
                whole(statement, sign)
            else:
                others.append((sign, expression))

        def whole(statement: Statement, sign: float) -> None:
            expression = statement.expression
            if isinstance(expression, Call) and expression.op == "matmul":
                products.append((sign, statement))
            elif isinstance(expression, Call) and expression.op == "outer":
                outers.append((sign, statement))
            elif isinstance(expression, Call) and expression.op in ("add", "sub", "neg"):
                first = -sign if expression.op == "neg" else sign
                part(expression.arguments[0], first)
                if expression.op != "neg":
                    part(expression.arguments[1], -sign if expression.op == "sub" else sign)
            else:
                others.append((sign, expression))

        whole(root, 1.0)
        if products or outers:
            merged |= inside
        return _Tree(tuple(products), tuple(outers), tuple(others))

    def _holds_product(self, statement: Statement) -> bool:
        """Whether a product is a term of this sum."""
        if op_of(statement.expression) not in ("add", "sub", "neg"):
            return False
        for name in names(statement.expression):
            inner = self.by_target.get(str(name))
            if inner is None or self.uses[str(name)] > 1:
                continue
            if _is_product(inner) or self._holds_product(inner):
                return True
        return False

    def _without_products(self, root: Statement, tree: _Tree) -> Statement | None:
        """The statement with its products replaced by columns of groups; None where nothing is left to compute."""
        target = str(root.target)
        if tree.outers:
            for sign, one in tree.outers:
                assert isinstance(one.expression, Call)
                left, right = (str(side) for side in one.expression.arguments[:2])
                self.outers.append(Outer(target.removeprefix("d_"), left, right, sign))
            return None
        by_source: dict[str, list[Term]] = {}
        for sign, one in tree.products:
            assert isinstance(one.expression, Call)
            by_source.setdefault(str(one.expression.arguments[1]), []).append(self._term(one.expression, sign))
        sinks = self.backwards and target.removeprefix("d_") in self.parts.steps
        outside = [name for name in by_source if name in self.parts.steps and not self.backwards]
        columns: list[tuple[float, Expression]] = []
        for store, sources, prefix in (
            (self.hoisted, outside, "hoisted"),
            (self.sunk if sinks else self.grouped, [name for name in by_source if name not in outside], "product"),
        ):
            segments = tuple(Segment(source, (term,)) for source in sources for term in by_source[source])
            if segments:
                store[target] = segments
                if store is not self.sunk:
                    columns.append((1.0, Name(f"{prefix}.{target}")))
        parts = (*columns, *tree.others)
        return Statement(root.target, _signed_sum(parts)) if parts else None

    # Stages

    def _levels(self, statements: list[Statement]) -> dict[str, int]:
        levels: dict[str, int] = {}
        reduced = {str(one.target) for one in statements if op_of(one.expression) in REDUCTIONS}

        def behind(name: str) -> int:
            return levels.get(name, 0) + (name in reduced)

        for one in statements:
            target = str(one.target)
            sources = [segment.source for segment in self.grouped.get(target, ())]
            levels[target] = max(
                [levels[name] + 1 for name in sources if name in levels]
                + [behind(str(name)) for name in names(one.expression)],
                default=0,
            )
        readers: dict[str, list[str]] = {}
        for one in statements:
            for name in names(one.expression):
                readers.setdefault(str(name), []).append(str(one.target))
        sources = {segment.source for store in (self.grouped, self.sunk) for all_ in store.values() for segment in all_}
        for one in reversed(statements):  # what only later stages read waits for them, where that hands on no more
            target = str(one.target)
            inputs = {str(name) for name in names(one.expression)}
            waits = target in readers and target not in sources and target not in reduced and len(inputs) == 1
            if waits and not any(name.startswith(("product.", "hoisted.")) for name in inputs):
                levels[target] = max(levels[target], min(levels[name] for name in readers[target]))
        return levels

    def _stages(self, statements: list[Statement], levels: Mapping[str, int]) -> list[Stage]:
        keys = dict.fromkeys((levels[str(one.target)], self.sizes[str(one.target)]) for one in statements)
        stages = []
        for level, size in sorted(keys, key=lambda key: key[0]):
            own = tuple(
                one for one in statements if (levels[str(one.target)], self.sizes[str(one.target)]) == (level, size)
            )
            of = {str(one.target): self.grouped[str(one.target)] for one in own if str(one.target) in self.grouped}
            stages.append(Stage(level, size, tuple(self._groups(of, f"stage{len(stages)}")), own))
        return stages

    def _groups(self, columns: Mapping[str, tuple[Segment, ...]], prefix: str) -> Iterable[Group]:
        """Columns that read the same sources by matrices of as many heads, and have one size, are one group."""
        alike: dict[tuple[Size, tuple[tuple[str, int], ...]], list[str]] = {}
        for column, segments in columns.items():
            heads = (self.parts.matrices[segment.terms[0].matrix].heads for segment in segments)
            sources = (segment.source for segment in segments)
            alike.setdefault((self.sizes[column], tuple(zip(sources, heads, strict=True))), []).append(column)
        for number, ((size, sources), own) in enumerate(alike.items()):
            segments = tuple(
                Segment(source, tuple(columns[column][place].terms[0] for column in own))
                for place, (source, _) in enumerate(sources)
            )
            yield Group(f"{prefix}_{number}", tuple(own), size, segments)

    def _store_what_crosses(self, stages: list[Stage]) -> None:
        """Give an array to every value that another stage reads; a sum over units has its own place."""
        made = {str(one.target): index for index, stage in enumerate(stages) for one in stage.statements}
        for index, stage in enumerate(stages):
            for one in stage.statements:
                for name in map(str, names(one.expression)):
                    if (
                        name in made
                        and made[name] != index
                        and op_of(self.by_target[name].expression) not in REDUCTIONS
                    ):
                        self.stored.setdefault(name, "step")


def _signed_sum(parts: Iterable[tuple[float, Expression]]) -> Expression:
    total: Expression | None = None
    for sign, part in parts:
        if total is None:
            total = part if sign > 0 else Call("neg", (part,))
        else:
            total = Call("add" if sign > 0 else "sub", (total, part))
    assert total is not None
    return total


def _is_product(statement: Statement) -> bool:
    return op_of(statement.expression) in ("matmul", "outer")
