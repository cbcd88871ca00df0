"""The network of the frames task: scale, projection, recurrence, scores; at every step."""

from torch import Tensor, nn

from unrolled.equations.cell import Cell
from unrolled.tasks.frames.config import FramesConfig
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.steps import StepLinear
from unrolled.wirings.vectors import Standardised


class FrameNetwork(nn.Module):
    """Features (N, T, D) and lengths to scores (N, T, size). No score depends on rows or padding beside it, bit by bit.

    Args:
        width: D.
        size: The scores of a step.
        config: The settings.
        cell: Used as it is.
        alone: Every step is read as a sequence of its own: the same network without recurrence.
    """

    def __init__(self, width: int, size: int, config: FramesConfig, cell: Cell, alone: bool = False) -> None:
        super().__init__()
        self.alone = alone
        self.scale = Standardised(width)
        self.projection = StepLinear(width, config.projection) if config.projection else None
        self.drop_input, self.drop_output = nn.Dropout(config.dropout_input), nn.Dropout(config.dropout_output)
        self.recurrent = recurrent_layers(config, cell, config.projection or width, config.bidirectional)
        self.scores = StepLinear(self.recurrent.output_size, size)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        values = self.scale(features)  # (N, T, D)
        values = self.drop_input(values if self.projection is None else self.projection(values))
        if self.alone:
            steps = self.recurrent(values.flatten(0, 1).unsqueeze(1)).outputs  # (N T, 1, H)
            outputs = steps.squeeze(1).unflatten(0, values.shape[:2])
        else:
            outputs = self.recurrent(values, lengths=lengths).outputs
        return self.scores(self.drop_output(outputs))  # (N, T, size)
