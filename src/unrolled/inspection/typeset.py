"""Equations typeset as one drawing that needs no font: LaTeX to SVG."""

from html import escape
from typing import Any

SIZE = 20.0
"""Height of the letters, in pixels."""
LEADING = 1.75
"""From one line's base to the next, in heights of letters."""


def typeset(latex: str, spoken: str) -> str:
    """Lines of an ``aligned`` block as an ``<svg>`` in the colour of the text around it, aligned at ``&``.

    ``spoken`` says the same to those who cannot see it.
    """
    lines = [line.partition("&") for line in latex.split("\n")[1:-2]]
    drawn = [
        [_drawn(part.removesuffix(r" \\")) for part in (left, right.replace("=", r"=\;", 1))]
        for left, _, right in lines
    ]
    middle, end = (max((line[side][1] for line in drawn), default=0.0) for side in (0, 1))
    width, height = middle + end + SIZE / 2, SIZE * LEADING * len(drawn) + SIZE / 2
    shapes = []
    for number, ((left, wide), (right, _)) in enumerate(drawn):
        base = SIZE * (LEADING * number + 1.3)
        for path, x in ((left, middle - wide), (right, middle + SIZE / 4)):
            shapes.append(f'<path transform="translate({x:.1f} {base:.1f}) scale(1 -1)" d="{path}"/>')
    label = escape(spoken, quote=True)
    form = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}"'
    return f'<svg {form} fill="currentColor" role="img" aria-label="{label}">{"".join(shapes)}</svg>'


def _drawn(formula: str) -> tuple[str, float]:
    """One formula's outlines as SVG path data, and its width."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath, text_to_path

    font = FontProperties(math_fontfamily="cm", size=SIZE)
    source = f"${formula.strip()}$"
    path: Any = TextPath((0, 0), source, size=SIZE, prop=font)
    width, _, _ = text_to_path.get_text_width_height_descent(source, font, ismath=True)
    letter = {path.MOVETO: "M", path.LINETO: "L", path.CURVE3: "Q", path.CURVE4: "C", path.CLOSEPOLY: "Z"}
    parts = []
    for points, code in path.iter_segments(simplify=False):
        parts.append("Z" if code == path.CLOSEPOLY else letter[code] + " ".join(f"{point:.2f}" for point in points))
    return "".join(parts), float(width)
