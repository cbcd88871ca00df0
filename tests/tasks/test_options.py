"""Every option of the text task changes something that one can see; none is an ornament."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.samples import EXCERPT, TINY, write
from unrolled.cells.library import find_cell
from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import drop_connect, layer_norm, variational_dropout, zoneout
from unrolled.errors import UsageError
from unrolled.tasks.observer import Silent
from unrolled.tasks.text.config import TextConfig
from unrolled.tasks.text.model import TextModel
from unrolled.training.checkpoint import load_checkpoint
from unrolled.training.trainer import LAST, Progress

See = Callable[[TextModel], Any]
TEXT = EXCERPT[:700]


@dataclass(frozen=True)
class Change:
    """An option's value, what to look at, what is seen there with it, and what goes before."""

    value: Any
    see: See
    seen: Any = None
    """What is seen with the option; anything but what is seen without it, where left out."""
    beside: dict[str, Any] = field(default_factory=dict)
    """Settings with and without the option."""
    instead_of: tuple[str, ...] = ()
    """Settings whose place the option takes."""


def weights(model: TextModel) -> list[float]:
    """Every weight behind the last update, or the best one."""
    return torch.cat([one.detach().flatten() for one in model.network.parameters()]).tolist()


def training(name: str) -> See:
    return lambda model: model.metrics["training"][name]


def sizes(model: TextModel) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.network.recurrent.cell_parameters().items()}


def written(model: TextModel) -> str:
    return next(model.predict(["A"]))["text"]


def validations(model: TextModel) -> int:
    return sum(row["valid"] is not None for row in model.history)


def highest_rate(model: TextModel) -> float:
    return max(row["rate"] for row in model.history)


def has_one_table(model: TextModel) -> bool:
    return model.network.output_side.linear.weight is model.network.input_side.weight


def updates_an_epoch(model: TextModel) -> float:
    return round(model.metrics["training"]["steps"] / model.metrics["training"]["epochs"])


WORDS = {"unit": "word", "batch": 2, "window": 8, "embedding": 8}
PROJECTED = {"cell": "lstm_projected", "sizes": {"projection": 5}}
CHANGES: dict[str, Change] = {
    "epochs": Change(0.5, training("steps"), 5, instead_of=("steps",)),  # 157 tokens a row, 10 windows
    "steps": Change(3, training("steps"), 3),
    "batch": Change(2, updates_an_epoch, 20),
    "window": Change(40, updates_an_epoch, 4),
    "bptt": Change(30, weights),
    "fresh": Change(0.9, weights),
    "rate": Change(0.5, highest_rate, 0.5, {"warmup": 0}),
    "warmup": Change(0.5, lambda model: [row["rate"] < 0.01 for row in model.history], [True, True, False, True]),
    "weight_decay": Change(0.9, weights),
    "clip": Change(1e-6, weights),
    "validations": Change(4, validations, 4),
    "patience": Change(1, training("ended"), "patience", {"rate": 9.0, "steps": 5, "validations": 5}),
    "seed": Change(2, weights),
    "precision": Change("64-true", lambda model: next(model.network.parameters()).dtype, torch.float64),
    "unit": Change("word", lambda model: model.vocabulary.unit, "word", {"embedding": 8, "batch": 2, "window": 8}),
    "vocabulary": Change(40, lambda model: model.vocabulary.size, 40, WORDS),
    "cell": Change("gru", lambda model: model.cell, find_cell("gru")),
    "hidden": Change(5, lambda model: sizes(model)["U_i"], (5, 5)),
    "layers": Change(2, lambda model: model.network.recurrent.num_layers, 2),
    "embedding": Change(0, lambda model: sizes(model)["W_i"][1], len(set(TEXT))),
    "tie": Change(False, has_one_table, False, WORDS),
    "dropout_input": Change(0.9, weights),
    "inspect": Change(1.0, lambda model: all(row["inside"] for row in model.history), True),
    "dropout_output": Change(0.9, weights),
    "dropout_layers": Change(0.9, weights, beside={"layers": 2}),
    "residual": Change(True, lambda model: model.network.recurrent.residual, True, {"layers": 2}),
    "learn_initial_state": Change(True, lambda model: sizes(model).get("h_0"), (8,)),
    "chrono": Change(500.0, weights),
    "zoneout": Change(0.2, lambda model: model.cell, zoneout(find_cell("lstm"), 0.2)),
    "variational": Change(0.2, lambda model: model.cell, variational_dropout(find_cell("lstm"), recurrent=0.2)),
    "drop_connect": Change(0.2, lambda model: model.cell, drop_connect(find_cell("lstm"), 0.2)),
    "layer_norm": Change(True, lambda model: model.cell, layer_norm(find_cell("lstm"))),
    "sizes": Change({"projection": 3}, lambda model: model.network.recurrent.output_size, 3, PROJECTED),
    "length": Change(7, lambda model: len(written(model)), 7),
    "temperature": Change(0.0, written),
    "top_k": Change(1, written),
    "top_p": Change(0.01, written),
    "min_p": Change(1.0, written),
    "repetition_penalty": Change(9.0, written),
    "stop": Change("e", lambda model: "e" in written(model), False),
    "validation_fraction": Change(0.5, lambda model: model.metrics["data"]["characters"], 350),
}
ELSEWHERE = {"minutes", "checkpoint_seconds", "device", "encoding"}
"""Options that need more than a look at the model; each has its own test below."""


def test_every_option_has_its_test() -> None:
    assert not CHANGES.keys() & ELSEWHERE
    assert CHANGES.keys() | ELSEWHERE == TextConfig.model_fields.keys()


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], TextModel]:
    """A function from settings to a model trained by them; the same settings are trained by once."""
    text, made = write(tmp_path_factory.mktemp("options"), TEXT), {}

    def trained(settings: dict[str, Any]) -> TextModel:
        key = repr(settings)
        if key not in made:
            made[key] = TextModel.fit(text, **settings)
        return made[key]

    return trained


@pytest.mark.parametrize("option", CHANGES)
def test_an_option_changes_what_is_seen(option: str, train: Callable[[dict[str, Any]], TextModel]) -> None:
    change = CHANGES[option]
    without = TINY | change.beside
    others = {name: value for name, value in without.items() if name not in change.instead_of}
    seen_without, seen = change.see(train(without)), change.see(train(others | {option: change.value}))
    assert seen != seen_without
    assert change.seen is None or seen == change.seen


def test_the_look_at_weights_sees_no_change_where_there_is_none(tmp_path: Path) -> None:
    text = write(tmp_path, TEXT)
    one, other = (weights(TextModel.fit(text, **TINY)) for _ in range(2))
    assert one == other


# The others.


class Looking(Silent):
    """Notes, behind every update, which step the last checkpoint holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, []

    def stepped(self, progress: Progress) -> None:
        path = self.folder / LAST
        self.seen.append((progress.step, load_checkpoint(path)["progress"]["step"] if path.exists() else 0))


@pytest.mark.parametrize(("seconds", "behind"), [(1e-9, [0, 1, 2, 3]), (1e9, [0, 0, 0, 2])], ids=["often", "seldom"])
def test_checkpoint_seconds(seconds: float, behind: list[int], tmp_path: Path) -> None:
    """A checkpoint is written behind a validation (here of steps 2 and 4) and when these seconds have passed."""
    looking = Looking(tmp_path / "out")
    settings = TINY | {"checkpoint_seconds": seconds}
    if seconds > 1:
        settings, behind = settings | {"steps": 4}, [0, 0, 2, 2]
    TextModel.fit(write(tmp_path, TEXT), out=tmp_path / "out", observer=looking, **settings)
    assert looking.seen == list(enumerate(behind, 1))


def test_minutes(tmp_path: Path) -> None:
    settings = {name: value for name, value in TINY.items() if name != "steps"}
    begun = time.monotonic()
    model = TextModel.fit(write(tmp_path, TEXT), minutes=0.02, **settings)
    assert 1.2 <= model.metrics["training"]["seconds"] <= time.monotonic() - begun
    assert model.metrics["training"]["ended"] == "budget"
    assert model.history[-1]["rate"] < 0.1 * highest_rate(model)
    assert validations(model) == 2


def test_device(tmp_path: Path) -> None:
    text = write(tmp_path, TEXT)
    assert TextModel.fit(text, **TINY, device="cpu").metrics["machine"]["device"] == "cpu"
    if torch.cuda.is_available():
        assert TextModel.fit(text, **TINY, device="cuda").metrics["machine"]["device"] == "cuda"
        return
    with pytest.raises(UsageError) as caught:
        TextModel.fit(text, **TINY, device="cuda")
    assert str(caught.value).startswith("device cuda is asked for, and this machine has cpu")


def test_encoding(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("façade\n".encode("latin-1") * 60)
    assert "ç" in TextModel.fit(path, **TINY, encoding="latin-1").vocabulary.tokens
    with pytest.raises(
        UsageError, match=r"is not utf-8: byte 0xe7 at offset 2 \(line 1\); --encoding latin-1 reads it"
    ):
        TextModel.fit(path, **TINY)


# Rewrites are in the equations that are saved.


def test_all_rewrites_stand_in_the_saved_equations(tmp_path: Path) -> None:
    rewrites = {"zoneout": 0.1, "variational": 0.2, "drop_connect": 0.3, "layer_norm": True}
    TextModel.fit(write(tmp_path, TEXT), out=tmp_path / "out", **TINY, **rewrites, learn_initial_state=True)
    saved = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["cell"]
    expected = layer_norm(find_cell("lstm"))
    expected = zoneout(drop_connect(variational_dropout(expected, recurrent=0.2), 0.3), 0.1)
    cell = Cell.from_dict(saved)
    assert {name: cell.start[name] for name in ("h", "c")} == {"h": "h_0", "c": "c_0"}
    assert cell.statements == expected.statements
    assert cell.noise == expected.noise
    assert any("layer_norm" in line for line in saved["equations"])
    assert {one.per for one in cell.noise.values()} == {"step", "sequence"} | {
        one.per for one in expected.noise.values()
    }
    assert TextModel.load(tmp_path / "out").cell == cell


def test_a_size_the_cell_does_not_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="projektion"):
        TextModel.fit(write(tmp_path, TEXT), **TINY, cell="lstm_projected", sizes={"projektion": 3})


def test_one_table_for_both_sides_wants_one_size(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^tie: .* embedding is 6, .* layer 8; give --embedding 8 or --no-tie\.$"):
        TextModel.fit(write(tmp_path, TEXT), **TINY, tie=True)
    settings = {name: value for name, value in TINY.items() if name != "embedding"}
    model = TextModel.fit(write(tmp_path, TEXT), **settings, tie=True)  # left out, it is what is wanted
    assert model.config.embedding == 8
    assert has_one_table(model)
