"""Videos with label tracks: a table of them, a folder, or one file, to recordings."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from unrolled.data.reading import read_bytes
from unrolled.data.tables import Table
from unrolled.errors import UsageError
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.recordings import Form, Recording, Recordings
from unrolled.tasks.frames.tracks import read_track
from unrolled.tasks.frames.video import ENDINGS, is_video, points_of, read_video

VIDEOS = ("video", "file", "path", "filename", "clip")
TRACKS = ("labels", "track", "label", "annotation", "annotations")
TRACK_ENDINGS = (".csv", ".tsv")


class Clip(NamedTuple):
    """A video file, the file of its labels (None where nobody asks), and what it is called."""

    video: Path
    track: Path | None
    id: str


def lists_videos(table: Table, config: FramesConfig, form: Form | None) -> bool:
    """Whether a table names video files, one a row, instead of holding steps."""
    if config.video is not None or (form is not None and "video" in form.columns):
        return True
    column = next((name for name in table.frame.columns if name.lower() in VIDEOS), None)
    if form is not None or column is None:
        return False
    names = table.frame[column].to_list()
    return all(is_video(name) for name in names) and len(set(names)) == len(names)


def read_listed(table: Table, folder: Path, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """The videos that a table names; names of files begin at the table's folder."""
    columns = {} if form is None else form.columns
    column, said = table.column(columns.get("video") or config.video, "video", VIDEOS)
    notes = [said] if said else []
    track = None
    if answers:
        track, said = table.column(columns.get("label") or config.label, "label", TRACKS)
        notes += [said] if said else []
    clips = []
    for row, one in enumerate(table.frame.iter_rows(named=True), 1):
        for name in (column, track):
            if name is not None and not one[name]:
                raise UsageError(f"{table.name}: row {row} names no file in column '{name}'.")
        clips.append(Clip(folder / str(one[column]), folder / str(one[track]) if track else None, str(one[column])))
    where = {"video": column, "label": track or TRACKS[0]}
    return _read(clips, table.name, [table.fingerprint], config, where if form is None else columns, notes)


def read_folder(folder: Path, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """The videos in a folder, in order of name, each with the CSV or TSV file of its name beside it."""
    videos = sorted(one for one in folder.iterdir() if is_video(one) and not one.name.startswith("."))
    if not videos:
        raise UsageError(f"{folder} holds no video ({', '.join(ENDINGS)}).")
    return _beside(videos, folder.resolve().name, config, form, answers)


def read_single(video: Path, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """One video, with the CSV or TSV file of its name beside it."""
    return _beside([video], video.name, config, form, answers)


def _beside(videos: Sequence[Path], name: str, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    clips = []
    for video in videos:
        track = next((one for one in map(video.with_suffix, TRACK_ENDINGS) if one.is_file()), None)
        if answers and track is None:
            raise UsageError(f"{video} has no label track beside it: {video.with_suffix('.csv').name} is missing.")
        clips.append(Clip(video, track if answers else None, video.name))
    columns = {"video": VIDEOS[0], "label": TRACKS[0]} if form is None else form.columns
    return _read(clips, name, [], config, columns, [])


def _read(
    clips: Sequence[Clip],
    name: str,
    digests: list[str],
    config: FramesConfig,
    columns: dict[str, str],
    notes: list[str],
) -> Recordings:
    form = Form(tuple(map(str, range(points_of(config)))), columns)
    sequences, rates, outside, spans = [], list[float](), 0, False
    for clip in clips:
        seen = read_video(clip.video, config)
        known: Any = None
        if clip.track is not None:
            known, missing = read_track(clip.track, seen.times, clip.id, config)
            spans, outside = spans or missing is not None, outside + (missing or 0)
        digests += [hashlib.sha256(read_bytes(one)).hexdigest() for one in (clip.video, clip.track) if one is not None]
        rates.append(seen.rate)
        sequences.append(Recording(clip.id, torch.from_numpy(seen.frames), known, seen.times))
    frames, (width, height) = sum(map(len, sequences)), config.size
    rate = " to ".join(f"{one:g}" for one in sorted({min(rates), max(rates)}))
    kept = f", read at {config.fps:g} at most" if config.fps else ""
    colour = "red, green, blue" if config.colour else "grey"
    notes.append(
        f"videos: {len(clips)}, {rate} frames a second{kept}, {frames:,} frames as {width} x {height} points, {colour} "
        "(--picture, --colour)"
    )
    if len(set(rates)) > 1 and not config.fps:
        notes.append(f"videos: a step of one is not as long as a step of another; --fps {min(rates):g} reads all alike")
    if spans and outside:
        kind = "have no label" if config.multilabel else f"are '{config.outside}' (--outside)"
        notes.append(f"labels: {outside:,} of {frames:,} frames stand in no span and {kind}")
    return Recordings(name, hashlib.sha256("".join(digests).encode()).hexdigest(), sequences, form, tuple(notes))
