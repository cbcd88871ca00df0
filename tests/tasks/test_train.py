"""From a text to a model and back from its folder: what is learned, kept, written anywhere, and opened by strangers."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cli.commands import run
from tasks.samples import EXCERPT, PERIOD, TINY, options, write
from unrolled.engine import backends
from unrolled.engine.backends import BACKENDS
from unrolled.engine.run import Run, Values
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.tasks.observer import Told
from unrolled.tasks.text.model import TextModel
from unrolled.training.trainer import Progress
from unrolled.wirings.sampling import Sampling

INVENTED = """
cell invented
source Somebody's notebook
output y
constant rate = 0.5
initial b_a = -1
a  = sigmoid(W_a @ x + U_a @ h + p_a * m + b_a)
g  = tanh(W_g @ x + U_g @ (a * h) + b_g)
m' = (1 - rate) * m + rate * abs(g)
h' = (1 - a) * h + a * g
y  = h' / (1 + m')
"""
TEXT = EXCERPT[:700]


# It learns.

BYTES = {"unit": "bpe", "vocabulary": 256, "hidden": 64, "rate": 0.04, "steps": 140}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (PERIOD * 60, {}),
        (PERIOD * 60, {"cell": "gru", "embedding": 0}),
        ("süß 中 😀\n" * 60, BYTES),  # most of its tokens are parts of characters
        ("the cat sat .\n" * 90, {"unit": "word", "embedding": 16}),  # one table for input and output
    ],
    ids=["characters", "one-hot", "bytes", "words"],
)
def test_a_text_with_a_period_is_learned(text: str, settings: dict, tmp_path: Path) -> None:
    usual = {"hidden": 16, "embedding": 8, "batch": 4, "window": 24, "steps": 90, "validations": 1, "rate": 0.03}
    usual |= {"dropout_input": 0.0, "dropout_output": 0.0}
    model = TextModel.fit(write(tmp_path, text), **(usual | settings))
    assert model.metrics["validation"]["nats_per_token"] < 0.1
    line = text.splitlines()[0]
    written = model.generate(line[:3], length=40, sampling=Sampling(temperature=0.0))
    assert (line[:3] + written).startswith(f"{line}\n{line}\n{line[:2]}")
    assert model.score(text).figures()["nats_per_token"] < 0.2
    assert model.score(text[::-1]).nats > model.score(text).nats + 10


# Cells of one's own.


def test_a_cell_of_ones_own_trains_from_python_and_comes_back(tmp_path: Path) -> None:
    cell = Cell.from_text(INVENTED)
    model = TextModel.fit(write(tmp_path, TEXT), out=tmp_path / "out", cell=cell, **TINY)
    loaded = TextModel.load(tmp_path / "out")
    assert loaded.cell == model.cell == cell
    assert (loaded.cell.name, loaded.cell.source) == ("invented", "Somebody's notebook")
    assert loaded.config.cell == "invented"
    assert set(loaded.network.recurrent.cell_parameters()) == {"W_a", "U_a", "p_a", "b_a", "W_g", "U_g", "b_g"}
    again = TextModel.fit(out=tmp_path / "out", resume=True, steps=6)
    assert again.cell == cell


STRANGER = """
import json, sys
from unrolled import TextModel
model = TextModel.load(sys.argv[1])
scored = model.score(sys.argv[2])
print(json.dumps({"text": model.generate(length=50, seed=1), "nats": scored.nats, "cell": model.cell.text()}))
"""


def test_a_cell_in_a_file_is_saved_and_opens_where_only_the_folder_is(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    write(here, TEXT)
    write(here, INVENTED, "invented.txt")
    words = ("train", "text", "text.txt", "--cell", "invented.txt", "--out", "out", *options(TINY))
    done = run(*words, folder=here)
    assert done.code == 0, done.err
    model = TextModel.load(here / "out")
    expected = {"text": model.generate(length=50, seed=1), "nats": model.score(TEXT).nats, "cell": model.cell.text()}
    (here / "out").rename(elsewhere / "model")
    shutil.rmtree(here)
    command = [sys.executable, "-c", STRANGER, "model", TEXT]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected
    assert Cell.from_text(expected["cell"]) == Cell.from_text(INVENTED)


# Sources, folders, observers.


def test_a_folder_of_splits_is_scored_on_its_test_text_too(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for name, text in (("train", TEXT), ("valid", TEXT[:90]), ("test", TEXT[90:210])):
        write(texts, text, f"{name}.txt")
    model = TextModel.fit(texts, out=tmp_path / "out", **TINY)
    loaded = TextModel.load(tmp_path / "out")
    assert loaded.metrics["data"]["name"] == "texts"
    assert loaded.metrics["validation"]["characters"] == 90
    figures = {name: dict(loaded.metrics[name]) for name in ("validation", "test")}
    beside = {name: one.pop("baselines") for name, one in figures.items()}
    assert figures["test"] == loaded.score(TEXT[90:210]).figures() == model.score(TEXT[90:210]).figures()
    assert figures["validation"] == loaded.score(TEXT[:90]).figures()
    assert [list(one) for one in beside.values()] == [["5-gram of the training text"]] * 2


def test_characters_of_the_validation_text_alone_are_known(tmp_path: Path) -> None:
    model = TextModel.fit(write(tmp_path, "ab" * 200 + "ac" * 20), **TINY)
    assert model.vocabulary.tokens == ("a", "b", "c")
    assert math.isfinite(model.metrics["validation"]["nats_per_character"])


def test_the_same_seed_trains_the_same_model_and_another_another(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    one, same, other = (TextModel.fit(path, **TINY, seed=seed).score(TEXT).nats for seed in (1, 1, 2))
    assert one == same != other


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    write(tmp_path, TEXT)
    TextModel.fit(tmp_path / "text.txt", **TINY)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["temporary", "text.txt"]


def test_what_was_loaded_is_what_was_trained(tmp_path: Path) -> None:
    model = TextModel.fit(write(tmp_path, TEXT), out=tmp_path / "out", **TINY, precision="64-true")
    loaded = TextModel.load(tmp_path / "out")
    assert loaded.config == model.config
    assert loaded.metrics == model.metrics
    assert loaded.vocabulary.tokens == model.vocabulary.tokens
    for name, value in model.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)
        assert loaded.network.state_dict()[name].dtype == value.dtype == torch.float64
    assert not loaded.network.training
    assert loaded.score(TEXT).nats == model.score(TEXT).nats
    assert loaded.generate(length=50, seed=1) == model.generate(length=50, seed=1)


def test_mixed_precision_trains_by_compiled_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recurrence leaves autocast, and the readout stays in it: nearly the same model, and not the same."""
    single = TextModel.fit(write(tmp_path, TEXT), **TINY)
    under_autocast = []

    def note(run: Run) -> tuple[Tensor, Values, Values]:
        under_autocast.append(torch.is_autocast_enabled("cpu"))
        return cpu(run)

    cpu = BACKENDS["cpu"]
    monkeypatch.setattr(backends, "BACKENDS", {"cpu": note})
    mixed = TextModel.fit(write(tmp_path, TEXT), **TINY, precision="bf16-mixed")
    assert any(under_autocast)
    nats = [model.metrics["validation"]["nats_per_token"] for model in (single, mixed)]
    assert nats[0] != nats[1]
    assert nats[1] == pytest.approx(nats[0], rel=0.01)


def test_a_model_is_saved_where_one_wants_it(tmp_path: Path) -> None:
    model = TextModel.fit(write(tmp_path, TEXT), **TINY)
    model.save(tmp_path / "out")
    names = {"config.json", "model.safetensors", "vocabulary.json", "metrics.json", "history.csv", "loss.png"}
    assert {one.name for one in (tmp_path / "out").iterdir()} == names | {"README.md"}
    loaded = TextModel.load(tmp_path / "out")
    assert loaded.score(TEXT).nats == model.score(TEXT).nats
    with pytest.raises(UsageError, match="holds a model; --force replaces it"):
        model.save(tmp_path / "out")
    loaded.save(tmp_path / "out", force=True)
    assert TextModel.load(tmp_path / "out").score(TEXT).nats == model.score(TEXT).nats


class Note:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def begun(self, told: Told) -> None:
        self.told.append(("begun", told.heading, tuple(told.lines), told.loss))

    def stepped(self, progress: Progress) -> None:
        self.told.append(("stepped", progress.step))

    def validated(self, progress: Progress, loss: float, sample: str) -> None:
        self.told.append(("validated", progress.step, loss, len(sample)))

    def scoring(self, split: str, done: int, total: int) -> None:
        self.told.append(("scoring", split, done, total))


def test_an_observer_is_told_in_order(tmp_path: Path) -> None:
    note = Note()
    model = TextModel.fit(write(tmp_path, TEXT), observer=note, **TINY)
    losses = [row["valid"] for row in model.history if row["valid"] is not None]
    parameters = sum(one.numel() for one in model.network.parameters())
    assert note.told == [
        (
            "begun",
            f"lstm, 1 layer of 8 units, {parameters:,} parameters, 4 steps",
            ("text.txt: 630 characters to learn, 70 to validate",),
            "nats a character",
        ),
        ("stepped", 1),
        ("validated", 2, losses[0], 60),
        ("stepped", 2),
        ("stepped", 3),
        ("validated", 4, losses[1], 60),
        ("stepped", 4),
        ("scoring", "validation", 70, 70),
    ]


def test_a_sample_at_validation_changes_no_random_number(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    seldom, often = (TextModel.fit(path, **(TINY | {"validations": count})) for count in (1, 4))
    assert [row["train"] for row in seldom.history] == [row["train"] for row in often.history]


# What cannot be trained on.


@pytest.mark.parametrize(
    ("text", "settings", "wanted"),
    [
        ("ab" * 30, {}, "the text has 54 tokens, but --batch 4 rows of --window 16 steps need at least 68"),
        ("a", {}, "'{path}' has 1 characters, too few to train on some and keep the last 0.1 of them for validation"),
        ("ab" * 300, {"validation_fraction": 0.001}, "the validation text has 1 token(s), too few to validate on"),
        (
            "a b " * 99 + " " * 99,
            {"unit": "word", "embedding": 8},
            "the validation text has 0 token(s), too few to validate on",
        ),
        ("ab" * 300, {"unit": "word", "vocabulary": 2}, "a vocabulary of 2 words is too small"),
        ("ab" * 300, {"vocabulary": 9}, "a vocabulary of characters holds every character"),
        ("ab" * 300, {"cell": "lstn"}, "there is no cell 'lstn', neither in the library nor as a file. Did you mean"),
        ("ab" * 300, {"chrono": 9, "cell": "elman"}, "chrono initialisation wants a cell that says which biases"),
    ],
)
def test_what_cannot_be_trained_leaves_nothing(text: str, settings: dict, wanted: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        TextModel.fit(path, out=tmp_path / "out", **(TINY | settings))
    assert str(caught.value).startswith(wanted.format(path=path))
    assert "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["text.txt"]


def test_a_source_is_needed() -> None:
    with pytest.raises(UsageError, match="name a text to train on"):
        TextModel.fit(**TINY)


@pytest.mark.parametrize("size", [20, 65, 66, 130, 1999, 2000])
def test_a_validation_text_of_any_length_is_read_in_as_many_rows_as_fit(size: int, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    write(texts, "ab" * 300, "train.txt")
    write(texts, ("ab" * size)[:size], "valid.txt")
    model = TextModel.fit(texts, **(TINY | {"window": 64, "steps": 1, "validations": 1}))
    assert math.isfinite(model.metrics["validation"]["nats_per_token"])
