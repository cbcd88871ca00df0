"""Settings that every task shares: the training, and the recurrent layers."""

from unrolled.training.config import TrainingConfig
from unrolled.wirings.settings import RecurrentConfig


class TaskConfig(TrainingConfig, RecurrentConfig):
    """How long to train and how to step; which cell, how many units and layers."""
