"""A Cell: one step of a recurrent network as the equations say it, with what has to be declared beside them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from unrolled.equations.declarations import groups, titles
from unrolled.equations.derive import Backward, derive
from unrolled.equations.expression import Statement, write_number
from unrolled.equations.noise import Noise
from unrolled.equations.picture import draw
from unrolled.equations.program import Declared, Parameter, Program, build
from unrolled.equations.render import count_formula, latex
from unrolled.equations.sizes import Size
from unrolled.equations.source import EquationError
from unrolled.equations.text import parse
from unrolled.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class ParameterShape:
    """A parameter of a cell of given sizes. A matrix is (out, in); block-diagonal: (heads, out / heads, in / heads)."""

    name: str
    shape: tuple[int, ...]
    statement: str
    recurrent: bool

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


class Cell:
    """One step of a recurrent network, as a text of equations.

    Args:
        name: What to call it.
        text: One assignment a line (see docs/notation.md). Lines such as ``constant gamma = 0.01`` declare what the
            keyword arguments below declare too; a keyword argument wins.
        output: The quantity that a layer gives at each step; by default the one that the last line assigns.
        source: The paper, with its section or equation.
        constants: Named numbers of the text.
        sizes: Sizes of quantities that are not of the hidden size: ``{"h": "projection"}`` or ``{"y": 10}``.
        heads: Blocks of a block-diagonal matrix, by name; a plain number holds for every recurrent matrix.
        initial: How a parameter begins: a number, or a scheme of docs/notation.md.
        start: The value of a state before the first step: a number (0 by default) or the name of a learned vector.
        noise: Names that are random in training (rewrites bring them), each a Noise or its text.
        remembers: Biases that make the cell remember longer the larger they are (1) or the smaller (-1); chrono
            initialisation sets them.

    Raises:
        EquationError: one line that names the line, marks the column and says what would work.
    """

    def __init__(
        self,
        name: str,
        text: str,
        *,
        output: str | None = None,
        source: str | None = None,
        constants: Mapping[str, float] | None = None,
        sizes: Mapping[str, Size] | None = None,
        heads: int | Mapping[str, int] | None = None,
        initial: Mapping[str, float | str] | None = None,
        start: Mapping[str, float | str] | None = None,
        noise: Mapping[str, Noise | str] | None = None,
        remembers: Mapping[str, float] | None = None,
    ) -> None:
        parsed = parse(text)
        titled = titles(parsed)
        said = groups(
            parsed,
            {
                "constant": constants,
                "size": sizes,
                "heads": {"*": heads} if isinstance(heads, int) else heads,
                "initial": initial,
                "start": start,
                "noise": noise,
                "remembers": remembers,
            },
        )
        self.name: str = _title("name", name) or titled.get("cell", "cell")
        self.source: str = _title("source", titled.get("source", "") if source is None else source)
        self.output: str = str(output or titled.get("output") or parsed.statements[-1].target.name)
        self.constants: dict[str, float] = said["constant"]
        self.sizes: dict[str, Size] = said["size"]
        self.initial: dict[str, float | str] = said["initial"]
        self.start: dict[str, float | str] = said["start"]
        self.noise: dict[str, Noise] = said["noise"]
        self.remembers: dict[str, float] = said["remembers"]
        declared = Declared(self.constants, self.sizes, said["heads"], tuple(self.noise), self.start, self.output)
        self.program: Program = build(parsed, declared)
        matrices = (*self.program.parameters.values(), *self.program.noise.values())
        self.heads: dict[str, int] = {one.name: one.heads for one in matrices if one.heads > 1}
        self.described: str = json.dumps(self.to_dict())
        for keyword in ("initial", "remembers"):
            for parameter in said[keyword]:
                if parameter not in self.program.parameters:
                    near = did_you_mean(parameter, self.program.parameters)
                    message = f"{keyword} '{parameter}': the text has no such parameter.{near}"
                    raise parsed.error_about(keyword, parameter, message)

    # What it is made of

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The equations, in an order in which they can run."""
        return self.program.statements

    @property
    def states(self) -> tuple[str, ...]:
        """The names of what one step hands to the next."""
        return self.program.states

    @property
    def quantities(self) -> tuple[str, ...]:
        """Every name that a step computes, and that can be recorded: gates, intermediates and states."""
        return self.program.quantities

    def parameters(self, input_size: int, hidden_size: int, **sizes: int) -> dict[str, ParameterShape]:
        """The parameters, with their shapes and the first line that reads each.

        Args:
            input_size: D, the numbers in x.
            hidden_size: H, the units of a state that declares no other size.
            sizes: The cell's named sizes, such as ``projection``.

        Raises:
            UsageError: a named size is missing or unknown, or heads do not divide a size.
        """
        known = self.known_sizes(input_size, hidden_size, **sizes)
        return {name: _shape(parameter, known) for name, parameter in self.program.parameters.items()}

    def noise_shapes(self, input_size: int, hidden_size: int, **sizes: int) -> dict[str, ParameterShape]:
        """The shapes of the cell's noise: one row's (size,), or a whole matrix's."""
        known = self.known_sizes(input_size, hidden_size, **sizes)
        return {name: _shape(noise, known) for name, noise in self.program.noise.items()}

    def known_sizes(self, input_size: int, hidden_size: int, **sizes: int) -> dict[Size, int]:
        """Every symbolic size of the cell with its number."""
        wanted = self.program.named_sizes
        for name in sizes:
            if name not in wanted:
                raise UsageError(f"cell {self.name} has no size '{name}'.{did_you_mean(name, wanted)}")
        for name in wanted:
            if name not in sizes:
                raise UsageError(f"cell {self.name} wants the size '{name}': give {name}=UNITS.")
        known: dict[Size, int] = {"input": input_size, "hidden": hidden_size, **sizes}
        for name, size in known.items():
            if not isinstance(size, int) or size < 1:
                raise UsageError(f"cell {self.name}: the {name} size is a whole number from 1 on, and is {size!r}.")
        fixed = self.program.sizes["x"]
        if fixed != "input" and input_size != known.get(fixed, fixed):
            raise UsageError(
                f"cell {self.name} takes an input of {known.get(fixed, fixed)} numbers, and is given {input_size}."
            )
        return known

    def size_of(self, quantity: str, known: Mapping[Size, int]) -> int:
        """The units of a quantity, given :meth:`known_sizes`."""
        size = self.program.sizes[quantity]
        return size if isinstance(size, int) else known[size]

    def backward(self, record: tuple[str, ...] = ()) -> Backward:
        """The derived backward step, where the loss sees the output and the recorded quantities."""
        return derive(self.program, dict.fromkeys((self.output, *record)))

    # How it looks

    def text(self) -> str:
        """Declarations and equations; ``Cell.from_text`` of it equals this cell."""
        width = max(len(str(statement.target)) for statement in self.statements)
        lines = [
            f"{str(statement.target):{width}}{str(statement).removeprefix(str(statement.target))}"
            for statement in self.statements
        ]
        return "\n".join([*self._declarations(), *lines]) + "\n"

    def latex(self) -> str:
        """The equations as a LaTeX ``aligned`` block, states and quantities indexed by time."""
        return latex(self.program)

    def picture(self) -> str:
        """The step drawn as a graph: an SVG document."""
        return draw(self.program, self.name, self.output)

    def count_formula(self) -> str:
        """How many numbers the parameters hold, in D (input), H (hidden) and the cell's own sizes."""
        return count_formula(self.program)

    def __repr__(self) -> str:
        return f"Cell({self.name!r}: {'; '.join(str(statement) for statement in self.statements)})"

    # Round trips and equality

    @classmethod
    def from_text(cls, text: str, name: str = "") -> "Cell":
        """The cell that a text with its declarations describes."""
        return cls(name, text)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able description; ``Cell.from_dict`` of it equals this cell."""
        equations = [str(statement) for statement in self.statements]
        given = {"source": self.source, "constants": self.constants, "sizes": self.sizes, "heads": self.heads}
        given |= {"initial": self.initial, "start": self.start, "remembers": self.remembers}
        given["noise"] = {name: str(noise) for name, noise in self.noise.items()}
        return {"name": self.name, "equations": equations, "output": self.output} | {
            key: value for key, value in given.items() if value
        }

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> "Cell":
        """The cell that :meth:`to_dict` described. Raises UsageError for a missing or unknown key."""
        described = dict(described)
        try:
            name, equations = described.pop("name"), described.pop("equations")
        except KeyError as missing:
            raise UsageError(f"a described cell has the keys 'name' and 'equations'; {missing} is missing.") from None
        lines = [one for one in equations if isinstance(one, str)] if isinstance(equations, list | tuple) else []
        if not isinstance(name, str) or not lines or len(lines) < len(equations):
            raise UsageError("a described cell has a name, which is text, and equations, a list of texts.")
        keys = ("output", "source", "constants", "sizes", "heads", "initial", "start", "noise", "remembers")
        for key in described:
            if key not in keys:
                raise UsageError(f"a described cell has no key '{key}'.{did_you_mean(key, keys)}")
        return cls(name, "\n".join(lines), **described)

    def _meaning(self) -> tuple[Any, ...]:
        program = self.program
        maps = (self.constants, self.noise, program.starts, program.sizes, program.parameters, program.noise)
        statements = frozenset((statement.target, statement.expression) for statement in self.statements)
        return statements, self.output, *(frozenset(one.items()) for one in maps)

    def __eq__(self, other: object) -> bool:
        """Whether both compute the same by the same names; spelling, order of lines, name and paper do not matter."""
        return isinstance(other, Cell) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self._meaning())

    def replaced(self, name: str, text: str | None = None, **changes: Any) -> "Cell":
        """The cell with another name and the given arguments changed; the other declarations stay."""
        lines = "\n".join(str(statement) for statement in self.statements) if text is None else text
        keep = {
            key: getattr(self, key)
            for key in ("output", "source", "constants", "sizes", "heads", "initial", "start", "noise", "remembers")
        }
        return Cell(name, lines, **(keep | changes))

    def _declarations(self) -> list[str]:
        lines = [f"cell {self.name}"] + ([f"source {self.source}"] if self.source else []) + [f"output {self.output}"]
        groups = {"constant": self.constants, "size": self.sizes, "heads": self.heads, "initial": self.initial}
        groups |= {"start": self.start, "noise": self.noise, "remembers": self.remembers}
        for keyword, values in groups.items():
            for name, value in values.items():
                lines.append(f"{keyword} {name} = {write_number(value) if isinstance(value, float) else value}")
        return [*lines, ""]


def _shape(parameter: Parameter, known: Mapping[Size, int]) -> ParameterShape:
    shape = tuple(size if isinstance(size, int) else known[size] for size in parameter.shape)
    if parameter.heads > 1:
        for size in shape:
            if size % parameter.heads:
                raise UsageError(f"{parameter.heads} heads do not divide a size of {size} ({parameter.name}: {shape}).")
        shape = (parameter.heads, *(size // parameter.heads for size in shape))
    return ParameterShape(parameter.name, shape, parameter.statement, parameter.recurrent)


def _title(what: str, text: object) -> str:
    """A cell's name or source, on one line, so that its text can hold it."""
    if not isinstance(text, str) or not (line := " ".join(text.split())).isprintable() or line.startswith("="):
        raise EquationError(f"the {what} of a cell is a line of text that does not begin with =, and not {text!r}.")
    if what == "name" and "#" in line:
        raise EquationError(f"the name of a cell holds no #, which begins a comment, and not {text!r}.")
    return line
