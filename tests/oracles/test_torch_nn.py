"""LSTM, LSTM with projection, GRU and RNN against torch.nn: outputs, final states and every gradient."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.scan import scan
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.torch_weights import from_torch
from unrolled.state import State

N, T, D, H, PROJECTION = 3, 9, 5, 4, 2
close = partial(assert_close, row="loop, torch.nn")

KINDS = ("elman", "elman_relu", "lstm", "lstm_projected", "gru_reset_after")
GATES = {"lstm": "ifgo", "lstm_projected": "ifgo", "gru_reset_after": "rzh"}
"""The order in which torch.nn stacks its gates, as its documentation of weight_ih_l[k] writes it (n is our h)."""

Module = nn.RNN | nn.LSTM | nn.GRU


def make(
    kind: str, num_layers: int = 1, bidirectional: bool = False, bias: bool = True, batch_first: bool = True
) -> Module:
    torch.manual_seed(1)
    common: dict[str, Any] = {"num_layers": num_layers, "bidirectional": bidirectional, "dtype": torch.float64}
    common |= {"bias": bias, "batch_first": batch_first}
    if kind == "gru_reset_after":
        return nn.GRU(D, H, **common)
    if kind.startswith("lstm"):
        return nn.LSTM(D, H, proj_size=PROJECTION if kind == "lstm_projected" else 0, **common)
    return nn.RNN(D, H, nonlinearity="relu" if kind == "elman_relu" else "tanh", **common)


def by_our_names(kind: str, values: Mapping[str, Tensor], suffix: str, gradient: bool = False) -> dict[str, Tensor]:
    """torch's stacked parameters of one layer and direction taken apart, or their gradients.

    Where torch adds two biases, ours is their sum; the gradient of the sum is the gradient of either.
    """
    kinds = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih", "c": "bias_hh"}
    gates = GATES.get(kind, "-")
    split = {stem: values[f"{name}_{suffix}"].chunk(len(gates)) for stem, name in kinds.items()}
    named = {}
    for index, gate in enumerate(gates):
        ending = "" if gate == "-" else f"_{gate}"
        for stem in "WU":
            named[f"{stem}{ending}"] = split[stem][index]
        first, second = split["b"][index], split["c"][index]
        if kind == "gru_reset_after" and gate == "h":
            named |= {"b_h": first, "c_h": second}
        elif gradient:
            close(first, second)
            named[f"b{ending}"] = first
        else:
            named[f"b{ending}"] = first + second
    if kind == "lstm_projected":
        named["P"] = values[f"weight_hr_{suffix}"]
    return named


def gradients_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: given(parameter) for name, parameter in module.named_parameters()}


def given(leaf: Tensor) -> Tensor:
    """The gradient that arrived at a leaf; there must be one, and not of zeros alone."""
    assert leaf.grad is not None
    assert leaf.grad.count_nonzero() > 0
    return leaf.grad


def leaf(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def twin(one: Tensor) -> Tensor:
    return one.detach().clone().requires_grad_()


def draw_start(kind: str, places: int) -> dict[str, Tensor]:
    """h (and c) as torch has them: (layers x directions, N, units)."""
    start = {"h": leaf(places, N, PROJECTION if kind == "lstm_projected" else H)}
    return start | ({"c": leaf(places, N, H)} if kind.startswith("lstm") else {})


def as_state(values: Mapping[str, Tensor], bidirectional: bool) -> State:
    """torch's stacked states by our names: layer after layer, in each the forward direction first."""
    directions = ("forward", "reverse") if bidirectional else ("forward",)
    parts = {}
    for index in range(len(values["h"])):
        layer, direction = divmod(index, len(directions))
        parts[f"{layer}.{directions[direction]}"] = {name: value[index] for name, value in values.items()}
    return State.join(parts)


def run_torch(module: Module, x: Tensor | PackedSequence, start: dict[str, Tensor]) -> tuple[Any, dict[str, Tensor]]:
    if isinstance(module, nn.LSTM):
        outputs, (h, c) = module(x, (start["h"], start["c"]))
        return outputs, {"h": h, "c": c}
    outputs, h = module(x, start["h"])
    return outputs, {"h": h}


def loss_of(outputs: Tensor, final: Mapping[str, Tensor]) -> Tensor:
    """A loss that weighs every number of the outputs and final states differently."""
    values = [outputs, *(final[name] for name in sorted(final))]
    weighed = [torch.linspace(-1, 2, one.numel(), dtype=one.dtype).view_as(one) * one.sin() for one in values]
    return torch.stack([one.sum() for one in weighed]).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_scan_with_weights_taken_apart_by_hand(kind: str) -> None:
    module, x, start = make(kind), leaf(N, T, D), draw_start(kind, 1)
    outputs, final = run_torch(module, x, start)
    loss_of(outputs, {name: value[0] for name, value in final.items()}).backward()
    p = {name: twin(value) for name, value in by_our_names(kind, dict(module.named_parameters()), "l0").items()}
    our_x, our_start = twin(x), {name: twin(value[0]) for name, value in start.items()}
    ours = scan(LIBRARY[kind], p, our_x, our_start)
    loss_of(ours.outputs, ours.state).backward()
    close(ours.outputs, outputs)
    close(given(our_x), given(x))
    for name in start:
        close(ours.state[name], final[name][0])
        close(given(our_start[name]), given(start[name])[0])
    expected = by_our_names(kind, gradients_of(module), "l0", gradient=True)
    assert set(expected) == set(p)
    for name, gradient in expected.items():
        close(given(p[name]), gradient)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one direction", "two directions"])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [None, (6, 9, 1)], ids=["dense", "ragged"])
def test_from_torch(kind: str, num_layers: int, bidirectional: bool, lengths: tuple[int, ...] | None) -> None:
    """A whole module: our lengths against its PackedSequence, with NaN in our padding."""
    module = make(kind, num_layers, bidirectional)
    layer = from_torch(module)
    x, start = leaf(N, T, D), draw_start(kind, num_layers * (1 + bidirectional))
    our_x, our_start = twin(x), {name: twin(value) for name, value in start.items()}
    if lengths is None:
        outputs, final = run_torch(module, x, start)
        ours = layer(our_x, as_state(our_start, bidirectional))
    else:
        packed, final = run_torch(module, pack_padded_sequence(x, torch.tensor(lengths), True, False), start)
        outputs, _ = pad_packed_sequence(packed, batch_first=True)
        padding = torch.arange(T) >= torch.tensor(lengths).unsqueeze(1)
        poisoned = torch.where(padding.unsqueeze(2), torch.nan, our_x)
        ours = layer(poisoned, as_state(our_start, bidirectional), lengths=torch.tensor(lengths))
    expected_state = as_state(final, bidirectional)
    loss_of(outputs, expected_state).backward()
    loss_of(ours.outputs, ours.state).backward()
    close(ours.outputs, outputs)
    close(given(our_x), given(x))
    assert set(ours.state) == set(expected_state)
    for name, value in expected_state.items():
        close(ours.state[name], value)
    for name, value in start.items():
        close(given(our_start[name]), given(value))
    compare_parameter_gradients(kind, module, layer)


def compare_parameter_gradients(kind: str, module: Module, layer: Recurrent) -> None:
    gradients, compared = gradients_of(module), 0
    for index in range(layer.num_layers):
        for direction in layer.directions:
            suffix = f"l{index}_reverse" if direction == "reverse" else f"l{index}"
            ours = layer.cell_parameters(index, direction)
            expected = by_our_names(kind, gradients, suffix, gradient=True)
            assert set(ours) == set(expected)
            for name, gradient in expected.items():
                close(given(ours[name]), gradient)
                compared += 1
    assert compared == len(list(layer.parameters()))


@pytest.mark.parametrize("enforce_sorted", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru_reset_after"])
def test_a_packed_sequence_goes_in_and_comes_out(kind: str, enforce_sorted: bool) -> None:
    module = make(kind, 2, bidirectional=True)
    lengths = torch.tensor((9, 4, 2) if enforce_sorted else (4, 9, 2))
    packed = pack_padded_sequence(leaf(N, T, D), lengths, batch_first=True, enforce_sorted=enforce_sorted)
    start = draw_start(kind, 4)
    theirs, final = run_torch(module, packed, start)
    ours = from_torch(module)(packed, as_state(start, bidirectional=True))
    close(ours.outputs.data, theirs.data)
    assert torch.equal(ours.outputs.batch_sizes, theirs.batch_sizes)
    close(pad_packed_sequence(ours.outputs, True)[0], pad_packed_sequence(theirs, True)[0])
    for name, value in as_state(final, bidirectional=True).items():
        close(ours.state[name], value)


@pytest.mark.parametrize("kind", KINDS)
def test_from_torch_without_biases_and_time_first(kind: str) -> None:
    module = make(kind, 2, bidirectional=True, bias=False, batch_first=False)
    x, start = leaf(N, T, D), draw_start(kind, 4)
    outputs, final = run_torch(module, x.transpose(0, 1), start)
    ours = from_torch(module)(x, as_state(start, bidirectional=True))
    close(ours.outputs, outputs.transpose(0, 1))
    for name, value in as_state(final, bidirectional=True).items():
        close(ours.state[name], value)
