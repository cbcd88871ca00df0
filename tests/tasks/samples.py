"""Small texts to train on, and settings that train on them in a second."""

from pathlib import Path
from typing import Any

from tasks import samples_caption, samples_classify, samples_frames
from tasks.contract import Case
from tasks.samples_forecast import CASE as FORECAST
from tasks.samples_tag import TAG_CASES
from tasks.samples_translate import TRANSLATE
from unrolled.data.bundled import bundled
from unrolled.tasks.estimator import Sources
from unrolled.tasks.text.model import TextModel

SHAKESPEARE = bundled("tinyshakespeare").path.read_text(encoding="utf-8")
EXCERPT = SHAKESPEARE[:2400]
PERIOD = "the cat sat.\n"
TINY: dict[str, Any] = {"hidden": 8, "embedding": 6, "batch": 4, "window": 16, "steps": 4, "validations": 2}
"""Settings for TextModel.fit that make a network of no use in no time."""


def options(settings: dict[str, Any]) -> list[str]:
    """The same settings for the command line."""
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def write(folder: Path, text: str = EXCERPT, name: str = "text.txt") -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


CASES = {
    **samples_classify.CASES,
    "text": Case(
        TextModel,
        lambda folder: Sources(write(folder)),
        ["To be", "a", "First Citizen:\n", "We are accounted poor"],
        {name: value for name, value in TINY.items() if name not in ("steps", "validations")},
    ),
    **TAG_CASES,
    "forecast": FORECAST,
    "translate": TRANSLATE,
    **samples_frames.CASES,
    **samples_caption.CASES,
}
"""Each task on data as small as can be."""
