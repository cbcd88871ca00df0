"""Label tracks: the CSV file beside a video that says what holds when, to an answer for each of its frames."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from torch import Tensor

from unrolled.data.tables import Table, read_table
from unrolled.errors import UsageError
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.recordings import Labels
from unrolled.tasks.frames.tables import LABELS, TIMES, answers_in

STARTS, ENDS = ("start", "begin", "from", "onset"), ("end", "stop", "to", "offset")
FRAMES = ("frame", "step", "index")
"""What columns are called."""


class Track(NamedTuple):
    """What holds at each frame, and how many frames stand in no span (None of a track with a row a frame)."""

    answers: Labels | Tensor
    outside: int | None


def read_track(path: Path, times: tuple[float, ...], video: str, config: FramesConfig) -> Track:
    """The answers for a video's frames.

    A track has columns start, end (seconds from the first frame) and label, a row a span; a span holds from its start
    to before its end. Or it has a row a frame, with a label in it (or numbers, --regression). Without a line of names,
    three columns are the first form.

    Args:
        path: The CSV or TSV file.
        times: Of the frames, in seconds.
        video: What the video is called in messages.
        config: The kind of answer, and the label of frames in no span.

    Raises:
        UsageError: columns are missing, a span is no span or overlaps another, or there are more or fewer rows than
            frames.
    """
    table = _table(path)
    starts, ends = (_usual(table, names) for names in (STARTS, ENDS))
    if starts is None or ends is None:
        return _by_frame(table, len(times), video, config)
    return _by_span(table, starts, ends, times, config)


def _table(path: Path) -> Table:
    table = read_table(path)
    cells = table.frame.columns
    if len(cells) == 3 and all(_is_number(one) for one in cells[:2]):  # no line of names
        table = read_table(path, header=False)
        named = dict(zip(table.frame.columns, ("start", "end", "label"), strict=True))
        table = Table(table.frame.rename(named), table.name, table.fingerprint)
    return Table(table.frame, str(path), table.fingerprint)


def _by_frame(table: Table, count: int, video: str, config: FramesConfig) -> Track:
    if config.regression:
        column = ",".join(name for name in table.frame.columns if name.strip().lower() not in (*FRAMES, *TIMES))
    else:
        column, _ = table.column(None, "label", (*LABELS, *table.frame.columns[-1:]))
    if table.frame.height != count:
        raise UsageError(
            f"{table.name} has {table.frame.height} rows, and {video} {count} frames; a row a frame is wanted, or "
            "columns start, end (seconds) and label."
        )
    frame = _usual(table, FRAMES)
    if frame is not None and frame != column:
        numbers = table.frame[frame]
        if not numbers.dtype.is_integer() or (numbers.diff().drop_nulls() != 1).any():
            raise UsageError(f"{table.name}: column '{frame}' does not count the frames one by one.")
    return Track(answers_in(table, column, config), None)


def _by_span(table: Table, start: str, end: str, times: tuple[float, ...], config: FramesConfig) -> Track:
    if config.regression:
        raise UsageError(f"{table.name} has spans of labels, and --regression wants a row of numbers a frame.")
    column, _ = table.column(None, "label", (*LABELS, *(c for c in table.frame.columns if c not in (start, end))))
    answers = answers_in(table, column, config)
    assert isinstance(answers, list)
    bounds = []
    for name in (start, end):
        if not table.frame[name].dtype.is_numeric() or table.frame[name].is_null().any():
            raise UsageError(f"{table.name}: column '{name}' holds what is no number; seconds are wanted.")
        bounds.append(table.frame[name].cast(pl.Float64).to_numpy())
    clock = np.array(times)
    found: list[list[str]] = [[] for _ in times]
    rows: list[int] = [-1] * len(times)
    for row, (first, last) in enumerate(zip(*bounds, strict=True)):
        if not 0 <= first < last:
            raise UsageError(f"{table.name}, row {row + 1}: {first:g} to {last:g} seconds is no span.")
        inside = np.flatnonzero((clock >= first - 1e-6) & (clock < last - 1e-6)).tolist()
        for place in inside:
            if found[place] and not config.multilabel:
                when = f"at {times[place]:g} seconds"
                raise UsageError(f"{table.name}: the spans of rows {rows[place] + 1} and {row + 1} both hold {when}.")
            rows[place] = row
            found[place] += [one for one in answers[row] if one not in found[place]]
    outside = sum(row < 0 for row in rows)
    fill = [] if config.multilabel else [config.outside]
    return Track([tuple(one or fill) for one in found], outside)


def _usual(table: Table, names: tuple[str, ...]) -> str | None:
    return next((name for name in table.frame.columns if name.strip().lower() in names), None)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
