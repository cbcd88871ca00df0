"""A linear map of each step alone, to the same bits however many steps and rows stand beside it."""

import torch
from torch import Tensor, nn

from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.streaming import LayerStream

LINEAR = Cell("linear", "y = W @ x + b")
"""It has no state: what one step gives does not depend on those before it."""

_LARGE = 1 << 19
"""Numbers of a matrix from which the engine is faster in training, too."""


class StepLinear(nn.Module):
    """``W @ x + b`` at every step, (N, T, D) to (N, T, size).

    It runs on the engine, whose numbers do not depend on how much is computed at once; those of torch's matrix product
    do, so a stream of single steps would differ from the whole sequence in its last bits.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.layer = Recurrent(LINEAR, input_size, output_size)
        self.input_size, self.output_size = input_size, output_size

    def forward(self, values: Tensor) -> Tensor:
        outputs = self.layer(values).outputs
        assert isinstance(outputs, Tensor)
        return outputs  # (N, T, size)

    def stream(self) -> LayerStream:
        """The map of one step at a time, (1, D) to (1, size)."""
        return self.layer.stream(1)


class SteadyLinear(nn.Linear):
    """torch's Linear, (..., D) to (..., size), computed by the engine on a CPU where that matters.

    Outside training a row's numbers then do not depend on what stands beside it; in training large maps, such as a
    score for each of thousands of tokens, take little more than half the time.
    """

    def forward(self, input: Tensor) -> Tensor:
        small = self.weight.numel() < _LARGE
        if (self.training and small) or not input.is_cpu or torch.is_autocast_enabled("cpu") or not input.numel():
            return super().forward(input)
        weight, bias = self.weight, self.bias
        bias = weight.new_zeros(len(weight)) if bias is None else bias
        steps = input.reshape(1, -1, input.shape[-1])  # (1, N T, D)
        return scan(LINEAR, {"W": weight, "b": bias}, steps).outputs.view(*input.shape[:-1], len(weight))
