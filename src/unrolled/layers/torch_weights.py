"""Weights from torch.nn's recurrent modules and back, where the function is the same."""

from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor, nn

from unrolled.cells.elman import ELMAN, ELMAN_RELU
from unrolled.cells.gru import GRU, GRU_NEW, GRU_RESET_AFTER
from unrolled.cells.lstm import LSTM, LSTM_PROJECTED
from unrolled.engine.torch_functions import Stacking, stacking
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent

_CELLS = {"tanh": ELMAN, "relu": ELMAN_RELU, "lstm": LSTM, "projected": LSTM_PROJECTED, "gru": GRU_RESET_AFTER}


def cell_of(module: nn.Module) -> Cell:
    """The cell that ``module`` computes.

    Raises:
        UsageError: ``module`` is no torch.nn.RNN, LSTM or GRU.
    """
    if isinstance(module, nn.LSTM):
        return _CELLS["projected" if module.proj_size else "lstm"]
    if isinstance(module, nn.GRU):
        return _CELLS["gru"]
    if isinstance(module, nn.RNN):
        return _CELLS[module.nonlinearity]
    raise UsageError(f"weights come from torch.nn.RNN, LSTM or GRU, and this is a {type(module).__name__}.")


def torch_parameters(module: nn.RNN | nn.LSTM | nn.GRU, layer: int, direction: str) -> dict[str, Tensor]:
    """The cell's parameters in one layer and direction of ``module``: views and sums of its weights, differentiable."""
    return _stacking(cell_of(module)).parted([getattr(module, name) for name in _weights(module, layer, direction)])


@torch.no_grad()
def from_torch(module: nn.RNN | nn.LSTM | nn.GRU) -> Recurrent:
    """A Recurrent that computes what ``module`` computes, with a copy of its weights; its layout is (N, T, D).

    Raises:
        UsageError: ``module`` is none of the three.
    """
    layer = Recurrent(
        cell_of(module),
        module.input_size,
        module.hidden_size,
        module.num_layers,
        bidirectional=module.bidirectional,
        dropout=module.dropout if module.num_layers > 1 else 0.0,
        sizes={"projection": module.proj_size} if module.proj_size else None,
    )
    layer.to(next(module.parameters()))
    for index, direction in _places(layer):
        ours = layer.cell_parameters(index, direction)
        for name, value in torch_parameters(module, index, direction).items():
            ours[name].copy_(value)
    return layer.train(module.training)


@torch.no_grad()
def to_torch(layer: Recurrent) -> nn.RNN | nn.LSTM | nn.GRU:
    """The torch.nn module (batch first) that computes what ``layer`` computes, with a copy of its weights.

    Raises:
        UsageError: torch.nn has no such function: another cell, sizes that differ by layer, residual connections.
    """
    kind = next((kind for kind, cell in _CELLS.items() if cell == layer.cell), None)
    if any(isinstance(start, str) for start in layer.cell.program.starts.values()):
        raise UsageError("torch.nn's recurrent modules have no learned initial state.")
    if kind is None:
        raise UsageError(_why_not(layer.cell))
    if len(set(layer.hidden_sizes)) > 1 or layer.residual:
        what = "residual connections" if layer.residual else f"hidden sizes that differ by layer {layer.hidden_sizes}"
        raise UsageError(f"torch.nn's recurrent modules have no {what}.")
    module = _empty_module(kind, layer)
    for index, direction in _places(layer):
        stacked = _stacking(layer.cell).stacked(layer.cell_parameters(index, direction))
        for name, weight in zip(_weights(module, index, direction), stacked, strict=True):
            getattr(module, name).copy_(weight)
    return module.train(layer.training)


def _places(layer: Recurrent) -> Iterator[tuple[int, str]]:
    return product(range(layer.num_layers), layer.directions)


def _stacking(cell: Cell) -> Stacking:
    found = stacking(cell)
    assert found is not None
    return found


def _weights(module: nn.RNN | nn.LSTM | nn.GRU, layer: int, direction: str) -> list[str]:
    """The names that torch gives the weights of one layer and direction, in the order in which it takes them."""
    stacks = ["weight_ih", "weight_hh"]
    stacks += ["bias_ih", "bias_hh"] if module.bias else []
    stacks += ["weight_hr"] if module.proj_size else []
    suffix = f"l{layer}_reverse" if direction == "reverse" else f"l{layer}"
    return [f"{stack}_{suffix}" for stack in stacks]


def _empty_module(kind: str, layer: Recurrent) -> nn.RNN | nn.LSTM | nn.GRU:
    like = next(layer.parameters())
    sizes = (layer.input_size, layer.hidden_sizes[0], layer.num_layers)
    options = {
        "batch_first": True,
        "bidirectional": len(layer.directions) > 1,
        "dropout": layer.dropout.p if layer.num_layers > 1 else 0.0,
        "device": like.device,
        "dtype": like.dtype,
    }
    if kind == "gru":
        return nn.GRU(*sizes, **options)
    if kind in ("lstm", "projected"):
        return nn.LSTM(*sizes, proj_size=layer.sizes.get("projection", 0), **options)
    return nn.RNN(*sizes, nonlinearity=kind, **options)


def _why_not(cell: Cell) -> str:
    have = "torch.nn has the cells elman, elman_relu, lstm, lstm_projected and gru_reset_after"
    if cell in (GRU, GRU_NEW):
        return f"{have}: torch.nn.GRU resets behind the product, and {cell.name} before it, which is another function."
    return f"{have}, and no {cell.name}."
