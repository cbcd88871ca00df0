"""CaptionModel: a few pictures are learned whole, and the decoder without them is left behind."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tasks.samples_caption import CAPTIONS, TINY, drawn, write_pictures
from unrolled.errors import UsageError
from unrolled.model_folder import CAPTIONS as FIGURE
from unrolled.tasks.caption.knowledge import Knowledge
from unrolled.tasks.caption.model import WITHOUT, CaptionModel
from unrolled.tasks.estimator import KnowledgeError

PAIRS = [(drawn(one), one) for one in CAPTIONS]
LEARNED = {"hidden": 24, "embedding": 16, "batch": 6, "size": 16, "channels": 8, "steps": 120, "validations": 3}
LEARNED |= {"rate": 1e-2, "shift": 0.0, "zoom": 0.0, "colour": 0.1, "seed": 1}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CaptionModel:
    return CaptionModel.fit(PAIRS, PAIRS, PAIRS[:5], out=tmp_path_factory.mktemp("model") / "out", **LEARNED)


def quick(data: Any, valid: Any = None, **settings: Any) -> CaptionModel:
    return CaptionModel.fit(data, valid, **{**TINY, "steps": 2, "validations": 1, **settings})


def test_a_few_pictures_are_learned(model: CaptionModel) -> None:
    assert [model.caption(picture) for picture, _ in PAIRS] == CAPTIONS
    figures = model.evaluate(PAIRS)
    assert figures["exact_match"] == 1
    assert figures["perplexity"] < 1.5
    assert (figures["pictures"], figures["captions"], figures["tokens"]) == (12, 12, 36)
    without = figures["baselines"][WITHOUT]
    assert without["exact_match"] <= 1 / 12 + 1e-9
    assert without["perplexity"] > 2
    assert figures["perplexity_by_picture"] == figures["perplexity"] / without["perplexity"] < 0.5


def test_the_decoder_without_the_picture_knows_how_often_what_is_said(model: CaptionModel) -> None:
    """Four colours and three shapes, each as often, and a sure end: it cannot do better than (4 * 3) ** (1 / 3)."""
    best = math.log(12) / 3
    assert best - 1e-6 < model.evaluate(PAIRS)["baselines"][WITHOUT]["nats_per_token"] < best + 0.1


def test_perplexity_is_that_of_the_scores(model: CaptionModel) -> None:
    """Two captions of one picture, by the chain rule from the step function."""
    from unrolled.wirings.encoder_decoder import Writer

    side, network = model.known.side, model.network.seeing
    total, count = 0.0, 0
    with torch.inference_mode():
        for caption in ("red bar", "blue cross"):
            picture = torch.from_numpy(drawn("red bar")).permute(2, 0, 1).unsqueeze(0)
            writer = Writer(network, network.encode(picture))
            state, last = writer.state, side.end
            for token in side.encode([caption])[0].tolist():
                scores, state = writer(torch.tensor([last]), state)
                total -= float(torch.log_softmax(scores.double(), -1)[0, token])
                count, last = count + 1, token
    figures = model.evaluate([(drawn("red bar"), ["blue cross", "red bar"])])
    assert figures["nats_per_token"] == pytest.approx(total / count, rel=1e-5)
    assert figures["exact_match"] == 1  # one of its captions is said


def test_best_captions_come_with_their_figures(model: CaptionModel) -> None:
    try:
        model.use_by(n_best=3, beam=4)
        (row,) = model.predict([drawn("green bar")])
        assert set(row) == {"caption", "score", "log_probability", "n_best"}
        assert row["caption"] == row["n_best"][0]["caption"] == "green bar"
        scores = [one["score"] for one in row["n_best"]]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        with pytest.raises(UsageError, match="'hidden' is not to be given anew"):
            model.use_by(hidden=3)
    finally:
        model.use_by(n_best=1, beam=5)


def test_the_figure_shows_where_it_looks(model: CaptionModel) -> None:
    looked = model.looked[0]
    assert looked.weights is not None
    assert looked.weights.shape == (len(looked.tokens), 2, 2)
    torch.testing.assert_close(looked.weights.sum((1, 2)), torch.ones(len(looked.tokens)))
    assert (looked.caption, looked.wanted) == (CAPTIONS[0], CAPTIONS[0])


def test_the_folder_holds_the_figure_and_the_baseline(tmp_path: Path) -> None:
    out = tmp_path / "out"
    model = quick(write_pictures(tmp_path), out=out)
    drawn_on = np.array(Image.open(out / FIGURE).convert("L"))
    assert drawn_on.std() > 5
    assert WITHOUT in (out / "README.md").read_text(encoding="utf-8")
    again = CaptionModel.load(out).evaluate(tmp_path / "pictures.tsv")
    assert again == model.evaluate(tmp_path / "pictures.tsv")
    assert WITHOUT in again["baselines"]


def test_without_attention_only_pictures_and_captions_are_drawn(tmp_path: Path) -> None:
    model = quick(PAIRS, out=tmp_path / "out", attention="none")
    assert all(one.weights is None for one in model.looked)
    assert (tmp_path / "out" / FIGURE).stat().st_size > 1000


def test_without_a_baseline_nothing_stands_beside() -> None:
    model = quick(PAIRS, baseline=False)
    assert model.network.blind is None
    figures = model.evaluate(PAIRS)
    assert figures["baselines"] == {}
    assert "perplexity_by_picture" not in figures


def test_long_captions_are_left_out_and_said() -> None:
    pairs = [*PAIRS, (drawn("red bar"), "a red bar that goes from the left to the right")]
    model = quick(pairs, PAIRS, longest=4)
    assert model.metrics["data"]["captions_left_out"] == 1
    with pytest.raises(UsageError, match="every caption has more than 1 tokens"):
        quick(PAIRS, longest=1)


def test_a_word_that_it_does_not_know_is_never_written() -> None:
    """Most captions end in a word that comes once, so what stands for these is the likeliest by far."""
    pairs = [(drawn(one), f"{one.split()[0]} thing{place}") for place, one in enumerate(CAPTIONS)]
    model = CaptionModel.fit(pairs, pairs, **{**LEARNED, "steps": 40})
    assert model.evaluate(pairs)["perplexity"] < 3
    assert not any("<unk>" in row["caption"] for row in model.predict([picture for picture, _ in pairs]))


@pytest.mark.parametrize("unit", ["char", "bpe"])
def test_other_units(unit: str) -> None:
    model = quick(PAIRS, unit=unit, tie=True, hidden=6)
    assert all(len(row["caption"]) <= max(map(len, CAPTIONS)) * 4 for row in model.predict([drawn("red bar")]))


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="coverage_penalty: what was looked at too little wants attention"):
        quick(PAIRS, attention="none", coverage_penalty=0.2)
    with pytest.raises(UsageError, match="embedding is 6, the decoder's output 8; give --embedding 8"):
        quick(PAIRS, tie=True)


@pytest.mark.parametrize("text", ["[", "{}", '{"captions": {}, "longest": 3}', '{"captions": 3, "longest": "x"}'])
def test_damaged_knowledge_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError):
        Knowledge.from_json(text, False)
