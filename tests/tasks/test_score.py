"""Scoring: surprisals against a computation of their own, whatever the window; figures and offsets made from them."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tasks.samples import EXCERPT, TINY
from tolerance import assert_close
from unrolled.data.vocabulary import Vocabulary
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.tasks.text.config import TextConfig
from unrolled.tasks.text.model import TextModel
from unrolled.tasks.text.score import Score

MANY_BYTES = "Süß 中文 😀\n" * 20
TEXTS = {"char": EXCERPT, "word": EXCERPT, "bpe": EXCERPT + MANY_BYTES}
SCORED = {"char": EXCERPT[300:800], "word": "You are unheard of !\n\n  Speak, speak.\n", "bpe": "Speak, 中 süß 😀!\n"}


def make_model(unit: str, text: str, **settings: object) -> TextModel:
    """A model in double precision with random weights that are far from even; its numbers need no training."""
    torch.manual_seed(5)
    config = TextConfig(**(TINY | {"unit": unit, "layers": 2, "tie": False} | settings))
    vocabulary = Vocabulary.train(text, unit, 300 if unit == "bpe" else None)
    model = TextModel(config, Cell("plain", "h' = tanh(W @ x + U @ h + b)"), vocabulary)
    model.network.double()
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.mul_(3)
    return model


LINE_END = {"bpe": "Ċ"}
"""The token of a line end where it is not the line end itself: byte pairs have an alphabet of their own."""
MODELS = {unit: make_model(unit, text) for unit, text in TEXTS.items()}
on_units = pytest.mark.parametrize("unit", TEXTS)


def by_hand(model: TextModel, text: str) -> NDArray[np.float64]:
    """-log p of every token: one run over the whole text, and the softmax in NumPy."""
    ids = model.vocabulary.encode(text)
    line_end = LINE_END.get(model.vocabulary.unit, "\n")
    start = model.vocabulary.tokens.index(line_end) if line_end in model.vocabulary.tokens else None
    before = ids[:-1] if start is None else torch.cat([torch.tensor([start]), ids[:-1]])
    with torch.inference_mode():
        scores = model.network.eval()(before.unsqueeze(0)).outputs[0].numpy()  # (S, V)
    powers = np.exp(scores - scores.max(1, keepdims=True))
    probabilities = powers / powers.sum(1, keepdims=True)
    wanted = ids.numpy()[ids.numel() - len(probabilities) :]
    nats = -np.log(probabilities[np.arange(len(wanted)), wanted])
    return nats if start is not None else np.concatenate([[np.log(model.vocabulary.size)], nats])


@on_units
@pytest.mark.parametrize("window", [1, 7, 64, 10**6])
def test_surprisals_are_those_of_one_run_over_the_whole_text(unit: str, window: int) -> None:
    model, text = MODELS[unit], SCORED[unit]
    scored = model.score(text, window=window)
    expected = by_hand(model, text)
    assert_close(scored.surprisals, expected, "loop, numpy")
    assert_close(np.array([scored.nats]), np.array([expected.sum()]), "loop, numpy")
    assert scored.surprisals.std() > 0.3, "so even a text could not show a mistake"


def test_without_a_line_end_in_the_vocabulary_the_first_token_is_one_of_v() -> None:
    model = make_model("char", "abcabcaab")
    scored = model.score("bca")
    assert_close(scored.surprisals, by_hand(model, "bca"), "loop, numpy")
    assert float(scored.surprisals[0]) == math.log(3)
    assert model.score("b").figures()["perplexity"] == pytest.approx(3)


@on_units
def test_figures_are_made_from_the_surprisals(unit: str) -> None:
    model, text = MODELS[unit], SCORED[unit]
    scored = model.score(text)
    figures, nats = scored.figures(), float(np.sum(by_hand(model, text)))
    tokens = len(model.vocabulary.encode(text))
    assert (figures["characters"], figures["tokens"]) == (len(text), tokens)
    assert figures["nats_per_character"] == pytest.approx(nats / len(text), rel=1e-9)
    assert figures["nats_per_token"] == pytest.approx(nats / tokens, rel=1e-9)
    assert figures["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-9)
    for per in ("character", "token"):
        assert figures[f"bits_per_{per}"] == pytest.approx(figures[f"nats_per_{per}"] / math.log(2), rel=1e-12)
    assert len(figures) == 7


@on_units
def test_rows_say_where_each_token_stands(unit: str) -> None:
    model, text = MODELS[unit], SCORED[unit]
    rows, raw = list(model.score(text).rows()), text.encode()
    ids = model.vocabulary.encode(text).tolist()
    assert [row["token"] for row in rows] == [model.vocabulary.decode([one]) for one in ids]
    for row in rows:
        assert set(row) == {"token", "surprisal", "start", "end"}
        if row["token"] != "<unk>":
            assert raw[row["start"] : row["end"]].decode(errors="replace") == row["token"]
    between = [raw[one["end"] : other["start"]] for one, other in pairwise(rows)]
    assert (rows[0]["start"], rows[-1]["end"]) == (0, len(raw))
    assert all(not gap.strip() for gap in between)
    assert unit == "word" or all(gap == b"" for gap in between)
    assert sum(row["surprisal"] for row in rows) == pytest.approx(float(np.sum(by_hand(model, text))), rel=1e-9)


def test_progress_is_told_window_by_window() -> None:
    told: list[tuple[int, int]] = []
    MODELS["char"].score(SCORED["char"], window=200, report=lambda done, total: told.append((done, total)))
    assert told == [(200, 500), (400, 500), (500, 500)]


def test_scoring_leaves_dropout_out() -> None:
    model = make_model("char", EXCERPT, dropout_output=0.9)
    model.network.train()
    one, other = (model.score("Speak").surprisals for _ in range(2))
    assert torch.equal(one, other)
    assert_close(one, by_hand(model, "Speak"), "loop, numpy")


@pytest.mark.parametrize(
    ("unit", "text", "wanted"),
    [
        ("char", "", "there is nothing to score: the text is empty."),
        ("word", " \t ", "there is nothing to score: the text holds no word."),
        ("char", "né%", "2 distinct character(s) of the text are not among the"),
    ],
)
def test_a_text_that_cannot_be_scored_is_refused(unit: str, text: str, wanted: str) -> None:
    with pytest.raises(UsageError) as caught:
        MODELS[unit].score(text)
    assert str(caught.value).startswith(wanted)


def test_a_window_is_one_token_at_least() -> None:
    with pytest.raises(UsageError, match="window is 1 or more, and is 0"):
        MODELS["char"].score("Speak", window=0)


def test_a_score_holds_its_parts() -> None:
    scored = MODELS["char"].score("Speak")
    assert isinstance(scored, Score)
    assert scored.tokens == scored.characters == 5
    assert scored.surprisals.dtype == torch.float64


def test_a_network_that_is_sure_of_what_is_wrong_still_has_a_perplexity() -> None:
    nothing = torch.zeros(1, dtype=torch.long)
    one = Score(torch.tensor([2000.0]), nothing, nothing, nothing + 1, 1, MODELS["char"].vocabulary)
    assert one.figures()["nats_per_token"] == 2000.0
    assert 1e300 < one.figures()["perplexity"] < math.inf
