"""What a picture is made of, before anyone paints it: boxes, lines, texts and strips of values, in points."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

FONT = "DejaVu Sans"
STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "mathtext.fontset": "dejavusans",
    "text.usetex": False,
    "path.simplify": False,
    "svg.fonttype": "none",
    "savefig.bbox": None,
    "savefig.transparent": False,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
}
"""What is set of matplotlib for a picture; see :func:`style`."""
INK, FAINT = "#27272a", "#71717a"
SQUARE = 8.0
"""The side of one unit's square in a strip."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Text:
    """A line of text on a baseline; what stands between dollar signs is mathematics."""

    x: float
    y: float
    text: str
    size: float = 11.0
    colour: str = INK
    align: str = "center"
    bold: bool = False

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        width, above, below = measure(self.text, self.size, self.bold)
        left = self.x - {"left": 0.0, "center": 0.5, "right": 1.0}[self.align] * width
        return left, self.y - above, left + width, self.y + below


@dataclass(frozen=True)
class Box:
    """A rectangle with round corners; its left, top, width and height."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "#ffffff"
    line: str = INK
    stroke: float = 1.3
    radius: float = 7.0
    dashed: bool = False
    behind: bool = False
    """Whether lines run across it."""


@dataclass(frozen=True)
class Line:
    """A line through points; ``tip`` ends it in an arrow."""

    points: tuple[Point, ...]
    colour: str = INK
    stroke: float = 1.3
    tip: bool = True
    dashed: bool = False
    curved: bool = False
    """Whether the third and fourth of six points are the handles of a curve from the second to the fifth."""


@dataclass(frozen=True)
class Strip:
    """Values of some units, a square each, from left to right; ``gate`` says that they lie between 0 and 1."""

    x: float
    y: float
    values: tuple[float, ...]
    reach: float
    gate: bool = False

    @property
    def width(self) -> float:
        """All squares side by side."""
        return SQUARE * len(self.values)


@dataclass
class Scene:
    """A picture: what it shows, in the order in which it is painted, and the canvas that holds it."""

    title: str = ""
    width: float = 0.0
    height: float = 0.0
    lines: list[Line] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def add(self, *parts: Text | Box | Line | Strip) -> None:
        """Put parts into the picture: lines lie below boxes, boxes below strips and texts."""
        for part in parts:
            if isinstance(part, Text):
                self.texts.append(part)
            elif isinstance(part, Box):
                self.boxes.append(part)
            elif isinstance(part, Strip):
                self.strips.append(part)
            else:
                self.lines.append(part)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 11.0,
        colour: str = INK,
        align: str = "center",
        bold: bool = False,
    ) -> None:
        """A text whose middle line, as the eye sees it, runs through ``y``."""
        self.texts.append(Text(x, y + 0.36 * size, text, size, colour, align, bold))


def style() -> dict[Any, Any]:
    """What of matplotlib's settings reaches a picture; a user's own do not."""
    from matplotlib import rcParamsDefault

    return STYLE | {"mathtext.default": rcParamsDefault["mathtext.default"]}  # its name differs by version


@lru_cache(maxsize=4096)
def measure(text: str, size: float = 11.0, bold: bool = False) -> tuple[float, float, float]:
    """Width, height above and depth below the baseline, in points."""
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with rc_context(style()):
        font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
        width, height, below = text_to_path.get_text_width_height_descent(text, font, "$" in text)
    return float(width), float(height - below), float(below)


def widest(texts: Sequence[str], size: float = 11.0) -> float:
    """The width of the longest of some texts; 0 of none."""
    return max((measure(text, size)[0] for text in texts), default=0.0)
