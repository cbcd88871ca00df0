"""Settings of the text task: the network, and all that every training shares."""

from typing import Literal

from pydantic import Field

from unrolled.tasks.config import TaskConfig
from unrolled.training.config import StreamConfig

UNIT_NAMES = {"char": "character", "word": "word", "bpe": "token"}
"""What one step of each unit is called."""


class TextConfig(StreamConfig, TaskConfig):
    """What to read, by which units, and with which network."""

    unit: Literal["char", "word", "bpe"] = Field("char", description="what one step reads")
    vocabulary: int | None = Field(None, ge=2, description="tokens in the vocabulary (words and byte pairs)")
    embedding: int = Field(64, ge=0, description="numbers that stand for a token; 0 is one-hot")
    tie: bool | None = Field(None, description="one table for input and output (default: with words)")
    dropout_input: float = Field(0.05, ge=0, lt=1, description="share of the embedding dropped in training")
    dropout_output: float = Field(0.1, ge=0, lt=1, description="share of the output dropped in training")
    encoding: str = Field("utf-8", description="encoding of the text")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share at the end of a single file for validation")

    @property
    def ties(self) -> bool:
        """Whether input and output share one table."""
        return self.unit == "word" if self.tie is None else self.tie
