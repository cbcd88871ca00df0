"""The training loop: it keeps the best weights, stops early, tells its history, and stops where numbers end."""

import copy
import csv
import math
import re
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util

from cli.commands import run
from tasks.samples import EXCERPT, TINY, options, write
from tolerance import assert_close
from unrolled.data.streams import Streams
from unrolled.equations.cell import Cell
from unrolled.errors import UnrolledError, UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.model_folder import ModelFolder
from unrolled.tasks.text.model import TextModel
from unrolled.training.checkpoint import load_checkpoint
from unrolled.training.config import StreamConfig, learning_rate
from unrolled.training.history import COLUMNS, draw_loss
from unrolled.training.streaming import StreamCourse
from unrolled.training.trainer import BEST, LAST, Progress, Trainer
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.tokens import OneHot, TokenScores


class Deaf:
    """A watcher that looks at nothing."""

    def stepped(self, progress: Progress) -> None: ...

    def validated(self, progress: Progress, loss: float) -> None: ...


def make_trainer(folder: Path, cell: Cell | str = "elman", loss: Callable[[], float] = lambda: 1.0, **settings: object):
    """A trainer of a small network on a small stream, validated by what ``loss`` says."""
    torch.manual_seed(1)
    network = ManyToMany(OneHot(3), Recurrent(cell, 3, 4), TokenScores(4, 3))
    network = network.double() if settings.get("precision") == "64-true" else network
    streams = Streams(torch.arange(60) % 3, batch=2, window=5)
    config = StreamConfig(**({"batch": 2, "window": 5, "steps": 10} | settings))
    course = StreamCourse(network, streams, loss, config)
    return Trainer(network, course, config, ModelFolder(folder), Deaf())


# A step, and the state from window to window.


def trained_by_hand(network: ManyToMany, trainer: Trainer, carried: bool) -> None:
    """What the trainer's settings say, in a plain loop; a window's state comes from the last, or from nothing."""
    config, streams = trainer.config, trainer.course.streams
    matrices = [one for one in network.parameters() if one.dim() > 1]
    vectors = [one for one in network.parameters() if one.dim() < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer, state = torch.optim.AdamW(groups, fused=False), None
    for step in range(trainer.budget.steps or 0):
        inputs, targets = streams[step % len(streams)]
        begins = step % len(streams) == 0 or not carried or state is None
        outputs, state, _ = network(inputs, None if begins else state.detach())
        loss = -torch.log_softmax(outputs, -1).gather(-1, targets.unsqueeze(-1)).mean()
        optimizer.zero_grad()
        loss.backward()
        length = torch.cat([one.grad.flatten() for one in network.parameters() if one.grad is not None]).norm()
        for one in network.parameters():
            assert one.grad is not None
            one.grad *= min(1.0, config.clip / (float(length) + 1e-6))  # as torch has it
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step / (trainer.budget.steps or 0))
        optimizer.step()


@pytest.mark.parametrize(("fresh", "carried"), [(0.0, True), (1.0, False)], ids=["carried", "always fresh"])
def test_training_is_a_plain_loop_of_its_settings(fresh: float, carried: bool, tmp_path: Path) -> None:
    falling = iter(range(100, 0, -1))  # the last weights are the best
    settings = {"fresh": fresh, "precision": "64-true", "clip": 0.23, "weight_decay": 0.1, "rate": 0.02, "steps": 15}
    trainer = make_trainer(tmp_path, "lstm", lambda: float(next(falling)), **settings)
    alone = copy.deepcopy(trainer.network)
    trainer.run()
    norms = [row["gradient_norm"] for row in trainer.history.rows]
    assert min(norms) < 0.23 < max(norms), "some gradients are to be cut, and some not"
    assert [row["clipped"] for row in trainer.history.rows] == [float(norm > 0.23) for norm in norms]
    trained_by_hand(alone, trainer, carried)
    for name, value in trainer.network.state_dict().items():
        assert_close(value, alone.state_dict()[name], "loop, torch.nn")


# The best weights, and stopping early.


@pytest.mark.parametrize(
    ("losses", "patience", "validations", "best", "ended"),
    [
        ([5, 4, 3, 2, 1], 2, 5, 5, "budget"),
        ([5, 3, 4, 4, 1], 2, 4, 2, "patience"),
        ([5, 3, 4, 2, 4], 2, 5, 4, "budget"),
        ([3, 3, 3, 3, 3], 3, 4, 1, "patience"),  # no better is not better
        ([1, 2, 3, 4, 5], 4, 5, 1, "budget"),
    ],
)
def test_patience_counts_validations_since_the_best(
    losses: list[int], patience: int, validations: int, best: int, ended: str, tmp_path: Path
) -> None:
    told = iter(map(float, losses))
    trainer = make_trainer(tmp_path, loss=lambda: next(told), patience=patience, validations=5)
    weights: dict[int, torch.Tensor] = {}
    trainer.watcher.stepped = lambda progress: weights.setdefault(
        progress.step, trainer.network.output_side.linear.weight.detach().clone()
    )
    progress = trainer.run()
    assert (progress.step, progress.best_step, progress.ended) == (2 * validations, 2 * best, ended)
    assert progress.best == min(losses[:validations])
    assert torch.equal(trainer.network.output_side.linear.weight, weights[2 * best])
    assert best == validations or not torch.equal(weights[2 * best], weights[2 * validations])


def test_the_saved_model_is_the_one_with_the_lowest_validation_loss(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    write(texts, "ab" * 300, "train.txt")
    write(texts, "abababababbbaaabba", "valid.txt")  # what is learned from the training text soon fails here
    settings = TINY | {"steps": 60, "validations": 20, "patience": 3, "rate": 0.03, "fresh": 0, "seed": 2}
    model = TextModel.fit(texts, out=tmp_path / "out", **settings)
    valid = [row["valid"] for row in model.history if row["valid"] is not None]
    assert model.metrics["training"]["ended"] == "patience"
    assert len(valid) == valid.index(min(valid)) + 1 + 3
    assert 1 < len(valid) < 20
    loaded = TextModel.load(tmp_path / "out")
    scored = loaded.score("abababababbbaaabba")  # its first token counts log V, as nothing stands before it
    lowest = (scored.nats - math.log(2)) / (scored.tokens - 1)
    assert_close(np.float32([lowest]), np.float32([min(valid)]), "loop, other batch, float32")
    best, last = (load_checkpoint(tmp_path / "out" / name)["network"] for name in (BEST, LAST))
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, best[name])
    assert not torch.equal(best["output_side.linear.weight"], last["output_side.linear.weight"])


# What a run tells of itself.


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TextModel, Path]:
    """A model of 45 updates in 9 windows an epoch, and its folder."""
    folder = tmp_path_factory.mktemp("trained")
    settings = TINY | {"steps": 45, "validations": 3, "window": 20, "warmup": 0.2, "inspect": 1}
    return TextModel.fit(write(folder, EXCERPT[:800]), out=folder / "out", **settings), folder / "out"


def test_history_is_a_table_of_the_run(trained: tuple[TextModel, Path]) -> None:
    model, folder = trained
    with open(folder / "history.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["step"]) for row in rows] == list(range(1, 46))
    assert [int(row["epoch"]) for row in rows] == [step // 9 for step in range(1, 46)]
    assert [int(row["step"]) for row in rows if row["valid"]] == [15, 30, 45]
    for index, row in enumerate(rows):
        assert float(row["rate"]) == pytest.approx(learning_rate(model.config, index / 45), rel=1e-5)
        assert 0 < float(row["train"]) < 10
        assert float(row["gradient_norm"]) > 0
        assert float(row["per_second"]) > 0
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    assert [float(row["train"]) for row in rows] == pytest.approx([row["train"] for row in model.history], rel=1e-5)


def test_tensorboard_tells_the_same(trained: tuple[TextModel, Path]) -> None:
    model, folder = trained
    (file,) = (folder / "tensorboard").iterdir()
    told: dict[str, dict[int, float]] = {}
    for event in EventFileLoader(str(file)).Load():
        for value in event.summary.value:
            told.setdefault(value.tag, {})[event.step] = float(tensor_util.make_ndarray(value.tensor))
    shown = {name for name in told if "/" not in name}
    assert shown == set(COLUMNS) - {"step", "epoch", "gradient_64", "gradient_256"}  # a window has 20 steps
    assert "gradient/0.forward.c/16" in told
    for name in told.keys() - {"valid"}:
        assert list(told[name]) == list(range(1, 46)), name
    assert list(told["valid"]) == [15, 30, 45]
    for row in model.history:
        assert told["train"][row["step"]] == pytest.approx(row["train"], rel=1e-6)


def test_the_loss_is_drawn_in_a_picture_one_can_read(trained: tuple[TextModel, Path]) -> None:
    assert (trained[1] / "loss.png").stat().st_size > 10_000
    rows = [row | {"seconds": 2.0 * row["step"]} for row in trained[0].history]  # however long each step took
    draw_loss(rows, trained[1].parent / "even.png", "a title", "nats")
    picture = matplotlib.image.imread(trained[1].parent / "even.png", format="png")  # (height, width, RGBA)
    height, width, _ = picture.shape
    assert width >= 800
    assert height >= 480
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):  # training, validation
        near = np.abs(picture[:, :, :3] * 255 - np.array(colour)).max(-1) < 40
        assert near.sum() > 100
        assert np.ptp(np.nonzero(near)[1]) > width / 4  # a line across, not only its sample in the legend


def test_metrics_tell_what_was_done(trained: tuple[TextModel, Path]) -> None:
    model, _ = trained
    training = model.metrics["training"]
    assert (training["steps"], training["epochs"], training["ended"]) == (45, 5.0, "budget")
    assert training["parameters"] == sum(one.numel() for one in model.network.parameters())
    assert training["best_step"] in (15, 30, 45)
    assert model.metrics["data"]["characters"] == 720
    assert model.metrics["seed"] == 1
    assert model.metrics["versions"]["torch"] == torch.__version__
    assert set(model.metrics["machine"]) == {"system", "processor", "threads", "device"}


# Numbers that are none.


def test_an_infinite_weight_is_named_at_once(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    with torch.no_grad():
        trainer.network.recurrent.cell_parameters()["U"][1, 2] = math.inf
    with pytest.raises(UnrolledError) as caught:
        trainer.run()
    name = next(name for name, _ in trainer.network.named_parameters() if name.endswith(".U"))
    assert str(caught.value).startswith(f"step 1: the loss is nan and '{name}' holds numbers that are not finite; try ")
    assert "--rate" in str(caught.value)


def test_a_gradient_that_is_no_number_is_named_where_the_loss_is_one(tmp_path: Path) -> None:
    cell = Cell("edge", "h' = tanh(W @ x + U @ h + sqrt(p * p))")  # at p = 0 the chain rule says 0 times infinity
    trainer = make_trainer(tmp_path, cell)
    with pytest.raises(
        UnrolledError, match=r"^step 1: the loss is 1\.\d+ and the gradient of '[^']*\.p' is not finite"
    ):
        trainer.run()


def test_a_validation_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(
        UnrolledError, match=r"^step 2: the validation loss is nan and the largest gradient is that of '"
    ):
        make_trainer(tmp_path, loss=lambda: math.nan, validations=5).run()
    assert not (tmp_path / BEST).exists()


def test_a_run_that_diverges_at_once_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    done = run("train", "text", "text.txt", "--out", "out", *options(TINY | {"rate": 1e38}), folder=tmp_path)
    assert done.code == 1
    assert done.out == ""
    *_, error = done.err.splitlines()
    assert re.match(r"unrolled: step 2: the (validation )?loss is nan and .*'input_side\.table\.weight' ", error)
    assert re.search(r"; try a smaller --rate \(it is \de\+37\), ", error)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["text.txt"]


def test_a_run_that_diverges_later_keeps_its_checkpoints_and_no_half_model(tmp_path: Path) -> None:
    settings = TINY | {"rate": 1e37, "steps": 20, "checkpoint_seconds": 1e-9}
    with pytest.raises(UnrolledError, match=r"^step \d+: the loss is (nan|inf) and .*--rate"):
        TextModel.fit(write(tmp_path), out=tmp_path / "out", **settings)
    assert (tmp_path / "out" / LAST).exists()
    with pytest.raises(UsageError, match=r"is no whole model: model.safetensors is missing. Its training was cut off"):
        TextModel.load(tmp_path / "out")
