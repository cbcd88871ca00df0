"""The recurrent layers that settings describe."""

from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import drop_connect, layer_norm, variational_dropout, zoneout
from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.settings import RecurrentConfig


def rewritten(cell: Cell, config: RecurrentConfig) -> Cell:
    """The cell with the rewrites that the settings ask for."""
    if config.layer_norm:
        cell = layer_norm(cell)
    if config.variational:
        cell = variational_dropout(cell, recurrent=config.variational)
    if config.drop_connect:
        cell = drop_connect(cell, config.drop_connect)
    return zoneout(cell, config.zoneout) if config.zoneout else cell


def recurrent_layers(config: RecurrentConfig, cell: Cell, input_size: int, bidirectional: bool = False) -> Recurrent:
    """The layers over inputs of so many numbers; ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """
    return Recurrent(
        cell,
        input_size,
        config.hidden,
        config.layers,
        bidirectional=bidirectional,
        dropout=config.dropout_layers,
        residual=config.residual,
        learn_initial_state=config.learn_initial_state,
        sizes=config.sizes,
        chrono=config.chrono,
    )
