"""The measures against their formulas, written out step by step."""

import math

import numpy as np
import pytest

from unrolled.tasks.forecast.baselines import baselines, naive
from unrolled.tasks.forecast.metrics import Scored, measures, seasonal_scale

LEVELS = {"q0.1": 0.1, "median": 0.5, "q0.9": 0.9}


def example(seed: int, missing: bool = False) -> Scored:
    chance = np.random.default_rng(seed)
    history, actual = chance.normal(5, 2, 21), chance.normal(5, 2, (3, 4))
    middle = actual + chance.normal(0, 1, actual.shape)
    told = {"mean": middle + 0.1, "median": middle, "q0.1": middle - 1, "q0.9": middle + 1.5}
    if missing:
        actual[1, 2] = history[5] = np.nan
    return Scored(actual, told, history)


def by_hand(scored: list[Scored], season: int) -> dict[str, float]:
    """Every measure by loops over single values."""
    ratios, pairs = [], []
    for one in scored:
        own = [
            (float(one.actual[place]), {name: float(value[place]) for name, value in one.told.items()})
            for place in np.ndindex(one.actual.shape)
            if not math.isnan(one.actual[place])
        ]
        steps = [one.history[t] - one.history[t - season] for t in range(season, len(one.history))]
        steps = [abs(step) for step in steps if not math.isnan(step)]
        mean_error = sum(abs(actual - told["median"]) for actual, told in own) / len(own)
        ratios.append(mean_error / (sum(steps) / len(steps)))
        pairs += own
    size, count = sum(abs(actual) for actual, _ in pairs), len(pairs)
    losses = []
    for name, level in LEVELS.items():
        loss = 0.0
        for actual, told in pairs:
            away = actual - told[name]
            loss += level * away if away >= 0 else (level - 1) * away
        losses.append(2 * loss / size)
    inside = [told["q0.1"] <= actual <= told["q0.9"] for actual, told in pairs]
    return {
        "mase": sum(ratios) / len(ratios),
        "smape": sum(200 * abs(y - told["median"]) / (abs(y) + abs(told["median"])) for y, told in pairs) / count,
        "nd": sum(abs(y - told["median"]) for y, told in pairs) / size,
        "mse": sum((y - told["mean"]) ** 2 for y, told in pairs) / count,
        "mae": sum(abs(y - told["median"]) for y, told in pairs) / count,
        "wql": sum(losses) / len(losses),
        "coverage_80": sum(inside) / count,
    }


@pytest.mark.parametrize("season", [1, 4])
@pytest.mark.parametrize("missing", [False, True])
def test_measures_are_their_formulas(season: int, missing: bool) -> None:
    scored = [example(1), example(2, missing), example(3)]
    assert measures(scored, season) == pytest.approx(by_hand(scored, season), rel=1e-12)


def test_a_series_that_repeats_itself_has_no_mase() -> None:
    still = Scored(np.ones((1, 2)), {"median": np.zeros((1, 2))}, np.ones(9))
    assert seasonal_scale(still.history, 2) == 0
    assert "mase" not in measures([still], 2)
    other = example(1)
    assert measures([still, other], 2)["mase"] == pytest.approx(measures([other], 2)["mase"])


def test_zero_beside_zero_is_no_error() -> None:
    figures = measures([Scored(np.zeros((1, 3)), {"mean": np.zeros((1, 3))}, np.arange(5.0))], 1)
    assert figures["smape"] == 0
    assert "nd" not in figures


def test_baselines_say_the_last_value_and_the_last_season_again() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6])
    assert baselines(1) == {"naive": 1}
    assert baselines(4) == {"naive": 1, "seasonal naive": 4}
    np.testing.assert_array_equal(naive(values, 3), [6, 6, 6])
    np.testing.assert_array_equal(naive(values, 6, 4), [3, 4, 5, 6, 3, 4])
    np.testing.assert_array_equal(naive(values[:2], 3, 4), [2, 2, 2])
    np.testing.assert_array_equal(naive(np.array([1.0, 2, np.nan]), 2, 2), [2, 2])
