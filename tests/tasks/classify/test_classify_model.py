"""The classify task whole: from a file to a folder, its figures, its predictions, and what each option changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cli.commands import run
from tasks.samples_classify import TINY, reviews, waves, write_table, write_ts
from unrolled.errors import UsageError
from unrolled.tasks.classify.draw import draw_confusion
from unrolled.tasks.classify.model import ClassifyModel
from unrolled.tasks.classify.network import Numbers
from unrolled.tasks.classify.teach import balanced, stretch
from unrolled.wirings.tokens import Embedding, OneHot

QUICK: dict[str, Any] = {**TINY, "steps": 4, "validations": 2}
LEARNING: dict[str, Any] = {**TINY, "steps": 60, "hidden": 16, "embedding": 16, "rate": 0.02}


def table(folder: Path, count: int = 40, seed: int = 1, name: str = "reviews.csv") -> Path:
    return write_table(folder / name, reviews(count, seed))


def test_texts_from_the_file_to_the_answer(tmp_path: Path) -> None:
    table(tmp_path)
    table(tmp_path, 20, 2, "later.csv")
    words = [f"--{name.replace('_', '-')}={value}" for name, value in LEARNING.items() if name != "baselines"]
    done = run("train", "classify", "reviews.csv", "--test", "later.csv", "--out", "model", *words, folder=tmp_path)
    assert done.code == 0, done.err
    assert "bag of words and pairs" in done.out
    assert "text: column 'text' (guessed" in done.err
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["test"]["accuracy"] > 0.9
    assert set(metrics["test"]["baselines"]) == {"majority class", "bag of words and pairs + logistic regression"}
    with Image.open(tmp_path / "model" / "confusion.png") as drawn:
        assert min(drawn.size) > 400
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "confusion.png" in card
    assert "majority class" in card
    done = run("evaluate", "model", "later.csv", "--json", folder=tmp_path)
    figures = json.loads(done.out)
    assert {name: figures[name] for name in ("accuracy", "macro_f1")} == {
        name: metrics["test"][name] for name in ("accuracy", "macro_f1")
    }
    assert figures["baselines"]["majority class"]["accuracy"] == 0.5
    shown = run("evaluate", "model", "later.csv", folder=tmp_path).out.splitlines()
    assert shown[0] == f"accuracy: {figures['accuracy']:.4f}"
    assert "  majority class: accuracy: 0.5000, macro f1: 0.3333" in shown
    assert figures["baselines"] == metrics["test"]["baselines"]
    (tmp_path / "new.csv").write_text("id,text\n7,lovely\n9,truly awful\n", encoding="utf-8")
    done = run("predict", "model", "new.csv", folder=tmp_path)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["label"] for row in rows] == ["good", "bad"]
    assert all(sum(row["probabilities"].values()) == pytest.approx(1) for row in rows)
    assert all(row["label"] == max(row["probabilities"], key=row["probabilities"].get) for row in rows)
    (tmp_path / "lines.txt").write_text("lovely\nboring\n", encoding="utf-8")
    done = run("predict", "model", "lines.txt", folder=tmp_path)
    assert [json.loads(line)["label"] for line in done.out.splitlines()] == ["good", "bad"]


def test_series_from_the_file_to_the_answer(tmp_path: Path) -> None:
    train = write_ts(tmp_path / "train.ts", *waves(40))
    test = write_ts(tmp_path / "test.ts", *waves(20, 2))
    model = ClassifyModel.fit(train, test=test, **{**LEARNING, "baselines": True})
    assert model.metrics["test"]["accuracy"] > 0.9
    assert any(name.startswith("1-nearest neighbour") for name in model.metrics["test"]["baselines"])
    assert model.evaluate(test)["accuracy"] == model.metrics["test"]["accuracy"]
    series, labels = waves(20, 2)
    found = [row["label"] for row in model.predict(series)]
    assert np.mean([one == other for one, other in zip(found, labels, strict=True)]) == pytest.approx(
        model.metrics["test"]["accuracy"]
    )
    side = model.network.input_side
    assert isinstance(side, Numbers)
    assert side.standardised.mean.tolist() == pytest.approx(np.concatenate(waves(40)[0]).mean(0).tolist(), abs=2)


def test_long_tables_name_their_series_in_predictions(tmp_path: Path) -> None:
    rows = []
    for name, (values, label) in enumerate(zip(*waves(), strict=True)):
        rows += [(f"s{name}", step, *numbers, label) for step, numbers in enumerate(values.tolist())]
    train = write_table(tmp_path / "a.csv", rows, ("id", "time", "u", "v", "label"))
    model = ClassifyModel.fit(train, **QUICK)
    later = write_table(tmp_path / "b.csv", [("q", 2, 1, 2), ("q", 1, 0, 3), ("p", 1, 1, 1)], ("id", "time", "u", "v"))
    assert [row["id"] for row in model.predict(later)] == ["q", "p"]


def test_a_folder_of_parts_with_a_folder_a_class(tmp_path: Path) -> None:
    """The usual form of collections of pictures."""
    for part in ("train", "val", "test"):
        for label, shade in (("dark", 20), ("light", 230)):
            for number in range(4):
                file = tmp_path / part / label / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.full((6, 5), shade + number, np.uint8)).save(file)
    model = ClassifyModel.fit(tmp_path, **QUICK)
    assert model.metrics["validation"]["examples"] == model.metrics["test"]["examples"] == 8
    assert "train: train, valid: val, test: test (found by their names)" in model.metrics["data"]["notes"]


def test_pictures_of_an_npz_file_with_its_test_part(tmp_path: Path) -> None:
    pictures = np.zeros((20, 6, 5), dtype=np.uint8)
    pictures[::2, :3] = 200
    labels = np.arange(20) % 2
    path = tmp_path / "a.npz"
    np.savez(path, x_train=pictures, y_train=labels, x_test=pictures[:6], y_test=labels[:6])
    model = ClassifyModel.fit(path, **{**QUICK, "baselines": True})
    assert model.metrics["test"]["examples"] == 6
    assert model.evaluate(path)["accuracy"] == model.metrics["test"]["accuracy"]
    assert len(list(model.predict(path))) == 6
    assert len(list(model.predict(list(pictures[:3])))) == 3
    side = model.network.input_side
    assert isinstance(side, Numbers)
    assert side.standardised.mean.tolist() == pytest.approx([50.0] * 5, abs=8)
    assert len(set(side.standardised.mean.tolist())) == 1


def test_a_class_that_was_not_learned_is_refused_by_row(tmp_path: Path) -> None:
    model = ClassifyModel.fit(table(tmp_path), **QUICK)
    later = write_table(tmp_path / "b.csv", [("fine", "good"), ("dull", "god")])
    with pytest.raises(UsageError, match="b.csv, row 2: the class 'god' was not learned.*Did you mean 'good'"):
        model.evaluate(later)
    with pytest.raises(UsageError, match="row 2: the class 'god' was not learned"):
        ClassifyModel.fit(table(tmp_path), test=later, **QUICK)


def test_word_vectors_begin_the_table_and_may_stand_fast(tmp_path: Path) -> None:
    vectors = tmp_path / "v.txt"
    vectors.write_text("film 1 2 3\nlovely 4 5 6\nunheard 7 8 9\n", encoding="utf-8")
    settings = {name: value for name, value in QUICK.items() if name != "embedding"}
    for tune in (True, False):
        model = ClassifyModel.fit(table(tmp_path), vectors=str(vectors), tune=tune, **settings)
        assert model.coder is not None
        side = model.network.input_side
        assert isinstance(side, Embedding)
        place = int(model.coder.encode("unheard"))
        assert place != model.coder.unknown
        row = side.weight[int(model.coder.encode("film"))].tolist()
        assert (row == [1.0, 2.0, 3.0]) != tune
        assert any("vectors: 2 of" in note for note in model.notes)
    with pytest.raises(UsageError, match="have 3"):
        ClassifyModel.fit(table(tmp_path), vectors=str(vectors), embedding=4, **settings)
    with pytest.raises(UsageError, match="--unit char"):
        ClassifyModel.fit(table(tmp_path), vectors=str(vectors), unit="char", **settings)


See = Callable[[ClassifyModel], Any]
CHANGES: dict[str, tuple[Any, See, Any]] = {
    "bidirectional": (False, lambda model: len(model.network.recurrent.directions), 1),
    "pooling": ("last", lambda model: model.network.pooling.kind, "last"),
    "lower": (False, lambda model: model.coder and model.coder.lower, False),
    "unit": ("char", lambda model: model.coder and model.coder.unit, "char"),
    "vocabulary": (5, lambda model: model.coder and model.coder.size, 5),
    "embedding": (0, lambda model: type(model.network.input_side), OneHot),
    "dropout_input": (0.6, lambda model: model.history[0]["train"], None),
    "dropout_output": (0.6, lambda model: model.history[0]["train"], None),
    "crop": (2, lambda model: model.history[0]["train"], None),
    "dropout_tokens": (0.6, lambda model: model.history[0]["train"], None),
    "smoothing": (0.3, lambda model: model.history[0]["train"], None),
    "balance": (True, lambda model: model.history[0]["train"], None),
    "select": ("accuracy", lambda model: model.history[-1]["valid"], None),
    "validation_fraction": (0.5, lambda model: model.metrics["validation"]["examples"], 22),
    "baselines": (True, lambda model: len(model.metrics["validation"]["baselines"]), 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_option_changes_what_it_says(name: str, tmp_path: Path) -> None:
    value, see, seen = CHANGES[name]
    rows = [*reviews(), *reviews(4, 3)[::2] * 2]
    path = write_table(tmp_path / "a.csv", rows)
    with_it = see(ClassifyModel.fit(path, **{**QUICK, name: value}))
    assert with_it == seen if seen is not None else True
    assert with_it != see(ClassifyModel.fit(path, **QUICK))


def test_noise_is_for_training_only() -> None:
    side = Numbers(2, 0.0, 0.5)
    values = torch.zeros(1, 50, 2)
    assert side(values).std() > 0.3
    assert torch.equal(side.eval()(values), values)


def test_a_stretch_is_a_part_by_chance() -> None:
    whole = torch.arange(6)
    found = {tuple(stretch(whole, 4).tolist()) for _ in range(60)}
    assert found == {(0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5)}
    assert torch.equal(stretch(whole, 6), whole)
    assert torch.equal(stretch(whole, 9), whole)


def test_balanced_classes_weigh_the_same() -> None:
    counts = [10, 30, 60]
    weights = balanced(counts)
    assert (weights * torch.tensor(counts)).tolist() == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize("size", [2, 30, 57])
def test_a_confusion_is_drawn_at_any_size(size: int, tmp_path: Path) -> None:
    counts = np.random.default_rng(1).integers(0, 2000, (size, size)).tolist()
    path = tmp_path / "confusion.png"
    draw_confusion(counts, [f"a rather long class name {place}" for place in range(size)], "a title", path)
    with Image.open(path) as drawn:
        assert 500 < drawn.size[0] <= 3000


def test_a_damaged_vocabulary_is_said_to_be_that(tmp_path: Path) -> None:
    ClassifyModel.fit(table(tmp_path), out=tmp_path / "model", **QUICK)
    path = tmp_path / "model" / "vocabulary.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    for broken in ({}, known | {"kind": "smell"}, known | {"counts": [1]}, known | {"texts": None}):
        path.write_text(json.dumps(broken), encoding="utf-8")
        with pytest.raises(UsageError, match="vocabulary.json is damaged or foreign"):
            ClassifyModel.load(tmp_path / "model")
