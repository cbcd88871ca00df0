"""The course over batches: every pass reads all sequences once, in an order of its own."""

from collections.abc import Callable, Sequence
from typing import Any

from unrolled.data.batches import shuffled
from unrolled.training.config import TrainingConfig
from unrolled.training.course import Lesson


class BatchCourse:
    """Teaches by batches of sequences.

    Args:
        lengths: The steps of every sequence.
        learn: The loss of some sequences, by their places; given the network as the device and precision want it.
        validate: Gives the validation loss.
        config: The settings.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        learn: Callable[[Any, list[int]], Lesson],
        validate: Callable[[], float],
        config: TrainingConfig,
    ) -> None:
        self.lengths, self.learn, self.config = lengths, learn, config
        self.validate = validate
        self._epoch, self._batches = -1, list[list[int]]()

    def __len__(self) -> int:
        return len(self._of(0))

    def lesson(self, ready: Any, epoch: int, index: int) -> Lesson:
        """See :class:`unrolled.training.course.Course`."""
        return self.learn(ready, self._of(epoch)[index])

    def _of(self, epoch: int) -> list[list[int]]:
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, shuffled(self.lengths, self.config.batch, self.config.seed, epoch)
        return self._batches

    def content(self) -> dict[str, Any]:
        """Nothing: the order of a pass follows from the seed and its number."""
        return {}

    def restore(self, content: dict[str, Any]) -> None:
        """Nothing is to be done."""
