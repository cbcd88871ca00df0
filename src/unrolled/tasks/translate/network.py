"""The network of the translate task, built from its settings."""

from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.tasks.translate.config import TranslateConfig
from unrolled.wirings.encoder_decoder import EncoderDecoder
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.tokens import Embedding, TokenScores


def build_network(config: TranslateConfig, cell: Cell, source_size: int, target_size: int) -> EncoderDecoder:
    """Tokens of one vocabulary in, scores of tokens of the other out. ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """
    width = config.embedding
    sides = Embedding(source_size, width, config.dropout_input), Embedding(target_size, width, config.dropout_input)
    encoder = recurrent_layers(config, cell, width, config.bidirectional)
    size = encoder.output_size // len(encoder.directions)
    decoder = recurrent_layers(config, cell, width + size if config.input_feeding else width)
    if config.tie and width != size:
        raise UsageError(
            f"tie: one table wants one size, and embedding is {width}, the decoder's output {size}; give --embedding "
            f"{size} or --no-tie."
        )
    scores = TokenScores(size, target_size, config.dropout_output, tied=sides[1].weight if config.tie else None)
    return EncoderDecoder(sides, encoder, decoder, scores, config.attention, config.bridge, config.input_feeding)
