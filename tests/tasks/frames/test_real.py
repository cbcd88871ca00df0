"""The frames task on real data: prepared files are as their rules say, and a few updates already beat chance."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from unrolled.data.prepared.frames import LAST_CLIPS, ROUTINES, VIDEOS, exercises, gestures, lips
from unrolled.tasks.frames.model import FramesModel

Data = Callable[[str], Path]


def test_gestures(shared_data: Data, tmp_path: Path) -> None:
    gestures(shared_data("gesture_phase").parent, tmp_path)
    whole = sum(pl.read_csv(tmp_path / f"{name}.csv").height for name in VIDEOS)
    assert whole == 9901 - 7 * 4
    for name in VIDEOS:
        rest = pl.read_csv(tmp_path / f"without_{name}.csv")
        assert rest.height == whole - pl.read_csv(tmp_path / f"{name}.csv").height
        assert name not in rest["video"]
    phases = pl.concat([pl.read_csv(tmp_path / f"{name}.csv") for name in ("a1", "b1")])["phase"].unique().sort()
    assert phases.to_list() == ["hold", "preparation", "rest", "retraction", "stroke"]


def test_exercises(shared_data: Data, tmp_path: Path) -> None:
    exercises(shared_data("mocap_exercise_frames").parent, tmp_path)
    assert sum(pl.read_csv(tmp_path / f"{name}.csv").height for name in ROUTINES) == 2058
    model = FramesModel.fit(
        tmp_path / "without_14_14.csv", test=tmp_path / "14_14.csv", steps=60, rate=0.03, window=20, baseline=False
    )
    assert model.form.columns == {"label": "action", "id": "seq", "time": "step"}
    figures = model.metrics["test"]
    assert figures["frames"] == 387
    assert figures["accuracy"] > 0.4 > figures["baselines"]["majority"]["accuracy"]


def test_lips(shared_data: Data, tmp_path: Path) -> None:
    lips(shared_data("video_grid_lips").parent, tmp_path)
    with np.load(tmp_path / "train.npz") as train, np.load(tmp_path / "test.npz") as test:
        assert train["x"].shape == (450, 75, 20, 52)
        assert test["x"].shape == (LAST_CLIPS, 75, 20, 52)
        assert not set(train["id"]) & set(test["id"])


def test_chorales(shared_data: Data) -> None:
    path = shared_data("music_jsb_chorales") / "jsb-chorales-quarter.json"
    model = FramesModel.fit(path, multilabel=True, ahead=1, steps=60, rate=0.03, hidden=32, baseline=False)
    assert model.metrics["data"]["sequences"] == 229
    figures = model.metrics["test"]
    assert figures["frames"] == 4725 - 77  # of each chorale all steps but the first
    assert figures["nll"] < figures["baselines"]["independent frames"]["nll"]
