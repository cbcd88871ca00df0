"""What the page holds, before any browser opens it: values in few bytes, typeset equations, nothing from elsewhere."""

import hashlib
import json
import math
import re
import zlib
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import torch

from inspection.test_examine import subject
from unrolled.inspection.examine import Examined, examine
from unrolled.inspection.page import BUDGET, LEVELS, MISSING, PARTS, Form, _block, choose_form, pack, write_page
from unrolled.inspection.typeset import typeset


def blocks(path: Path) -> dict[str, bytes]:
    """What is packed in a page, by name."""
    found = re.findall(r'<script type="text/plain" id="([^"]+)">([^<]*)</script>', path.read_text(encoding="utf-8"))
    return {name: zlib.decompress(b64decode(block)) for name, block in found}


@pytest.mark.parametrize("levels", LEVELS)
def test_packed_values_are_as_exact_as_is_said(levels: int) -> None:
    values = np.random.default_rng(0).normal(size=(40, 7)) * np.array([1e-3, 1, 1, 10, 1e6, 1, 1])
    codes, low, high = pack(values, Form(1, levels))
    assert codes.shape == (7, 40)
    assert codes.max() == levels - 1
    back = low[:, None] + codes * ((high - low) / (levels - 1))[:, None]
    bound = (high - low)[:, None] / (2 * (levels - 1)) * (1 + 1e-9)
    assert (np.abs(back - values.T) <= bound).all()


def test_what_is_not_finite_is_kept_apart_and_spoils_nothing() -> None:
    values = np.array([[1.0, math.nan, 5.0], [math.inf, math.nan, 5.0], [3.0, -math.inf, 5.0]])
    codes, low, high = pack(values, Form(1, 255))
    assert codes.tolist() == [[0, MISSING, 254], [MISSING] * 3, [0, 0, 0]]
    assert (low.tolist(), high.tolist()) == ([1.0, 0.0, 5.0], [3.0, 0.0, 5.0])


def test_a_stride_keeps_means() -> None:
    codes, low, high = pack(np.array([[0.0], [2.0], [math.nan], [4.0], [5.0]]), Form(2, 255))
    assert (low[0], high[0]) == (1.0, 5.0)  # of 0 and 2; of 4 alone; of 5, the rest
    assert codes.tolist() == [[0, round(254 * 3 / 4), 254]]
    assert pack(np.zeros((6, 1)), Form(2, 255)).codes.shape == (1, 3)


def test_long_sequences_are_kept_less_exactly_until_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = {"0.forward.h": np.random.default_rng(0).uniform(size=(1024, 64))}  # 65,536 bytes that nothing packs
    seen = []
    for budget in (70_000, 60_000, 40_000, 20_000, 10_000):
        monkeypatch.setattr("unrolled.inspection.page.BUDGET", budget)
        form = choose_form(noise)
        packed = len(b64decode(_block(pack(noise["0.forward.h"], form).codes.tobytes())))
        assert packed <= budget
        assert packed > budget / 4 or form.levels == LEVELS[0]  # and no worse than it must be
        seen.append(form)
    assert seen[0] == Form(1, 255)
    assert seen == sorted(seen, key=lambda form: (form.stride, -form.levels))
    assert seen[-1].stride > 1


@pytest.mark.parametrize("steps", [0, 1, 12])
def test_the_page_holds_the_document_and_every_quantity(steps: int, tmp_path: Path) -> None:
    examined = examine(subject("lstm", steps, num_layers=2, bidirectional=True))
    path = tmp_path / "page.html"
    write_page(examined, path)
    held = blocks(path)
    document = json.loads(held["document"])
    assert document["steps"] == examined.document["steps"]
    assert document["verdict"] == examined.document["verdict"]
    assert document["page"]["complete"]
    for place, values in examined.recorded.items():
        about = document["page"]["quantities"][place]
        codes = np.frombuffer(held[place], np.uint8).reshape(len(about["low"]), about["columns"])
        low, high = np.array(about["low"])[:, None], np.array(about["high"])[:, None]
        back = low + codes * (high - low) / (document["page"]["levels"] - 1)
        assert np.allclose(back, values.T.numpy(), rtol=1e-4, atol=float((high - low).max(initial=0)) / 500)
    text = path.read_text(encoding="utf-8")
    assert "{{" not in text.replace(held["plotly"].decode(), "")
    assert not re.search(r"(src|href)=\"(?!#|data:,)", text)  # asks for nothing


def test_pre_activations_are_left_out_of_what_is_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    examined = examine(subject())
    monkeypatch.setattr("unrolled.inspection.page.BUDGET", 400)
    write_page(examined, tmp_path / "page.html")
    document = json.loads(blocks(tmp_path / "page.html")["document"])
    kept = {place for place in examined.recorded if not place.endswith("_pre")}
    assert set(document["page"]["quantities"]) == kept != set(examined.recorded)
    assert not document["page"]["complete"]


def test_what_the_user_wrote_is_no_markup(tmp_path: Path) -> None:
    examined = examine(subject())
    evil = "</script><script>alert(1)</script>"
    examined.document["steps"][3] = evil
    examined.document["cell"]["name"] = evil
    write_page(examined, tmp_path / "page.html")
    assert evil not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_noise_of_ten_thousand_steps_stays_small(tmp_path: Path) -> None:
    base = examine(subject())
    generator = torch.Generator().manual_seed(0)
    places = [place for place in base.recorded if not place.endswith("_pre")]
    noise = {place: torch.rand(10_000, 512, generator=generator) for place in places}  # the worst there is to pack
    told = {place: dict(one, mean=[0.5] * 512) for place, one in base.document["quantities"].items()}
    write_page(Examined({**base.document, "quantities": told}, noise, []), tmp_path / "page.html")
    assert BUDGET < (tmp_path / "page.html").stat().st_size < 20_000_000


def test_equations_are_drawn_line_by_line_and_said() -> None:
    latex = "\\begin{aligned}\nh_{t} &= \\tanh(W\\, x_{t}) \\\\\ny_{t} &= V\\, h_{t}\n\\end{aligned}\n"
    drawing = typeset(latex, 'h < "y"')
    assert drawing.count("<path") == 4
    assert 'aria-label="h &lt; &quot;y&quot;"' in drawing
    bases = sorted({float(y) for y in re.findall(r"translate\([\d.]+ ([\d.]+)\)", drawing)})
    assert len(bases) == 2
    rights = {x for x, _ in re.findall(r"translate\(([\d.]+) ([\d.]+)\)", drawing)[1::2]}
    assert len(rights) == 1  # what stands behind = begins at one place
    assert typeset(latex.replace("tanh", "exp"), "") != typeset(latex, "")


def test_the_library_that_draws_is_the_published_one() -> None:
    told = re.search(r"sha256: `(\w+)`", (PARTS / "plotly/NOTICE.md").read_text(encoding="utf-8"))
    assert told
    assert hashlib.sha256((PARTS / "plotly/plotly-cartesian.min.js").read_bytes()).hexdigest() == told[1]
