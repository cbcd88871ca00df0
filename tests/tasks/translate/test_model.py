"""TranslateModel: a tiny language is learned whole; files that do not fit are refused or said."""

from pathlib import Path
from typing import Any

import pytest

from tasks.samples_translate import PAIRS, TINY, write_pairs, write_parallel
from unrolled.errors import UsageError
from unrolled.model_folder import ATTENTION
from unrolled.tasks.translate.model import TranslateModel
from unrolled.wirings.sampling import Sampling

LEARNED = {"hidden": 32, "embedding": 16, "batch": 8, "unit": "word", "steps": 150, "validations": 3, "rate": 2e-2}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TranslateModel:
    out = tmp_path_factory.mktemp("model") / "out"
    return TranslateModel.fit(PAIRS, PAIRS[:6], PAIRS[6:9], out=out, **LEARNED)


def quick(data: Any, valid: Any = None, **settings: Any) -> TranslateModel:
    return TranslateModel.fit(data, valid, **{**TINY, "steps": 2, "validations": 1, **settings})


def test_a_tiny_language_is_learned(model: TranslateModel) -> None:
    assert [model.translate(source) for source, _ in PAIRS] == [target for _, target in PAIRS]
    figures = model.evaluate(PAIRS)
    assert figures["exact_match"] == 1
    assert figures["token_error_rate"] == 0
    assert figures["bleu"] == pytest.approx(100)
    assert figures["perplexity"] < 1.2
    assert figures["sentences"] == len(PAIRS)
    assert figures["baselines"]["word by word"]["exact_match"] > 0.5


def test_the_folder_holds_both_figures_and_the_card_both_signatures(model: TranslateModel) -> None:
    assert len(model.looked) == 4
    looked = model.looked[0]
    assert looked.weights.shape == (len(looked.target), len(looked.source))
    assert float(looked.weights.sum(-1).min()) == pytest.approx(1)
    lines = "\n".join(model.summary())
    assert model.metrics["test"]["bleu_signature"] in lines
    assert model.metrics["test"]["chrf_signature"] in lines
    assert "word by word" in lines


def test_translations_can_be_drawn(model: TranslateModel) -> None:
    source, wild = "der hund sieht der ball", Sampling(temperature=5.0)
    assert model.translate(source, Sampling(top_k=1)) == "the dog sees the ball"
    drawn = [model.translate(source, wild, seed) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_search_may_be_set_anew(model: TranslateModel) -> None:
    first = list(model.predict(["der hund sieht der ball"]))[0]
    assert "n_best" not in first
    try:
        model.use_by(beam=4, n_best=4, length_penalty=0.0)
        row = list(model.predict(["der hund sieht der ball"]))[0]
        assert row["translation"] == row["n_best"][0]["translation"] == "the dog sees the ball"
        assert row["score"] == row["log_probability"]  # without a penalty
        assert row["log_probability"] == pytest.approx(first["log_probability"])
        assert len({one["translation"] for one in row["n_best"]}) == 4
        model.use_by(coverage_penalty=0.5)
        covered = list(model.predict(["der hund sieht der ball"]))[0]
        assert covered["score"] < covered["log_probability"]
        model.use_by(longest=2)
        assert model.translate("der hund sieht der ball") == "the dog"
    finally:
        model.use_by(beam=5, n_best=1, length_penalty=0.6, coverage_penalty=0.0, longest=200)
    with pytest.raises(UsageError, match="'hidden' is not to be given anew"):
        model.use_by(hidden=3)
    with pytest.raises(UsageError, match="n-best is from 1 to the beam"):
        model.use_by(beam=2, n_best=3)


def test_two_files_a_table_and_a_folder_give_one_model(tmp_path: Path) -> None:
    one = quick(write_pairs(tmp_path), PAIRS[:4])
    other = quick(write_parallel(tmp_path, "train"), PAIRS[:4], source="de", target="en")
    write_parallel(tmp_path, "val", PAIRS[:4])
    third = quick(tmp_path, source="de", target="en")
    expected = list(one.predict(["ein mann"]))
    assert list(other.predict(["ein mann"])) == list(third.predict(["ein mann"])) == expected
    assert third.metrics["validation"]["sentences"] == 4


def test_a_share_validates_where_nothing_else_does() -> None:
    model = quick(PAIRS, validation_fraction=0.25)
    assert model.metrics["data"]["pairs"] == 36
    assert "validation: 25% of the pairs, chosen by seed 1" in " ".join(model.metrics["data"]["notes"])


def test_empty_and_long_pairs_are_left_out_and_said() -> None:
    model = quick([*PAIRS, ("", "nothing"), ("der " * 30, "the")], PAIRS[:4])
    assert "left out: 1 pair(s) with an empty side, the first is number 49" in model.metrics["data"]["notes"]
    assert model.metrics["data"]["pairs_left_out"] == 1
    with pytest.raises(UsageError, match="every pair has more than 1 tokens"):
        quick(PAIRS, longest=1)
    with pytest.raises(UsageError, match="no pair has something on both sides"):
        quick([("", "a"), ("b", "")])


def test_alternatives_count_by_the_nearest() -> None:
    pairs = [("der hund", "x y"), ("der hund", "a"), ("ein", "b")]
    strict, kind = quick(PAIRS).evaluate(pairs), quick(PAIRS, alternatives=True).evaluate(pairs)
    assert (strict["sentences"], kind["sentences"]) == (3, 2)
    assert kind["tokens"] == strict["tokens"]


@pytest.mark.parametrize(
    "settings",
    [
        {"attention": "none", "bridge": "last"},
        {"attention": "dot", "bidirectional": False, "bridge": "zero", "cell": "gru"},
        {"attention": "bilinear", "input_feeding": True, "layers": 2},
        {"tie": True, "embedding": 8, "label_smoothing": 0.1, "lower": True, "joint": True},
        {"unit": "char", "target_unit": "word", "header": False},
        {"unit": "bpe", "vocabulary": 270, "coverage_penalty": 0.1, "precision": "64-true"},
    ],
)
def test_settings_go_together(settings: dict[str, Any], tmp_path: Path) -> None:
    model = quick(write_pairs(tmp_path), out=tmp_path / "out", **settings)
    rows = list(TranslateModel.load(tmp_path / "out").predict(["der hund", "ein"]))
    assert rows == list(model.predict(["der hund", "ein"]))
    assert (tmp_path / "out" / ATTENTION).exists() == (settings.get("attention") != "none")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attention": "dot"}, "attention dot wants one size on both sides"),
        ({"tie": True}, "tie: one table wants one size, and embedding is 6, the decoder's output 8"),
        ({"coverage_penalty": 0.1, "attention": "none"}, "coverage_penalty: .* attention is none"),
        ({"n_best": 9}, "n-best is from 1 to the beam, 3, and is 9"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        quick(PAIRS, **settings)


def test_label_smoothing_changes_what_is_learned() -> None:
    losses = [quick(PAIRS, label_smoothing=share).metrics["training"]["loss"] for share in (0.0, 0.3)]
    assert losses[0] != losses[1]
