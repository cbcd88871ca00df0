"""Files for the frames recipes, from the raw sets in a data folder."""

from pathlib import Path

import numpy as np
import polars as pl

VIDEOS = ("a1", "a2", "a3", "b1", "b3", "c1", "c3")
ROUTINES = ("13_29", "13_30", "13_31", "14_06", "14_14", "14_20")
PHASES = {"D": "rest", "P": "preparation", "S": "stroke", "H": "hold", "R": "retraction"}
LAST_CLIPS = 50


def gestures(source: Path, into: Path) -> None:
    """gesture_phase: for each video VIDEO.csv to test on and without_VIDEO.csv, all others, to learn from.

    Columns: video, step, phase, and the 32 velocities and accelerations of hands and wrists of the processed files
    (*_va3.csv, which begin at the fifth frame): positions of their own differ by person and camera.
    """
    places = [f"{side}_{part}" for part in ("hand", "wrist") for side in ("left", "right")]
    motions = [f"{what}_{place}_{axis}" for what in ("velocity", "acceleration") for place in places for axis in "xyz"]
    scalars = [f"{what}_{place}" for what in ("speed", "scalar_acceleration") for place in places]
    frames = []
    for name in VIDEOS:
        raw = pl.read_csv(source / "gesture_phase" / f"{name}_va3.csv", infer_schema_length=None)
        raw.columns = [*motions, *scalars, "phase"]
        phase = pl.col("phase").str.strip_chars().replace_strict(PHASES)
        frames.append(raw.with_columns(phase, pl.lit(name).alias("video")).with_row_index("step"))
    _one_out(pl.concat(frames), "video", VIDEOS, into)


def exercises(source: Path, into: Path) -> None:
    """mocap_exercise_frames, 10 frames a second: for each sequence SEQ.csv to test on, without_SEQ.csv to learn from.

    Columns: seq, step, action, 12 channels.
    """
    table = pl.read_csv(source / "mocap_exercise_frames" / "mocap6_10fps.csv", infer_schema_length=None)
    _one_out(table.drop("label"), "seq", ROUTINES, into)


def lips(source: Path, into: Path) -> None:
    """video_grid_lips: the last 50 of 500 clips in test.npz, the others in train.npz; x pictures, y words by number."""
    with np.load(source / "video_grid_lips" / "lips_20x52.npz", allow_pickle=False) as raw:
        given = {"x": raw["frames"], "y": raw["frame_word"], "id": raw["clips"]}
        classes = raw["words"]
    for name, part in (("train.npz", slice(None, -LAST_CLIPS)), ("test.npz", slice(-LAST_CLIPS, None))):
        np.savez_compressed(into / name, classes=classes, **{key: value[part] for key, value in given.items()})


def _one_out(table: pl.DataFrame, column: str, names: tuple[str, ...], into: Path) -> None:
    for name in names:
        table.filter(pl.col(column) == name).write_csv(into / f"{name}.csv")
        table.filter(pl.col(column) != name).write_csv(into / f"without_{name}.csv")
