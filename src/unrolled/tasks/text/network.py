"""The network of the text task, built from its settings."""

from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import drop_connect, layer_norm, variational_dropout, zoneout
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.tasks.text.config import TextConfig
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.tokens import Embedding, OneHot, TokenScores


def rewritten(cell: Cell, config: TextConfig) -> Cell:
    """The cell with the rewrites that the settings ask for."""
    if config.layer_norm:
        cell = layer_norm(cell)
    if config.variational:
        cell = variational_dropout(cell, recurrent=config.variational)
    if config.drop_connect:
        cell = drop_connect(cell, config.drop_connect)
    return zoneout(cell, config.zoneout) if config.zoneout else cell


def build_network(config: TextConfig, cell: Cell, vocabulary_size: int) -> ManyToMany:
    """Tokens in, scores of the next token out. ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """
    network = _joined(config, cell, vocabulary_size)
    return network.double() if config.precision == "64-true" else network


def _joined(config: TextConfig, cell: Cell, vocabulary_size: int) -> ManyToMany:
    width = config.embedding or vocabulary_size
    recurrent = Recurrent(
        cell,
        width,
        config.hidden,
        config.layers,
        dropout=config.dropout_layers,
        residual=config.residual,
        learn_initial_state=config.learn_initial_state,
        sizes=config.sizes,
        chrono=config.chrono,
    )
    if not config.ties:
        side = Embedding(vocabulary_size, width, config.dropout_input) if config.embedding else OneHot(vocabulary_size)
        return ManyToMany(side, recurrent, TokenScores(recurrent.output_size, vocabulary_size, config.dropout_output))
    if width != recurrent.output_size:
        sizes = f"embedding is {config.embedding}, the output of the last layer {recurrent.output_size}"
        raise UsageError(
            f"tie: one table wants one size, and {sizes}; give --embedding {recurrent.output_size} or --no-tie."
        )
    side = Embedding(vocabulary_size, width, config.dropout_input)
    scores = TokenScores(recurrent.output_size, vocabulary_size, config.dropout_output, tied=side.weight)
    return ManyToMany(side, recurrent, scores)
