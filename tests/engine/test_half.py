"""Half precision is storage, and autocast stops at a recurrence: from the first step to the last it is float32."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

import unrolled
from engine.cases import CELLS, Case, make_case, parts, ragged, weights_like
from engine.test_fused import in_double
from laws import assert_same
from tolerance import TOLERANCE, assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine import pieces
from unrolled.engine.backends import BACKENDS
from unrolled.engine.explain import explain
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent

HALVES = {torch.bfloat16: "cpu, loop, bfloat16", torch.float16: "cpu, loop, float16"}
NAMES = ["lstm", "gru", "slstm", "mingru", "lstm_layer_norm"]
MORE = [*NAMES, "lstm_learned_start", "gru_variational", "slstm_blocks_drop_connect", "cornn"]
BEFORE = Cell("product_before", "h' = tanh(W @ x + U @ h + V @ (S @ p))")
"""Here torch multiplies parameters beforehand."""
EMPTY = {"rows": (0, 3), "steps": (2, 0)}

half = pytest.mark.parametrize("dtype", HALVES)


def half_case(name: str, dtype: torch.dtype, **sizes: int) -> Case:
    return make_case(CELLS[name], "cpu", dtype, **sizes)


def to(case: Case, dtype: torch.dtype) -> Case:
    """The same numbers in another dtype."""

    def cast(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.to(dtype) for name, value in values.items()}

    state = None if case.state is None else cast(case.state)
    return case.but(parameters=cast(case.parameters), noise=cast(case.noise), x=case.x.to(dtype), state=state)


def all_of(case: Case, checkpoint: int | None = None) -> dict[str, Tensor]:
    """Results by name, and gradients: what arrives at each result is, in any dtype, the same numbers of few bits."""
    given = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
    x = case.x.clone().requires_grad_()
    state = None if case.state is None else {name: one.clone().requires_grad_() for name, one in case.state.items()}
    more = (state, case.lengths, case.reset, case.cell.quantities, case.backend, checkpoint)
    results = parts(scan(case.cell, {**given, **case.noise}, x, *more))
    arriving = [(4 * weights_like(value.double())).round().to(value.dtype) / 4 for value in results.values()]
    wanted = {**given, "x": x, **{f"state {name}": value for name, value in (state or {}).items()}}
    free = {name: value for name, value in results.items() if value.requires_grad}
    arriving = [one for one, value in zip(arriving, results.values(), strict=True) if value.requires_grad]
    leaves = list(wanted.values())
    found = torch.autograd.grad(list(free.values()), leaves, arriving, allow_unused=True, materialize_grads=True)
    seen = {name: value.detach() for name, value in results.items()}
    return {**seen, **{f"d {name}": value for name, value in zip(wanted, found, strict=True)}}


def rounded(values: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: value.to(dtype) for name, value in values.items()}


def distances(found: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float((value.double() - truth[name]).norm() / truth[name].norm()) for name, value in found.items()}


@contextmanager
def without_the_loop() -> Iterator[None]:
    def refuse(_run: object) -> None:
        raise AssertionError("the loop is run")

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKENDS, "loop", refuse)
        yield


# Half precision


@half
@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_rounded_once(name: str, dtype: torch.dtype) -> None:
    """Results and gradients are a rounding away from the loop in float64, and the loop in half precision is not."""
    case = half_case(name, dtype, steps=20)
    found, truth = all_of(case), all_of(in_double(case))
    assert {value.dtype for value in found.values()} == {dtype}
    for key, value in found.items():
        assert_close(value.float(), truth[key].float(), HALVES[dtype])
    ours, loops = distances(found, truth), distances(all_of(case.but(backend="loop")), truth)
    assert all(ours[key] <= loops[key] for key in ours)
    assert ours["outputs"] < loops["outputs"] / 2
    assert max(ours.values()) < max(loops.values()) / 3


@half
@pytest.mark.parametrize("name", MORE)
def test_it_is_a_run_in_single_precision_rounded_at_its_end(name: str, dtype: torch.dtype) -> None:
    """Bit by bit, gradients too: dense or ragged, from the start of the cell, with resets, in checkpoints."""
    case = half_case(name, dtype, rows=4, steps=70)
    for one in (case, ragged(case), ragged(case).but(state=None)):
        expected = rounded(all_of(to(one, torch.float32)), dtype)
        assert_same(all_of(one), expected)
        assert_same(all_of(one.but(backend="auto"), checkpoint=64), expected)


@half
def test_checkpoints_are_kept_and_not_the_rest(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    case, lengths = half_case("lstm", dtype, rows=4, steps=70), []

    def note(*given: Any) -> Any:
        lengths.append(given[2])
        return forward(*given)

    forward = pieces.forward
    monkeypatch.setattr(pieces, "forward", note)
    all_of(case, checkpoint=64)
    assert lengths == [64]


@half
@pytest.mark.parametrize("extent", EMPTY.values(), ids=EMPTY)
def test_nothing_to_do(extent: tuple[int, int], dtype: torch.dtype) -> None:
    case = half_case("lstm", dtype)
    found = scan(case.cell, case.parameters, torch.zeros(*extent, 5, dtype=dtype), record=("i",), backend="cpu")
    assert found.outputs.shape == (*extent, 7)
    assert {value.dtype for value in parts(found).values()} == {dtype}


@half
def test_states_are_rounded_between_pieces(dtype: torch.dtype) -> None:
    """So pieces part from the whole run; they are exactly runs begun from what was rounded."""
    case = half_case("lstm", dtype)
    whole, first = case.scan(), case.steps(0, 4).scan()
    second = case.steps(4, 9).but(state=first.state).scan()
    assert torch.equal(first.outputs, whole.outputs[:, :4])
    assert_same(parts(second), rounded(parts(to(case.steps(4, 9).but(state=first.state), torch.float32).scan()), dtype))
    unrounded = to(case, torch.float32).steps(0, 4).scan().state
    assert not torch.equal(unrounded["c"], first.state["c"].float())


@half
def test_a_second_derivative(dtype: torch.dtype) -> None:
    case = half_case("gru", dtype)

    def twice(one: Case) -> Tensor:
        x = one.x.clone().requires_grad_()
        outputs = scan(one.cell, one.parameters, x, one.state, backend="cpu").outputs
        (once,) = torch.autograd.grad(outputs.float().sum(), x, create_graph=True)
        return torch.autograd.grad(once.float().sum(), x)[0]

    found, expected = twice(case), twice(to(case, torch.float32))
    assert found.dtype == dtype
    assert_close(found.float(), expected, HALVES[dtype])


@half
@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize("hidden", [64, 7])
def test_a_step_is_a_run_of_one_step(name: str, hidden: int, dtype: torch.dtype) -> None:
    layer = Recurrent(name, 32, hidden, 2).to(dtype)
    x, state = torch.randn(3, 6, 32, dtype=dtype), layer.initial_state(3)
    with torch.no_grad(), without_the_loop():
        assert layer._streamed(x[:, 0], state) is not None
        for t in range(6):
            outputs, after, _ = layer(x[:, t : t + 1], state)
            values, state = layer.step(x[:, t], state)
            assert_same({"outputs": values, **state}, {"outputs": outputs[:, 0], **after})
        layer.layers[0][0].get_parameter(next(iter(layer.cell_parameters()))).add_(0.5)
        assert torch.equal(layer.step(x[:, 0], state)[0], layer(x[:, :1], state).outputs[:, 0])


@half
def test_the_whole_of_a_compiled_program(dtype: torch.dtype) -> None:
    layer = Recurrent("gru", 5, 7, 2).to(dtype)
    x, lengths = torch.randn(3, 9, 5, dtype=dtype), torch.tensor([9, 4, 0])
    compiled = torch.compile(lambda x: layer(x, lengths=lengths), fullgraph=True, backend="aot_eager")
    found = []
    for run in (lambda x: layer(x, lengths=lengths), compiled):
        outputs, state, _ = run(x)
        layer.zero_grad()
        outputs.sum().backward()
        grads = {name: value.grad for name, value in layer.named_parameters()}
        found.append({"outputs": outputs, **state, **grads})
    assert {value.dtype for value in found[1].values()} == {dtype}
    assert_same(*found)


@half
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_the_drop_ins(name: str, dtype: torch.dtype) -> None:
    theirs = getattr(torch.nn, name)(5, 7).to(dtype)
    ours = getattr(unrolled, name)(5, 7).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(9, 3, 5, dtype=dtype)
    with without_the_loop():
        outputs, last = ours(x)
    truth, _ = theirs.double()(x.double())
    assert {value.dtype for value in (outputs, *last)} == {dtype}
    assert (outputs.double() - truth).norm() < 2 * TOLERANCE[HALVES[dtype]].relative * truth.norm()  # biases: a sum


# Autocast


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("narrow", HALVES)
def test_autocast_stops_at_a_recurrence(name: str, narrow: torch.dtype) -> None:
    case = ragged(make_case(CELLS[name], "cpu", torch.float32))
    expected = all_of(case)
    with torch.autocast("cpu", narrow), without_the_loop():
        assert_same(all_of(case.but(backend="auto")), expected)
    assert not torch.is_autocast_enabled("cpu")


def test_autocast_lets_dtypes_differ() -> None:
    """What an op before gave in half precision is widened; results are float32, so that states carry on unrounded."""
    case = make_case(CELLS["lstm"], "cpu", torch.float32)
    coarse = to(case, torch.bfloat16)
    expected = parts(case.but(x=coarse.x.float(), state=rounded(coarse.state or {}, torch.float32)).scan())
    with torch.autocast("cpu", torch.bfloat16):
        assert_same(parts(case.but(x=coarse.x, state=coarse.state).scan()), expected)
        assert_same(parts(coarse.scan()), parts(to(coarse, torch.float32).scan()))
        double = in_double(case).but(backend="cpu")
        assert double.scan().outputs.dtype == torch.float64
        with pytest.raises(UsageError, match=r"'c' is torch.int64, and x torch.float32"):
            case.but(state={name: value.long() for name, value in (case.state or {}).items()}).scan()


def test_a_second_derivative_under_autocast() -> None:
    case = make_case(CELLS["gru"], "cpu", torch.float32)

    def twice() -> Tensor:
        x = case.x.clone().requires_grad_()
        outputs = scan(case.cell, case.parameters, x, case.state, backend="cpu").outputs
        (once,) = torch.autograd.grad(outputs.sum(), x, create_graph=True)
        return once

    expected = twice()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(twice(), expected)


def test_what_torch_computes_beforehand_is_without_autocast() -> None:
    case = make_case(BEFORE, "cpu", torch.float32)
    expected = parts(case.scan())
    with torch.autocast("cpu", torch.bfloat16):
        assert_same(parts(case.scan()), expected)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("cell", [CELLS["lstm"], BEFORE], ids=lambda cell: cell.name)
def test_a_step_under_autocast(cell: Cell, mixed: bool) -> None:
    layer = Recurrent(cell, 32, 64, sizes=dict.fromkeys(cell.program.named_sizes, 64))
    x, state = torch.randn(3, 32), layer.initial_state(3)
    x = x.bfloat16() if mixed else x
    with torch.no_grad(), without_the_loop():
        with torch.autocast("cpu", torch.bfloat16):
            found = [layer.step(x, state) for _ in range(2)]
            assert (layer._streamed(x, state) is None) == mixed
        outputs, after = layer.step(x.float(), state)
    for one in found:
        assert_same({"outputs": one[0], **one[1]}, {"outputs": outputs, **after})


@half
def test_a_step_of_a_half_under_autocast(dtype: torch.dtype) -> None:
    layer = Recurrent("lstm", 32, 64).to(dtype)
    x, state = torch.randn(3, 32), layer.initial_state(3)
    with torch.no_grad(), without_the_loop():
        with torch.autocast("cpu", torch.bfloat16):  # nothing is packed as yet: mixed dtypes leave that to a run
            first = layer.step(x, state.to(dtype=torch.float32))
        layer.step(x.to(dtype), state)
        with torch.autocast("cpu", torch.bfloat16):
            second = layer.step(x.to(dtype), state)
        assert torch.equal(first[0], layer.float().step(x, state.to(dtype=torch.float32))[0])
        assert torch.equal(second[0], layer.step(x.to(dtype).float(), state.to(dtype=torch.float32))[0])


def test_a_compiled_program_under_autocast() -> None:
    layer, x = Recurrent("gru", 5, 7, 2), torch.randn(3, 9, 5).bfloat16()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        found = [run(x) for run in (layer, compiled)]
    assert_same(*({"outputs": one.outputs, **one.state} for one in found))
    assert found[1].outputs.dtype == torch.float32
    found[1].outputs.sum().backward()
    assert {value.grad.dtype for value in layer.parameters() if value.grad is not None} == {torch.float32}


# What is said of it


@half
def test_it_is_explained(dtype: torch.dtype) -> None:
    found, wide = explain(LIBRARY["lstm"], dtype=dtype), explain(LIBRARY["lstm"])
    name = str(dtype).removeprefix("torch.")
    assert (found.dtype, found.numbers, found.backend) == (name, f"{name} storage, float32 arithmetic", "cpu")
    assert str(found).startswith(f"lstm: N 1, T 100, D 64, H 64; {name} storage, float32 arithmetic, with gradients\n")
    assert (found.machine, found.memory, found.plan) == (wide.machine, wide.memory, wide.plan)
    assert explain(LIBRARY["lstm"], dtype=dtype, backend="loop").numbers == name
    with torch.autocast("cpu"):
        assert explain(LIBRARY["lstm"]).numbers == "float32, apart from autocast"
