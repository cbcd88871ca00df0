"""Weights from torch.nn and back: the same function both ways, and a clear word where there is none."""

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from tolerance import assert_close
from unrolled.cells.gru import GRU
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import layer_norm
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.torch_weights import from_torch, to_torch

MODULES = {
    "LSTM": lambda: nn.LSTM(5, 4, batch_first=True),
    "LSTM, two layers, both directions": lambda: nn.LSTM(5, 4, 2, bidirectional=True, batch_first=True),
    "LSTM without biases": lambda: nn.LSTM(5, 4, 2, bias=False, batch_first=True),
    "LSTM, projected": lambda: nn.LSTM(5, 6, 2, proj_size=3, bidirectional=True, batch_first=True),
    "GRU": lambda: nn.GRU(5, 4, batch_first=True),
    "GRU, two layers, both directions": lambda: nn.GRU(5, 4, 2, bidirectional=True, batch_first=True),
    "GRU without biases": lambda: nn.GRU(5, 4, bias=False, batch_first=True),
    "RNN": lambda: nn.RNN(5, 4, 2, batch_first=True),
    "RNN, relu": lambda: nn.RNN(5, 4, 3, nonlinearity="relu", bidirectional=True, batch_first=True),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(3)


def near(actual: Tensor, expected: Tensor) -> None:
    assert_close(actual, expected, "loop, torch.nn")


@pytest.mark.parametrize("what", MODULES)
def test_there_and_back_it_is_one_function(what: str) -> None:
    module = MODULES[what]().double()
    layer = from_torch(module)
    again = to_torch(layer)
    assert type(again) is type(module)
    x = torch.randn(3, 7, 5, dtype=torch.float64)
    expected, last = module(x)
    near(layer(x).outputs, expected)
    near(again(x)[0], expected)
    states = layer(x).state
    hidden = last[0] if isinstance(last, tuple) else last  # (layers * directions, N, units)
    ours = [states[f"{i}.{way}.h"] for i in range(layer.num_layers) for way in layer.directions]
    near(torch.stack(ours), hidden)


@pytest.mark.parametrize("what", MODULES)
def test_a_packed_batch_gives_what_torch_gives(what: str) -> None:
    module = MODULES[what]().double()
    x, lengths = torch.randn(3, 7, 5, dtype=torch.float64), torch.tensor([3, 7, 5])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    ours, theirs = from_torch(module)(packed).outputs, module(packed)[0]
    assert torch.equal(ours.batch_sizes, theirs.batch_sizes)
    assert torch.equal(ours.unsorted_indices, theirs.unsorted_indices)
    near(ours.data, theirs.data)


def test_a_given_state_goes_by_the_same_places() -> None:
    module = MODULES["LSTM, two layers, both directions"]().double()
    layer, x = from_torch(module), torch.randn(3, 7, 5, dtype=torch.float64)
    h, c = torch.randn(4, 3, 4, dtype=torch.float64), torch.randn(4, 3, 4, dtype=torch.float64)
    places = [f"{i}.{way}" for i in (0, 1) for way in ("forward", "reverse")]
    given = {f"{place}.{name}": value[at] for at, place in enumerate(places) for name, value in (("h", h), ("c", c))}
    near(layer(x, given).outputs, module(x, (h, c))[0])


def test_the_copy_is_a_copy_and_keeps_mode_dtype_and_dropout() -> None:
    module = nn.GRU(5, 4, 2, dropout=0.25).to(torch.bfloat16).eval()
    layer = from_torch(module)
    assert not layer.training
    assert {value.dtype for value in layer.parameters()} == {torch.bfloat16}
    assert layer.dropout.p == 0.25
    before = module.weight_hh_l0.clone()
    with torch.no_grad():
        layer.cell_parameters()["U_r"].zero_()
    assert torch.equal(module.weight_hh_l0, before)
    back = to_torch(layer)
    assert not back.training
    assert (back.dropout, back.num_layers, back.batch_first) == (0.25, 2, True)
    assert not back.weight_hh_l0[:4].any()
    assert torch.equal(back.weight_hh_l0[4:], before[4:])


def test_what_trains_in_one_trains_in_the_other() -> None:
    module = MODULES["GRU"]().double()
    layer, x = from_torch(module), torch.randn(3, 7, 5, dtype=torch.float64)
    module(x)[0].pow(2).sum().backward()
    layer(x).outputs.pow(2).sum().backward()
    ours = layer.cell_parameters()
    near(torch.cat([ours[name].grad for name in ("U_r", "U_z", "U_h")]), module.weight_hh_l0.grad)
    near(torch.cat([ours[name].grad for name in ("b_r", "b_z", "b_h")]), module.bias_ih_l0.grad)
    near(ours["c_h"].grad, module.bias_hh_l0.grad[8:])


def test_a_cell_of_ones_own_with_the_same_equations_goes_too() -> None:
    own = Cell("mine", LIBRARY["elman"].text().replace("cell elman", "cell mine"))
    layer = Recurrent(own, 5, 4).double()
    x = torch.randn(3, 7, 5, dtype=torch.float64)
    near(to_torch(layer)(x)[0], layer(x).outputs)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: Recurrent("gru", 5, 4), "resets behind the product, and gru before it, which is another function"),
        (lambda: Recurrent("gru_new", 5, 4), "and gru_new before it"),
        (lambda: Recurrent(layer_norm(GRU), 5, 4), "and no gru_layer_norm"),
        (lambda: Recurrent("lstm_peephole", 5, 4), "lstm, lstm_projected and gru_reset_after, and no lstm_peephole"),
        (lambda: Recurrent("lstm", 5, [4, 3], 2), re.escape("no hidden sizes that differ by layer (4, 3)")),
        (lambda: Recurrent("lstm", 5, 4, 2, residual=True), "no residual connections"),
        (lambda: Recurrent("lstm", 5, 4, learn_initial_state=True), "no learned initial state"),
        (lambda: Recurrent("gru_reset_after", 5, 4, learn_initial_state=True), "no learned initial state"),
    ],
)
def test_what_torch_has_not_is_refused(layer, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        to_torch(layer())


@pytest.mark.parametrize("module", [nn.Linear(3, 4), nn.LSTMCell(3, 4)])
def test_what_is_no_recurrent_module_is_refused(module: nn.Module) -> None:
    with pytest.raises(UsageError, match=f"from torch.nn.RNN, LSTM or GRU, and this is a {type(module).__name__}"):
        from_torch(module)
