"""Settings of the recurrent layers, which every task shares."""

from pydantic import BaseModel, Field


class RecurrentConfig(BaseModel):
    """Which cell, how many units and layers, what is rewritten and dropped."""

    cell: str = Field("lstm", description="name of a cell ('unrolled cells' lists them), or a text file of equations")
    hidden: int = Field(256, ge=1, description="units of a layer (H)")
    layers: int = Field(1, ge=1, description="stacked layers (L)")
    dropout_layers: float = Field(0.1, ge=0, lt=1, description="share dropped between layers in training")
    residual: bool = Field(False, description="each layer but the first adds its input to its output")
    learn_initial_state: bool = Field(False, description="the state begins from learned vectors")
    chrono: float | None = Field(None, description="chrono initialisation for dependencies of so many steps")
    zoneout: float = Field(0.0, ge=0, lt=1, description="rewrite: chance of a state to keep its value")
    variational: float = Field(0.0, ge=0, lt=1, description="rewrite: variational dropout on the recurrent path")
    drop_connect: float = Field(0.0, ge=0, lt=1, description="rewrite: share of recurrent weights dropped")
    layer_norm: bool = Field(False, description="rewrite: layer norm of the pre-activations")
    sizes: dict[str, int] = Field({}, description="a size that the cell names, as NAME=UNITS (projection=64)")
