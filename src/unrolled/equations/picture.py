"""The step of a cell drawn as a graph: time runs from left to right, the output is marked."""

from collections.abc import Iterator
from html import escape

from unrolled.equations.expression import Call, Statement, names, write
from unrolled.equations.layout import Layout, Node, Wire, lay_out
from unrolled.equations.program import Program

_CHARACTER, _LINE, _MARGIN, _HEAD, _WIDEST = 7.3, 18.0, 24.0, 52.0, 44
COLOURS = {
    "input": ("#fff4de", "#b7791f"),
    "state": ("#e3effb", "#2b6cb0"),
    "gate": ("#e6f6ec", "#2f855a"),
    "quantity": ("#f4f4f5", "#71717a"),
}
"""Fill and line of each kind of quantity."""
_NEXT = " next"  # no quantity has a blank in its name


class _Box(Node):
    """A quantity with its equation."""

    def __init__(self, title: str, kind: str, lines: tuple[str, ...], column: int, *, level: int = 0) -> None:
        self.title, self.kind, self.lines = title, kind, lines
        width = max(44.0, max(len(line) for line in (title, *lines)) * _CHARACTER + 24.0)
        super().__init__(title, column, width, (1 + len(lines)) * _LINE + 16.0, level)


def draw(program: Program, name: str, output: str) -> str:
    """An SVG document: a box a quantity with its equation, an arrow for each use.

    Previous states and the input stand at the left, what the next step receives at the right. Colours tell the input,
    states, gates and other quantities apart; an arrow has the colour of what it carries.
    """
    boxes = _boxes(program, output)
    edges = [(read, str(one.target)) for one in program.statements for read in _reads(one, boxes)]
    edges += [(f"{state}'", state + _NEXT) for state in program.states]
    layout = lay_out(boxes, edges)
    marked = f"{output}'" if output in program.states else output
    parts = [
        *_opening(f"{name}: one step", layout),
        *(_arrow(wire) for wire in layout.wires),
        *(_drawn(box, key == marked) for key, box in boxes.items()),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes(program: Program, output: str) -> dict[str, _Box]:
    boxes = {state: _Box(state, "state", ("previous step",), 0) for state in program.states}
    boxes["x"] = _Box("x", "input", ("input",), 0, level=1)
    for one in program.statements:
        key = str(one.target)
        column = 1 + max((boxes[read].column for read in _reads(one, boxes)), default=0)
        kind = "state" if one.target.primed else "gate" if is_gate(one) else "quantity"
        title = f"{key} (output)" if one.target.name == output else key
        boxes[key] = _Box(title, kind, tuple(_wrapped(write(one.expression))), column)
    behind = 1 + max(box.column for box in boxes.values())
    for state in program.states:
        boxes[state + _NEXT] = _Box(state, "state", ("next step",), behind)
    return boxes


def is_gate(statement: Statement) -> bool:
    """Whether a quantity says how much: a function between 0 and 1, or an exponential."""
    expression = statement.expression
    return isinstance(expression, Call) and expression.op in ("sigmoid", "hard_sigmoid", "exp", "step")


def _reads(statement: Statement, boxes: dict[str, _Box]) -> list[str]:
    return list(dict.fromkeys(str(name) for name in names(statement.expression) if str(name) in boxes))


def _wrapped(text: str) -> list[str]:
    """The text in as few lines as fit, of about one length; cut before a sign where that suffices."""
    terms = text.replace(" + ", "\n+ ").replace(" - ", "\n- ").split("\n")
    words = [word for term in terms for word in ([term] if len(term) <= _WIDEST else term.split(" "))]
    few = len(_filled(words, _WIDEST))
    return next(lines for width in range(1, _WIDEST + 1) if len(lines := _filled(words, width)) == few)


def _filled(words: list[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _opening(title: str, layout: Layout) -> Iterator[str]:
    width = max(layout.width, len(title) * 9.2) + 2 * _MARGIN
    height = layout.height + _HEAD + _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12" role="img">'
    )
    yield f"<title>{escape(title)}</title>"
    tips = (
        f'<marker id="tip-{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,0.5 L8,4 L0,7.5 z" fill="{line}"/></marker>'
        for kind, (_, line) in COLOURS.items()
    )
    yield f"<defs>{''.join(tips)}</defs>"
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>'
    yield f'<text x="{_MARGIN:.0f}" y="28" font-size="15" font-weight="bold">{escape(title)}</text>'
    yield f'<g transform="translate({_MARGIN:.0f} {_HEAD:.0f})">'


def _arrow(wire: Wire) -> str:
    (x1, y1), (x2, y2), (x3, y3), (x4, _) = wire.start, wire.bend, wire.land, wire.end
    middle = (x2 + x3) / 2
    path = f"M{x1:.1f},{y1:.1f} H{x2:.1f} C{middle:.1f},{y2:.1f} {middle:.1f},{y3:.1f} {x3:.1f},{y3:.1f} H{x4:.1f}"
    kind = _kind(wire.source)
    tip = "" if wire.target.is_lane else f' marker-end="url(#tip-{kind})"'
    return f'<path d="{path}" fill="none" stroke="{COLOURS[kind][1]}" stroke-width="1.3"{tip}/>'


def _kind(node: Node) -> str:
    """The kind of the box that a line comes from, which may lie some lanes back."""
    while not isinstance(node, _Box):
        node = node.before[0]
    return node.kind


def _drawn(box: _Box, is_output: bool) -> str:
    fill, line = COLOURS[box.kind]
    middle, top = box.x + box.width / 2, box.y - box.height / 2
    texts = [f'<text x="{middle:.1f}" y="{top + _LINE + 2:.1f}" text-anchor="middle" font-weight="bold">']
    texts += [escape(box.title), "</text>"]
    for index, text in enumerate(box.lines, 2):
        at = f'x="{middle:.1f}" y="{top + index * _LINE + 2:.1f}"'
        texts.append(f'<text {at} text-anchor="middle" fill="#3f3f46">{escape(text)}</text>')
    place = f'x="{box.x:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"'
    stroke = f'fill="{fill}" stroke="{line}" stroke-width="{3.0 if is_output else 1.3}"'
    return f"<g><rect {place} {stroke}/>{''.join(texts)}</g>"
