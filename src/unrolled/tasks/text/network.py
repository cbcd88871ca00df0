"""The network of the text task, built from its settings."""

from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.tasks.text.config import TextConfig
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.tokens import Embedding, OneHot, TokenScores


def build_network(config: TextConfig, cell: Cell, vocabulary_size: int) -> ManyToMany:
    """Tokens in, scores of the next token out. ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """
    width = config.embedding or vocabulary_size
    recurrent = recurrent_layers(config, cell, width)
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
