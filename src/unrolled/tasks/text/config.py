"""Settings of the text task: the network, and all that every training shares."""

from typing import ClassVar, Literal

from pydantic import Field

from unrolled.tasks.config import TaskConfig
from unrolled.training.config import StreamConfig

UNIT_NAMES = {"char": "character", "word": "word", "bpe": "token"}
"""What one step of each unit is called."""


class TextConfig(StreamConfig, TaskConfig):
    """What to read, by which units, with which network, and how it writes."""

    WRITING: ClassVar = ("length", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "stop")
    TO_PREDICT: ClassVar = (*WRITING, "seed", "encoding")
    TO_EVALUATE: ClassVar = ("encoding",)

    unit: Literal["char", "word", "bpe"] = Field("char", description="what one step reads")
    vocabulary: int | None = Field(None, ge=2, description="tokens in the vocabulary (words and byte pairs)")
    embedding: int = Field(64, ge=0, description="numbers that stand for a token; 0 is one-hot")
    tie: bool | None = Field(None, description="one table for input and output (default: with words)")
    dropout_input: float = Field(0.05, ge=0, lt=1, description="share of the embedding dropped in training")
    dropout_output: float = Field(0.1, ge=0, lt=1, description="share of the output dropped in training")
    encoding: str = Field("utf-8", description="encoding of the text")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share at the end of a single file for validation")
    length: int = Field(500, description="tokens to write at most")
    temperature: float = Field(0.8, description="below 1 bolder towards the likely, above 1 wilder; 0 takes the best")
    top_k: int = Field(0, description="draw from the k best tokens; 0 from all")
    top_p: float = Field(1.0, description="draw from the best tokens that together reach this probability")
    min_p: float = Field(0.0, description="draw from tokens with this share of the best one's probability")
    repetition_penalty: float = Field(1.0, description="above 1, tokens already written become less likely")
    stop: str | None = Field(None, description="end before this text would be written")

    @property
    def ties(self) -> bool:
        """Whether input and output share one table."""
        return self.unit == "word" if self.tie is None else self.tie
