"""The parameters of one cell in one layer and direction, and what runs it without gradients time after time."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from unrolled.engine.repeat import Repeat
from unrolled.engine.stream import Stream
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError


class CellParameters(nn.Module):
    """The parameters of one cell in one layer and direction, by the names of its equations."""

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.cell = cell
        self.stream, self.repeat = Stream(cell), Repeat(cell)
        self.shapes = cell.parameters(input_size, hidden_size, **sizes)
        self.noise_shapes = cell.noise_shapes(input_size, hidden_size, **sizes)
        known = cell.known_sizes(input_size, hidden_size, **sizes)
        self.output_size = cell.size_of(cell.output, known)
        self.state_sizes = {state: cell.size_of(state, known) for state in cell.states}
        for name, shape in self.shapes.items():
            if hasattr(self, name):
                raise UsageError(
                    f"cell {cell.name}: torch modules use the name '{name}' themselves; call the parameter otherwise."
                )
            self.register_parameter(name, nn.Parameter(torch.empty(shape.shape)))

    def named(self) -> dict[str, Tensor]:
        """The parameters by name; a parametrized one (torch.nn.utils.parametrize) as its parametrization gives it."""
        own = self._parameters
        if len(own) == len(self.shapes):
            return dict(own)  # pyright: ignore[reportReturnType]  # none of them is None
        return {name: getattr(self, name) for name in self.shapes}

    def draw_noise(self, x: Tensor) -> dict[str, Tensor]:
        """Values for the cell's noise over a batch x (N, T, D): nothing outside training, where noise is its mean."""
        if not self.training:
            return {}
        drawn = {}
        for name, noise in self.cell.noise.items():
            shape = self.noise_shapes[name].shape
            if len(shape) == 1:
                shape = (*x.shape[: 2 if noise.per == "step" else 1], *shape)  # (N, T, size) or (N, size)
            drawn[name] = torch.bernoulli(x.new_full(shape, noise.probability)) * noise.value
        return drawn
