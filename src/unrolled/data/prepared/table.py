"""The preparers by name."""

from collections.abc import Callable
from pathlib import Path

from unrolled.data.prepared import caption, classify, forecast, frames, translate
from unrolled.errors import UsageError, did_you_mean

PREPARERS: dict[str, Callable[[Path, Path], None]] = {
    "caption.openmoji": caption.openmoji,
    "classify.languages": classify.languages,
    "classify.languages_short": classify.languages_short,
    "classify.names": classify.names,
    "classify.questions": classify.questions,
    "classify.sentiment": classify.sentiment,
    "classify.spoken_digits": classify.spoken_digits,
    "forecast.airline": forecast.airline,
    "forecast.ett": forecast.ett,
    "forecast.m4": forecast.m4,
    "frames.exercises": frames.exercises,
    "frames.gestures": frames.gestures,
    "frames.lips": frames.lips,
    "translate.multi30k": translate.multi30k,
    "translate.spelling": translate.spelling,
}
"""Each makes a recipe's files: from a data folder, into another."""


def preparer(name: str) -> Callable[[Path, Path], None]:
    """The preparer of that name, as ``classify.sentiment``. Raises UsageError where there is none."""
    if name not in PREPARERS:
        raise UsageError(
            f"there is no preparer '{name}'; there are {', '.join(PREPARERS)}.{did_you_mean(name, PREPARERS)}"
        )
    return PREPARERS[name]
