"""A scene as a file's bytes: SVG, whose texts are texts, PNG or PDF; the same scene gives the same bytes."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from unrolled.drawing.scene import SQUARE, Box, Line, Scene, Strip, Text, style

FORMS = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""The kinds of files, each with what matplotlib is not to write into it: dates and versions."""
RESOLUTION = 200
"""Dots an inch of a PNG."""
_TIP = 7.0


def paint(scene: Scene, form: str = "svg") -> bytes:
    """The picture in one of :data:`FORMS`."""
    from matplotlib import rc_context

    painted = io.BytesIO()
    with rc_context(style()):
        metadata = FORMS[form] | ({} if form == "png" else {"Title": scene.title})
        figure(scene).savefig(painted, format=form, dpi=RESOLUTION if form == "png" else 72, metadata=metadata)
    return painted.getvalue()


def figure(scene: Scene) -> Any:
    """The picture as a matplotlib figure, whose axes count points from the upper left corner."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=72, facecolor="white")
    axes = made.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0.0, scene.width)
    axes.set_ylim(scene.height, 0.0)
    grounds, boxes = ([box for box in scene.boxes if box.behind is behind] for behind in (True, False))
    _put(axes, 1, _box, grounds)
    _put(axes, 2, _line, scene.lines)
    _put(axes, 3, _box, boxes)
    _put(axes, 4, _strip, scene.strips)
    _put(axes, 5, _text, scene.texts)
    return made


def _put(axes: Any, order: int, painter: Callable[[Any], list[Any]], parts: Sequence[Any]) -> None:
    for part in parts:
        for artist in painter(part):
            artist.set(zorder=order, clip_on=False)
            axes.add_artist(artist)


def _line(line: Line) -> list[Any]:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    points, codes = list(line.points), [Path.MOVETO] + [Path.LINETO] * (len(line.points) - 1)
    if line.curved:
        codes[2:5] = [Path.CURVE4] * 3
    (x1, y1), (x2, y2) = points[-3:-1] if line.curved and points[-1] == points[-2] else points[-2:]
    length = max(abs(x2 - x1), abs(y2 - y1), 1e-9)
    right, down = (x2 - x1) / length, (y2 - y1) / length
    artists = []
    if line.tip:
        back = x2 - _TIP * right, y2 - _TIP * down
        side = 0.45 * _TIP
        corners = [
            (x2, y2),
            (back[0] - side * down, back[1] + side * right),
            (back[0] + side * down, back[1] - side * right),
        ]
        artists.append(Polygon(corners, closed=True, facecolor=line.colour, edgecolor="none"))
        points[-1] = (x2 - 0.6 * _TIP * right, y2 - 0.6 * _TIP * down)
    style = (0, (4, 3)) if line.dashed else "solid"
    path = Path(points, codes)
    artists.append(PathPatch(path, fill=False, edgecolor=line.colour, linewidth=line.stroke, linestyle=style))
    return artists


def _box(box: Box) -> list[Any]:
    from matplotlib.patches import Circle, FancyBboxPatch

    half = min(box.width, box.height) / 2
    style = {"facecolor": box.fill, "edgecolor": box.line, "linewidth": box.stroke}
    style["linestyle"] = (0, (3, 2)) if box.dashed else "solid"
    if box.width == box.height and box.radius >= half:
        return [Circle((box.x + half, box.y + half), half, **style)]
    shape = f"round,pad=0,rounding_size={min(box.radius, half)}"
    return [FancyBboxPatch((box.x, box.y), box.width, box.height, boxstyle=shape, **style)]


def _strip(strip: Strip) -> list[Any]:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    colours = colormaps["viridis" if strip.gate else "RdBu_r"]
    shares = [value if strip.gate else 0.5 + 0.5 * value / strip.reach for value in strip.values]
    return [
        Rectangle(
            (strip.x + SQUARE * place, strip.y),
            SQUARE,
            SQUARE,
            facecolor=colours(min(1.0, max(0.0, share))),
            edgecolor="#52525b",
            linewidth=0.5,
        )
        for place, share in enumerate(shares)
    ]


def _text(text: Text) -> list[Any]:
    from matplotlib.text import Text as Artist

    weight = "bold" if text.bold else "normal"
    style = {"ha": text.align, "va": "baseline", "fontsize": text.size, "color": text.colour, "fontweight": weight}
    return [Artist(text.x, text.y, text.text, parse_math="$" in text.text, **style)]
