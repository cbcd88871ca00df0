"""The tasks by name: their settings, which the command line is made from, and how to get at their models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unrolled.tasks.config import TaskConfig
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.text.config import TextConfig

if TYPE_CHECKING:  # at run time these would bring torch along, and --help must not wait for it
    from unrolled.tasks.estimator import Estimator


@dataclass(frozen=True)
class Task:
    """What the command line knows of a task."""

    says: str
    """What ``unrolled train TASK`` does, in a line."""
    data: str
    """What its argument is, in a line."""
    config: type[TaskConfig]
    load: "Callable[[], type[Estimator]]"
    has_splits: bool = True
    """Whether validation and test data are files of their own (``--valid``, ``--test``)."""


def _text() -> "type[Estimator]":
    from unrolled.tasks.text.model import TextModel

    return TextModel


def _frames() -> "type[Estimator]":
    from unrolled.tasks.frames.model import FramesModel

    return FramesModel


TASKS = {
    "text": Task(
        "Train a network that says what comes next in a text.",
        "A text, a folder with train/valid/test, or a bundled name.",
        TextConfig,
        _text,
        has_splits=False,
    ),
    "frames": Task(
        "Train a network that says what holds at every step of a sequence: a label, several, or numbers.",
        "A table with a row a step, .npz arrays, or .json label sets.",
        FramesConfig,
        _frames,
    ),
}
