"""Settings of the translate task: the two sides, the network, and how it writes."""

from typing import ClassVar, Literal

from pydantic import Field

from unrolled.tasks.config import TaskConfig


class TranslateConfig(TaskConfig):
    """What to read and to write, with which network, and how to search for what is written."""

    TO_PREDICT: ClassVar = ("beam", "length_penalty", "coverage_penalty", "n_best", "longest", "batch")
    TO_EVALUATE: ClassVar = ("beam", "length_penalty", "coverage_penalty", "longest", "batch")

    batch: int = Field(64, ge=1, description="pairs read side by side (N)")
    rate: float = Field(
        3e-3, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )
    source: str | None = Field(None, description="column of the source, or the ending of its file (train.de: de)")
    target: str | None = Field(None, description="column of the target, or the ending of its file (train.en: en)")
    header: bool | None = Field(
        None, description="whether the first line of CSV and TSV names the columns (default: found out)"
    )
    unit: Literal["char", "word", "bpe"] = Field("bpe", description="what one step reads")
    target_unit: Literal["char", "word", "bpe"] | None = Field(
        None, description="what one step writes (default: as it reads)"
    )
    vocabulary: int | None = Field(None, ge=2, description="tokens in each vocabulary (words and byte pairs)")
    joint: bool = Field(False, description="one vocabulary for both sides")
    lower: bool = Field(False, description="both sides in lower case")
    longest: int = Field(
        200, ge=1, description="tokens of a side; longer training pairs are left out, translations end there"
    )
    embedding: int = Field(128, ge=1, description="numbers that stand for a token")
    bidirectional: bool = Field(True, description="the encoder reads in both directions")
    attention: Literal["none", "additive", "dot", "bilinear"] = Field(
        "additive", description="how the decoder looks back at the source"
    )
    bridge: Literal["zero", "last", "learned"] = Field(
        "learned", description="from the encoder's last state to the decoder's first"
    )
    input_feeding: bool = Field(False, description="the decoder reads what the output read a step before (slower)")
    tie: bool = Field(False, description="one table for the target's embedding and the output")
    dropout_input: float = Field(0.1, ge=0, lt=1, description="share of the embeddings dropped in training")
    dropout_output: float = Field(0.2, ge=0, lt=1, description="share of the output's input dropped in training")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of each target spread over all tokens")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share of the pairs to validate on without --valid")
    alternatives: bool = Field(
        False, description="pairs of one source are alternative answers: a translation is held against the nearest"
    )
    beam: int = Field(5, ge=1, description="hypotheses followed at a time when writing")
    length_penalty: float = Field(0.6, ge=0, description="above 0, longer translations rank higher (alpha)")
    coverage_penalty: float = Field(0.0, ge=0, description="above 0, translations that skip words rank lower (beta)")
    n_best: int = Field(1, ge=1, description="translations of a sentence that are given, the best first")

    @property
    def units(self) -> tuple[Literal["char", "word", "bpe"], Literal["char", "word", "bpe"]]:
        """What one step reads and writes."""
        return self.unit, self.target_unit or self.unit
