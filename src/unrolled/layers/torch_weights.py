"""Weights from torch.nn's recurrent modules and back, where the function is the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.cells.elman import ELMAN, ELMAN_RELU
from unrolled.cells.gru import GRU, GRU_NEW, GRU_RESET_AFTER
from unrolled.cells.lstm import LSTM, LSTM_PROJECTED
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent


@dataclass(frozen=True)
class _Layout:
    """How a torch module stacks a cell's parameters: blocks of rows, one a gate, in this order."""

    cell: Cell
    gates: tuple[str, ...]
    second_bias: tuple[str | None, ...]
    """By gate, the parameter that holds the recurrent bias; None where it is added to the input's."""

    def names(self, stem: str) -> tuple[str, ...]:
        """The cell's parameters of one kind in torch's order: W_i, W_f, …"""
        return tuple(f"{stem}_{gate}" if gate else stem for gate in self.gates)


_LSTM_GATES = ("i", "f", "g", "o")
_LAYOUTS = {
    "tanh": _Layout(ELMAN, ("",), (None,)),
    "relu": _Layout(ELMAN_RELU, ("",), (None,)),
    "lstm": _Layout(LSTM, _LSTM_GATES, (None,) * 4),
    "projected": _Layout(LSTM_PROJECTED, _LSTM_GATES, (None,) * 4),
    "gru": _Layout(GRU_RESET_AFTER, ("r", "z", "h"), (None, None, "c_h")),
}


@torch.no_grad()
def from_torch(module: nn.RNN | nn.LSTM | nn.GRU) -> Recurrent:
    """A Recurrent that computes what ``module`` computes, with a copy of its weights; its layout is (N, T, D).

    Raises:
        UsageError: ``module`` is none of the three.
    """
    layout = _layout_of(module)
    layer = Recurrent(
        layout.cell,
        module.input_size,
        module.hidden_size,
        module.num_layers,
        bidirectional=module.bidirectional,
        dropout=module.dropout if module.num_layers > 1 else 0.0,
        sizes={"projection": module.proj_size} if module.proj_size else None,
    )
    layer.to(next(module.parameters()))
    for ours, suffix in _places(layer):
        theirs = {name: getattr(module, f"{name}_{suffix}") for name in ("weight_ih", "weight_hh")}
        for stem, name in (("W", "weight_ih"), ("U", "weight_hh")):
            for target, block in zip(layout.names(stem), theirs[name].chunk(len(layout.gates)), strict=True):
                ours[target].copy_(block)
        _copy_biases(layout, ours, module, suffix)
        if module.proj_size:
            ours["P"].copy_(getattr(module, f"weight_hr_{suffix}"))
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
    for ours, suffix in _places(layer):
        for stem, name in (("W", "weight_ih"), ("U", "weight_hh"), ("b", "bias_ih")):
            getattr(module, f"{name}_{suffix}").copy_(torch.cat([ours[one] for one in layout.names(stem)]))
        seconds = [ours[name] if name else torch.zeros_like(ours[layout.names("b")[0]]) for name in layout.second_bias]
        getattr(module, f"bias_hh_{suffix}").copy_(torch.cat(seconds))
        if kind == "projected":
            getattr(module, f"weight_hr_{suffix}").copy_(ours["P"])
    return module.train(layer.training)


def _layout_of(module: nn.Module) -> _Layout:
    if isinstance(module, nn.LSTM):
        return _LAYOUTS["projected" if module.proj_size else "lstm"]
    if isinstance(module, nn.GRU):
        return _LAYOUTS["gru"]
    if isinstance(module, nn.RNN):
        return _LAYOUTS[module.nonlinearity]
    raise UsageError(f"weights come from torch.nn.RNN, LSTM or GRU, and this is a {type(module).__name__}.")


def _places(layer: Recurrent) -> Iterator[tuple[dict[str, Tensor], str]]:
    """Each layer's and direction's parameters, with the ending that torch gives their names."""
    for index in range(layer.num_layers):
        for direction in layer.directions:
            yield layer.cell_parameters(index, direction), f"l{index}{'_reverse' * (direction == 'reverse')}"


def _copy_biases(layout: _Layout, ours: dict[str, Tensor], module: nn.RNNBase, suffix: str) -> None:
    if not module.bias:
        for name in (*layout.names("b"), *filter(None, layout.second_bias)):
            ours[name].zero_()
        return
    firsts, seconds = (getattr(module, f"{name}_{suffix}").chunk(len(layout.gates)) for name in ("bias_ih", "bias_hh"))
    for target, own, first, second in zip(layout.names("b"), layout.second_bias, firsts, seconds, strict=True):
        ours[target].copy_(first if own else first + second)
        if own:
            ours[own].copy_(second)


def _empty_module(kind: str, layer: Recurrent) -> nn.RNN | nn.LSTM | nn.GRU:
    like = layer.cell_parameters()["W_i" if kind in ("lstm", "projected") else "W_r" if kind == "gru" else "W"]
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
