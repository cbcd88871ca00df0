"""Settings of the tag task: where words and tags stand, the network, and all that every training shares."""

from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from unrolled.tasks.config import TaskConfig


class TagConfig(TaskConfig):
    """Which columns to read, and with which network."""

    TO_PREDICT: ClassVar = ("n_best", "encoding", "batch")
    TO_EVALUATE: ClassVar = ("encoding", "batch")

    word: str | None = Field(None, description="column of the words, by number from 1 or by name (default: the first)")
    tag: str | None = Field(None, description="column of the tags, by number or name, as upos (default: the last)")
    encoding: str = Field("utf-8", description="encoding of the files")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share of the sentences held out for validation")
    hidden: int = Field(200, ge=1, description="units of a layer (H), in each direction")
    bidirectional: bool = Field(True, description="read sentences in both directions")
    crf: bool = Field(False, description="score whole sequences of tags (linear-chain CRF) instead of each tag alone")
    balance: bool = Field(False, description="every tag weighs the same, however often it comes (not with a CRF)")
    embedding: int = Field(100, ge=1, description="numbers that stand for a word")
    vectors: str | None = Field(
        None, description="file of word vectors in GloVe's form to begin from; its words are known, too"
    )
    least: int = Field(2, ge=1, description="times a word must come in the training data to have a vector of its own")
    unknown: float = Field(
        0.25, ge=0, description="a word that comes n times is read as unknown with chance a / (a + n) in training; a"
    )
    characters: int = Field(50, ge=0, description="units that read a word's characters, each way; 0 reads words alone")
    character_embedding: int = Field(32, ge=1, description="numbers that stand for a character")
    dropout_input: float = Field(0.3, ge=0, lt=1, description="share of the words' vectors dropped in training")
    dropout_output: float = Field(0.3, ge=0, lt=1, description="share of the output dropped in training")
    n_best: int = Field(0, ge=0, description="with a CRF: best whole sequences of tags that are given beside")
    rate: float = Field(
        5e-3, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )

    @field_validator("word", "tag", mode="before")
    @classmethod
    def _number_or_name(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int) else given

    @model_validator(mode="after")
    def _alone_or_whole(self) -> Self:
        if self.balance and self.crf:
            raise ValueError("balance weighs each tag alone, and crf scores whole sequences; give one")
        if self.n_best and not self.crf:
            raise ValueError("n_best ranks whole sequences of tags, and wants a model trained with --crf")
        return self
