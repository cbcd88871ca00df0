"""Unit search against NumPy's correlation and scikit-learn's F1; a planted unit is found; nearest states by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from torch import Tensor

from inspection.planted import PLANTED, UNIT, one_hot, quote_reader
from unrolled.errors import UsageError
from unrolled.inspection.patterns import inside_quotes
from unrolled.inspection.units import Following, around, best_thresholds, correlations, nearest, search, windows
from unrolled.layers.recurrent import Recurrent


def brute_force(values: np.ndarray, pattern: np.ndarray) -> float:
    """The best F1 over every cut that makes a difference, from either side, by scikit-learn."""
    cuts = np.unique(values)
    calls = [values >= cut for cut in cuts] + [values <= cut for cut in cuts]
    return max(f1_score(pattern, call) for call in calls)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.booleans()), min_size=1, max_size=30).filter(
        lambda rows: any(row[2] for row in rows)
    )
)
def test_the_best_threshold_is_the_best_of_all(rows: list[tuple[int, int, bool]]) -> None:
    values, pattern = torch.tensor([row[:2] for row in rows]) / 2, torch.tensor([row[2] for row in rows])
    found = best_thresholds(values, pattern)
    for unit in range(2):
        column, threshold = values[:, unit], found.threshold[unit]
        called = column >= threshold if found.above[unit] else column <= threshold
        assert float(found.f1[unit]) == pytest.approx(brute_force(column.numpy(), pattern.numpy()))
        assert f1_score(pattern, called) == pytest.approx(float(found.f1[unit]))


def test_units_are_sorted_in_chunks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    values, pattern = torch.randn(50, 9), torch.rand(50) > 0.6
    whole = best_thresholds(values, pattern)
    monkeypatch.setattr("unrolled.inspection.units.CHUNK", 100)
    for one, other in zip(whole, best_thresholds(values, pattern), strict=True):
        assert torch.equal(one, other)


def test_correlations_are_numpys_however_they_come() -> None:
    values = torch.randn(90, 7, dtype=torch.float64) + 1000.0
    values[:, 3] = 5.1  # a unit that never moves
    pattern = torch.randn(90, dtype=torch.float64)
    (found,) = correlations(lambda: ({"c": part} for part in values.split(20)), pattern).values()
    for unit in {0, 1, 2, 4, 5, 6}:
        assert float(found[unit]) == pytest.approx(np.corrcoef(values[:, unit], pattern)[0, 1], abs=1e-9)
    assert float(found[3]) == 0.0


@pytest.mark.parametrize(("cell", "quantity"), [("elman_sigmoid", "h"), ("lstm", "c")])
def test_the_planted_unit_is_found(cell: str, quantity: str) -> None:
    text = PLANTED * 40
    layer, vocabulary = quote_reader(text, cell)
    x = one_hot(text, vocabulary)
    found = search(lambda: windows(layer, x, size=50), torch.from_numpy(inside_quotes(text)))
    (best,) = [one for one in found if one.where == f"0.forward.{quantity}" and one.f1 == 1.0]
    assert best.unit == UNIT
    assert best.above
    assert best.correlation > 0.999
    assert best.threshold == pytest.approx(1.0, abs=0.01)
    assert all(one.f1 is not None and one.f1 < 1.0 for one in found if one.unit != UNIT)


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bidirectional": True}])
def test_windows_are_the_whole(options: dict) -> None:
    layer, x = Recurrent("lstm", 3, 4, **options).double(), torch.randn(1, 23, 3, dtype=torch.float64)
    (whole,), parts = list(windows(layer, x)), list(windows(layer, x, size=5))
    assert len(parts) == (5 if "num_layers" in options else 1)
    assert "0.forward.f_pre" in whole
    for name, values in whole.items():
        torch.testing.assert_close(torch.cat([part[name] for part in parts]), values, rtol=1e-12, atol=1e-12)


def test_a_pattern_that_is_no_yes_or_no_has_no_f1() -> None:
    pattern = torch.arange(10.0)
    found = search(lambda: [{"h": torch.stack([-pattern, torch.randn(10)], 1)}], pattern, most=1)
    assert found == [Following("h", 0, pytest.approx(-1.0), None, None, None)]


@pytest.mark.parametrize("pattern", [torch.ones(4), torch.zeros(0), torch.tensor([0, 1, 0]), torch.arange(5)])
def test_patterns_that_do_not_fit_are_refused(pattern: Tensor) -> None:
    with pytest.raises(UsageError, match="the pattern never changes|a number for each step"):
        search(lambda: [{"h": torch.randn(4, 2)}], pattern)


def test_nearest_states() -> None:
    states = torch.tensor([[1.0, 0.0], [0.0, 3.0], [5.0, 0.1], [1.0, 1.0], [0.9, 0.0]])
    assert [one.step for one in nearest(states, 0, apart=1)] == [4, 2, 3, 1]
    assert [one.step for one in nearest(states, 0, measure="euclidean", apart=1)] == [4, 3, 1, 2]
    assert nearest(states, 1, 1, "euclidean", 1)[0].distance == pytest.approx(5**0.5)
    assert nearest(states, 1, 1, apart=1)[0].distance == pytest.approx(1 - 2**-0.5)
    assert [one.step for one in nearest(states, 0, apart=2)] == [4, 2]
    assert [one.step for one in nearest(states, 0, most=2, apart=1)] == [4, 2]
    with pytest.raises(UsageError, match="from 0 to 4, and 5"):
        nearest(states, 5)


def test_what_stands_around_a_step() -> None:
    assert around(list("abcdefg"), 3, 2) == ("bc", "d", "ef")
    assert around(list("abc"), 0) == ("", "a", "bc")
