"""Many-to-one: the network reads a whole sequence and gives one output."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.apart import apart
from unrolled.wirings.pooling import Pooling


class ManyToOne(nn.Module):
    """Input side, recurrence, pooling, output side. Outside training each row is pooled and put out alone.

    So an output does not depend on the rows or the padding beside it, bit by bit.
    """

    def __init__(self, input_side: nn.Module, recurrent: Recurrent, pooling: str, output_side: nn.Module) -> None:
        super().__init__()
        self.input_side, self.recurrent, self.output_side = input_side, recurrent, output_side
        self.pooling = Pooling(pooling, recurrent.output_size, len(recurrent.directions))

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The outputs, (N, C), for inputs (N, T, ...)."""
        values = self.recurrent(self.input_side(inputs), lengths=lengths).outputs
        assert isinstance(values, Tensor)
        if self.training:
            return self.output_side(self.pooling(values, lengths))
        return torch.cat(apart(lambda row: self.output_side(self.pooling(row)), values, lengths))

    def read(self, inputs: Tensor, lengths: Tensor | None = None, record: Sequence[str] = ()):
        """What the recurrence gives: outputs over time, state, recorded quantities."""
        return self.recurrent(self.input_side(inputs), lengths=lengths, record=record)
