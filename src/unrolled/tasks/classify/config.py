"""Settings of the classify task: where texts, numbers and labels stand, how they are read, and with which network."""

from typing import Literal

from pydantic import Field

from unrolled.tasks.config import TaskConfig


class ClassifyConfig(TaskConfig):
    """Which columns to read, by which units, and with which network."""

    text: str | None = Field(None, description="column with the texts (guessed where left out)")
    label: str | None = Field(None, description="column, or array of an npz file, with the classes (guessed)")
    id: str | None = Field(None, description="column that names a row, or a series in a long table (guessed there)")
    time: str | None = Field(None, description="long table: column with the time of a step (guessed)")
    channels: str | None = Field(
        None, description="long table: columns with the numbers, with commas between (guessed)"
    )
    wide: bool | None = Field(
        None, description="table with a row a series: columns beside id and class are its steps (guessed)"
    )
    file: str | None = Field(None, description="column with the names of sound or picture files (guessed)")
    header: bool = Field(True, description="the first line of CSV and TSV names the columns; else column_1, column_2")
    unit: Literal["char", "word", "bpe"] = Field("word", description="texts: what one step reads")
    lower: bool | None = Field(None, description="texts: read as lower case (default: with words)")
    vocabulary: int | None = Field(None, ge=3, description="texts: tokens in the vocabulary (words and byte pairs)")
    embedding: int = Field(64, ge=0, description="texts: numbers that stand for a token; 0 is one-hot")
    vectors: str | None = Field(
        None, description="texts by word: file of word vectors in GloVe's form to begin from, here or beside the data"
    )
    tune: bool = Field(True, description="word vectors of a file are trained further")
    mels: int = Field(40, ge=4, description="sounds: bands of the mel scale, numbers of a step")
    sample_rate: int | None = Field(
        None, ge=8000, le=48000, description="sounds: hertz to read at (default: the lowest in training, at most 16000)"
    )
    bidirectional: bool = Field(True, description="read in both directions")
    pooling: Literal["last", "mean", "max", "attention"] = Field(
        "max", description="how the outputs of all steps become one"
    )
    dropout_tokens: float = Field(0.0, ge=0, lt=1, description="texts: share of tokens made unknown in training")
    dropout_input: float = Field(0.2, ge=0, lt=1, description="share of the input's numbers dropped in training")
    dropout_output: float = Field(0.3, ge=0, lt=1, description="share dropped before the class scores in training")
    crop: int | None = Field(None, ge=1, description="training reads a stretch by chance of at most so many steps")
    noise: float = Field(0.0, ge=0, description="numbers: deviation of noise added in training, in their deviations")
    smoothing: float = Field(
        0.0, ge=0, lt=1, description="label smoothing: share of each target spread over all classes"
    )
    balance: bool = Field(False, description="every class weighs the same, however many examples it has")
    select: Literal["loss", "accuracy"] = Field("loss", description="by what the best weights are chosen")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share of each class held out without --valid")
    baselines: bool = Field(True, description="measure simple methods beside the network")
    hidden: int = Field(128, ge=1, description="units of a layer (H)")
    rate: float = Field(
        3e-3, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )
    validations: int = Field(20, ge=1, description="validations, spread evenly over the budget")
    patience: int = Field(8, ge=1, description="validations without a better one before training stops early")

    @property
    def lowers(self) -> bool:
        """Whether texts are read as lower case."""
        return self.unit == "word" if self.lower is None else self.lower
