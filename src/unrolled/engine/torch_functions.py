"""The recurrent functions that torch has: their equations, which cells are one of them, and how weights are stacked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from unrolled.equations.cell import Cell
from unrolled.equations.match import match, other_names


@dataclass(frozen=True)
class Function:
    """A function of torch.

    Its equations (those of the pages of torch.nn.RNN, LSTM and GRU) call the matrices, input's bias and recurrent bias
    of a gate W, U, b and c. A recurrent bias that would only be added to the other is left out.
    """

    name: str
    cell: Cell
    gates: tuple[str, ...]
    """In the order in which weights stack them."""
    states: tuple[str, ...] = ("h",)
    """In the order in which it takes and gives them, the one over time first."""
    projected: bool = False


def _lstm(output: str) -> str:
    return f"""
    i  = sigmoid(W_i @ x + U_i @ h + b_i)
    f  = sigmoid(W_f @ x + U_f @ h + b_f)
    g  = tanh(W_g @ x + U_g @ h + b_g)
    o  = sigmoid(W_o @ x + U_o @ h + b_o)
    c' = f * c + i * g
    h' = {output}
    """


_GRU = """
    r  = sigmoid(W_r @ x + U_r @ h + b_r)
    z  = sigmoid(W_z @ x + U_z @ h + b_z)
    n  = tanh(W_n @ x + b_n + r * (U_n @ h + c_n))
    h' = (1 - z) * n + z * h
    """
_PROJECTED = Cell("torch.lstm", _lstm("P @ (o * tanh(c'))"), sizes={"h": "projection", "c": "hidden"})

FUNCTIONS = (
    Function("rnn_tanh", Cell("torch.rnn_tanh", "h' = tanh(W_h @ x + U_h @ h + b_h)"), ("h",)),
    Function("rnn_relu", Cell("torch.rnn_relu", "h' = relu(W_h @ x + U_h @ h + b_h)"), ("h",)),
    Function("lstm", Cell("torch.lstm", _lstm("o * tanh(c')")), tuple("ifgo"), ("h", "c")),
    Function("lstm", _PROJECTED, tuple("ifgo"), ("h", "c"), projected=True),
    Function("gru", Cell("torch.gru", _GRU), tuple("rzn")),
)


@dataclass(frozen=True)
class Stacking:
    """How a function of torch stacks the parameters of a cell: blocks of rows, one a gate."""

    function: Function
    states: tuple[str, ...]
    """The cell's names for the function's states."""
    over_time: frozenset[str]
    """The cell's quantities that the function gives over time: its first state, by all its names."""
    inputs: tuple[str, ...]
    """The cell's parameters that ``weight_ih`` stacks: W_i, W_f, …"""
    recurrent: tuple[str, ...]
    """Those that ``weight_hh`` stacks."""
    biases: tuple[tuple[str, ...], ...]
    """By gate, those whose sum ``bias_ih`` stacks."""
    second: tuple[tuple[str, ...], ...]
    """By gate, those whose sum ``bias_hh`` stacks."""
    projection: str | None

    def stacked(self, parameters: Mapping[str, Tensor]) -> list[Tensor]:
        """weight_ih, weight_hh, bias_ih and bias_hh where there is any bias, weight_hr where there is a projection."""
        weights = [torch.cat([parameters[name] for name in names]) for names in (self.inputs, self.recurrent)]
        if any((*self.biases, *self.second)):
            none = weights[1].new_zeros(weights[1].shape[0] // len(self.inputs))
            for gates in (self.biases, self.second):
                terms = ([parameters[name] for name in names] or [none] for names in gates)
                weights.append(torch.cat([sum(rest, first) for first, *rest in terms]))
        return [*weights, parameters[self.projection]] if self.projection else weights

    def parted(self, weights: Sequence[Tensor]) -> dict[str, Tensor]:
        """The parameters that :meth:`stacked` stacks so, as views and sums; of cells with one bias a gate.

        What torch adds to that bias is in it; without biases, all are zero.
        """
        blocks, (weight_ih, weight_hh, *rest) = len(self.inputs), weights
        values = dict(zip(self.inputs, weight_ih.chunk(blocks), strict=True))
        values.update(zip(self.recurrent, weight_hh.chunk(blocks), strict=True))
        if self.projection:
            values[self.projection] = rest.pop()
        first, second = rest or [weight_hh.new_zeros(weight_hh.shape[0])] * 2
        parts = (one.chunk(blocks) for one in (first, second, first + second))
        for (name,), other, *(one, two, both) in zip(self.biases, self.second, *parts, strict=True):
            values |= {name: one, other[0]: two} if other else {name: both}
        return values


@cache
def stacking(cell: Cell) -> Stacking | None:
    """The function of torch that computes the cell's states, and how it stacks its parameters; None if there is none.

    Equations are compared, not names (:mod:`unrolled.equations.match`).
    """
    for function in FUNCTIONS:
        found = match(function.cell, cell)
        if found is not None:
            states = tuple(found.states[name] for name in function.states)
            return Stacking(
                function,
                states,
                other_names(cell, states[0]),
                tuple(found.matrices[f"W_{gate}"] for gate in function.gates),
                tuple(found.matrices[f"U_{gate}"] for gate in function.gates),
                tuple(found.vectors[f"b_{gate}"] for gate in function.gates),
                tuple(found.vectors.get(f"c_{gate}", ()) for gate in function.gates),
                found.matrices.get("P"),
            )
    return None
