"""The network of the caption task: one that sees the pictures, and beside it, to compare with, one that does not."""

from torch import Tensor, nn

from unrolled.data.pictures import CHANNELS
from unrolled.equations.cell import Cell
from unrolled.tasks.caption.config import CaptionConfig
from unrolled.tasks.writing import output_side
from unrolled.wirings.encoder_decoder import EncoderDecoder
from unrolled.wirings.pictures import PictureEncoder, PictureInput, Unseeing
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.tokens import Embedding


class CaptionNetwork(nn.Module):
    """Pictures (N, 3, H, W) and captions so far to scores of their tokens; see EncoderDecoder.

    Args:
        config: The settings.
        cell: Used as it is.
        vocabulary_size: V.
    """

    def __init__(self, config: CaptionConfig, cell: Cell, vocabulary_size: int) -> None:
        super().__init__()
        source = PictureInput(CHANNELS, config.shift, config.zoom, config.mirror, config.colour)
        encoder = PictureEncoder(CHANNELS, config.size, config.channels, config.dropout_picture)
        self.grid = encoder.grid
        self.seeing = _writing(config, cell, vocabulary_size, source, encoder)
        nothing = Unseeing(encoder.output_size)
        self.blind = _writing(config, cell, vocabulary_size, nn.Identity(), nothing) if config.baseline else None

    @property
    def input(self) -> PictureInput:
        """The input side of the network that sees."""
        assert isinstance(self.seeing.source_side, PictureInput)
        return self.seeing.source_side

    def forward(self, pictures: Tensor, lengths: Tensor | None, inputs: Tensor, counts: Tensor) -> Tensor:
        """The scores at every valid step, row after row, (sum of counts, V), by the network that sees."""
        return self.seeing(pictures, lengths, inputs, counts)


def _writing(
    config: CaptionConfig, cell: Cell, vocabulary_size: int, source: nn.Module, encoder: PictureEncoder | Unseeing
) -> EncoderDecoder:
    width = config.embedding
    written = Embedding(vocabulary_size, width, config.dropout_input)
    decoder = recurrent_layers(config, cell, width)
    size = decoder.output_size
    if config.input_feeding:
        decoder = recurrent_layers(config, cell, width + size)
    scores = output_side(config, written, size, vocabulary_size)
    sides = source, written
    return EncoderDecoder(sides, encoder, decoder, scores, config.attention, config.bridge, config.input_feeding)
