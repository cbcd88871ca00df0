"""Video files to frames: every frame on a small grid of points, with its time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unrolled.errors import UsageError
from unrolled.tasks.frames.config import FramesConfig

ENDINGS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv")


class Video(NamedTuple):
    """The frames of a file, (T, points) of bytes, their times in seconds from the first, and frames a second."""

    frames: np.ndarray
    times: tuple[float, ...]
    rate: float


def is_video(name: Any) -> bool:
    """Whether a name is that of a video file."""
    return Path(str(name)).suffix.lower() in ENDINGS


def points_of(config: FramesConfig) -> int:
    """The numbers that a frame becomes."""
    width, height = config.size
    return width * height * (3 if config.colour else 1)


def read_video(path: Path, config: FramesConfig) -> Video:
    """The frames of a video file.

    Each is brought to the size of the settings, grey or red, green, blue, a point the mean of the area it stands for;
    with ``fps`` of the settings, those frames stay that are the first at or behind a moment of that clock.

    Raises:
        UsageError: PyAV is not installed, or the file is missing, damaged or holds no picture.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise UsageError(
            f"{path.name} is a video, and PyAV, which reads them, is not installed: pip install 'unrolled[video]'."
        ) from None
    if not path.is_file():
        raise UsageError(f"no such video file: {path}.")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UsageError(f"{path} holds no pictures, only {', '.join(one.type for one in container.streams)}.")
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            seen = list(_read(container.decode(stream), rate, config))
    except FFmpegError as error:
        raise UsageError(f"{path} is no video that can be read: {error.strerror}.") from None
    if not seen:
        raise UsageError(f"{path} holds no frame.")
    return Video(np.stack([frame for _, frame in seen]), tuple(time for time, _ in seen), rate)


def _read(frames: Iterator[Any], rate: float, config: FramesConfig) -> Iterator[tuple[float, np.ndarray]]:
    """Time and points of every frame that is wanted."""
    width, height = config.size
    kind = "rgb24" if config.colour else "gray"
    begin, due = None, 0
    for place, frame in enumerate(frames):
        stamp = place / (rate or 25.0) if frame.time is None else frame.time
        begin = stamp if begin is None else begin
        time = round(stamp - begin, 6)
        if config.fps is not None:
            if time * config.fps < due - 1e-4:
                continue
            due = int(time * config.fps + 1e-4) + 1
        small = frame.reformat(width=width, height=height, format=kind, interpolation="AREA")
        yield time, small.to_ndarray().reshape(-1)
