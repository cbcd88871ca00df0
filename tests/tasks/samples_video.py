"""Small videos: a light square that moves, and the track that says to which side."""

from pathlib import Path

import av
import numpy as np

RATE = 10
WIDTH, HEIGHT = 64, 48


def write_video(path: Path, frames: np.ndarray, rate: int = RATE) -> Path:
    """A video of frames (T, H, W, 3), bytes; its name says which kind of file."""
    codec = "mpeg1video" if path.suffix == ".mpg" else "mpeg4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def moving(seed: int, steps: int = 24) -> tuple[np.ndarray, list[str]]:
    """Frames (T, H, W, 3) of a square on grey that goes left or right, and where it goes at each."""
    generator = np.random.default_rng(seed)
    frames = np.full((steps, HEIGHT, WIDTH, 3), 60, dtype=np.uint8)
    place, way, ways = 28, int(generator.choice([-4, 4])), []
    for step in range(steps):
        if generator.random() < 0.15 or not 0 <= place + way <= WIDTH - 12:
            way = -way if 0 <= place - way <= WIDTH - 12 else way
        place += way
        ways.append("right" if way > 0 else "left")
        frames[step, 18:30, place : place + 12] = 250
    return frames, ways


def spans(labels: list[str], rate: int = RATE) -> list[tuple[float, float, str]]:
    """Start and end in seconds of every run of one label."""
    starts = [0, *(place for place in range(1, len(labels)) if labels[place] != labels[place - 1]), len(labels)]
    return [(first / rate, last / rate, labels[first]) for first, last in zip(starts[:-1], starts[1:], strict=True)]


def write_spans(path: Path, rows: list[tuple[float, float, str]], header: bool = True) -> Path:
    """A label track of spans."""
    lines = ["start,end,label"] if header else []
    path.write_text("\n".join([*lines, *(f"{a},{b},{label}" for a, b, label in rows)]) + "\n", encoding="utf-8")
    return path


def write_clips(folder: Path, count: int = 6, seed: int = 0, ending: str = ".mp4") -> Path:
    """A folder of videos, each with its track beside it."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        frames, ways = moving(100 * seed + number)
        write_video(folder / f"clip{number}{ending}", frames)
        write_spans(folder / f"clip{number}.csv", spans(ways))
    return folder
