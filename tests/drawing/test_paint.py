"""Files of pictures: valid, of one size, with texts as texts, and the same bytes each time."""

import io
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from unrolled.cells.library import LIBRARY
from unrolled.drawing.net import unroll
from unrolled.drawing.paint import RESOLUTION, paint
from unrolled.drawing.scene import Box, Line, Scene, Strip, measure
from unrolled.drawing.wiring import plan
from unrolled.equations.cell import Cell

OWN: dict = {
    "font.family": "serif",
    "lines.linewidth": 9,
    "svg.fonttype": "path",
    "mathtext.fontset": "cm",
    "mathtext.default": "bf",
    "text.usetex": True,
    "path.simplify": True,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "figure.autolayout": True,
    "figure.constrained_layout.use": True,
}
SVG = "{http://www.w3.org/2000/svg}"


def test_an_svg_is_valid_and_its_texts_are_texts() -> None:
    scene = unroll(LIBRARY["lstm"], plan(inside=True))
    root = ElementTree.fromstring(paint(scene))
    size = [float(root.get(side, "").removesuffix("pt")) for side in ("width", "height")]
    assert size == pytest.approx([scene.width, scene.height], abs=1e-3)
    texts = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    assert len(texts) == sum(bool(one.text) for one in scene.texts)
    assert {"lstm, many-to-many", "lstm"} <= set(texts)
    letters = ["".join(sorted("".join(one.split()))) for one in texts]
    assert letters.count("".join(sorted("σ(Wfx2+Ufh1+bf)"))) == 1


def test_the_same_picture_is_the_same_bytes() -> None:
    def made(form: str) -> bytes:
        return paint(unroll(LIBRARY["gru"], plan("encoder-decoder")), form)

    for form in ("svg", "png", "pdf"):
        assert made(form) == made(form)
    plain = made("svg"), made("png")
    measure.cache_clear()
    with matplotlib.rc_context(OWN):
        assert plain == (made("svg"), made("png"))  # a user's own style does not reach it
    measure.cache_clear()


def test_names_that_xml_would_read_are_escaped() -> None:
    svg = paint(unroll(Cell("a < b & $c", "h' = tanh(W @ x + U @ h)"), plan(steps=1)))
    texts = ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert "a < b & $c, many-to-many" in texts


def test_pixels_are_where_the_scene_says() -> None:
    scene = Scene("t", 72.0, 36.0)
    scene.add(Box(40.0, 10.0, 20.0, 16.0, "#00ff00", "#00ff00"), Line(((4.0, 18.0), (30.0, 18.0)), "#ff0000"))
    scene.add(Strip(42.0, 14.0, (0.0, 1.0), 1.0, gate=True))
    scene.add(Box(62.0, 2.0, 8.0, 8.0, "#0000ff", "#0000ff", behind=True), Line(((60.0, 6.0), (72.0, 6.0)), tip=False))
    pixels = np.asarray(Image.open(io.BytesIO(paint(scene, "png"))).convert("RGB"))
    assert pixels.shape == (RESOLUTION // 2, RESOLUTION, 3)

    def at(x: float, y: float) -> tuple[int, ...]:
        return tuple(int(one) for one in pixels[round(y * RESOLUTION / 72), round(x * RESOLUTION / 72)])

    assert at(55.0, 24.0) == (0, 255, 0)
    assert at(28.5, 18.0) == at(10.0, 18.0) == (255, 0, 0)
    assert at(35.0, 18.0) == (255, 255, 255)
    assert at(46.0, 18.0)[2] > 60 > at(46.0, 18.0)[0] + at(46.0, 18.0)[1] - 70  # viridis begins violet
    assert at(54.0, 18.0)[0] > 200  # and ends yellow
    assert at(66.0, 6.0) == (39, 39, 42)  # the line runs across the box behind
    assert at(66.0, 3.5) == (0, 0, 255)
