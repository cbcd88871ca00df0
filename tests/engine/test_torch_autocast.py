"""Under autocast torch's kernels compute in its dtype, as torch's own classes do on a GPU."""

import pytest
import torch
from torch import Tensor

from engine.cases import Case, gradients, parts
from engine.torch_cases import KNOWN, LENGTHS, moved, moved_to, plain, projects_in_single
from laws import assert_same
from unrolled.cells.library import LIBRARY
from unrolled.engine.operator import has_kernel
from unrolled.layers.recurrent import Recurrent


@projects_in_single
@pytest.mark.parametrize("lengths", ["dense", "ragged", "from the start"])
@pytest.mark.parametrize("name", KNOWN)
def test_autocast_is_a_run_in_its_dtype(name: str, lengths: str, calls: list[str]) -> None:
    case = LENGTHS[lengths](plain(KNOWN[name], torch.float32))
    narrow = moved(case, torch.bfloat16)
    expected, wanted = parts(narrow.scan()), moved_to(gradients(narrow), torch.float32)
    del calls[:]
    with torch.autocast("cpu", torch.bfloat16):
        found, own = parts(case.scan()), gradients(case)
    assert calls
    assert {value.dtype for value in found.values()} == {torch.bfloat16}
    assert {value.dtype for value in own.values()} == {torch.float32}
    assert_same(found, expected)
    assert_same(own, wanted)


def test_autocast_lets_dtypes_differ_and_leaves_double_precision_alone() -> None:
    case = plain(LIBRARY["lstm"], torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        expected = parts(case.scan())
        first = case.steps(0, 4).scan()
        second = case.steps(4, 9).but(state=first.state).scan()  # bfloat16 beside float32
        pieces = torch.cat([first.outputs, second.outputs], 1)
        assert (pieces - expected["outputs"]).abs().max() < 16 * torch.finfo(torch.bfloat16).eps
        assert_same(parts(case.but(x=case.x.bfloat16()).scan()), expected)
        double = case.but(parameters=moved_to(case.parameters, torch.float64))
        assert double.scan().outputs.dtype == torch.float64
        empty = case.but(x=case.x[:, :0]).scan()
    assert {value.dtype for value in parts(empty).values()} == {torch.bfloat16}


def test_a_second_derivative_under_autocast() -> None:
    def once(case: Case) -> Tensor:
        x = case.x.clone().requires_grad_()
        return torch.autograd.grad(case.but(x=x).scan().outputs.sum(), x, create_graph=True)[0]

    case = plain(LIBRARY["gru_reset_after"], torch.float32)
    expected = once(moved(case, torch.bfloat16)).float()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(once(case), expected)


@pytest.mark.parametrize("backend", ["torch", "auto"])
def test_a_compiled_program_under_autocast(backend: str) -> None:
    layer, x = Recurrent("lstm", 5, 7, 2, backend=backend), torch.randn(3, 9, 5)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        found = [run(x) for run in (layer, compiled)]
    assert_same(*({"outputs": one.outputs, **one.state} for one in found))
    assert found[1].outputs.dtype == (torch.bfloat16 if backend == "torch" else torch.float32)
    found[1].outputs.sum().backward()
    assert {value.grad.dtype for value in layer.parameters() if value.grad is not None} == {torch.float32}


@pytest.mark.parametrize(("name", "known"), [("lstm", True), ("gru", False)])
def test_tracing_asks_for_a_kernel_once(name: str, known: bool) -> None:
    described = LIBRARY[name].described
    asking = torch.compile(lambda x: x + has_kernel(described, ("h",), False), fullgraph=True, backend="eager")
    assert asking(torch.zeros(1)) == known
    assert not has_kernel(described, ("h",), True)
    assert not has_kernel(described, ("r",), False)


@pytest.mark.gpu
@pytest.mark.parametrize("narrow", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_autocast_on_a_gpu(lengths: str, narrow: torch.dtype, calls: list[str]) -> None:
    case = moved(
        LENGTHS[lengths](plain(LIBRARY["lstm"], torch.float32, rows=4, steps=20)).but(backend="auto"),
        torch.device("cuda"),
    )
    coarse = moved(case, narrow)
    expected, wanted = parts(coarse.scan()), gradients(coarse)
    with torch.autocast("cuda", narrow):
        found, own = parts(case.scan()), gradients(case)
    assert calls
    assert {value.dtype for value in found.values()} == {narrow}
    assert {value.dtype for value in own.values()} == {torch.float32}
    for one, other in ((found, expected), (own, wanted)):
        for name, value in one.items():
            assert (value - other[name]).norm() <= 16 * torch.finfo(narrow).eps * other[name].norm()
