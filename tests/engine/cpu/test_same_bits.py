"""The same bits whatever the threads, the batch around a row, the vectors' width, and what memory held before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import Tensor

from engine.cases import CELLS, Case, gradients, make_case, parts, ragged, weights_like
from laws import assert_same
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.cpu import execute, form
from unrolled.engine.cpu.arena import Arena
from unrolled.engine.cpu.compiled import host
from unrolled.engine.passes import REDUCTIONS
from unrolled.equations.expression import Call, walk
from unrolled.equations.lower import lower


def everything(case: Case) -> dict[str, Tensor]:
    """All that a run gives and all of its gradients."""
    return {**parts(case.scan()), **gradients(case)}


def kept_for_the_way_back(case: Case) -> dict[str, Tensor]:
    """The same of one run that keeps what its gradients read."""
    x = case.x.clone().requires_grad_()
    given = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
    results = parts(case.but(parameters=given, x=x).scan())
    loss = torch.stack([(value * weights_like(value)).sum() for value in results.values()]).sum()
    found = torch.autograd.grad(loss, [x, *given.values()], allow_unused=True, materialize_grads=True)
    return {**results, **dict(zip(["x", *given], found, strict=True))}


def forget() -> None:
    """Make forms and shares anew; compiled code stays, as it is named by what it was compiled for."""
    form._form.cache_clear()
    form._sharing.cache_clear()


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work of any size is shared between threads, and narrow batches by units; one thread again behind the test."""
    forget()
    monkeypatch.setattr(form, "_ALONE", 0)
    yield
    torch.set_num_threads(1)
    forget()


def with_threads(case: Case, count: int) -> dict[str, Tensor]:
    torch.set_num_threads(count)
    return everything(case)


WIDE = {
    "a batch": {"rows": 25, "steps": 5, "inputs": 5, "hidden": 33},
    "one row": {"rows": 1, "steps": 5, "inputs": 5, "hidden": 130},
    "three rows": {"rows": 3, "steps": 4, "inputs": 40, "hidden": 130},
}
IN_HEADS = {"slstm_heads": LIBRARY["slstm"].replaced("slstm_heads", heads=4)}
"""Its heads stand apart, are joined or hold zeros by the width of vectors and the units that it is given."""
THREADED = ["elman", "lstm", "gru", "gru_layer_norm", "lstm_projected", "slstm_blocks", "mingru", "gru_zoneout", "rhn"]


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("sizes", WIDE)
@pytest.mark.parametrize("name", [*THREADED, *IN_HEADS])
def test_any_number_of_threads(name: str, sizes: str) -> None:
    dense = make_case({**CELLS, **IN_HEADS}[name], "cpu", torch.float32, **WIDE[sizes])
    for case in (dense, ragged(dense)):
        expected = with_threads(case, 1)
        for count in (2, 3, 4):
            assert_same(with_threads(case, count), expected)


@pytest.mark.usefixtures("shared")
def test_threads_do_share_rows_and_units() -> None:
    """The tests above compare what they mean to compare."""
    seen = {}
    for name, sizes in product(("lstm", "gru_layer_norm"), WIDE):
        with_threads(make_case(CELLS[name], "cpu", torch.float32, **WIDE[sizes]), 4)
    for name, sizes in product(("lstm", "gru_layer_norm"), WIDE):
        case = make_case(CELLS[name], "cpu", torch.float32, **WIDE[sizes])
        shares = []

        def note(*given: object, shares: list[object] = shares) -> form.Share:
            shares.append(form.sharing(*given))  # pyright: ignore[reportArgumentType]
            return shares[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(execute, "sharing", note)
            with_threads(case, 4)
        seen[name, sizes] = set(shares)
    assert seen["lstm", "a batch"] == {form.Share(4, 1)}
    assert seen["lstm", "one row"] == seen["lstm", "three rows"] == {form.Share(4, 4)}
    assert seen["gru_layer_norm", "three rows"] == {form.Share(3, 1)}


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("counts", [(1, 2), (2, 1), (3, 2)])
def test_threads_may_change_between_forward_and_backward(counts: tuple[int, int]) -> None:
    for name, sizes in product(("lstm", "gru_layer_norm"), ("a batch", "three rows")):
        case = ragged(make_case(CELLS[name], "cpu", torch.float32, **WIDE[sizes]))
        expected = with_threads(case, 1)
        torch.set_num_threads(counts[0])
        free = {key: value.clone().requires_grad_() for key, value in case.parameters.items()}
        results = parts(case.but(parameters=free).scan())
        loss = torch.stack([(value * weights_like(value)).sum() for value in results.values()]).sum()
        torch.set_num_threads(counts[1])
        found = dict(zip(free, torch.autograd.grad(loss, list(free.values())), strict=True))
        assert_same(found, {key: expected[key] for key in found})


# A row and what stands beside it


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", CELLS)
def test_a_row_alone_in_another_order_and_in_pieces(name: str, dtype: torch.dtype) -> None:
    torch.set_num_threads(2)
    case = ragged(make_case(CELLS[name], "cpu", dtype, rows=7, steps=9, inputs=5, hidden=16))
    rows, whole = case.x.shape[0], parts(case.scan())
    alone = [parts(case.rows(torch.tensor([row])).scan()) for row in range(rows)]
    assert_same({key: torch.cat([one[key] for one in alone]) for key in whole}, whole)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert_same(parts(case.rows(order).scan()), {key: value[order] for key, value in whole.items()})
    of_rows = ("x", *(f"state {state}" for state in case.cell.states))
    ours = {key: row_gradients(case)[key] for key in of_rows}
    turned = row_gradients(case.rows(order))
    assert_same({key: turned[key] for key in of_rows}, {key: value[order] for key, value in ours.items()})
    first = case.steps(0, 4).scan()
    second = case.steps(4, 9).but(state=first.state).scan()
    assert_same({"outputs": torch.cat([first.outputs, second.outputs], 1)}, {"outputs": whole["outputs"]})


def row_gradients(case: Case) -> dict[str, Tensor]:
    """Gradients of a loss that weighs steps and units, and all rows alike."""
    x = case.x.clone().requires_grad_()
    state = {f"state {name}": value.clone().requires_grad_() for name, value in (case.state or {}).items()}
    given = {name.removeprefix("state "): value for name, value in state.items()}
    result = case.but(x=x, state=given).scan()
    loss = torch.stack([(value * weights_like(value[0])).sum() for value in parts(result).values()]).sum()
    wanted = {"x": x, **state}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(wanted, found, strict=True))


# The width of vectors


def reduces(case: Case) -> bool:
    """Whether a step sums over units, softmax and layer norm among what does."""
    statements = lower(case.cell.statements)
    ops = {part.op for one in statements for part in walk(one.expression) if isinstance(part, Call)}
    return bool(ops & {*REDUCTIONS, "softmax"})


@pytest.fixture
def at_width(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    here = host()

    def force(width: int) -> None:
        forget()
        monkeypatch.setattr(form, "host", lambda: replace(here, width=width))

    yield force
    forget()


@pytest.mark.parametrize("name", [*CELLS, *IN_HEADS])
def test_any_width_of_vectors(name: str, at_width: Callable[[int], None]) -> None:
    cell, hidden = {**CELLS, **IN_HEADS}[name], 64 if name in IN_HEADS else 13
    case = ragged(make_case(cell, "cpu", torch.float32, rows=3, steps=5, inputs=5, hidden=hidden))
    results = {}
    for width in (4, 8, 16):
        at_width(width)
        results[width] = kept_for_the_way_back(case)
    for width in (4, 16):
        for key, value in results[width].items():
            if reduces(case):
                assert_close(value, results[8][key], "cpu, loop, gradients, float32")
            else:
                assert_same({key: value}, {key: results[8][key]})


# Memory


@pytest.mark.parametrize("name", CELLS)
def test_what_memory_held_before_does_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """New memory full of NaN; the blocks of the arena are used again, so that clean ones cannot hide a fault."""
    cases = [make_case(CELLS[name], "cpu", torch.float32, rows=n, steps=5, hidden=h) for n, h in ((3, 7), (5, 33))]
    cases = [one for case in cases for one in (case, ragged(case), ragged(case).but(state=None))]
    expected = [everything(case) for case in cases]
    lend, empty = Arena.tensor, torch.empty

    def poisoned(arena: Arena, numbers: int, dtype: torch.dtype) -> Tensor:
        return lend(arena, numbers, dtype).fill_(float("nan"))

    def spoilt(*shape: object, **how: object) -> Tensor:
        return empty(*shape, **how).fill_(float("nan"))  # pyright: ignore[reportArgumentType,reportCallIssue]

    monkeypatch.setattr(Arena, "tensor", poisoned)
    monkeypatch.setattr(torch, "empty", spoilt)
    for case, whole in zip(cases, expected, strict=True):
        assert_same(everything(case), whole)
