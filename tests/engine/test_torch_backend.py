"""The backend torch computes what the plain loop does, where torch has a kernel for the equations; else it says why."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.nn.utils.rnn import pack_padded_sequence

from engine.cases import CELLS, Case, gradients, make_case, parts, valid_steps, weights_like
from engine.torch_cases import (
    KNOWN,
    LENGTHS,
    SIZES,
    assert_is_the_loop,
    assert_near,
    by_loop,
    moved,
    plain,
    projects_in_single,
)
from laws import assert_same
from unrolled.cells.library import LIBRARY
from unrolled.engine import torch_kernels
from unrolled.engine.backends import BACKENDS, choice
from unrolled.engine.run import prepare
from unrolled.engine.scan import scan
from unrolled.engine.torch_functions import FUNCTIONS, Function, stacking
from unrolled.errors import UsageError
from unrolled.layers.drop_in import GRU, LSTM, RNN
from unrolled.layers.recurrent import Recurrent

CUDA = torch.device("cuda")


# What it computes


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", KNOWN)
def test_it_computes_what_the_loop_computes(name: str, sizes: str, lengths: str, calls: list[str]) -> None:
    case = LENGTHS[lengths](plain(KNOWN[name], **SIZES[sizes]))
    assert_is_the_loop(case)
    nothing = case.lengths is not None and not case.lengths.any()
    assert bool(calls) is not nothing
    stacks = stacking(KNOWN[name])
    assert stacks is not None
    assert set(calls) <= {stacks.function.name}


@projects_in_single
@pytest.mark.parametrize("name", KNOWN)
def test_in_single_precision(name: str) -> None:
    case = LENGTHS["ragged"](plain(KNOWN[name], torch.float32, rows=4, steps=20))
    exact = moved(by_loop(case), torch.float64)
    assert_near(parts(case.scan()), parts(exact.scan()), "torch, loop, float32")
    assert_near(gradients(case), gradients(exact), "torch, loop, gradients, float32")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_in_half_precision(dtype: torch.dtype) -> None:
    case = moved(plain(LIBRARY["lstm"]), dtype)
    result = parts(case.scan())
    assert {value.dtype for value in (*result.values(), *gradients(case).values())} == {dtype}
    for name, value in parts(by_loop(case).scan()).items():
        assert (value - result[name]).abs().max() < 16 * torch.finfo(dtype).eps


def test_a_checkpoint_changes_nothing() -> None:
    case = plain(LIBRARY["lstm"])
    given = (case.cell, case.parameters, case.x, case.state, None, None, (), "torch")
    assert_same(parts(scan(*given, checkpoint=4)), parts(scan(*given)))


@pytest.mark.parametrize("name", KNOWN)
def test_padding_changes_no_number(name: str) -> None:
    case = LENGTHS["ragged"](plain(KNOWN[name]))
    padding = ~valid_steps(case).unsqueeze(-1)
    clean = case.but(x=case.x.masked_fill(padding, 0.0))
    expected, wanted = parts(clean.scan()), gradients(clean)
    assert not expected["outputs"].masked_select(padding).any()
    assert not wanted["x"].masked_select(padding).any()
    for number in (float("nan"), float("inf")):
        spoilt = case.but(x=case.x.masked_fill(padding, number))
        assert_same(parts(spoilt.scan()), expected)
        assert_same(gradients(spoilt), wanted)


def test_a_row_without_steps_hands_its_state_through() -> None:
    case = LENGTHS["ragged"](plain(LIBRARY["lstm"]))
    assert case.state is not None
    result = case.scan()
    assert not result.outputs[2].any()
    for name, value in case.state.items():
        assert torch.equal(result.state[name][2], value[2])
    nothing = case.but(lengths=torch.zeros(3, dtype=torch.int32)).scan()
    assert_same(nothing.state, {name: case.state[name] for name in nothing.state})
    assert not nothing.outputs.any()


@pytest.mark.parametrize("shape", [(0, 4, 5), (3, 0, 5)])
def test_a_batch_without_rows_or_steps(shape: tuple[int, int, int]) -> None:
    case = plain(LIBRARY["gru_reset_after"])
    empty = case.but(x=case.x.new_zeros(shape), state=None)
    assert_same(parts(empty.scan()), parts(by_loop(empty).scan()))


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_the_output_may_be_recorded(name: str) -> None:
    cell, case = KNOWN[name], plain(KNOWN[name])
    found = scan(cell, case.parameters, case.x, record=[cell.output], backend="torch")
    assert found.recorded[cell.output] is found.outputs


def test_what_is_the_output_by_another_name_may_be_recorded() -> None:
    cell, case = KNOWN["own gru"], plain(KNOWN["own gru"])
    found, expected = (
        scan(cell, case.parameters, case.x, record=["s", "y"], backend=backend) for backend in ("torch", "loop")
    )
    assert_near(parts(found), parts(expected))


# Layers


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs", "how"),
    [
        (RNN, nn.RNN, {}),
        (RNN, nn.RNN, {"nonlinearity": "relu", "bias": False}),
        (LSTM, nn.LSTM, {"num_layers": 2}),
        (LSTM, nn.LSTM, {"proj_size": 3}),
        (GRU, nn.GRU, {"num_layers": 2}),
        (GRU, nn.GRU, {"bias": False}),
    ],
)
def test_drop_ins(ours: Any, theirs: Any, how: dict[str, Any], bidirectional: bool, calls: list[str]) -> None:
    torch.manual_seed(0)
    module = theirs(5, 7, bidirectional=bidirectional, **how).double()
    layer = ours(5, 7, bidirectional=bidirectional, **how).double()
    layer.load_state_dict(module.state_dict())
    layer.backend = "torch"
    x = torch.randn(9, 3, 5, dtype=torch.float64)
    packed = pack_padded_sequence(x, torch.tensor([4, 9, 1]), enforce_sorted=False)
    found, expected = (
        {
            "dense": one(x)[0],
            "packed": one(packed)[0].data,
            **{f"last {n}": value for n, value in enumerate(one(packed)[1])},
        }
        for one in (layer, module)
    )
    assert len(calls) >= 3
    assert_near(found, expected)
    for name, parameter in layer.named_parameters():
        (gradient,) = torch.autograd.grad(found["packed"].square().sum(), [parameter], retain_graph=True)
        (wanted,) = torch.autograd.grad(
            expected["packed"].square().sum(), [module.get_parameter(name)], retain_graph=True
        )
        assert_near({name: gradient}, {name: wanted})


def test_a_single_step_is_computed_by_the_backend_that_is_named(calls: list[str]) -> None:
    layer = Recurrent("lstm", 5, 32, backend="torch").double()  # a size at which compiled code could take steps alone
    x = torch.randn(3, 5, dtype=torch.float64)
    with torch.no_grad():
        found, state = layer.step(x, layer.initial_state(3))
        assert calls == ["lstm"]
        layer.backend = "loop"
        outputs, expected = layer.step(x, layer.initial_state(3))
    assert_near({"outputs": found, **state}, {"outputs": outputs, **expected})


# What it cannot do


def test_the_cells_of_the_library_that_torch_computes() -> None:
    found = {name: stacks.function.name for name, cell in CELLS.items() if (stacks := stacking(cell))}
    units = dict.fromkeys(("unit", "unit_no_bias", "unit_step", "unit_linear"), "rnn_tanh")
    assert found == {
        "elman": "rnn_tanh",
        "elman_relu": "rnn_relu",
        **units,  # their state; their output is another
        "lstm": "lstm",
        "lstm_no_bias": "lstm",
        "lstm_projected": "lstm",
        "gru_reset_after": "gru",
        "lstm_learned_start": "lstm",
    }


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_weights_stacked_and_parted_are_the_parameters(function: Function) -> None:
    stacks = stacking(function.cell)
    assert stacks is not None
    assert stacks.function is function
    shapes = function.cell.parameters(5, 7, **dict.fromkeys(function.cell.program.named_sizes, 3))
    parameters = {name: torch.randn(one.shape) for name, one in shapes.items()}
    weights = stacks.stacked(parameters)
    assert len(weights) == 4 + function.projected
    assert_same({name: stacks.parted(weights)[name] for name in parameters}, parameters)


REFUSED: dict[str, tuple[Case, str]] = {
    "other equations": (plain(LIBRARY["gru"]), "and the equations of gru are none of these"),
    "noise": (plain(CELLS["lstm_zoneout"]), "the equations of lstm_zoneout are none of these"),
    "an output of its own": (plain(LIBRARY["unit"]), "give the state h over time, and the output is y"),
    "a reset": (
        plain(LIBRARY["lstm"]).but(reset=torch.zeros(3, 9, dtype=torch.bool)),
        "no reset inside a sequence",
    ),
    "as many units behind the projection": (
        plain(LIBRARY["lstm_projected"], hidden=3),
        "torch projects to fewer units, and here to 3 from 3",
    ),
    "records": (make_case(LIBRARY["lstm"], "torch"), "give the state h over time, and i, f, o, g, c is recorded"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_cannot_do_is_said(what: str) -> None:
    case, reason = REFUSED[what]
    with pytest.raises(UsageError, match="the backend torch cannot do this run: .*" + re.escape(reason)):
        case.scan()
    record = case.cell.quantities if what == "records" else ()
    run = prepare(case.cell, {**case.parameters, **case.noise}, case.x, reset=case.reset, record=record)
    backend, why = choice("auto", run, CUDA)
    assert backend == "loop"
    assert why.startswith("its tensors are on cuda, and torch")
    assert reason in why
    assert choice("auto", run, torch.device("cpu"))[0] == "cpu"


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, when it first goes forward
def test_modes_are_refused() -> None:
    case = plain(LIBRARY["lstm"])
    with pytest.raises(UsageError, match=r"a transform of torch\.func"):
        torch.func.vmap(lambda x: case.but(x=x.unsqueeze(0), state=None).scan().outputs)(case.x)
    with forward_ad.dual_level(), pytest.raises(UsageError, match="forward-mode"):
        case.but(x=forward_ad.make_dual(case.x, weights_like(case.x))).scan()


def test_tensors_on_a_gpu_take_it_by_themselves() -> None:
    case = plain(LIBRARY["lstm"])
    run = prepare(case.cell, case.parameters, case.x)
    expected = ("torch", "its tensors are on cuda, and torch has a kernel for its equations")
    assert choice("auto", run, CUDA) == expected
    assert choice("auto", replace(run, checkpoint=4), CUDA) == expected
    assert choice("torch", run, torch.device("cpu")) == ("torch", "it is asked for")
    assert choice("auto", run, torch.device("cpu"))[0] == "cpu"
    assert BACKENDS["torch"] is torch_kernels.by_torch
    with pytest.raises(UsageError, match="cannot do this run: its tensors are on cuda"):
        choice("cpu", run, CUDA)


# On a GPU


@pytest.mark.gpu
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", KNOWN)
def test_on_a_gpu(name: str, lengths: str, calls: list[str]) -> None:
    """In double precision, and in single precision without the shorter products that cuDNN may take there."""
    case = LENGTHS[lengths](plain(KNOWN[name], rows=4, steps=20)).but(backend="auto")
    there = moved(case, CUDA)
    assert_near(parts(there.scan()), parts(by_loop(case).scan()))
    assert_near(gradients(there), gradients(by_loop(case)))
    single = moved(there, torch.float32)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        assert_near(parts(single.scan()), parts(by_loop(case).scan()), "torch, loop, float32")
        assert_near(gradients(single), gradients(by_loop(case)), "torch, loop, gradients, float32")
    assert calls
