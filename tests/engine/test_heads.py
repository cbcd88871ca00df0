"""Block-diagonal matrices, compiled: heads apart, neighbours joined, with all zeros; the same numbers each way."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.cases import Case, gradients, make_case, parts, ragged
from engine.test_fused import assert_fused_is_the_loop
from laws import assert_same
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.cpu.compiled import host
from unrolled.engine.cpu.form import shape_for
from unrolled.engine.cpu.layout import heads_apart
from unrolled.engine.explain import explain
from unrolled.engine.scan import scan
from unrolled.engine.split import Matrix
from unrolled.equations.cell import Cell
from unrolled.layers.recurrent import Recurrent

APART = [  # heads, out, in, vector -> diagonal blocks
    (1, 256, 256, 16, 1),
    (8, 256, 256, 16, 8),
    (8, 256, 256, 8, 8),
    (8, 128, 128, 16, 4),
    (6, 96, 96, 16, 3),
    (6, 96, 192, 16, 3),
    (6, 64, 64, 16, 2),
    (8, 96, 96, 16, 1),
    (4, 128, 40, 16, 1),
    (4, 40, 128, 16, 1),
    (2, 14, 14, 4, 1),
]


@pytest.mark.parametrize(("heads", "out", "into", "width", "blocks"), APART)
def test_heads_stand_apart_where_they_fill_panels(heads: int, out: int, into: int, width: int, blocks: int) -> None:
    assert heads_apart(Matrix("hidden", "input", heads), {"hidden": out, "input": into}, width) == blocks


def pair(dtype: torch.dtype) -> int:
    """The units of a panel."""
    return 2 * shape_for(dtype, host()).width


def with_heads(heads: int) -> Cell:
    return LIBRARY["slstm"].replaced(f"slstm_{heads}", heads=heads)


def sized(cell: Cell, hidden: int, dtype: torch.dtype, rows: int = 3, steps: int = 7, inputs: int = 5) -> Case:
    """A case whose sums stay as small as those over seven units."""
    case = make_case(cell, "cpu", dtype, rows=rows, steps=steps, inputs=inputs, hidden=hidden)
    assert all(value.shape[-1] * cell.heads.get(name, 1) in (inputs, hidden) for name, value in matrices(case).items())
    factor = (7 / max(7, inputs, hidden)) ** 0.5
    return case.but(parameters={name: factor * value for name, value in case.parameters.items()})


def matrices(case: Case) -> dict[str, Tensor]:
    return {name: value for name, value in case.parameters.items() if value.dim() > 1}


def blocks_of(heads: int, hidden: int, dtype: torch.dtype) -> int:
    return heads_apart(Matrix("hidden", "hidden", heads), {"hidden": hidden}, pair(dtype) // 2)


UNITS_OF_A_HEAD: dict[str, Callable[[int], int]] = {
    "apart": lambda pair: pair,
    "apart, several panels": lambda pair: 3 * pair,
    "neighbours joined": lambda pair: pair // 2,
    "with their zeros": lambda _: 7,
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("how", UNITS_OF_A_HEAD)
@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_fused_is_the_loop(heads: int, how: str, dtype: torch.dtype) -> None:
    hidden = heads * UNITS_OF_A_HEAD[how](pair(dtype))
    blocks = {"apart": heads, "apart, several panels": heads, "neighbours joined": max(1, heads // 2)}.get(how, 1)
    assert blocks_of(heads, hidden, dtype) == blocks
    case = sized(with_heads(heads), hidden, dtype)
    assert_fused_is_the_loop(case)
    assert_fused_is_the_loop(ragged(case))


TEXTS = {
    "two matrices, two sources": "heads U = 4\nheads A = 2\nc' = tanh(A @ c + W @ x)\nh' = tanh(U @ h + c')",
    "a sum over two sources": "heads U = 4\nheads A = 2\nc' = tanh(A @ c + U @ h + W @ x)\nh' = sigmoid(A @ h) * c'",
    "one source, two numbers of heads": "heads U = 4\nh' = tanh(U @ h + W @ x) * sigmoid(V @ h) + A @ h\nheads A = 8",
    "one behind the other": "heads U = 8\nheads A = 2\noutput h\ng = relu(A @ h + W @ x)\nh' = tanh(U @ (g * h))",
    "transposed": "heads U = 4\nh' = tanh(U @ h - U.T @ h + W @ x)",
    "transposed alone": "heads U = 4\nheads A = 8\nh' = tanh(U.T @ h + W @ x) - A.T @ (2 * h)",
    "of the input": "heads W = 4\nheads V = 2\nh' = tanh(W @ x + U @ h) * sigmoid(V @ x)",
    "made of others": "heads U = 4\nheads A = 4\nh' = tanh((U - 0.1 * A) @ h + W @ x)",
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text(text: str, dtype: torch.dtype) -> None:
    """Hidden units of which all heads stand apart, some are joined, none fits."""
    cell = Cell("text", TEXTS[text])
    for hidden in (8 * pair(dtype), 2 * pair(dtype), 24):
        case = sized(cell, hidden, dtype, rows=5, inputs=2 * hidden if "W" in cell.heads else 5)
        assert_fused_is_the_loop(case)
        assert_fused_is_the_loop(ragged(case))


# The same bits as those of a dense matrix that holds the zeros


def with_zeros(case: Case) -> Case:
    """The same numbers in a cell that knows of no heads."""
    parameters = {name: torch.block_diag(*one) if one.dim() == 3 else one for name, one in case.parameters.items()}
    return case.but(cell=LIBRARY["slstm"], parameters=parameters)


def on_the_diagonal(dense: dict[str, Tensor], heads: dict[str, Tensor]) -> dict[str, Tensor]:
    """Gradients of dense matrices where those with heads have theirs."""

    def cut(value: Tensor, like: Tensor) -> Tensor:
        if like.dim() < 3:
            return value
        out, into = like.shape[1:]
        return torch.stack([value[n * out : (n + 1) * out, n * into : (n + 1) * into] for n in range(len(like))])

    return {name: cut(value, heads[name]) if "R_" in name else value for name, value in dense.items()}


@pytest.mark.parametrize("rows", [1, 2, 25])
@pytest.mark.parametrize("how", UNITS_OF_A_HEAD)
def test_zeros_change_no_bit(how: str, rows: int) -> None:
    case = sized(with_heads(4), 4 * UNITS_OF_A_HEAD[how](pair(torch.float32)), torch.float32, rows)
    for one in (case, ragged(case)):
        assert_same(parts(one.scan()), parts(with_zeros(one).scan()))
        found = gradients(one)
        assert_same(found, on_the_diagonal(gradients(with_zeros(one)), found))


def test_pieces_change_no_bit() -> None:
    case = ragged(sized(with_heads(4), 4 * pair(torch.float32), torch.float32, steps=150))
    whole, pieces = (
        torch.autograd.grad(
            scan(case.cell, given, case.x, case.state, case.lengths, case.reset, checkpoint=every)
            .outputs.square()
            .sum(),
            list(given.values()),
        )
        for every in (None, 64)
        for given in [{name: value.clone().requires_grad_() for name, value in case.parameters.items()}]
    )
    assert_same(dict(zip(case.parameters, pieces, strict=True)), dict(zip(case.parameters, whole, strict=True)))


def test_steps_one_by_one_change_no_bit() -> None:
    layer = Recurrent(with_heads(4), 5, 4 * pair(torch.float32)).requires_grad_(False)
    x = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))
    whole, last, _ = layer(x)
    output, state = layer.step(x[:, 0])
    outputs = [output]
    for t in range(1, 6):
        output, state = layer.step(x[:, t], state)
        outputs.append(output)
    assert_same({"outputs": torch.stack(outputs, 1), **state}, {"outputs": whole, **last})


def test_heads_apart_have_panels_of_their_own_numbers_alone() -> None:
    """Eight heads leave 7/8 of four matrices out, forward; of the backward pass's copies as much."""
    hidden = 8 * pair(torch.float32)
    machines = [explain(with_heads(heads), 3, 7, 5, hidden, threads=1).machine for heads in (1, 8)]
    whole, apart = (one.scratch_bytes for one in machines if one)
    for name in ("forward", "backward"):
        assert whole[name] - apart[name] == 4 * 4 * hidden * hidden * 7 // 8


# Derivatives of derivatives


@pytest.mark.parametrize("how", UNITS_OF_A_HEAD)
def test_a_gradient_of_a_gradient(how: str) -> None:
    case = sized(with_heads(2), 2 * UNITS_OF_A_HEAD[how](pair(torch.float64)), torch.float64, steps=3)
    found = []
    for backend in ("cpu", "loop"):
        given = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
        outputs = case.but(parameters=given, backend=backend).scan().outputs
        first = torch.autograd.grad(outputs.square().sum(), list(given.values()), create_graph=True)
        total = torch.stack([one.square().sum() for one in first]).sum()
        found.append(torch.autograd.grad(total, list(given.values())))
    for one, other in zip(*found, strict=True):
        assert_close(one, other, "cpu, loop")
