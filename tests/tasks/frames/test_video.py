"""Frames from video files with label tracks: a folder, a table, one file; sizes, clocks, spans, and what is refused."""

import builtins
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.commands import run
from tasks.samples_video import RATE, moving, spans, write_clips, write_spans, write_video
from unrolled.errors import UsageError
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.model import FramesModel
from unrolled.tasks.frames.recordings import Recordings
from unrolled.tasks.frames.sources import read_one

SMALL: dict[str, Any] = {"picture": "8x6"}


def read(source: Any, answers: bool = True, **settings: Any) -> Recordings:
    return read_one(source, FramesConfig(**SMALL | settings), None, answers)


def refused(source: Any, **settings: Any) -> str:
    with pytest.raises(UsageError) as caught:
        read(source, **settings)
    return str(caught.value)


def test_a_folder_of_videos_is_learned_from(tmp_path: Path) -> None:
    """Which way a square goes cannot be seen in one frame: the network without recurrence does not learn it."""
    write_clips(tmp_path / "train", 16)
    new = write_clips(tmp_path / "new", 3, seed=1)
    settings = {"picture": "16x3", "hidden": 24, "batch": 8, "steps": 120, "rate": 0.02, "seed": 1}
    model = FramesModel.fit(tmp_path / "train", test=new, **settings)
    figures = model.metrics["test"]
    assert figures["frames"] == 72
    assert figures["accuracy"] >= 0.8
    assert figures["accuracy"] >= figures["baselines"]["no recurrence"]["accuracy"] + 0.15


def test_from_videos_to_a_row_a_frame_on_the_command_line(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "clips", 4)
    small = ("--steps", 5, "--hidden", 5, "--batch", 3, "--validations", 1, "--picture", "8x6", "--no-baseline")
    done = run("train", "frames", "clips", "--out", "model", *small, folder=tmp_path)
    assert done.code == 0, done.err
    assert "videos: 4, 10 frames a second, 96 frames as 8 x 6 points, grey" in done.err
    lines = run("predict", "model", folder / "clip1.mp4", folder=tmp_path).out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["frame"] for row in rows] == list(range(24))
    assert [row["time"] for row in rows] == pytest.approx([frame / RATE for frame in range(24)])
    assert all(row["id"] == "clip1.mp4" and row["label"] in ("left", "right") for row in rows)
    assert sum(rows[3]["probabilities"].values()) == pytest.approx(1)
    both = run("predict", "model", folder, folder=tmp_path).out.splitlines()
    assert both[24:48] == lines
    assert "accuracy:" in run("evaluate", "model", folder, folder=tmp_path).out
    write_clips(tmp_path / "clips", 1)
    error = run("evaluate", "model", folder / "clip9.mp4", folder=tmp_path).error
    assert "clip9.mp4 has no label track beside it: clip9.csv is missing" in error


def test_a_frame_is_brought_to_a_small_grid_by_the_mean_of_areas(tmp_path: Path) -> None:
    frames = np.zeros((3, 48, 64, 3), dtype=np.uint8)
    frames[:, :, 32:] = 200
    frames[1, :24] = 100
    path = write_video(tmp_path / "a.avi", frames)
    (one,) = read(path, answers=False, picture="2x2").sequences
    assert one.features is not None
    expected = [[0, 200, 0, 200], [100, 100, 0, 200], [0, 200, 0, 200]]
    assert np.abs(one.features.numpy().astype(int) - expected).max() <= 6  # mpeg4 loses a little


def test_colours_are_read_where_asked_for(tmp_path: Path) -> None:
    frames = np.zeros((2, 48, 64, 3), dtype=np.uint8)
    frames[..., 0] = 220
    path = write_video(tmp_path / "a.mp4", frames)
    (one,) = read(path, answers=False, picture="2x1", colour=True).sequences
    assert one.features is not None
    assert one.features.shape == (2, 6)
    assert np.abs(one.features.numpy().astype(int) - [[220, 0, 0] * 2] * 2).max() <= 12


def test_spans_hold_from_their_start_to_before_their_end(tmp_path: Path) -> None:
    frames, _ = moving(1, 10)
    path = write_video(tmp_path / "a.mpg", frames, 25)  # its clock does not begin at 0
    write_spans(tmp_path / "a.csv", [(0.2, 0.28, "c"), (0.04, 0.2, "b")])
    found = read(path)
    (one,) = found.sequences
    assert one.answers == [("none",), *[("b",)] * 4, *[("c",)] * 2, *[("none",)] * 3]
    assert one.times == pytest.approx([frame / 25 for frame in range(10)])
    assert any("4 of 10 frames stand in no span and are 'none' (--outside)" in note for note in found.notes)
    (one,) = read(path, outside="rest").sequences
    assert one.answers is not None
    assert one.answers[0] == ("rest",)
    write_spans(tmp_path / "a.csv", [(0.2, 0.28, "c"), (0.0, 0.24, "b")])
    (one,) = read(path, multilabel=True).sequences
    assert one.answers is not None
    assert [one.answers[place] for place in (4, 5, 6, 9)] == [("b",), ("c", "b"), ("c",), ()]


def test_a_track_needs_no_line_of_names(tmp_path: Path) -> None:
    frames, ways = moving(2)
    path = write_video(tmp_path / "a.mp4", frames)
    write_spans(tmp_path / "a.csv", spans(ways), header=False)
    (one,) = read(path).sequences
    assert one.answers == [(way,) for way in ways]


def test_a_track_with_a_row_a_frame(tmp_path: Path) -> None:
    frames, ways = moving(3, 5)
    path = write_video(tmp_path / "a.mp4", frames)
    track = tmp_path / "a.csv"
    track.write_text("label\n" + "\n".join(ways) + "\n", encoding="utf-8")
    (one,) = read(path).sequences
    assert one.answers == [(way,) for way in ways]
    track.write_text("frame,x,y\n" + "\n".join(f"{k},{k * 0.5},7" for k in range(5)) + "\n", encoding="utf-8")
    (one,) = read(path, regression=True).sequences
    assert np.array_equal(np.asarray(one.answers), [[k * 0.5, 7] for k in range(5)])
    track.write_text("frame,label\n0,a\n1,b\n3,a\n4,a\n5,a\n", encoding="utf-8")
    assert "column 'frame' does not count the frames one by one" in refused(path)
    track.write_text("label\na\nb\n", encoding="utf-8")
    assert "a.csv has 2 rows, and a.mp4 5 frames" in refused(path)


def test_a_table_names_videos_and_tracks(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "clips", 2)
    table = tmp_path / "videos.csv"
    table.write_text("video,labels\nclips/clip0.mp4,clips/clip0.csv\nclips/clip1.mp4,clips/clip1.csv\n")
    found = read(table)
    assert [one.id for one in found.sequences] == ["clips/clip0.mp4", "clips/clip1.mp4"]
    assert [one.answers for one in found.sequences] == [one.answers for one in read(folder).sequences]
    table.write_text("what,where\nclips/clip0.mp4,clips/clip0.csv\n")
    assert read(table, video="what", label="where").sequences[0].answers == found.sequences[0].answers
    table.write_text("video,labels\nclips/clip0.mp4,\n")
    assert "videos.csv: row 1 names no file in column 'labels'" in refused(table)
    table.write_text("video,labels\nclips/other.mp4,clips/clip0.csv\n")
    assert "no such video file" in refused(table)


def test_a_table_of_steps_may_name_the_video_that_each_comes_from(tmp_path: Path) -> None:
    table = tmp_path / "steps.csv"
    table.write_text("video,step,lift,label\na.mp4,0,1.5,up\na.mp4,1,2.5,down\nb.mp4,0,1,up\n")
    assert [one.id for one in read(table).sequences] == ["a.mp4", "b.mp4"]


def test_frames_are_read_by_a_slower_clock(tmp_path: Path) -> None:
    frames, ways = moving(4, 12)
    path = write_video(tmp_path / "a.mp4", frames, 12)
    write_spans(tmp_path / "a.csv", spans(ways, 12))
    found = read(path, fps=5.0)
    (one,) = found.sequences
    assert one.times == pytest.approx([0, 3 / 12, 5 / 12, 8 / 12, 10 / 12], abs=1e-3)
    assert one.answers == [(ways[place],) for place in (0, 3, 5, 8, 10)]
    assert any("12 frames a second, read at 5 at most, 5 frames" in note for note in found.notes)
    write_video(tmp_path / "b.mp4", frames, 6)
    (tmp_path / "b.csv").write_text((tmp_path / "a.csv").read_text())
    assert any("6 to 12 frames a second" in note for note in read(tmp_path).notes)
    assert any("--fps 6 reads all alike" in note for note in read(tmp_path).notes)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(0.0, 1.0, "a"), (0.5, 2.0, "b")], "the spans of rows 1 and 2 both hold at 0.5 seconds"),
        ([(1.0, 0.5, "a")], "row 1: 1 to 0.5 seconds is no span"),
    ],
)
def test_spans_that_cannot_be(tmp_path: Path, rows: list[tuple[float, float, str]], says: str) -> None:
    path = write_video(tmp_path / "a.mp4", moving(5)[0])
    write_spans(tmp_path / "a.csv", rows)
    assert says in refused(path)


def test_files_that_are_no_videos(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    assert "a.mp4 is no video that can be read" in refused(tmp_path / "a.mp4", answers=False)
    with wave.open(str(tmp_path / "b.avi"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    assert "b.avi holds no pictures, only audio" in refused(tmp_path / "b.avi", answers=False)
    (tmp_path / "empty").mkdir()
    assert "holds no video" in refused(tmp_path / "empty")


def test_without_pyav_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", moving(6, 3)[0])
    real = builtins.__import__

    def without(name: str, *how: Any, **more: Any) -> Any:
        if name == "av":
            raise ImportError("No module named 'av'")
        return real(name, *how, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "pip install 'unrolled[video]'" in refused(path, answers=False)


def test_a_model_of_tables_refuses_videos(tmp_path: Path) -> None:
    table = tmp_path / "steps.csv"
    table.write_text("clip,step,lift,label\n" + "".join(f"a,{k},{k % 3},{'xy'[k % 2]}\n" for k in range(30)))
    model = FramesModel.fit(table, hidden=4, steps=2, validations=1, baseline=False)
    path = write_video(tmp_path / "a.mp4", moving(7, 3)[0])
    with pytest.raises(UsageError, match="is of videos, and the model reads 1 numbers a step"):
        list(model.predict(path))
