"""Layers to test, and one scan of one of their cells by hand."""

from typing import Any

import torch
from torch import Tensor

from unrolled.engine.scan import Scanned, scan
from unrolled.layers.recurrent import Recurrent
from unrolled.state import State


def batch(rows: int = 3, steps: int = 9, inputs: int = 5) -> Tensor:
    return torch.randn(rows, steps, inputs)


def by_hand(layer: Recurrent, place: str, x: Tensor, state: State | None = None, **more: Any) -> Scanned:
    """One forward scan with the parameters of ``place``, such as ``1.forward``, everything recorded."""
    index, direction = place.split(".")
    parameters = layer.cell_parameters(int(index), direction)
    own = None if state is None else state.part(place)
    return scan(layer.cell, parameters, x, own, record=layer.cell.quantities, **more)


def perturbed(layer: Recurrent) -> Recurrent:
    """The layer with every parameter moved off its beginning, so that biases and learned starts matter."""
    with torch.no_grad():
        for value in layer.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return layer


def some_state(layer: Recurrent, rows: int = 3) -> State:
    return layer.initial_state(rows).map(torch.randn_like)
