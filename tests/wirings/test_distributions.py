"""Output sides of forecasts: densities against torch's and scipy's, draws against their moments, quantiles in order."""

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.wirings.distributions import (
    Distribution,
    Output,
    Statistics,
    find_output,
    negative_binomial_log_density,
    normal_log_density,
    pinball,
    student_t_log_density,
)

CHANCE = torch.Generator().manual_seed(0)


def some(count: int = 50, low: float = 0.2, high: float = 4.0) -> Tensor:
    return torch.rand(count, generator=CHANCE, dtype=torch.float64) * (high - low) + low


def test_densities_are_those_of_torch_and_scipy() -> None:
    values, mean, width, freedom = some(low=-5), some(low=-2), some(), some(low=2.1, high=30)
    expected = torch.distributions.Normal(mean, width).log_prob(values)
    torch.testing.assert_close(normal_log_density(values, mean, width), expected)
    expected = torch.distributions.StudentT(freedom, mean, width).log_prob(values)
    found = student_t_log_density(values, mean, width, freedom)
    torch.testing.assert_close(found, expected)
    np.testing.assert_allclose(found, scipy.stats.t.logpdf(values, freedom, mean, width), rtol=1e-10)


def test_counts_have_the_probabilities_of_scipy_and_the_variance_said() -> None:
    counts, mean, dispersion = some(high=40).floor(), some(high=30), some(low=0.05)
    size, chance = 1 / dispersion, 1 / (1 + mean * dispersion)
    found = negative_binomial_log_density(counts, mean, dispersion)
    np.testing.assert_allclose(found, scipy.stats.nbinom.logpmf(counts, size, chance), rtol=1e-8)
    expected = mean + dispersion * mean**2
    np.testing.assert_allclose(scipy.stats.nbinom.var(size, chance), expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["normal", "student_t", "negative_binomial"])
def test_draws_are_as_dense_as_the_loss_says(name: str) -> None:
    output = find_output(name, [0.5])
    assert isinstance(output, Distribution)
    raw = torch.tensor([0.3, 0.1, 1.5][: output.size]).expand(40_000, -1)
    anchor, scale = torch.full((40_000,), 1.2), torch.full((40_000,), 8.0)
    drawn = output.draw(raw, anchor, scale, np.random.default_rng(1))
    again = output.draw(raw, anchor, scale, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn, again)
    step = 1 / 8 if output.counts else 1e-3
    grid = torch.arange(0, 60, step) if output.counts else torch.arange(-60, 60, step)
    one, wide = torch.full_like(grid, 1.2), torch.full_like(grid, 8.0)
    losses = output.loss(raw[:1].expand(len(grid), -1), grid, one, wide)
    shares = torch.exp(-losses).double() * (1 if output.counts else step)
    assert shares.sum() == pytest.approx(1, abs=5e-3)
    for level in (0.1, 0.5, 0.9):
        place = int((shares.cumsum(0) < level).sum())
        assert np.quantile(drawn, level) == pytest.approx(float(grid[place]), abs=0.15)


def test_an_anchor_is_where_an_untrained_head_stands() -> None:
    anchor, scale = torch.tensor([0.5, 2.0]), torch.tensor([100.0, 100.0])
    for name in ("normal", "student_t"):
        output = find_output(name, [0.5])
        better = output.loss(torch.zeros(2, output.size), anchor, anchor, scale)
        assert (better < output.loss(torch.zeros(2, output.size), anchor + 1, anchor, scale)).all()
    counts = find_output("negative_binomial", [0.5])
    assert isinstance(counts, Distribution)
    drawn = counts.draw(
        torch.tensor([[0.0, -9.0]]).expand(4000, 2),
        torch.full((4000,), 2.0),
        torch.full((4000,), 100.0),
        np.random.default_rng(0),
    )
    assert drawn.mean() == pytest.approx(2.0, rel=0.02)


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    values = some(4001)
    levels = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    best = torch.quantile(values, levels)
    least = pinball(values, best.expand(len(values), 3), levels).mean(0)
    for move in (-0.05, 0.05):
        assert (pinball(values, (best + move).expand(len(values), 3), levels).mean(0) > least).all()


def test_quantiles_come_in_order_and_points_by_name() -> None:
    output = find_output("quantiles", [0.1, 0.5, 0.9])
    assert isinstance(output, Statistics)
    assert output.names == ("q0.1", "median", "q0.9")
    found = output.values(torch.tensor([[2.0, 1.0, 3.0]]), torch.tensor([10.0]))
    assert found.tolist() == [[11.0, 12.0, 13.0]]
    assert losses_of("quantiles", torch.tensor([[1.0, 1.0, 1.0]])) == pytest.approx(1.0)
    for name, told, loss in (("squared", "mean", 4.0), ("absolute", "median", 2.0)):
        point = find_output(name, [0.5])
        assert isinstance(point, Statistics)
        assert point.names == (told,)
        assert losses_of(name, torch.tensor([[2.0]])) == loss


def losses_of(name: str, raw: Tensor) -> float:
    output: Output = find_output(name, [0.1, 0.5, 0.9])
    return float(output.loss(raw, torch.zeros(1), torch.zeros(1), torch.ones(1))[0])


def test_an_unknown_output_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"there is no output 'gauss'; choose from normal, student_t"):
        find_output("gauss", [0.5])


def test_the_centre_is_the_middle_of_what_is_drawn() -> None:
    anchor, scale = torch.full((4001,), 2.0), torch.full((4001,), 3.0)
    for name in ("normal", "student_t", "negative_binomial"):
        output = find_output(name, [0.5])
        assert isinstance(output, Distribution)
        raw = torch.tensor([0.4, -1.0, 1.0])[: output.size].expand(4001, output.size)
        drawn = output.draw(raw, anchor, scale, np.random.default_rng(0))
        middle = np.mean(drawn) if output.counts else np.median(drawn)
        assert float(output.centre(raw, anchor, scale)[0]) == pytest.approx(middle, abs=0.05)
    raw, one = torch.tensor([[2.0, 1.0, 3.0]]), torch.ones(1)
    assert find_output("quantiles", [0.1, 0.5, 0.9]).centre(raw, 10 * one, one).tolist() == [12.0]
    assert find_output("quantiles", [0.1, 0.4, 0.9]).centre(raw, 10 * one, one).tolist() == [12.0]
    assert find_output("squared", [0.5]).centre(raw[:, :1], 10 * one, one).tolist() == [12.0]
