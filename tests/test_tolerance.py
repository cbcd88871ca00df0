"""The comparison itself can fail: on a number too far, another shape or dtype, NaN, and a row that is not there."""

import numpy as np
import pytest
import torch

from tolerance import TOLERANCE, assert_close

ROWS = list(TOLERANCE)


def numbers(row: str, *shape: int) -> torch.Tensor:
    """Return standard normal numbers of the row's dtype and the given shape, the same each time."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(getattr(torch, TOLERANCE[row].dtype))


@pytest.mark.parametrize("row", ROWS)
def test_the_line_is_drawn_at_the_rows_figure(row: str) -> None:
    expected = numbers(row, 3, 5, 7)
    allowed = TOLERANCE[row].relative
    assert_close(expected.clone(), expected, row)
    assert_close(expected * (1 + allowed / 2), expected, row)
    digit = f"{2 * allowed:.0e}"[0]
    with pytest.raises(AssertionError, match=rf"^{row}: relative difference {digit}\.\d*e-.* passes"):
        assert_close(expected * (1 + 2 * allowed), expected, row)


@pytest.mark.parametrize("row", ROWS)
def test_one_wrong_element_is_enough_and_is_named(row: str) -> None:
    expected = numbers(row, 3, 5, 7)
    actual = expected.clone()
    actual[1, 2, 3] += 0.1
    with pytest.raises(AssertionError, match=r"farthest at \(1, 2, 3\)"):
        assert_close(actual, expected, row)


def test_tensors_and_arrays_compare_with_gradient_or_without() -> None:
    expected = numbers("loop, numpy", 2, 3)
    assert_close(expected.clone().requires_grad_(), expected.numpy(), "loop, numpy")


def test_another_shape_fails_though_it_would_broadcast() -> None:
    with pytest.raises(AssertionError, match=r"shape \(1, 3\) against \(3,\)"):
        assert_close(np.ones((1, 3)), np.ones(3), "loop, numpy")


@pytest.mark.parametrize(("one", "other"), [("float32", "float64"), ("float64", "float32"), ("float32", "float32")])
def test_another_dtype_fails(one: str, other: str) -> None:
    with pytest.raises(AssertionError, match=f"dtype {one} against {other}, this row compares float64"):
        assert_close(np.ones(3, one), np.ones(3, other), "loop, numpy")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_fails_even_where_both_hold_it(bad: float) -> None:
    array = np.array([[1.0, 2.0], [bad, 4.0]])
    good = np.ones((2, 2))
    with pytest.raises(AssertionError, match=rf"actual holds {bad} at \(1, 0\)"):
        assert_close(array, array, "loop, numpy")
    with pytest.raises(AssertionError, match=rf"expected holds {bad} at \(1, 0\)"):
        assert_close(good, array, "loop, numpy")


def test_zero_is_met_by_zero_alone() -> None:
    assert_close(np.zeros((2, 3)), np.zeros((2, 3)), "loop, numpy")
    with pytest.raises(AssertionError, match=r"relative difference inf .* norm of expected 0\.000e\+00"):
        assert_close(np.full((2, 3), 1e-300), np.zeros((2, 3)), "loop, numpy")


def test_nothing_equals_nothing() -> None:
    assert_close(np.ones((0, 4)), np.ones((0, 4)), "loop, numpy")


def test_a_row_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="loop, nympy"):
        assert_close(np.ones(3), np.ones(3), "loop, nympy")
