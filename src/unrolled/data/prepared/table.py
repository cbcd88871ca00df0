"""The preparers by name."""

from collections.abc import Callable
from pathlib import Path

from unrolled.data.prepared import classify
from unrolled.errors import UsageError, did_you_mean

PREPARERS: dict[str, Callable[[Path, Path], None]] = {
    "classify.languages": classify.languages,
    "classify.languages_short": classify.languages_short,
    "classify.names": classify.names,
    "classify.questions": classify.questions,
    "classify.sentiment": classify.sentiment,
    "classify.spoken_digits": classify.spoken_digits,
from unrolled.data.prepared.translate import multi30k, spelling
from unrolled.errors import UsageError, did_you_mean

PREPARERS: dict[str, Callable[[Path, Path], None]] = {
    "translate.multi30k": multi30k,
    "translate.spelling": spelling,
from unrolled.data.prepared import frames
from unrolled.errors import UsageError, did_you_mean

PREPARERS: dict[str, Callable[[Path, Path], None]] = {
    "frames.exercises": frames.exercises,
    "frames.gestures": frames.gestures,
    "frames.lips": frames.lips,
}
"""Each makes a recipe's files: from a data folder, into another."""


def preparer(name: str) -> Callable[[Path, Path], None]:
    """The preparer of that name, as ``classify.sentiment``. Raises UsageError where there is none."""
    if name not in PREPARERS:
        raise UsageError(
            f"there is no preparer '{name}'; there are {', '.join(PREPARERS)}.{did_you_mean(name, PREPARERS)}"
        )
    return PREPARERS[name]
