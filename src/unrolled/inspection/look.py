"""inspect: one call from a trained model and something it reads to all that is to be seen inside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from unrolled.errors import UsageError
from unrolled.inspection.examine import Examined, Subject, examine

LONGEST = 20_000
"""Steps at most that are looked at."""


class Model(Protocol):
    """A trained model of any task."""

    history: list[dict[str, Any]]
    """The rows of its training."""

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """What is to be examined."""
        ...


def inspect(
    model: Model, data: Any, *, row: int | str = 1, part: str | None = None, at: Sequence[int] = ()
) -> Examined:
    """Look inside a trained model while it reads a sequence.

    Args:
        model: A model of any task: ``TextModel.load("runs/first")``.
        data: What the model's ``predict`` takes, or one text, series or clip as it is.
        row: The sequence, where there are several: its number, from 1, or its id.
        part: The recurrence, where a model has several: ``"decoder"`` (the first) or ``"encoder"``.
        at: Steps, from 0 (-1 is the last), whose gradients are told one by one beside the mean over many.

    Returns:
        ``document``, all that was seen as plain values (docs/inspect.md describes it); ``recorded``, every quantity
        over time; ``findings``, and in one line ``verdict``.

    Raises:
        UsageError: the data do not fit the model, or there is no such sequence, part or step.
    """
    subject = model.subject(data, row, part)
    steps = subject.x.shape[1]
    if steps > LONGEST:
        raise UsageError(f"the sequence has {steps:,} steps, and {LONGEST:,} are looked at; give a part of it.")
    training: Sequence[Mapping[str, Any]] = model.history
    return examine(subject, at=at, training=training)
