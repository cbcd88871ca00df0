"""One step opened: the data flow of a cell's equations, gates as boxes with their formulas, operations as circles."""

from collections.abc import Mapping

from unrolled.drawing.scene import INK, SQUARE, Box, Line, Scene, Strip, Text, measure, widest
from unrolled.equations.expression import Call, Expression, Name, Statement, names
from unrolled.equations.layout import Layout, Node, Wire, lay_out
from unrolled.equations.ops import OPS
from unrolled.equations.picture import COLOURS, is_gate
from unrolled.equations.program import Program
from unrolled.equations.render import formula, symbol

OUTPUT, NEXT = "output ", "next "
"""The ports at which a step gives an output that is no state, and its states; no quantity's name has a blank."""
_GAP, _ROUND, _WIDEST, _LINE, _PORT = 34.0, 24.0, 190.0, 16.0, 5.0
_LINEAR = ("add", "sub", "neg", "matmul", "mul")
_SIGNS = {"mul": "⊙", "add": "+", "sub": "−", "div": "÷", "neg": "−"}


class _Part(Node):
    """A port, an operation or a gate: its kind, the quantity that it is (if it has a name), and what it says."""

    def __init__(self, key: str, kind: str, column: int, title: str, lines: list[str], level: int = 0) -> None:
        self.kind, self.title, self.lines = kind, title, lines
        self.values: Strip | None = None
        super().__init__(key, column, _PORT, _PORT, level)

    @property
    def is_port(self) -> bool:
        """Whether only a line begins or ends here."""
        return not self.lines

    @property
    def is_round(self) -> bool:
        """Whether it is a circle with a sign."""
        return len(self.lines) == 1 and self.lines[0] in _SIGNS.values()

    @property
    def texts(self) -> list[str]:
        """All that it says, from above."""
        return [self.title, *self.lines] if self.title else self.lines

    def measured(self, values: Strip | None) -> None:
        """Take the room that the texts and the values need."""
        self.values = values
        below = SQUARE + 5.0 if values else 0.0
        if self.is_port:
            return
        if self.is_round:
            self.width = _ROUND
            self.height = _ROUND + (2 * (_LINE + below) if self.title or values else 0.0)
            return
        width = max(widest(self.lines), measure(self.title)[0], values.width if values else 0.0)
        self.width = max(30.0, width + 16.0)
        self.height = sum(_tall(text) for text in self.texts) + 10.0 + below


class Inside:
    """The graph of one step, laid out; ports know their places, and :meth:`draw` puts it into a scene.

    Args:
        program: The cell's.
        output: The quantity that the step gives.
        steps: The index of this step in names, such as ``2``, and that of the states before.
        values: Strips of values by quantity, whose place does not matter.
        lane: The room that a state's arrow needs beside others, names and weights included.
    """

    def __init__(
        self, program: Program, output: str, steps: tuple[str, str], values: Mapping[str, Strip], lane: float
    ) -> None:
        self.program, (self.now, self.before) = program, steps
        self.parts = {state: self._port(state, "state", 0, level) for level, state in enumerate(program.states)}
        self.parts["x"] = self._port("x", "input", 0, len(program.states))
        self.edges: list[tuple[str, str]] = []
        self.made: dict[str, str] = {}
        self.placed: dict[Expression, str] = {}
        for statement in program.statements:
            self._add(statement)
        behind = 1 + max(part.column for part in self.parts.values())
        for level, state in enumerate(program.states):
            self.parts[NEXT + state] = self._port(NEXT + state, "state", behind, level)
            self.edges.append((self.made[f"{state}'"], NEXT + state))
        self.output = NEXT + output if output in program.states else OUTPUT
        """The port that the output leaves by: a state's, where that is given."""
        if output not in program.states:
            self.parts[OUTPUT] = self._port(OUTPUT, "quantity", behind, -1)
            self.edges.append((self.made[output], OUTPUT))
        for target, key in self.made.items():
            if key in self.parts and not self.parts[key].is_port:
                self.parts[key].measured(values.get(target.removesuffix("'")))
        for part in self.parts.values():
            part.measured(part.values)
            if part.is_port and part.kind == "state":
                part.height = lane
        self.layout: Layout = lay_out(self.parts, dict.fromkeys(self.edges), _GAP)

    def port(self, key: str) -> tuple[float, float]:
        """Where a state, ``x``, :attr:`output` or :data:`NEXT` with a state's name stands, from the upper left."""
        part = self.parts[key]
        return part.x + part.width / 2, part.y

    def draw(self, scene: Scene, left: float, top: float, gives: bool) -> None:
        """Put the graph into a scene, its upper left corner there; ``gives`` says that its output leads somewhere."""
        for wire in self.layout.wires:
            scene.add(_wire(wire, left, top))
        for key, part in self.parts.items():
            if not key.startswith(NEXT) or (gives and key == self.output):
                _draw(part, scene, left, top)

    def _port(self, key: str, kind: str, column: int, level: int) -> _Part:
        return _Part(key, kind, column, "", [], level)

    def _math(self, expression: Expression) -> str:
        return _plain(formula(self.program, expression, self.now, self.before))

    def _add(self, statement: Statement) -> None:
        target = str(statement.target)
        key = self._placed(statement.expression, target)
        if key is None:  # made of numbers and parameters alone
            key = self._node(target, [], [f"${self._math(statement.expression)}$"], "quantity")
        self.made[target] = key
        part = self.parts[key]
        if not part.is_port and not part.title:
            part.title = f"${_plain(symbol(statement.target.name, self.now))}$"
            part.kind = "state" if statement.target.primed else "gate" if is_gate(statement) else "quantity"

    def _node(self, key: str, sources: list[str], lines: list[str], kind: str) -> str:
        column = 1 + max((self.parts[one].column for one in sources), default=0)
        self.parts[key] = _Part(key, kind, column, "", lines)
        self.edges += [(one, key) for one in dict.fromkeys(sources)]
        return key

    def _placed(self, expression: Expression, key: str) -> str | None:
        """The node that an expression comes from, made under ``key`` where there is none; None for plain numbers."""
        if self._is_free(expression):
            return None
        if isinstance(expression, Name):
            return self.made.get(str(expression), str(expression))
        if expression not in self.placed:
            self.placed[expression] = self._new(expression, key)
        return self.placed[expression]

    def _new(self, expression: Expression, key: str) -> str:
        assert isinstance(expression, Call)
        is_function = len(expression.arguments) == 1 and expression.op not in _LINEAR
        atoms, learns = self._sum(expression.arguments[0] if is_function else expression)
        operands = list(dict.fromkeys(atoms)) if learns else [*expression.arguments]
        found = [self._placed(one, f"{key} {place}") for place, one in enumerate(operands)]
        lines = self._wrapped(expression) if learns else [self._sign(expression, found)]
        return self._node(key, [one for one in found if one], lines, "quantity" if learns else "operation")

    def _is_free(self, expression: Expression) -> bool:
        """Whether no quantity is read: a number, a parameter, something made of them."""
        return not any(one.name == "x" or one.name in self.program.sizes for one in names(expression))

    def _sum(self, expression: Expression) -> tuple[list[Expression], bool]:
        """What a weighted sum is made of beside its weights, and whether any weight is learned."""
        if self._is_free(expression):
            return [], any(one.name in self.program.parameters for one in names(expression))
        if isinstance(expression, Call) and expression.op in _LINEAR:
            weighs = expression.op == "mul" and not any(self._is_free(one) for one in expression.arguments)
            parts = [] if weighs else [self._sum(one) for one in expression.arguments]
            if parts:
                return [atom for atoms, _ in parts for atom in atoms], any(learns for _, learns in parts)
        return [expression], False

    def _sign(self, call: Call, found: list[str | None]) -> str:
        """What stands in an operation: its sign, its name, or with a number beside it a formula such as ``1 − ·``."""
        if len(call.arguments) == 1:
            function = _plain(OPS[call.op].latex.format(a="@")).replace("(@)", "").replace("@", r"\cdot")
            return _SIGNS.get(call.op, f"${function}$")
        if None in found or call.op not in _SIGNS:
            parts = [r"\cdot" if source else self._math(one) for source, one in zip(found, call.arguments, strict=True)]
            sign = {"mul": r"{a}\, {b}", "div": r"{a} / {b}"}.get(call.op, OPS[call.op].latex)
            return f"${_plain(sign.format(**dict(zip('ab', parts, strict=True))))}$"
        return _SIGNS[call.op]

    def _wrapped(self, expression: Expression) -> list[str]:
        """A formula in lines that fit; a sum is cut before its signs."""
        whole = f"${self._math(expression)}$"
        before, after, total = "", "", expression
        if isinstance(expression, Call) and len(expression.arguments) == 1:
            before, _, after = _plain(OPS[expression.op].latex.format(a="@")).partition("@")
            total = expression.arguments[0]
        terms = list(_terms(total))
        if measure(whole)[0] <= _WIDEST or len(terms) < 2 or after not in ("", ")"):
            return [whole]
        lines: list[str] = [before]
        for number, (sign, term) in enumerate(terms):
            needs = isinstance(term, Call) and term.op in ("add", "sub", "neg") and sign == "-"
            text = f"\\left({self._math(term)}\\right)" if needs else self._math(term)
            text = f"{sign if number or sign == '-' else ''} {text}{after if number + 1 == len(terms) else ''}"
            if number and measure(f"${lines[-1]} {text}$")[0] > _WIDEST:
                lines.append("{}")  # so that the sign stands between two things
            lines[-1] += f" {text}"
        return [f"${line.strip()}$" for line in lines]


def _tall(text: str) -> float:
    """The room of a line, more than usual where fractions stand in it."""
    _, above, below = measure(text)
    return _LINE if above <= _LINE - 4.0 and below <= 4.5 else above + below + 4.0


def _terms(expression: Expression, sign: str = "+") -> list[tuple[str, Expression]]:
    if isinstance(expression, Call) and expression.op in ("add", "sub"):
        left, right = expression.arguments
        if sign == "+":
            return [*_terms(left), ("+" if expression.op == "add" else "-", right)]
    return [(sign, expression)]


def _plain(latex: str) -> str:
    """The formula without what matplotlib's mathematics does not know."""
    return latex.replace("\\textstyle", "")


def _wire(wire: Wire, left: float, top: float) -> Line:
    (x1, y1), (x2, y2), (x3, y3), (x4, _) = (
        (x + left, y + top) for x, y in (wire.start, wire.bend, wire.land, wire.end)
    )
    middle = (x2 + x3) / 2
    node = wire.source
    while not isinstance(node, _Part):
        node = node.before[0]
    colour = COLOURS[node.kind][1] if node.kind in COLOURS else COLOURS["quantity"][1]
    tip = not wire.target.is_lane and not (isinstance(wire.target, _Part) and wire.target.is_port)
    return Line(((x1, y1), (x2, y2), (middle, y2), (middle, y3), (x3, y3), (x4, y3)), colour, tip=tip, curved=True)


def _draw(part: _Part, scene: Scene, left: float, top: float) -> None:
    x, y = left + part.x + part.width / 2, top + part.y
    fill, line = COLOURS.get(part.kind, ("#ffffff", INK))
    if part.is_port:
        scene.add(Box(x - _PORT / 2, y - _PORT / 2, _PORT, _PORT, line, line, radius=_PORT / 2))
        return
    strip = part.values
    if part.is_round:
        scene.add(Box(x - _ROUND / 2, y - _ROUND / 2, _ROUND, _ROUND, fill, line, radius=_ROUND / 2))
        scene.write(x, y, part.lines[0], 13)
        if part.title:
            scene.write(x, y - _ROUND / 2 - _LINE / 2, part.title)
        low = y + _ROUND / 2 + 4.0
    else:
        scene.add(Box(x - part.width / 2, y - part.height / 2, part.width, part.height, fill, line))
        high = y - part.height / 2 + 5.0
        for text in part.texts:
            high += _tall(text)
            usual = _tall(text) == _LINE
            scene.add(Text(x, high - (4.5 if usual else measure(text)[2] + 2.0), text))
        low = y + part.height / 2 - SQUARE - 5.0
    if strip:
        scene.add(Strip(x - strip.width / 2, low, strip.values, strip.reach, strip.gate))
