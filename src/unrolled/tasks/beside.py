"""A network beside: trained as another one was, to be compared with it; the baseline of some tasks."""

import tempfile
from collections.abc import Callable

from torch import nn

from unrolled.model_folder import ModelFolder
from unrolled.training.config import BUDGETS, TrainingConfig
from unrolled.training.course import Course
from unrolled.training.trainer import Progress, Trainer


class _Reporting:
    """Tells how many updates are done."""

    def __init__(self, report: Callable[[int, int], None], steps: int) -> None:
        self.report, self.steps = report, steps

    def stepped(self, progress: Progress) -> None:
        """See :class:`unrolled.training.trainer.Watcher`."""
        self.report(progress.step, self.steps)

    def validated(self, progress: Progress, loss: float) -> None:
        """See :class:`unrolled.training.trainer.Watcher`."""


def train_beside(
    network: nn.Module, course: Course, config: TrainingConfig, steps: int, report: Callable[[int, int], None]
) -> None:
    """Train a network for so many updates by the settings of another run; nothing is kept on disk.

    Raises:
        KeyboardInterrupt: at Ctrl-C: what has not been trained as long is no baseline.
    """
    budget = dict.fromkeys(BUDGETS) | {"steps": steps}
    with tempfile.TemporaryDirectory() as scratch:
        folder = ModelFolder.create(scratch)
        trainer = Trainer(network, course, config.model_copy(update=budget), folder, _Reporting(report, steps))
        if trainer.run().ended == "interrupt":
            raise KeyboardInterrupt
    network.eval()
