"""What the NumPy tests share: random parameters and states, and the ways between NumPy's arrays and our tensors."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch

from oracles.numpy_lectures import Array
from oracles.numpy_papers import unstabilised
from tolerance import assert_close
from unrolled.equations.cell import Cell

N, T, D, H, PROJECTION = 3, 9, 5, 4, 2
close = partial(assert_close, row="loop, numpy")


def sizes_of(cell: Cell) -> dict[str, int]:
    return {"projection": PROJECTION} if "projection" in cell.sizes.values() else {}


def draw_parameters(rng: np.random.Generator, cell: Cell, inputs: int = D, scale: float = 0.7) -> dict[str, Array]:
    shapes = cell.parameters(inputs, H, **sizes_of(cell))
    return {name: scale * rng.standard_normal(one.shape) for name, one in shapes.items()}


def draw_state(rng: np.random.Generator, cell: Cell, rows: int = N) -> dict[str, Array]:
    """Random states, none zero; sLSTM's normaliser is a sum of exponentials, so it is positive."""
    known = cell.known_sizes(D, H, **sizes_of(cell))
    state = {name: rng.standard_normal((rows, cell.size_of(name, known))) for name in cell.states}
    return {name: np.abs(value) + 0.2 if name == "n" else value for name, value in state.items()}


def plain(cell: Cell, state: Mapping[str, Array | torch.Tensor]) -> dict[str, Array]:
    """States as the oracle has them: the stabiliser, which it does not know, taken out."""
    values = {name: np.asarray(value) for name, value in state.items()}
    return unstabilised(values) if "m" in cell.states else values


def tensors(values: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in values.items()}


def arrays(values: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    return {name: value.detach().numpy() for name, value in values.items()}


def close_states(actual: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    assert set(actual) == set(expected)
    for name, value in expected.items():
        close(actual[name], value)
