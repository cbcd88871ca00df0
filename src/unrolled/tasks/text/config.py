"""Settings of the text task: the network, and all that every training shares."""

from typing import Literal

from pydantic import Field

from unrolled.training.config import TrainingConfig

UNIT_NAMES = {"char": "character", "word": "word", "bpe": "token"}
"""What one step of each unit is called."""


class TextConfig(TrainingConfig):
    """What to read, by which units, and with which network."""

    unit: Literal["char", "word", "bpe"] = Field("char", description="what one step reads")
    vocabulary: int | None = Field(None, ge=2, description="tokens in the vocabulary (words and byte pairs)")
    cell: str = Field("lstm", description="name of a cell ('unrolled cells' lists them), or a text file of equations")
    hidden: int = Field(256, ge=1, description="units of a layer (H)")
    layers: int = Field(1, ge=1, description="stacked layers (L)")
    embedding: int = Field(64, ge=0, description="numbers that stand for a token; 0 is one-hot")
    tie: bool | None = Field(None, description="one table for input and output (default: with words)")
    dropout_input: float = Field(0.05, ge=0, lt=1, description="share of the embedding dropped in training")
    dropout_output: float = Field(0.1, ge=0, lt=1, description="share of the output dropped in training")
    dropout_layers: float = Field(0.1, ge=0, lt=1, description="share dropped between layers in training")
    residual: bool = Field(False, description="each layer but the first adds its input to its output")
    learn_initial_state: bool = Field(False, description="the state begins from learned vectors")
    chrono: float | None = Field(None, description="chrono initialisation for dependencies of so many steps")
    zoneout: float = Field(0.0, ge=0, lt=1, description="rewrite: chance of a state to keep its value")
    variational: float = Field(0.0, ge=0, lt=1, description="rewrite: variational dropout on the recurrent path")
    drop_connect: float = Field(0.0, ge=0, lt=1, description="rewrite: share of recurrent weights dropped")
    layer_norm: bool = Field(False, description="rewrite: layer norm of the pre-activations")
    sizes: dict[str, int] = Field({}, description="a size that the cell names, as NAME=UNITS (projection=64)")
    encoding: str = Field("utf-8", description="encoding of the text")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share at the end of a single file for validation")

    @property
    def ties(self) -> bool:
        """Whether input and output share one table."""
        return self.unit == "word" if self.tie is None else self.tie
