"""TextModel, the text task's estimator: train, generate, score, save, load."""

from pathlib import Path
from typing import Any, Self

from unrolled.equations.cell import Cell
from unrolled.tasks.text.train import Observer, train
from unrolled.tasks.text.trained import TrainedText


class TextModel(TrainedText):
    """A network that says what comes next in a text: :meth:`train` or :meth:`load` one, then generate and score."""

    @classmethod
    def train(
        cls,
        source: str | Path | None = None,
        *,
        out: str | Path | None = None,
        cell: str | Path | Cell | None = None,
        force: bool = False,
        resume: bool = False,
        observer: Observer | None = None,
        **settings: Any,
    ) -> Self:
        """Train a text model.

        Args:
            source: A text file, a folder with train/valid/test texts, or a bundled set's name. A resumed run reads
                what it read before, and may leave it out.
            out: The model folder to write; without it nothing is kept on disk.
            cell: A cell of the library, a text file of equations, or a Cell of one's own.
            force: Replace a model that stands at ``out``.
            resume: Go on with the run that ``out`` holds, by its settings; only the budget may be given anew.
            observer: Who is told how it goes.
            **settings: The fields of :class:`unrolled.tasks.text.config.TextConfig`.

        Raises:
            UsageError: a setting, file or folder does not fit; nothing is written then.
            UnrolledError: the loss or a gradient became no finite number.
        """
        return train(cls, source, out=out, cell=cell, force=force, resume=resume, observer=observer, settings=settings)
