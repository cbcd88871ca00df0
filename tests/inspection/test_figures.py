"""The figures of an examination are there, for short and long sequences, and can be opened."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from inspection.test_examine import subject
from unrolled.inspection.examine import examine
from unrolled.inspection.figures import draw


@pytest.mark.parametrize("steps", [0, 1, 12, 200])
def test_every_figure_is_drawn(steps: int, tmp_path: Path) -> None:
    paths = draw(examine(subject("gru", steps, num_layers=2, bidirectional=steps == 12)), tmp_path)
    sides = ("forward", "reverse") if steps == 12 else ("forward",)
    wanted = {"gradients.png", "factors.png"} | {f"quantities-{layer}-{side}.png" for layer in "01" for side in sides}
    wanted |= {"predictions.png", "saturation.png"} if steps else set()
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


def test_what_is_there_only_sometimes_is_drawn(tmp_path: Path) -> None:
    seen = subject()
    wide = replace(seen, predict=lambda outputs: torch.eye(12, dtype=outputs.dtype), classes=list("abcdefghijkl"))
    wide = replace(wide, attention=lambda outputs: torch.softmax(outputs[0], -1), looked_at=["$1", "b", "c", "d", "e"])
    names = {path.stem for path in draw(examine(wide, at=[3, -1]), tmp_path)}
    assert names == {
        "gradients",
        "gradients-at",
        "factors",
        "predictions",
        "attention",
        "quantities-0-forward",
        "saturation",
    }
    rows = [{"said": {"value": 1.0 * step}, "observed": {"value": 2.0}, "loss": 0.5} for step in range(11)]
    last = {"top": [["$a", 0.7], ["b", 0.3]], "right": "b", "surprisal": 1.2}
    once = replace(seen, predict=None, tell=lambda _: [*({} for _ in rows), last])
    assert "predictions" in {path.stem for path in draw(examine(once), tmp_path / "once")}
    told = replace(seen, predict=None, tell=lambda _: [*rows, {"said": {"value": 1.0}}])
    assert "predictions" in {path.stem for path in draw(examine(told), tmp_path / "numbers")}
