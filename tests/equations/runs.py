"""Random parameters, inputs and noise for a cell, in float64, and its outputs over them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.engine.scan import Scanned, scan
from unrolled.equations.cell import Cell

Array = NDArray[np.float64]


def draw(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def coins(shape: tuple[int, ...], probability: float, value: float, seed: int) -> Tensor:
    """``value`` with the given probability, else 0."""
    tossed = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) < probability
    return tossed.double() * value


def parameters_of(cell: Cell, input_size: int, hidden_size: int, seed: int = 0) -> dict[str, Tensor]:
    """A tensor a parameter; one name has one tensor whatever the cell, so that cells can be compared."""
    sizes = dict.fromkeys(cell.program.named_sizes, hidden_size)
    shapes = cell.parameters(input_size, hidden_size, **sizes)
    return {name: draw(one.shape, seed + sum(map(ord, name))) / 2 for name, one in shapes.items()}


def run(cell: Cell, parameters: dict[str, Tensor], x: Tensor, **options: object) -> Scanned:
    return scan(cell, parameters, x, **options)  # pyright: ignore[reportArgumentType]


def arrays(parameters: dict[str, Tensor]) -> dict[str, Array]:
    return {name: value.numpy() for name, value in parameters.items()}


def sigmoid(a: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-a))
