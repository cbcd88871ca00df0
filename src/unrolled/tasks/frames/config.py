"""Settings of the frames task: what is read, what is said of each step, and with which network."""

from typing import Literal, Self

from pydantic import Field, model_validator

from unrolled.tasks.config import TaskConfig


class FramesConfig(TaskConfig):
    """Columns, the kind of answer, what of the future is seen, the network, and all that every training shares."""

    batch: int = Field(16, ge=1, description="sequences (or windows of them) read side by side (N)")
    hidden: int = Field(128, ge=1, description="units of a layer (H)")
    rate: float = Field(
        5e-3, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )
    id: str | None = Field(None, description="column that says which sequence a row belongs to")
    time: str | None = Field(None, description="column that orders the rows of a sequence")
    label: str | None = Field(
        None, description="column (npz: array) of what is to be said; several with commas (--regression)"
    )
    features: str | None = Field(
        None, description="columns that are read, with commas between (npz: array); the other numeric ones if left out"
    )
    multilabel: bool = Field(False, description="a step has any number of labels: cells as 'a;b', or lists in JSON")
    regression: bool = Field(False, description="a step has numbers to predict")
    ahead: int = Field(0, ge=0, description="at each step the answer of so many steps later is predicted")
    lookahead: int = Field(0, ge=0, description="steps of the future that are seen before a step is answered")
    bidirectional: bool = Field(False, description="a second cell a layer reads backwards; needs whole sequences")
    projection: int = Field(0, ge=0, description="numbers that the features are brought to before the first layer")
    window: int | None = Field(
        None, ge=2, description="longest piece to learn from; longer sequences are cut (whole sequences if left out)"
    )
    balanced: bool = Field(False, description="rare labels weigh as much as frequent ones in the loss")
    video: str | None = Field(None, description="of a table of videos with label tracks: the column of the video files")
    picture: str = Field(
        "32x32", pattern=r"^[1-9]\d{0,3}x[1-9]\d{0,3}$", description="videos: width x height that frames are brought to"
    )
    colour: bool = Field(False, description="videos: red, green and blue instead of grey")
    fps: float | None = Field(None, gt=0, description="videos: frames a second at most (all if left out)")
    outside: str = Field("none", min_length=1, description="videos: the label of frames that stand in no span")
    missing: Literal["refuse", "mean"] = Field("refuse", description="what a missing number (NaN, empty) stands for")
    tempo: float = Field(
        0.0, ge=0, lt=1, description="in training, sequences go faster or slower by up to this share, by chance"
    )
    dropout_input: float = Field(0.0, ge=0, lt=1, description="share of the input dropped in training")
    dropout_output: float = Field(0.1, ge=0, lt=1, description="share of the output dropped in training")
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of sequences (of steps, where there is one) to validate on without --valid"
    )
    baseline: bool = Field(True, description="train the same net without recurrence too, to compare with")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        pairs = {
            ("multilabel", "regression"): "a step has labels or numbers",
            ("ahead", "lookahead"): "the future is predicted or seen",
            ("ahead", "bidirectional"): "the future is predicted or seen",
            ("lookahead", "bidirectional"): "a bidirectional network sees all of the future already",
            ("balanced", "multilabel"): "balancing is for one label a step",
            ("balanced", "regression"): "balancing is for one label a step",
        }
        for (one, other), why in pairs.items():
            if getattr(self, one) and getattr(self, other):
                raise ValueError(f"--{one} and --{other} do not go together: {why}")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a video's frames as they are read."""
        width, height = self.picture.split("x")
        return int(width), int(height)
