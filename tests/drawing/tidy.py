"""What a picture must be to stand on a slide: all on the canvas, no text on a text, a line or the edge of a box."""

from itertools import combinations

import numpy as np

from unrolled.drawing.paint import figure
from unrolled.drawing.scene import Box, Line, Scene

Bounds = tuple[float, float, float, float]
SLACK = 0.75
"""Points by which hinting may widen a text."""


def check(scene: Scene, rendered: bool = False) -> None:
    """Raise unless a picture is tidy: as its own measures say, or as matplotlib renders it."""
    texts = as_rendered(scene) if rendered else [(one.bounds, one.text) for one in scene.texts if one.text]
    for bounds, text in texts:
        assert inside(bounds, (0.0, 0.0, scene.width, scene.height)), f"{text} leaves the canvas: {bounds}"
    for (one, first), (other, second) in combinations(texts, 2):
        assert not meet(one, other), f"{first} lies on {second}: {one}, {other}"
    edges = [(box, frame(box)) for box in scene.boxes]
    for _, place in edges:
        assert inside(place, (0.0, 0.0, scene.width, scene.height)), f"a box leaves the canvas: {place}"
    strips = [(one.x, one.y, one.x + one.width, one.y + 8.0) for one in scene.strips]
    for bounds, text in texts:
        for _, place in edges:
            fits = inside(bounds, place) or not meet(bounds, place)
            assert fits, f"{text} runs over the edge of a box: {bounds}, {place}"
        for strip in strips:
            assert not meet(bounds, strip), f"{text} lies on values: {bounds}, {strip}"
    for one, other in combinations(strips, 2):
        assert not meet(one, other), f"values lie on values: {one}, {other}"
    bare = [
        (bounds, text)
        for bounds, text in texts
        if not any(inside(bounds, place) for box, place in edges if not box.behind)
    ]
    left, top, right, bottom = np.array([bounds for bounds, _ in bare]).T[:, :, None]
    for line in scene.lines:
        points = along(line)
        assert points.min() >= 0.0
        assert (points.max(0) <= (scene.width, scene.height)).all(), line
        x, y = points.T
        hit = ((x > left) & (x < right) & (y > top) & (y < bottom)).any(1)
        assert not hit.any(), f"a line runs through {bare[int(hit.argmax())]}: {line.points}"


def as_rendered(scene: Scene) -> list[tuple[Bounds, str]]:
    """Left, top, right and bottom of every text in points, as matplotlib renders it, less what hinting adds."""
    found = []
    for text in figure(scene).axes[0].texts:
        if text.get_text():
            box = text.get_window_extent()
            sides = box.x0 + SLACK, scene.height - box.y1 + SLACK, box.x1 - SLACK, scene.height - box.y0 - SLACK
            found.append((sides, text.get_text()))
    assert len(found) == sum(bool(one.text) for one in scene.texts)
    return found


def frame(box: Box) -> Bounds:
    return box.x, box.y, box.x + box.width, box.y + box.height


def inside(one: Bounds, other: Bounds) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def meet(one: Bounds, other: Bounds) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def along(line: Line) -> np.ndarray:
    """Points close to each other on a line, (P, 2)."""
    points = [np.array(point) for point in line.points]
    pieces = []
    share = np.linspace(0.0, 1.0, 60)[:, None]
    if line.curved:
        first, second, third, fourth = points[1:5]
        curve = (1 - share) ** 3 * first + 3 * (1 - share) ** 2 * share * second
        pieces.append(curve + 3 * (1 - share) * share**2 * third + share**3 * fourth)
        points = [points[0], points[1], points[4], points[5]]
        straight = [(points[0], points[1]), (points[2], points[3])]
    else:
        straight = list(zip(points, points[1:], strict=False))
    pieces += [one + share * (other - one) for one, other in straight]
    return np.concatenate(pieces)
