"""Compiled code computes what the plain loop computes in double precision: every cell, odd sizes, random texts."""

from collections.abc import Mapping

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from torch import Tensor

from engine.cases import CELLS, Case, gradients, make_case, parts, ragged
from equations.programs import Draft, drafts
from tolerance import assert_close
from unrolled.equations.cell import Cell

SIZES: dict[str, dict[str, int]] = {
    "N1 D40 H33": {"rows": 1, "steps": 6, "inputs": 40, "hidden": 33},
    "N2 D5 H7": {"rows": 2, "steps": 9, "inputs": 5, "hidden": 7},
    "N3 D1 H16": {"rows": 3, "steps": 7, "inputs": 1, "hidden": 16},
    "N7 D5 H130": {"rows": 7, "steps": 4, "inputs": 5, "hidden": 130},
    "N13 D40 H7": {"rows": 13, "steps": 5, "inputs": 40, "hidden": 7},
    "N25 D1 H33": {"rows": 25, "steps": 3, "inputs": 1, "hidden": 33},
}
"""Below and above a vector, a panel of two, a register tile of rows and a block of units, and never a multiple."""
OUTPUTS = {torch.float32: "cpu, loop, float32", torch.float64: "cpu, loop"}
GRADIENTS = {torch.float32: "cpu, loop, gradients, float32", torch.float64: "cpu, loop"}


def in_double(case: Case) -> Case:
    """The same numbers in double precision, by the plain loop."""

    def wide(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.double() for name, value in values.items()}

    state = None if case.state is None else wide(case.state)
    return case.but(
        backend="loop", parameters=wide(case.parameters), noise=wide(case.noise), x=case.x.double(), state=state
    )


def tame(cell: Cell, dtype: torch.dtype, sizes: str) -> Case:
    """A case whose sums stay as small as those over seven units: no step amplifies what the one before it rounded."""
    case = make_case(cell, "cpu", dtype, **SIZES[sizes])
    factor = (7 / max(7, *(SIZES[sizes][one] for one in ("inputs", "hidden")))) ** 0.5
    return case.but(parameters={name: factor * value for name, value in case.parameters.items()})


def assert_near(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], row: str) -> None:
    assert list(actual) == list(expected)
    for name, value in actual.items():
        try:
            assert_close(value, expected[name].to(value.dtype), row)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


def assert_fused_is_the_loop(case: Case) -> None:
    """Outputs, states and records, and the gradients of a loss that weighs them all."""
    exact = in_double(case)
    assert_near(parts(case.scan()), parts(exact.scan()), OUTPUTS[case.x.dtype])
    assert_near(gradients(case), gradients(exact), GRADIENTS[case.x.dtype])


def dealt(each: int, shift: int = 0) -> list[tuple[str, str]]:
    """Every cell with ``each`` of the sizes, which go round; three cells have all."""
    sizes = list(SIZES) * 2
    return [
        (name, one)
        for place, name in enumerate(CELLS)
        for one in (SIZES if name in ("elman", "lstm", "gru_layer_norm") else sizes[(place + shift) % 6 :][:each])
    ]


@pytest.mark.parametrize(("name", "sizes"), dealt(1, shift=3))
def test_in_single_precision(name: str, sizes: str) -> None:
    case = tame(CELLS[name], torch.float32, sizes)
    assert_fused_is_the_loop(case)
    assert_fused_is_the_loop(ragged(case))


@pytest.mark.parametrize(("name", "sizes"), dealt(1))
def test_in_double_precision(name: str, sizes: str) -> None:
    case = tame(CELLS[name], torch.float64, sizes)
    assert_fused_is_the_loop(ragged(case).but(state=None))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("gru_reset_after", torch.float32), ("lstm_layer_norm", torch.float32), ("mingru", torch.float64)],
)
def test_over_a_thousand_steps(name: str, dtype: torch.dtype) -> None:
    """Parameters so small that no step amplifies what the one before it rounded."""
    case = make_case(CELLS[name], "cpu", dtype, rows=3, steps=1000, inputs=5, hidden=7)
    assert_fused_is_the_loop(ragged(case).but(parameters={key: 0.3 * value for key, value in case.parameters.items()}))


TEXTS = {
    "a matrix times what is made of x": "h' = tanh(U @ h) + W @ (2 * x)",
    "a layer before the recurrence": "h' = tanh(U @ h + W @ relu(V @ x))",
    "a matrix of a matrix": "h' = tanh((U - U.T - 0.1 * A) @ h + W @ x)",
    "a product of a product": "h' = tanh(U @ (V @ (A @ h)) + W @ x)",
    "no derivative at all": "h' = 0.5 * h + W @ sign(x)",
    "softmax of a softmax": "h' = softmax(U @ softmax(h + W @ x)) - 0.1 * h",
    "the same product twice": "h' = tanh(U @ h) * sigmoid(U @ h) + U @ h + W @ x",
    "a state that only waits": "c' = h\nh' = tanh(W @ x + U @ c)",
    "an output that is a parameter": "output y\nh' = tanh(W @ x + h)\ny = exp(b)",
    "an output made of x alone": "output y\nh' = tanh(W @ x + U @ h)\ny = sigmoid(V @ x)",
    "a helper whose name ends as another's": "output h\nc' = max(c + W @ x, -1) + u * c\nh' = A @ W @ x + u * h",
    "cheap values one of another": "output h\nc' = hard_tanh(W @ x - c) + u * c\nh' = A @ W @ x + u * h",
    "a state that reads no x": "c' = tanh(U @ c)\nh' = tanh(W @ x + c * h)",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text(text: str) -> None:
    for dtype in (torch.float64, torch.float32):
        case = make_case(Cell("text", TEXTS[text]), "cpu", dtype)
        assert_fused_is_the_loop(case)
        assert_fused_is_the_loop(ragged(case))


REDUCED = {
    "a sum is multiplied": "h' = tanh(W @ x + U @ mean(h))",
    "a sum of a product with x": "h' = sum(W @ x + b) + u * h",
    "a sum is an output": "output m\nh' = tanh(W @ x + U @ h)\nm = mean(h')",
    "a sum is a state": "m' = mean(tanh(W @ x + U @ m))\nh' = tanh(V @ x + h) * m",
    "a sum is recorded": "m = mean(h)\nh' = tanh(W @ x) + m * h",
    "a sum of parameters": "h' = tanh(W @ x + U @ h) + mean(b)",
    "a sum of a sum": "h' = tanh(W @ x + mean(h - mean(U @ h)))",
}


@pytest.mark.parametrize("text", REDUCED)
def test_a_text_that_sums_over_units(text: str) -> None:
    for dtype in (torch.float64, torch.float32):
        case = make_case(Cell("text", REDUCED[text]), "cpu", dtype)
        assert_fused_is_the_loop(case)
        assert_fused_is_the_loop(ragged(case))


def assert_near_in_all(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], row: str) -> None:
    """As near taken together; what vanishes by the mathematics is rounding alone."""
    assert list(actual) == list(expected)
    one, other = (torch.cat([value.flatten() for value in values.values()]) for values in (actual, expected))
    assert_close(one, other, row)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(drafts(tame=True))
def test_random_texts(draft: Draft) -> None:
    """Texts whose loop keeps its numbers within reason: what overflows may do so at another step elsewhere."""
    case = ragged(make_case(Cell("random", draft.text), "cpu", rows=2, steps=3, inputs=5, hidden=7))
    exact = in_double(case)
    outputs, wanted = parts(exact.scan()), gradients(exact)
    assume(max(float(value.abs().max()) for value in (*outputs.values(), *wanted.values())) < 1e4)
    assert_near_in_all(parts(case.scan()), outputs, "cpu, loop, random text")
    assert_near_in_all(gradients(case), wanted, "cpu, loop, random text")
