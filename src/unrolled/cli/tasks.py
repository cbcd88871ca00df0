"""The tasks by name: their settings, which the command line is made from, and how to get at their models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.tasks.caption.config import CaptionConfig
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.tag.config import TagConfig
from unrolled.tasks.text.config import TextConfig
from unrolled.tasks.translate.config import TranslateConfig

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


def _tag() -> "type[Estimator]":
    from unrolled.tasks.tag.model import TagModel

    return TagModel


def _forecast() -> "type[Estimator]":
    from unrolled.tasks.forecast.model import ForecastModel

    return ForecastModel


def _classify() -> "type[Estimator]":
    from unrolled.tasks.classify.model import ClassifyModel

    return ClassifyModel


def _translate() -> "type[Estimator]":
    from unrolled.tasks.translate.model import TranslateModel

    return TranslateModel


def _caption() -> "type[Estimator]":
    from unrolled.tasks.caption.model import CaptionModel

    return CaptionModel


def _frames() -> "type[Estimator]":
    from unrolled.tasks.frames.model import FramesModel

    return FramesModel


TASKS = {
    "classify": Task(
        "Train a network that says of which class a sequence is: text, numbers over time, pictures, sounds.",
        "A table, a .ts or .npz file, or a folder with a folder of wav or picture files a class.",
        ClassifyConfig,
        _classify,
    ),
    "text": Task(
        "Train a network that says what comes next in a text.",
        "A text, a folder with train/valid/test, or a bundled name.",
        TextConfig,
        _text,
        has_splits=False,
    ),
    "tag": Task(
        "Train a network that gives each word of a sentence its tag.",
        "Tagged sentences: CoNLL columns, .conllu or .jsonl.",
        TagConfig,
        _tag,
    ),
    "forecast": Task(
        "Train a network that forecasts series of numbers, with how sure it is.",
        "A table of series: unique_id, ds, y (long), or a time and a column a series (wide).",
        ForecastConfig,
        _forecast,
    ),
    "translate": Task(
        "Train a network that reads a sequence of tokens and writes another.",
        "A table, the beginning of two files' names (see --source), or a folder with train/valid/test.",
        TranslateConfig,
        _translate,
    ),
    "caption": Task(
        "Train a network that looks at a picture and writes what it shows.",
        "A table with a picture file and a caption a row; several rows for several captions.",
        CaptionConfig,
        _caption,
    ),
    "frames": Task(
        "Train a network that says what holds at every step of a sequence: a label, several, or numbers.",
        "A table with a row a step, .npz arrays, .json label sets, a folder or table of videos with label tracks.",
        FramesConfig,
        _frames,
    ),
}


def task_of(folder: Path) -> str:
    """The name of the task whose model a folder holds. Raises UsageError where there is none that is known."""
    from unrolled.errors import UsageError
    from unrolled.model_folder import ModelFolder

    _, described = ModelFolder.open(folder)
    task = described.get("task")
    if task not in TASKS:
        raise UsageError(f"{folder} holds a model of the task '{task}', and this unrolled knows {', '.join(TASKS)}.")
    return task


def open_model(folder: Path, device: str = "cpu") -> "Estimator":
    """The model in a folder. Raises UsageError where there is none, or it is damaged."""
    return TASKS[task_of(folder)].load().load(folder, device)
