"""The door: what it takes, fills in and refuses; and it sees numbers, not how they lie in memory."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.cases import BLOCKS, CELLS, Case, gradients, make_case, parts, ragged
from laws import assert_same
from unrolled.cells.library import LIBRARY
from unrolled.engine.backends import BACKENDS
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.state import State

LSTM = LIBRARY["lstm"]


@pytest.fixture
def case() -> Case:
    """Three rows, nine steps of five numbers, an LSTM of seven units."""
    return make_case(LSTM)


def test_what_comes_out_has_the_shapes_that_the_docstring_says(case: Case) -> None:
    result = scan(LSTM, case.parameters, case.x, record=("f", "c"))
    assert result.outputs.shape == (3, 9, 7)
    assert isinstance(result.state, State)
    assert {name: tuple(value.shape) for name, value in result.state.items()} == {"c": (3, 7), "h": (3, 7)}
    assert {name: tuple(value.shape) for name, value in result.recorded.items()} == {"f": (3, 9, 7), "c": (3, 9, 7)}


def test_sizes_of_their_own_are_kept() -> None:
    case = make_case(LIBRARY["lstm_projected"])
    result = case.scan()
    assert result.outputs.shape == (3, 9, 3)
    assert (result.state["h"].shape, result.state["c"].shape) == ((3, 3), (3, 7))
    assert result.recorded["i"].shape == (3, 9, 7)


def test_a_state_left_out_is_the_start_of_the_cell() -> None:
    cell = LIBRARY["elman"].replaced("begun", start={"h": 0.5})
    case = make_case(cell)
    given = case.but(state={"h": torch.full((3, 7), 0.5, dtype=torch.float64)})
    assert_same(parts(case.but(state=None).scan()), parts(given.scan()))
    zero = case.but(state={"h": torch.zeros(3, 7, dtype=torch.float64)})
    assert not torch.equal(given.scan().outputs, zero.scan().outputs)


def test_a_learned_start_gets_a_gradient_from_each_beginning() -> None:
    case = make_case(CELLS["lstm_learned_start"])
    reset = torch.zeros(3, 9, dtype=torch.bool)
    reset[1, 4] = True
    start, marked = case.but(state=None), case.but(reset=reset)
    assert gradients(start)["h_0"].any()
    assert gradients(marked)["h_0"].any()
    assert not gradients(case)["h_0"].any()


@pytest.mark.parametrize("name", ["elman", "unit", "lstm", "slstm_blocks"])
def test_no_steps_and_no_rows_are_runs_too(name: str) -> None:
    case = make_case(CELLS[name])
    none = case.steps(0, 0).but(reset=torch.zeros(3, 0, dtype=torch.bool))
    for one in (none, none.but(lengths=torch.zeros(3, dtype=torch.long))):
        result = one.scan()
        assert result.outputs.shape == (3, 0, case.scan().outputs.shape[2])
        assert all(value.shape[:2] == (3, 0) for value in result.recorded.values())
        assert_same(result.state, {state: (case.state or {})[state] for state in result.state})
    empty = ragged(case).rows(torch.arange(0)).scan()
    assert empty.outputs.shape == (0, *case.scan().outputs.shape[1:])
    assert all(value.shape[0] == 0 for value in parts(empty).values())


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8, torch.float32])
def test_a_reset_is_whatever_is_not_zero(case: Case, dtype: torch.dtype) -> None:
    marks = torch.zeros(3, 9, dtype=dtype)
    marks[0, 4] = 1
    assert_same(parts(case.but(reset=marks).scan()), parts(case.but(reset=marks.bool()).scan()))


def test_nothing_given_is_changed(case: Case) -> None:
    one = ragged(case)
    before = [value.clone() for value in _tensors(one)]
    one.scan()
    for value, copy in zip(_tensors(one), before, strict=True):
        assert torch.equal(value, copy)


def _tensors(case: Case) -> list[Tensor]:
    assert case.lengths is not None
    assert case.reset is not None
    return [*case.parameters.values(), case.x, *(case.state or {}).values(), case.lengths, case.reset]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_result_does_not_depend_on_where_its_input_lies_in_memory(dtype: torch.dtype) -> None:
    """A product may round by how its rows lie; a batch cut out of another, or a state read from a file, lies anyhow."""
    for name in ("elman", "gru", "lstm"):
        case = make_case(CELLS[name], dtype=dtype)
        expected = parts(case.scan())
        for shift in (1, 3):
            state = {key: _elsewhere(value, shift) for key, value in (case.state or {}).items()}
            assert_same(parts(case.but(x=_elsewhere(case.x, shift), state=state).scan()), expected)
        crossed = case.but(x=case.x.transpose(0, 1).contiguous().transpose(0, 1))
        assert_same(parts(crossed.scan()), expected)


def _elsewhere(value: Tensor, shift: int) -> Tensor:
    """The same numbers behind ``shift`` others."""
    place = torch.zeros(value.numel() + shift, dtype=value.dtype)[shift:].view(value.shape)
    return place.copy_(value)


@pytest.mark.parametrize("entry", ["x / sum(abs(x))", "sqrt(x * x)", "log(abs(x))"])
def test_padding_cannot_spoil_a_gradient_by_what_a_zero_would_do(entry: str) -> None:
    """Past a row's length nothing is computed that counts; nought times infinity would count all the same."""
    case = make_case(Cell("entered", f"n = {entry}\nh' = tanh(W @ n + U @ h)"), rows=2)

    def gradients_of(one: Case) -> dict[str, Tensor]:
        free = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
        loss = one.but(parameters=free).scan().outputs[:, :4].sum()
        return dict(zip(free, torch.autograd.grad(loss, list(free.values())), strict=True))

    padded = case.but(x=case.x.clone(), lengths=torch.tensor([4, 4]))
    padded.x[:, 4:] = 0.0
    assert_same(gradients_of(padded), gradients_of(case.steps(0, 4)))
    nothing = gradients_of(padded.but(x=torch.zeros_like(case.x), lengths=torch.tensor([0, 0])))
    assert_same(nothing, {name: torch.zeros_like(value) for name, value in nothing.items()})


def test_auto_takes_compiled_code_where_it_can(case: Case) -> None:
    assert list(BACKENDS) == ["loop", "cpu", "torch"]
    assert_same(parts(case.but(backend="auto").scan()), parts(case.but(backend="cpu").scan()))

    def mapped(backend: str) -> Tensor:
        return torch.func.vmap(lambda x: case.but(x=x, backend=backend).scan().outputs)(case.x.unsqueeze(0))

    assert torch.equal(mapped("auto"), mapped("loop"))
    with pytest.raises(UsageError, match=r"transform of torch\.func.*the loop can"):
        mapped("cpu")


WRONG: dict[str, tuple[Callable[[Case], dict[str, Any]], str]] = {
    "x of two dimensions": (lambda case: {"x": case.x[0]}, r"x is \(N, T, D\) of a float dtype, and is \(9, 5\)"),
    "x of whole numbers": (lambda case: {"x": case.x.long()}, r"float dtype, and is \(3, 9, 5\) of torch.int64"),
    "x of another width": (lambda case: {"x": case.x[..., :4]}, r"'W_i' has shape \(7, 5\); \(hidden, 4\) is wanted"),
    "x of another dtype": (lambda case: {"x": case.x.float()}, "is torch.float64, and x torch.float32"),
    "no parameter": (
        lambda case: {"parameters": {name: one for name, one in case.parameters.items() if name != "U_f"}},
        r"wants the parameter 'U_f' \(f = sigmoid\(W_f @ x \+ U_f @ h \+ b_f\)\)",
    ),
    "a parameter too many": (
        lambda case: {"parameters": {**case.parameters, "b_ii": case.parameters["b_i"]}},
        "cell lstm has no parameter 'b_ii'. Did you mean 'b_i'",
    ),
    "a parameter's shape": (
        lambda case: {"parameters": {**case.parameters, "U_o": torch.zeros(7, 6, dtype=torch.float64)}},
        r"'U_o' has shape \(7, 6\); \(7, 7\) is wanted",
    ),
    "a vector for a matrix": (
        lambda case: {"parameters": {**case.parameters, "U_o": torch.zeros(7, dtype=torch.float64)}},
        r"'U_o' has shape \(7,\); \(7, 7\) is wanted",
    ),
    "a state missing": (lambda case: {"state": {"h": case.state["h"]}}, r"holds \['c', 'h'\], and \['h'\] is given"),
    "no state in the state": (lambda case: {"state": {}}, r"holds \['c', 'h'\], and \[\] is given"),
    "a state too many": (lambda case: {"state": {**case.state, "k": case.state["h"]}}, r"\['c', 'h', 'k'\] is given"),
    "a state's shape": (
        lambda case: {"state": {**case.state, "c": case.state["c"][:2]}},
        r"the state c has shape \(2, 7\); \(3, 7\) is wanted",
    ),
    "a state's dtype": (
        lambda case: {"state": {**case.state, "c": case.state["c"].float()}},
        "'c' is torch.float32, and x torch.float64",
    ),
    "lengths of two dimensions": (
        lambda case: {"lengths": torch.zeros(3, 1, dtype=torch.long)},
        r"lengths has shape \(3, 1\); \(3,\) is wanted",
    ),
    "a length below zero": (
        lambda case: {"lengths": torch.tensor([9, -1, 0])},
        "lengths lie between 0 and T = 9, and go from -1 to 9",
    ),
    "a length above T": (
        lambda case: {"lengths": torch.tensor([10, 1, 0])},
        "between 0 and T = 9, and go from 0 to 10",
    ),
    "half a length": (lambda case: {"lengths": torch.tensor([2.5, 1, 0])}, "whole numbers, and are torch.float32"),
    "a mask for lengths": (lambda case: {"lengths": torch.tensor([True, False, True])}, "whole numbers, .* torch.bool"),
    "reset's shape": (
        lambda case: {"reset": torch.zeros(9, 3, dtype=torch.bool)},
        r"reset has shape \(9, 3\); \(3, 9\) is wanted",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused_with_what_was_seen(case: Case, what: str) -> None:
    change, message = WRONG[what]
    with pytest.raises(UsageError, match=message) as caught:
        case.but(**change(case)).scan()
    assert "\n" not in str(caught.value)


def test_a_quantity_that_is_not_there_cannot_be_recorded(case: Case) -> None:
    with pytest.raises(UsageError, match="cell lstm has no quantity 'ff' to record. Did you mean 'f'"):
        scan(LSTM, case.parameters, case.x, record=("f", "ff"))


def test_blocks_are_wanted_where_the_cell_has_heads() -> None:
    case = make_case(BLOCKS)
    dense = {**case.parameters, "R_i": torch.block_diag(*case.parameters["R_i"])}
    with pytest.raises(UsageError, match=r"'R_i' has shape \(6, 6\); \(6, 6\) in 2 blocks is wanted"):
        case.but(parameters=dense).scan()
    with pytest.raises(UsageError, match=r"'R_i' has shape \(3, 2, 2\)"):
        case.but(parameters={**case.parameters, "R_i": torch.zeros(3, 2, 2, dtype=torch.float64)}).scan()


def test_a_backend_that_is_not_there_is_refused(case: Case) -> None:
    with pytest.raises(UsageError, match="no backend 'lop' here; choose from auto, loop, cpu.* Did you mean 'loop'"):
        case.but(backend="lop").scan()
