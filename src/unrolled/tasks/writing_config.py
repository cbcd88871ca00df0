"""Settings that tasks share whose networks write: vocabulary, decoder, and how to search for what is written."""

from typing import ClassVar, Literal

from pydantic import Field

from unrolled.tasks.config import TaskConfig


class WritingConfig(TaskConfig):
    """The decoder, what it writes, and what every training shares."""

    TO_PREDICT: ClassVar = ("beam", "length_penalty", "coverage_penalty", "n_best", "longest", "batch")
    TO_EVALUATE: ClassVar = ("beam", "length_penalty", "coverage_penalty", "longest", "batch")

    rate: float = Field(
        3e-3, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )
    vocabulary: int | None = Field(None, ge=2, description="tokens in each vocabulary (words and byte pairs)")
    lower: bool = Field(False, description="all texts in lower case")
    longest: int = Field(
        200, ge=1, description="tokens; longer texts are left out of training, and what is written ends there"
    )
    embedding: int = Field(128, ge=1, description="numbers that stand for a token")
    attention: Literal["none", "additive", "dot", "bilinear"] = Field(
        "additive", description="how the decoder looks back at what was read"
    )
    input_feeding: bool = Field(False, description="the decoder reads what the output read a step before (slower)")
    tie: bool = Field(False, description="one table for the written tokens' embedding and the output")
    dropout_input: float = Field(0.1, ge=0, lt=1, description="share of the embeddings dropped in training")
    dropout_output: float = Field(0.2, ge=0, lt=1, description="share of the output's input dropped in training")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of each target spread over all tokens")
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the examples to validate on without --valid"
    )
    beam: int = Field(5, ge=1, description="hypotheses followed at a time when writing")
    length_penalty: float = Field(0.6, ge=0, description="above 0, longer texts rank higher (alpha)")
    coverage_penalty: float = Field(
        0.0, ge=0, description="above 0, texts that look past what was read rank lower (beta)"
    )
    n_best: int = Field(1, ge=1, description="texts that are given for each thing read, the best first")
