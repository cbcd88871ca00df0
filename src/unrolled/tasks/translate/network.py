"""The network of the translate task, built from its settings."""

from unrolled.equations.cell import Cell
from unrolled.tasks.translate.config import TranslateConfig
from unrolled.tasks.writing import output_side
from unrolled.wirings.encoder_decoder import EncoderDecoder
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.tokens import Embedding


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
    scores = output_side(config, sides[1], size, target_size)
    return EncoderDecoder(sides, encoder, decoder, scores, config.attention, config.bridge, config.input_feeding)
