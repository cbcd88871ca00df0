"""The step of a cell drawn as a graph: time runs from left to right, the input enters below, the output leaves above."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from unrolled.equations.expression import Call, Statement, names, write
from unrolled.equations.program import Program

_CHARACTER, _LINE, _GAP_X, _GAP_Y, _MARGIN = 7.3, 19.0, 56.0, 26.0, 24.0
_COLOURS = {
    "input": ("#fff4de", "#b7791f"),
    "state": ("#e3effb", "#2b6cb0"),
    "gate": ("#e6f6ec", "#2f855a"),
    "quantity": ("#f4f4f5", "#52525b"),
}


@dataclass
class _Box:
    key: str
    title: str
    kind: str
    lines: tuple[str, ...]
    column: int
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(44.0, max(len(line) for line in (self.title, *self.lines)) * _CHARACTER + 22.0)

    @property
    def height(self) -> float:
        return (1 + len(self.lines)) * _LINE + 14.0


def draw(program: Program, name: str, output: str) -> str:
    """An SVG document: a box a quantity with its equation, an arrow for each use."""
    boxes = _boxes(program)
    edges = [(key, str(one.target)) for one in program.statements for key in _reads(one, boxes)]
    columns = _ordered_columns(boxes, edges)
    width, height = _place(columns)
    title = f"{name}: one step"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height + 40:.0f}" width="{width:.0f}" '
        f'height="{height + 40:.0f}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#52525b"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height + 40:.0f}" fill="#ffffff"/>',
        f'<text x="{_MARGIN:.0f}" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<g transform="translate(0 40)">{"".join(_arrow(boxes[a], boxes[b]) for a, b in edges)}',
        "".join(_drawn(box, box.key.rstrip("'") == output and box.column > 0) for box in boxes.values()),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes(program: Program) -> dict[str, _Box]:
    boxes = {"x": _Box("x", "x", "input", ("input",), 0)}
    for state in program.states:
        boxes[state] = _Box(state, state, "state", ("previous step",), 0)
    for statement in program.statements:
        key = str(statement.target)
        column = 1 + max((boxes[read].column for read in _reads(statement, boxes)), default=0)
        kind = "state" if statement.target.primed else "gate" if _is_gate(statement) else "quantity"
        boxes[key] = _Box(key, key, kind, tuple(_wrapped(write(statement.expression))), column)
    last = max(box.column for box in boxes.values())
    for statement in program.statements:
        if statement.target.primed and not any(
            str(statement.target) in _reads(one, boxes) for one in program.statements
        ):
            boxes[str(statement.target)].column = last
    return boxes


def _is_gate(statement: Statement) -> bool:
    expression = statement.expression
    return isinstance(expression, Call) and expression.op in ("sigmoid", "hard_sigmoid", "exp", "step")


def _reads(statement: Statement, boxes: dict[str, _Box]) -> list[str]:
    return list(dict.fromkeys(str(name) for name in names(statement.expression) if str(name) in boxes))


def _wrapped(text: str, width: int = 34) -> Iterable[str]:
    """The text in lines of about ``width``, cut at blanks."""
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = "  " + word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _ordered_columns(boxes: dict[str, _Box], edges: list[tuple[str, str]]) -> list[list[_Box]]:
    """Boxes by column, ordered so that few arrows cross: each near the mean height of its neighbours."""
    columns = [
        [box for box in boxes.values() if box.column == index]
        for index in range(1 + max(box.column for box in boxes.values()))
    ]
    columns = [column for column in columns if column]
    rank = {box.key: float(index) for column in columns for index, box in enumerate(column)}
    for _ in range(8):
        for column in columns:
            near = {box.key: [rank[a if b == box.key else b] for a, b in edges if box.key in (a, b)] for box in column}
            column.sort(key=lambda box: sum(near[box.key]) / len(near[box.key]) if near[box.key] else rank[box.key])
            rank |= {box.key: index - (len(column) - 1) / 2 for index, box in enumerate(column)}
    return columns


def _place(columns: list[list[_Box]]) -> tuple[float, float]:
    height = max(sum(box.height + _GAP_Y for box in column) for column in columns) + 2 * _MARGIN
    x = _MARGIN
    for column in columns:
        width = max(box.width for box in column)
        y = (height - sum(box.height + _GAP_Y for box in column) + _GAP_Y) / 2
        for box in column:
            box.x, box.y = x + (width - box.width) / 2, y
            y += box.height + _GAP_Y
        x += width + _GAP_X
    return x - _GAP_X + _MARGIN, height


def _arrow(source: _Box, target: _Box) -> str:
    x1, y1 = source.x + source.width, source.y + source.height / 2
    x2, y2 = target.x, target.y + target.height / 2
    bend = max(24.0, (x2 - x1) / 2)
    path = f"M{x1:.1f},{y1:.1f} C{x1 + bend:.1f},{y1:.1f} {x2 - bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    return f'<path d="{path}" fill="none" stroke="#52525b" stroke-width="1.1" opacity="0.6" marker-end="url(#tip)"/>'


def _drawn(box: _Box, is_output: bool) -> str:
    fill, line = _COLOURS[box.kind]
    weight = 2.6 if is_output else 1.3
    label = box.title + ("  (output)" if is_output else "")
    middle = box.x + box.width / 2
    texts = [
        f'<text x="{middle:.1f}" y="{box.y + _LINE:.1f}" text-anchor="middle" font-weight="bold">{escape(label)}</text>'
    ]
    for index, text in enumerate(box.lines, 2):
        texts.append(
            f'<text x="{middle:.1f}" y="{box.y + index * _LINE:.1f}" text-anchor="middle" fill="#3f3f46">{escape(text)}</text>'
        )
    return (
        f'<g><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7" '
        f'fill="{fill}" stroke="{line}" stroke-width="{weight}"/>{"".join(texts)}</g>'
    )
