"""The derived backward step: its text, and its numbers against autograd through the loop, for random cells."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from equations.programs import Draft, drafts
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.reverse import reverse
from unrolled.engine.run import prepare
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Name, names

GOLDEN = Path(__file__).parent / "golden"
NOISE = "1.0 with probability 0.5 per step"


def test_the_derived_text_of_the_lstm_is_the_golden_one() -> None:
    """The backward LSTM, to be read.

    Where a change of the table or of ``derive`` is meant to change the text, write it anew from the repository's root:
    ``python -c "from unrolled.cells.library import LIBRARY as cells; print(cells['lstm'].backward().text())" >
    tests/equations/golden/lstm_backward.txt``
    """
    assert LIBRARY["lstm"].backward().text() + "\n" == (GOLDEN / "lstm_backward.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LIBRARY)
def test_a_derived_step_reads_only_what_is_there(name: str) -> None:
    cell = LIBRARY[name]
    backward = cell.backward(cell.quantities)
    forward = {one.target for one in backward.forward} | {Name(one) for one in ("x", *cell.states)}
    known = forward | set(map(Name, (*cell.program.parameters, *cell.constants)))
    known |= {Name(f"d_{one.removesuffix(chr(39))}", one.endswith("'")) for one in backward.arriving}
    known |= {Name(f"d_{parameter}") for parameter in cell.program.parameters}
    for one in backward.statements:
        read = list(names(one.expression))
        assert set(read) <= known, one
        assert set(backward.kept) >= set(read) & forward
        assert one.accumulates == (one.target in known)
        known.add(one.target)
    targets = {str(one.target) for one in backward.statements}
    assert targets >= {"d_x", *(f"d_{state}" for state in cell.states)}
    assert targets >= {f"d_{parameter}" for parameter in cell.program.parameters}
    assert len(backward.text().splitlines()) >= len(backward.statements)


def test_what_no_loss_sees_is_not_computed() -> None:
    cell = Cell("c", "h' = tanh(W @ x + U @ h)\ny = V @ h'\nz = R @ h'", output="y")
    text = cell.backward().text()
    assert "d_V" in text
    assert "d_R" not in text
    assert "d_z" not in text
    assert "d_R += outer(d_z, h')" in cell.backward(("z",)).text()


def test_constants_noise_and_flat_functions_get_no_gradient() -> None:
    cell = Cell("c", "h' = exp(g * 2) * n * h + sign(b) * (W @ x)", constants={"g": 0.5}, noise={"n": NOISE})
    targets = [line.partition(" ")[0] for line in cell.backward().text().splitlines()]
    assert targets == ["_h1", "_h2", "_h3", "_h5", "d__h6", "d_h", "d_x", "d_W"]


def test_products_with_nothing_are_left_out_of_a_derivative() -> None:
    cell = Cell("c", "h' = max(W @ x, 0) + 1 * h")
    assert "d__h1 = d_h' * (1 + sign(_h1)) / 2" in cell.backward().text().splitlines()
    assert "d_h = d_h'" in cell.backward().text().splitlines()


def gradients_agree(cell: Cell, seed: int, heads: int = 1) -> None:
    """Compare every gradient of a ragged run with resets, where the loss sees every quantity, with autograd's."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    sizes = dict.fromkeys(cell.program.named_sizes, 2 * heads)
    shapes = {**cell.parameters(3, 3 * heads, **sizes)}
    parameters = {name: (draw(*one.shape) / 2).requires_grad_() for name, one in shapes.items()}
    x = draw(2, 4, 3).requires_grad_()
    lengths, reset = torch.tensor([4, 2]), torch.zeros(2, 4, dtype=torch.bool)
    reset[0, 2] = True
    began = {name: draw(*value.shape).requires_grad_() for name, value in scan(cell, parameters, x).state.items()}
    run = scan(cell, parameters, x, began, lengths, reset, cell.quantities)
    arriving = {name: draw(*value.shape) for name, value in run.recorded.items()}
    final = {name: draw(*value.shape) for name, value in run.state.items()}
    loss = sum((value * arriving[name]).sum() for name, value in run.recorded.items())
    loss = loss + sum((value * final[name]).sum() for name, value in run.state.items())
    inputs = [*parameters.values(), x, *began.values()]
    expected = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    plain = {name: value.detach() for name, value in parameters.items()}
    request = prepare(
        cell, plain, x.detach(), {n: v.detach() for n, v in began.items()}, lengths, reset, cell.quantities
    )
    by_name, d_x, d_state = reverse(request, arriving, final)
    actual = torch.cat([one.flatten() for one in (*by_name.values(), d_x, *d_state.values())])
    assert_close(actual, torch.cat([one.flatten() for one in expected]), "derived, autograd")


@settings(max_examples=40)
@given(drafts(tame=True), st.integers(0, 9))
def test_derived_gradients_of_random_cells_are_autograds(draft: Draft, seed: int) -> None:
    gradients_agree(Cell("random", "\n".join(("size x = hidden", draft.text))), seed)


@pytest.mark.parametrize("name", ["lstm", "gru", "antisymmetric", "jordan"])
def test_derived_gradients_in_blocks_are_autograds(name: str) -> None:
    gradients_agree(LIBRARY[name].replaced("blocked", heads=2), seed=5, heads=2)


@pytest.mark.parametrize(
    "text",
    [
        "h' = tanh(W @ x + U @ h + V @ b)",
        "i = exp(b)\nh' = tanh(W @ x + U @ (i * h) + U @ i)",
        "h' = layer_norm(b) * h + W @ x",
        "h' = (U * A) @ h + tanh(U - A.T) @ h + W @ x",
        "h' = (2 / (3 + A * A)) @ h + W @ x",
        "h' = max(W @ x, U @ h) + min(h, b) + h",
        "i = h\nh' = i + W @ x\ny = i",
        "h' = c\nc' = h + W @ x",
        "h' = h",
        "h' = h + U @ (sum(h) * b)",
        "h' = softmax(b + W @ x) * h / (1 + exp(-sqrt(1 + h * h)))",
        "h' = sign(h) * x_1 + step(W @ x + h) * (0 * h)",
        "h' = max(0, W @ x + h) - min(0, h) + max(h, 0) + min(W @ x, 0)",
        "constant g = 0.5\nh' = tanh(g) * h + exp(g * 2) * (W @ x)",
        "start h = h_0\nh' = tanh(W @ x + U @ h)\nc' = c * h' + 0.5",
    ],
)
def test_derived_gradients_of_odd_cells_are_autograds(text: str) -> None:
    gradients_agree(Cell("odd", text), seed=7)
