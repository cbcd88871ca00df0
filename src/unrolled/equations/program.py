"""The Program of a text: which names are states, parameters, constants; which line runs first; which sizes fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from unrolled.equations.expression import Call, Expression, Name, Statement, names, walk
from unrolled.equations.reader import check_name
from unrolled.equations.sizes import Matrix, Size, Sizes, Vector
from unrolled.equations.source import EquationError, Source
from unrolled.errors import did_you_mean


@dataclass(frozen=True)
class Parameter:
    """A learned matrix or vector: its symbolic shape, its number of diagonal blocks, and its first line."""

    name: str
    shape: tuple[Size, ...]
    heads: int = 1
    statement: str = field(default="", compare=False)
    recurrent: bool = field(default=False, compare=False)
    """Whether it multiplies something made of a state (matrices only)."""


@dataclass(frozen=True)
class Program:
    """A checked text: statements in an order in which they can run, and what each name is."""

    statements: tuple[Statement, ...]
    states: tuple[str, ...]
    intermediates: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    constants: Mapping[str, float]
    noise: Mapping[str, Parameter]
    """The names that are random in training, with their shapes."""
    starts: Mapping[str, float | str]
    sizes: Mapping[str, Size]
    """The symbolic size of x and of every state and intermediate."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """Every named quantity that a step computes, in text order: intermediates and states."""
        return tuple(statement.target.name for statement in self.statements)

    @property
    def named_sizes(self) -> tuple[str, ...]:
        """Sizes beside ``input`` and ``hidden`` that a layer must be given, such as ``projection``."""
        shapes = [parameter.shape for parameter in self.parameters.values()] + [(size,) for size in self.sizes.values()]
        found = (
            size for shape in shapes for size in shape if isinstance(size, str) and size not in ("input", "hidden")
        )
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Declared:
    """What a cell declares beside its equations."""

    constants: Mapping[str, float]
    sizes: Mapping[str, Size]
    heads: Mapping[str, int]
    noise: tuple[str, ...]
    starts: Mapping[str, float | str]
    output: str


def build(source: Source, declared: Declared) -> Program:
    """Check a parsed text against its declarations.

    Raises:
        EquationError: a name assigned twice, a state that is never read or has no equation, a cycle, sizes that cannot
            fit, a declaration that no line uses.
    """
    _check_targets(source, declared)
    states = tuple(one.target.name for one in source.statements if one.target.primed)
    intermediates = tuple(one.target.name for one in source.statements if not one.target.primed)
    _check_reads(source, states, intermediates, declared)
    statements = _ordered(source, intermediates)
    free = _free_names(source, states, intermediates, declared)
    sizes = _infer(source, statements, states, free, declared)
    _check_heads(source, free, sizes, declared)
    parameters = dict(_parameters(statements, free, sizes, states, declared))
    for state, start in declared.starts.items():
        if isinstance(start, str):
            parameters[start] = Parameter(start, sizes.shape(state), statement=f"start of {state}")
    return Program(
        statements=statements,
        states=states,
        intermediates=intermediates,
        parameters=parameters,
        constants=dict(declared.constants),
        noise={name: Parameter(name, sizes.shape(name), declared.heads.get(name, 1)) for name in declared.noise},
        starts={state: declared.starts.get(state, 0.0) for state in states},
        sizes={name: sizes.shape(name)[0] for name in ("x", *(one.target.name for one in statements))},
    )


def _check_targets(source: Source, declared: Declared) -> None:
    seen: dict[str, Statement] = {}
    for statement in source.statements:
        name, column = statement.target.name, statement.target.column
        if name == "x" or name in declared.constants or name in declared.noise:
            kind = (
                "the input"
                if name == "x"
                else "declared as a number"
                if name in declared.constants
                else "declared as noise"
            )
            raise source.error(f"'{name}' is {kind} and cannot be assigned.", statement.line, column)
        if name in seen:
            raise source.error(
                f"'{name}' is assigned a second time (first in line {seen[name].line}).", statement.line, column
            )
        seen[name] = statement


def _check_reads(source: Source, states: tuple[str, ...], intermediates: tuple[str, ...], declared: Declared) -> None:
    known = (*states, *intermediates)
    for statement in source.statements:
        for name in names(statement.expression):
            if not name.primed or name.name in states:
                continue
            if name.name in (*intermediates, "x"):
                message = f"'{name.name}' is no state and takes no prime here; write {name.name}."
                raise source.error(message, statement.line, name.column)
            near = did_you_mean(name.name, known)
            raise source.error(f"no line defines {name}; add the line {name} = ….{near}", statement.line, name.column)
    previous = {name.name for one in source.statements for name in names(one.expression) if not name.primed}
    for statement in source.statements:
        name = statement.target.name
        if statement.target.primed and name not in previous:
            remedy = f"without memory it is written {name} = …."
            message = f"the state {name} is never read: no line uses its previous value {name}; {remedy}"
            raise source.error(message, statement.line, statement.target.column)
    if declared.output not in known:
        near = did_you_mean(declared.output, known) or f" The lines assign: {', '.join(known)}."
        raise source.error_about("output", "output", f"the output '{declared.output}' is assigned in no line.{near}")


def _ordered(source: Source, intermediates: tuple[str, ...]) -> tuple[Statement, ...]:
    """The statements in text order, but each behind what it reads."""
    by_target = {str(one.target): one for one in source.statements}
    computed = set(intermediates)
    done: dict[str, Statement] = {}
    waiting: dict[str, Iterator[str]] = {}

    def reads(target: str) -> Iterator[str]:
        return (str(one) for one in names(by_target[target].expression) if one.primed or one.name in computed)

    for first in by_target:
        if first not in done:
            waiting[first] = reads(first)
        while waiting:
            target = next(reversed(waiting))
            needed = next((one for one in waiting[target] if one not in done), None)
            if needed is None:
                done[target] = by_target[target]
                del waiting[target]
            elif needed in waiting:
                raise _circle(source, by_target[needed], [*waiting])
            else:
                waiting[needed] = reads(needed)
    return tuple(done.values())


def _circle(source: Source, statement: Statement, path: list[str]) -> EquationError:
    target = str(statement.target)
    circle = [*path[path.index(target) :], target]
    shown = circle if len(circle) < 9 else [*circle[:4], "…", *circle[-3:]]
    remedy = "one of them must read the previous value of a state (without prime)"
    waiting = f"{target} waits for itself" if len(circle) == 2 else f"each waits for the other: {' -> '.join(shown)}"
    message = f"{waiting}; {remedy}."
    return source.error(message, statement.line, statement.target.column)


def _free_names(
    source: Source, states: tuple[str, ...], intermediates: tuple[str, ...], declared: Declared
) -> dict[str, Name]:
    """Names that are read and neither assigned nor declared: the parameters, in reading order."""
    free: dict[str, Name] = {}
    read = set()
    taken = {"x", *states, *intermediates, *declared.constants, *declared.noise}
    for statement in source.statements:
        for name in names(statement.expression):
            read.add(name.name)
            if name.name not in taken:
                free.setdefault(name.name, name)
    for what, declarations in (("constant", declared.constants), ("noise", declared.noise)):
        for name in declarations:
            if name not in read:
                message = f"{what} '{name}' is declared, but no line reads it; drop it.{did_you_mean(name, free)}"
                raise source.error_about(what, name, message)
    learned = [start for start in declared.starts.values() if isinstance(start, str)]
    for state, start in declared.starts.items():
        if state not in states:
            message = f"start '{state}': the text has no such state.{did_you_mean(state, states)}"
            raise source.error_about("start", state, message)
        if isinstance(start, str):
            check_name(start)
            if start in taken or start in free or learned.count(start) > 1:
                message = f"start '{state}': '{start}' is another quantity's name; a learned start needs its own."
                raise source.error_about("start", state, message)
    return free


def _infer(
    source: Source,
    statements: tuple[Statement, ...],
    states: tuple[str, ...],
    free: Mapping[str, Name],
    declared: Declared,
) -> Sizes:
    sizes = Sizes(source, {"x": Vector("input"), **dict.fromkeys(declared.constants)})
    matrices = _matrix_names(source, (*free, *declared.noise), {"x", *(one.target.name for one in statements)})
    for name in (*free, *declared.noise):
        fresh = sizes.unknown(), sizes.unknown()
        sizes.kinds[name] = Matrix(*fresh) if name in matrices else Vector(fresh[0])
    for state in states:
        sizes.kinds[state] = Vector("hidden")
    targets = [one.target.name for one in statements]
    for name, size in declared.sizes.items():
        if name in free and isinstance(sizes.kinds[name], Matrix):
            message = f"size '{name}': a matrix's sizes follow from its line; declare those of a state or quantity."
            raise source.error_about("size", name, message)
        if name not in ("x", *free, *targets):
            message = f"size '{name}': the text has no such quantity.{did_you_mean(name, targets)}"
            raise source.error_about("size", name, message)
        sizes.kinds[name] = Vector(size)
    for statement in statements:
        sizes.assign(statement.target.name, statement.expression, statement.line)
    return sizes


def _matrix_names(source: Source, free: tuple[str, ...], assigned: set[str]) -> set[str]:
    """Free names that stand left of @, which makes them matrices wherever they stand."""
    found: dict[str, bool] = {}
    for statement in source.statements:
        for name, is_matrix in _stands_left(statement.expression):
            if name.name in assigned or name.name not in free:
                continue
            if found.setdefault(name.name, is_matrix) != is_matrix:
                seen = f"'{name.name}' stands left of @ in one place and alone in another"
                raise source.error(f"{seen}; a matrix and a vector need two names.", statement.line, name.column)
    return {name for name, is_matrix in found.items() if is_matrix}


def _stands_left(expression: Expression, left: bool = False) -> Iterator[tuple[Name, bool]]:
    if isinstance(expression, Name):
        yield expression, left
    elif isinstance(expression, Call):
        for index, argument in enumerate(expression.arguments):
            yield from _stands_left(
                argument, left or (expression.op == "matmul" and index == 0) or expression.op == "transpose"
            )


def _parameters(
    statements: tuple[Statement, ...],
    free: Mapping[str, Name],
    sizes: Sizes,
    states: tuple[str, ...],
    declared: Declared,
) -> Iterator[tuple[str, Parameter]]:
    recurrent = _recurrent_matrices(statements, states)
    first: dict[str, Statement] = {}
    for statement in statements:
        for read in names(statement.expression):
            first.setdefault(read.name, statement)
    for name in free:
        heads = declared.heads.get(name, declared.heads.get("*", 1) if name in recurrent else 1)
        yield name, Parameter(name, sizes.shape(name), heads, str(first[name]), name in recurrent)


def _check_heads(source: Source, free: Mapping[str, Name], sizes: Sizes, declared: Declared) -> None:
    """Refuse heads of what is no matrix."""
    matrices = [one for one in (*free, *declared.noise) if len(sizes.shape(one)) == 2]
    for name in declared.heads:
        if name not in ("*", *matrices):
            message = f"heads '{name}': the text has no such matrix.{did_you_mean(name, matrices)}"
            raise source.error_about("heads", name, message)


def _recurrent_matrices(statements: tuple[Statement, ...], states: tuple[str, ...]) -> set[str]:
    """Matrices whose right side is made of a state, at first or second hand."""
    from_state = set(states)
    found: set[str] = set()
    for statement in statements:
        if any(name.name in from_state for name in names(statement.expression)):
            from_state.add(statement.target.name)
        for part in walk(statement.expression):
            if isinstance(part, Call) and part.op == "matmul":
                left, right = part.arguments
                if any(name.name in from_state for name in names(right)):
                    found.update(name.name for name in names(left))
    return found
