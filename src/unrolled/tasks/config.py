"""Settings that every task shares: the training, and the recurrent layers."""

from typing import ClassVar

from unrolled.training.config import TrainingConfig
from unrolled.wirings.settings import RecurrentConfig


class TaskConfig(TrainingConfig, RecurrentConfig):
    """How long to train and how to step; which cell, how many units and layers."""

    TO_PREDICT: ClassVar[tuple[str, ...]] = ("batch",)
    TO_EVALUATE: ClassVar[tuple[str, ...]] = ("batch",)
    """The settings that a trained model may be given anew, for what it predicts and for how it is measured; the command
    line makes options of them."""
