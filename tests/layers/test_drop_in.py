"""RNN, LSTM and GRU as torch.nn has them: the same numbers, gradients, weights, layouts and kinds of errors."""

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence

import unrolled
from layers.torch_twins import BATCH, HIDDEN, INPUTS, KINDS, STEPS, WIDTH, agree, feed, grid, loss, parts, states, twins
from tolerance import assert_close
from unrolled.errors import UsageError
from unrolled.layers.torch_weights import from_torch

NAMES = ("RNN", "GRU", "LSTM")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(5)


def options_id(options: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in options.items())


@pytest.mark.parametrize("what", INPUTS)
@pytest.mark.parametrize(("kind", "options"), grid(), ids=lambda one: one if isinstance(one, str) else options_id(one))
def test_outputs_states_and_gradients_are_torchs(kind: str, options: dict[str, Any], what: str) -> None:
    for batch_first in (False, True):
        theirs, ours = twins(kind, batch_first=batch_first, **options)
        x, given = feed(what, batch_first)
        agree(theirs, ours, x, given)
        agree(theirs, ours, x, given, states(theirs, what))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_a_batch_is_a_batch_of_one(kind: str, batch_first: bool) -> None:
    _, ours = twins(kind, num_layers=2, bidirectional=True, batch_first=batch_first)
    x, hx = torch.randn(3, WIDTH, dtype=torch.float64), states(ours, "unbatched")
    row = 0 if batch_first else 1
    alone = parts(ours(x, hx if len(hx) > 1 else hx[0]))
    as_batch = tuple(one.unsqueeze(1) for one in hx)
    batch = parts(ours(x.unsqueeze(row), as_batch if len(hx) > 1 else as_batch[0]))
    for at, (one, other) in enumerate(zip(alone, batch, strict=True)):
        assert torch.equal(one, other.squeeze(1 if at else row))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 63])
def test_one_step_and_many(kind: str, steps: int) -> None:
    agree(*twins(kind, bidirectional=True), torch.randn(steps, 1, WIDTH, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_no_rows_gives_no_rows(kind: str) -> None:
    for batch_first in (False, True):
        theirs, ours = twins(kind, num_layers=2, bidirectional=True, batch_first=batch_first)
        x = torch.randn(0, STEPS, WIDTH, dtype=torch.float64)
        x = x if batch_first else x.transpose(0, 1)
        assert [one.shape for one in parts(ours(x))] == [one.shape for one in parts(theirs(x))]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_torchs_module_in_all_but_forward(name: str) -> None:
    arguments = (3, 4, 2) + (("relu",) if name == "RNN" else ()) + (False, True, 0.25, True)
    torch.manual_seed(1)
    theirs = getattr(nn, name)(*arguments)
    torch.manual_seed(1)
    ours = getattr(unrolled, name)(*arguments)
    assert isinstance(ours, getattr(nn, name))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)
    assert [[tuple(one.shape) for one in layer] for layer in ours.all_weights] == [
        [tuple(one.shape) for one in layer] for layer in theirs.all_weights
    ]
    ours.flatten_parameters()


@pytest.mark.parametrize("name", NAMES)
def test_weights_go_both_ways(name: str) -> None:
    options = {"num_layers": 2, "bidirectional": True} | ({"proj_size": 2} if name == "LSTM" else {})
    theirs, ours = getattr(nn, name)(WIDTH, HIDDEN, **options), getattr(unrolled, name)(WIDTH, HIDDEN, **options)
    assert not torch.equal(theirs.weight_ih_l0, ours.weight_ih_l0)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    for key, value in theirs.state_dict().items():
        assert torch.equal(value, ours.state_dict()[key])
    agree(theirs.double(), ours.double(), torch.randn(STEPS, BATCH, WIDTH, dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((0, 4), {}),
        ((3, -1), {}),
        ((3, 4, 0), {}),
        ((3.0, 4), {}),
        ((3, 4), {"dropout": 2}),
        ((3, 4), {"bias": 1}),
        ((3, 4), {"proj_size": 4}),
        ((3, 4), {"nonlinearity": "sigmoid"}),
        ((3,), {}),
    ],
)
def test_a_wrong_constructor_is_torchs_error(name: str, arguments: tuple, options: dict) -> None:
    with pytest.raises((TypeError, ValueError)) as theirs:
        getattr(nn, name)(*arguments, **options)
    with pytest.raises(theirs.type) as ours:
        getattr(unrolled, name)(*arguments, **options)
    assert str(ours.value) == str(theirs.value)


def hidden(name: str, *shape: int, dtype: torch.dtype = torch.float32) -> Any:
    one = torch.zeros(*shape, dtype=dtype)
    return (one, one) if name == "LSTM" else one


def packed(*sizes: int, sort: bool = True) -> Any:
    return pack_padded_sequence(torch.randn(5, 2, *sizes), [5, 3] if sort else [3, 5], enforce_sorted=sort)


WRONG: dict[str, Any] = {
    "a vector": (lambda name: (torch.randn(3),), r"\(T, 3\) or, with a batch, \(T, N, 3\), and has shape \(3,\)"),
    "four dimensions": (lambda name: (torch.randn(1, 2, 3, 3),), r"has shape \(1, 2, 3, 3\)"),
    "other width": (lambda name: (torch.randn(5, 2, 4),), "input_size = 3 numbers, and has 4"),
    "other width, packed": (lambda name: (packed(4),), "input_size = 3 numbers, and has 4"),
    "packed in more dimensions": (lambda name: (packed(2, 3),), r"\(steps, 3\), and has shape \(8, 2, 3\)"),
    "other dtype": (lambda name: (torch.randn(5, 2, 3).double(),), r"by input.to\(torch.float32\)"),
    "whole numbers": (lambda name: (torch.zeros(5, 2, 3).long(),), "torch.int64 and the weights are torch.float32"),
    "no steps": (lambda name: (torch.randn(0, 2, 3),), "T is 0"),
    "no steps, no batch": (lambda name: (torch.randn(0, 3),), "T is 0"),
    "state without batch": (lambda name: (torch.randn(5, 2, 3), hidden(name, 1, 4)), "of 3 dimensions .* has 2"),
    "state with batch": (lambda name: (torch.randn(5, 3), hidden(name, 1, 1, 4)), "of 2 dimensions .* has 3"),
    "state of other rows": (lambda name: (torch.randn(5, 2, 3), hidden(name, 1, 3, 4)), r"\(1, 2, 4\), .* \(1, 3, 4\)"),
    "state of other layers": (lambda name: (torch.randn(5, 2, 3), hidden(name, 2, 2, 4)), r"\(1, 2, 4\), .* \(2, 2, 4"),
    "state of other units": (
        lambda name: (torch.randn(5, 2, 3), hidden(name, 1, 2, 5)),
        r"\(1, 2, 4\), .* \(1, 2, 5\)",
    ),
    "packed, other rows": (lambda name: (packed(3), hidden(name, 1, 3, 4)), r"\(1, 2, 4\), .* \(1, 3, 4\)"),
    "unsorted, too few rows": (
        lambda name: (packed(3, sort=False), hidden(name, 1, 1, 4)),
        r"\(1, 2, 4\), .* \(1, 1, 4\)",
    ),
    "state of other dtype": (
        lambda name: (torch.randn(5, 2, 3), hidden(name, 1, 2, 4, dtype=torch.float64)),
        "torch.float32 and a state given is torch.float64",
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_call_is_an_error_of_torchs_kind(name: str, wrong: str) -> None:
    make, message = WRONG[wrong]
    with pytest.raises((RuntimeError, ValueError)) as theirs:
        getattr(nn, name)(3, 4)(*make(name))
    with pytest.raises(theirs.type, match=message) as ours:
        getattr(unrolled, name)(3, 4)(*make(name))
    assert ours.type is theirs.type


def test_a_wrong_cell_state_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"state c .* = \(1, 2, 4\), and has shape \(1, 2, 3\)"):
        unrolled.LSTM(3, 4)(torch.randn(5, 2, 3), (torch.zeros(1, 2, 4), torch.zeros(1, 2, 3)))


@pytest.mark.parametrize("name", NAMES)
def test_results_may_be_viewed_and_changed_as_torchs(name: str) -> None:
    layer = getattr(unrolled, name)(3, 4, bidirectional=False)
    output, last = layer(torch.randn(5, 2, 3))
    assert output.view(-1, 4).shape == (10, 4)
    h_n = last[0] if name == "LSTM" else last
    h_n.detach_()  # a view could not be
    before = output.detach().clone()
    h_n.add_(1.0)
    assert torch.equal(output, before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch_first", [False, True])
def test_dropout_falls_between_layers_and_drops_what_torch_drops(name: str, batch_first: bool) -> None:
    theirs, ours = twins(name, num_layers=3, dropout=0.5, bidirectional=True, batch_first=batch_first)
    x = torch.randn(7, 4, WIDTH, dtype=torch.float64)
    outputs = []
    for module in (theirs, ours):
        torch.manual_seed(2)
        outputs.append(module(x)[0])
    assert_close(outputs[1], outputs[0], "loop, torch.nn")
    assert not torch.equal(ours(x)[0], outputs[1])
    agree(theirs.eval(), ours.eval(), x)
    everything = twins(name, num_layers=2, dropout=1.0)
    agree(*everything, torch.randn(STEPS, BATCH, WIDTH, dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
def test_copies_pickles_and_files_compute_the_same(name: str) -> None:
    layer = getattr(unrolled, name)(WIDTH, HIDDEN, 2, bidirectional=True)
    layer.backend = "loop"
    x = torch.randn(STEPS, BATCH, WIDTH)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    loaded = getattr(unrolled, name)(WIDTH, HIDDEN, 2, bidirectional=True)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded]
    assert [one.backend for one in copies] == ["loop", "loop", "auto"]
    loaded.backend = "loop"  # equal to the bit is one backend to itself
    for one in copies:
        assert type(one) is type(layer)
        assert torch.equal(one(x)[0], layer(x)[0])
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
    assert not torch.equal(copies[0](x)[0], layer(x)[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_dtype_goes_in_and_comes_out(name: str, dtype: torch.dtype) -> None:
    layer = getattr(unrolled, name)(WIDTH, HIDDEN).to(dtype)
    result = layer(torch.randn(STEPS, BATCH, WIDTH, dtype=dtype))
    assert {one.dtype for one in parts(result)} == {dtype}
    loss(result).backward()
    assert all(one.grad.dtype == dtype and one.grad.isfinite().all() for one in layer.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_autocast_is_let_in(name: str) -> None:
    layer = getattr(unrolled, name)(WIDTH, HIDDEN)
    with torch.autocast("cpu", torch.bfloat16):
        parts(layer(torch.randn(STEPS, BATCH, WIDTH, dtype=torch.bfloat16)))[0].sum().backward()
    assert layer.weight_hh_l0.grad.dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_weight_norm_is_seen_and_trained(kind: str) -> None:
    theirs, ours = (parametrizations.weight_norm(one, "weight_hh_l0") for one in twins(kind, num_layers=2))
    with torch.no_grad():
        for one in (theirs, ours):
            one.parametrizations.weight_hh_l0.original0.mul_(1.5)
    agree(theirs, ours, torch.randn(STEPS, BATCH, WIDTH, dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
def test_functional_call_computes_with_the_weights_it_is_given(name: str) -> None:
    theirs, ours = twins(name)
    other = {key: torch.randn_like(value) for key, value in theirs.named_parameters()}
    x = torch.randn(STEPS, BATCH, WIDTH, dtype=torch.float64)
    expected, actual = (torch.func.functional_call(one, other, (x,))[0] for one in (theirs, ours))
    assert_close(actual, expected, "loop, torch.nn")
    assert not torch.equal(actual, ours(x)[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_backend_is_handed_to_scan(name: str) -> None:
    layer = getattr(unrolled, name)(WIDTH, HIDDEN)
    layer.backend = "abacus"
    with pytest.raises(UsageError, match="no backend 'abacus'"):
        layer(torch.randn(STEPS, BATCH, WIDTH))


def test_a_drop_in_is_a_source_of_weights_too() -> None:
    layer = unrolled.GRU(WIDTH, HIDDEN, batch_first=True)
    x = torch.randn(BATCH, STEPS, WIDTH)
    assert torch.equal(from_torch(layer)(x).outputs, layer(x)[0])


@pytest.mark.gpu
@pytest.mark.parametrize("what", INPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_gpu_it_is_torchs_too(kind: str, what: str) -> None:
    theirs, ours = (one.cuda() for one in twins(kind, num_layers=2, bidirectional=True))
    x, given = feed(what, False)
    with torch.device("cuda"):
        agree(theirs, ours, x.cuda(), given, tuple(one.cuda() for one in states(theirs, what)))
