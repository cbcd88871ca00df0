"""The figures of an examination are there, for short and long sequences, and can be opened."""

from pathlib import Path

import pytest
from PIL import Image

from inspection.test_examine import subject
from unrolled.inspection.examine import examine
from unrolled.inspection.figures import draw


@pytest.mark.parametrize("steps", [0, 1, 12, 200])
def test_every_figure_is_drawn(steps: int, tmp_path: Path) -> None:
    paths = draw(examine(subject("gru", steps, num_layers=2, bidirectional=steps == 12)), tmp_path)
    sides = ("forward", "reverse") if steps == 12 else ("forward",)
    wanted = {"gradients.png", "factors.png"} | {f"quantities-{layer}-{side}.png" for layer in "01" for side in sides}
    assert {path.name for path in paths} == wanted == {path.name for path in tmp_path.iterdir()}
    for path in paths:
        with Image.open(path) as picture:
            assert min(picture.size) >= 300
            assert len(picture.convert("L").resize((64, 64)).getcolors() or []) > 2


def test_other_forms(tmp_path: Path) -> None:
    (path, *_) = draw(examine(subject()), tmp_path, "svg")
    text = path.read_text(encoding="utf-8")
    assert text.lstrip().startswith("<?xml")
    assert "<svg" in text
