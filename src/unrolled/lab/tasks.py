"""A task's model trained within a run of the lab, on values in memory or on a recipe's data."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from unrolled.data.prepared.table import preparer
from unrolled.lab.experiment import Bench, Stopped
from unrolled.tasks.estimator import Estimator, Sources
from unrolled.tasks.fit import fit
from unrolled.tasks.observer import Silent
from unrolled.training.trainer import Progress

Model = TypeVar("Model", bound=Estimator)


class _Reporting(Silent):
    """Passes on how far a training is."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self.report = report

    def stepped(self, progress: Progress) -> None:
        self.report(progress.share)


def train(
    kind: type[Model], sources: Sources, settings: Mapping[str, Any], bench: Bench, examples: int | None = None
) -> Model:
    """Train a model that is kept nowhere.

    Args:
        kind: The task's estimator.
        sources: The data.
        settings: The fields of the task's configuration.
        bench: Is told how far it is.
        examples: Only about so many of each split.

    Raises:
        Stopped: Ctrl-C.
    """
    how = {"settings": settings, "observer": _Reporting(bench.report), "examples": examples}
    model = fit(kind, sources, **how)
    if model.metrics["training"]["ended"] == "interrupt":
        raise Stopped("the lab was stopped by Ctrl-C; the same command goes on with what is missing.")
    return model


@contextmanager
def files_of(data: Path | None, prepare: str | None) -> Iterator[Path | None]:
    """The folder with the files of a recipe: the data folder, or one that a preparer fills from it."""
    if prepare is None or data is None:
        yield data
        return
    with tempfile.TemporaryDirectory() as scratch:
        preparer(prepare)(data, Path(scratch))
        yield Path(scratch)
