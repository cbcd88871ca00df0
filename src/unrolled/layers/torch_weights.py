"""Weights from torch.nn's recurrent modules and back, where the function is the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import torch
from torch import Tensor, nn

from unrolled.cells.elman import ELMAN, ELMAN_RELU
from unrolled.cells.gru import GRU, GRU_NEW, GRU_RESET_AFTER
from unrolled.cells.lstm import LSTM, LSTM_PROJECTED
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent


@dataclass(frozen=True)
class Layout:
    """How a torch module stacks a cell's parameters: blocks of rows, one a gate, in this order."""

    cell: Cell
    gates: tuple[str, ...]
    second_bias: tuple[str | None, ...]
    """By gate, the parameter that holds the recurrent bias; None where it is added to the input's."""

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The cell's parameters that ``weight_ih`` stacks: W_i, W_f, …"""
        return self._names("W")

    @cached_property
    def recurrent(self) -> tuple[str, ...]:
        """The cell's parameters that ``weight_hh`` stacks."""
        return self._names("U")

    @cached_property
    def biases(self) -> tuple[str, ...]:
        """The cell's parameters that ``bias_ih`` stacks, with ``bias_hh`` added where no second bias is named."""
        return self._names("b")

    def _names(self, stem: str) -> tuple[str, ...]:
        return tuple(f"{stem}_{gate}" if gate else stem for gate in self.gates)


_LSTM_GATES = ("i", "f", "g", "o")
_LAYOUTS = {
    "tanh": Layout(ELMAN, ("",), (None,)),
    "relu": Layout(ELMAN_RELU, ("",), (None,)),
    "lstm": Layout(LSTM, _LSTM_GATES, (None,) * 4),
    "projected": Layout(LSTM_PROJECTED, _LSTM_GATES, (None,) * 4),
    "gru": Layout(GRU_RESET_AFTER, ("r", "z", "h"), (None, None, "c_h")),
}


def layout_of(module: nn.Module) -> Layout:
    """The cell that ``module`` computes, and how its weights stack that cell's parameters.

    Raises:
        UsageError: ``module`` is no torch.nn.RNN, LSTM or GRU.
    """
    if isinstance(module, nn.LSTM):
        return _LAYOUTS["projected" if module.proj_size else "lstm"]
    if isinstance(module, nn.GRU):
        return _LAYOUTS["gru"]
    if isinstance(module, nn.RNN):
        return _LAYOUTS[module.nonlinearity]
    raise UsageError(f"weights come from torch.nn.RNN, LSTM or GRU, and this is a {type(module).__name__}.")


def torch_parameters(module: nn.RNN | nn.LSTM | nn.GRU, layer: int, direction: str) -> dict[str, Tensor]:
    """The cell's parameters in one layer and direction of ``module``: views and sums of its weights, differentiable."""
    layout, suffix = layout_of(module), _suffix(layer, direction)
    blocks, weight_hh = len(layout.gates), getattr(module, f"weight_hh_{suffix}")
    rows = weight_hh.shape[0] // blocks
    values = dict(zip(layout.inputs, getattr(module, f"weight_ih_{suffix}").chunk(blocks), strict=True))
    values.update(zip(layout.recurrent, weight_hh.chunk(blocks), strict=True))
    if module.bias:
        first, second = getattr(module, f"bias_ih_{suffix}"), getattr(module, f"bias_hh_{suffix}")
        values.update(zip(layout.biases, (first + second).chunk(blocks), strict=True))
        for at, (name, own) in enumerate(zip(layout.biases, layout.second_bias, strict=True)):
            if own:
                values[name], values[own] = first.narrow(0, at * rows, rows), second.narrow(0, at * rows, rows)
    else:
        values.update(dict.fromkeys((*layout.biases, *filter(None, layout.second_bias)), weight_hh.new_zeros(rows)))
    if module.proj_size:
        values["P"] = getattr(module, f"weight_hr_{suffix}")
    return values


@torch.no_grad()
def from_torch(module: nn.RNN | nn.LSTM | nn.GRU) -> Recurrent:
    """A Recurrent that computes what ``module`` computes, with a copy of its weights; its layout is (N, T, D).

    Raises:
        UsageError: ``module`` is none of the three.
    """
    layer = Recurrent(
        layout_of(module).cell,
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
    kind = next((kind for kind, layout in _LAYOUTS.items() if layout.cell == layer.cell), None)
    if any(isinstance(start, str) for start in layer.cell.program.starts.values()):
        raise UsageError("torch.nn's recurrent modules have no learned initial state.")
    if kind is None:
        raise UsageError(_why_not(layer.cell))
    if len(set(layer.hidden_sizes)) > 1 or layer.residual:
        what = "residual connections" if layer.residual else f"hidden sizes that differ by layer {layer.hidden_sizes}"
        raise UsageError(f"torch.nn's recurrent modules have no {what}.")
    module = _empty_module(kind, layer)
    layout = _LAYOUTS[kind]
    stacks = {"weight_ih": layout.inputs, "weight_hh": layout.recurrent, "bias_ih": layout.biases}
    for index, direction in _places(layer):
        ours, suffix = layer.cell_parameters(index, direction), _suffix(index, direction)
        for stack, names in stacks.items():
            getattr(module, f"{stack}_{suffix}").copy_(torch.cat([ours[name] for name in names]))
        seconds = [ours[name] if name else torch.zeros_like(ours[layout.biases[0]]) for name in layout.second_bias]
        getattr(module, f"bias_hh_{suffix}").copy_(torch.cat(seconds))
        if kind == "projected":
            getattr(module, f"weight_hr_{suffix}").copy_(ours["P"])
    return module.train(layer.training)


def _places(layer: Recurrent) -> Iterator[tuple[int, str]]:
    return product(range(layer.num_layers), layer.directions)


def _suffix(layer: int, direction: str) -> str:
    """The ending that torch gives the names of the weights of one layer and direction."""
    return f"l{layer}_reverse" if direction == "reverse" else f"l{layer}"


def _empty_module(kind: str, layer: Recurrent) -> nn.RNN | nn.LSTM | nn.GRU:
    like = layer.cell_parameters()[_LAYOUTS[kind].inputs[0]]
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
