"""Small networks made by hand, one unit of which says whether curly quotation marks are open."""

import torch
from torch import Tensor

from unrolled.data.vocabulary import Vocabulary
from unrolled.layers.recurrent import Recurrent

PLANTED = "he said “go on” and “left”.\n"
UNIT, UNITS = 2, 5


def quote_reader(text: str, cell: str = "elman_sigmoid") -> tuple[Recurrent, Vocabulary]:
    """A layer over one-hot characters, float64: unit 2 is up inside quotes; the others are drawn at random.

    Elman's unit holds itself, an LSTM's keeps its c: its forget gate closes at either mark, its input gate opens at the
    opening one.
    """
    vocabulary = Vocabulary.train([text], "char")
    opens, closes = (int(vocabulary.encode(mark)) for mark in "“”")
    torch.manual_seed(5)
    layer = Recurrent(cell, vocabulary.size, UNITS).double()
    weights = layer.cell_parameters()
    with torch.no_grad():
        for value in weights.values():
            value[UNIT] = 0.0  # each row of a matrix gives a unit
        if cell == "lstm":
            _set(weights, "i", {opens: 40.0}, -20.0)
            _set(weights, "f", {opens: -40.0, closes: -40.0}, 20.0)
            _set(weights, "g", {}, 20.0)
            _set(weights, "o", {}, 20.0)
        else:
            weights["W"][UNIT, opens], weights["W"][UNIT, closes] = 40.0, -40.0
            weights["U"][UNIT, UNIT], weights["b"][UNIT] = 20.0, -10.0
    return layer, vocabulary


def one_hot(text: str, vocabulary: Vocabulary) -> Tensor:
    """(1, T, V), float64."""
    return torch.eye(vocabulary.size, dtype=torch.float64)[vocabulary.encode(text)].unsqueeze(0)


def _set(weights: dict[str, Tensor], gate: str, columns: dict[int, float], bias: float) -> None:
    weights[f"b_{gate}"][UNIT] = bias
    for column, weight in columns.items():
        weights[f"W_{gate}"][UNIT, column] = weight
