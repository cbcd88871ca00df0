"""A linear map of each step alone, to the same bits however many steps and rows stand beside it."""

from torch import Tensor, nn

from unrolled.equations.cell import Cell
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.streaming import LayerStream

LINEAR = Cell("linear", "y = W @ x + b")
"""It has no state: what one step gives does not depend on those before it."""


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
