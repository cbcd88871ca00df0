"""Every option of the frames task's own changes something that one can see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
import torch

from tasks.samples_frames import TINY, rows
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.model import ALONE, FramesModel

TABLE = [row | {"take": row["clip"][::-1], "at": -row["step"], "sign": row["lift"] > 0} for row in rows()]


@dataclass(frozen=True)
class Change:
    """An option's value, what to look at, and what goes before."""

    value: Any
    see: Callable[[FramesModel], Any]
    beside: dict[str, Any] = field(default_factory=dict)


def weights(model: FramesModel) -> list[float]:
    return torch.cat([one.detach().flatten() for one in model.network.parameters()]).tolist()


def updates_an_epoch(model: FramesModel) -> float:
    return model.metrics["training"]["steps"] / model.metrics["training"]["epochs"]


CHANGES: dict[str, Change] = {
    "batch": Change(1, updates_an_epoch),
    "hidden": Change(3, lambda model: model.network.recurrent.hidden_sizes),
    "rate": Change(0.5, lambda model: max(row["rate"] for row in model.history)),
    "id": Change("take", lambda model: model.form.columns["id"]),
    "time": Change("at", lambda model: model.form.columns["time"]),
    "label": Change("sign", lambda model: model.answers.to_dict()["counts"]),
    "features": Change("lift", lambda model: model.form.features),
    "multilabel": Change(True, lambda model: model.answers.KIND),
    "regression": Change(True, lambda model: model.answers.KIND, {"label": "at"}),
    "ahead": Change(1, lambda model: model.metrics["data"]["steps"], {"validation_fraction": 0.3}),
    "lookahead": Change(2, weights),
    "bidirectional": Change(True, lambda model: model.network.recurrent.directions),
    "projection": Change(2, lambda model: model.network.recurrent.input_size),
    "window": Change(4, updates_an_epoch),
    "balanced": Change(True, weights),
    "missing": Change("mean", lambda model: model.config.missing),
    "tempo": Change(0.5, weights),
    "dropout_input": Change(0.9, weights),
    "dropout_output": Change(0.9, weights),
    "validation_fraction": Change(0.5, lambda model: model.metrics["validation"]["frames"]),
    "baseline": Change(False, lambda model: ALONE in model.metrics["validation"]["baselines"]),
}

OF_VIDEOS = {"video", "picture", "colour", "fps", "outside"}
"""What these change is seen in test_video.py."""


def test_every_option_of_its_own_has_its_test() -> None:
    own = set(FramesConfig.model_fields) - set(TaskConfig.model_fields)
    assert own - OF_VIDEOS <= CHANGES.keys() <= FramesConfig.model_fields.keys()


@pytest.mark.parametrize("option", CHANGES)
def test_an_option_changes_what_is_seen(option: str) -> None:
    change = CHANGES[option]
    table = [row for row in TABLE if row["clip"] != "clip4"]  # which has one step, and none to predict ahead
    without = {name: value for name, value in TINY.items() if name != option} | {"baseline": option == "baseline"}
    given = without | change.beside | {option: change.value}
    one, other = (FramesModel.fit(pl.DataFrame(table), **how) for how in (without | change.beside, given))
    assert change.see(one) != change.see(other)
