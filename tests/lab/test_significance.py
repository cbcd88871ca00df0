"""Tests of significance against counting by hand and integrals of their own."""

import math
from itertools import combinations

import numpy as np
import pytest

from unrolled.lab.significance import difference, holm

FIRST, SECOND = [1.1, 2.5, 0.3, 4.2, 3.3], [5.1, 2.9, 6.0, 4.8]


def by_counting(first: list[float], second: list[float]) -> float:
    """The share of all ways to name the groups whose ranks lie at least as far from the middle."""
    both, middle = first + second, len(first) * len(second) / 2

    def pairs_won(places: tuple[int, ...]) -> float:
        others = [place for place in range(len(both)) if place not in places]
        return sum(both[one] > both[other] for one in places for other in others)

    seen = abs(pairs_won(tuple(range(len(first)))) - middle)
    every = [abs(pairs_won(places) - middle) for places in combinations(range(len(both)), len(first))]
    return sum(one >= seen - 1e-9 for one in every) / len(every)


def by_integral(first: list[float], second: list[float]) -> float:
    """Welch's chance: the mass of Student's density beyond his t, by the trapezium rule."""
    ways = [(np.mean(one), np.var(one, ddof=1) / len(one), len(one)) for one in (first, second)]
    (mean, error, count), (other_mean, other_error, other_count) = ways
    t = abs(mean - other_mean) / math.sqrt(error + other_error)
    freedom = (error + other_error) ** 2 / (error**2 / (count - 1) + other_error**2 / (other_count - 1))
    at = np.linspace(-t, t, 200_001)
    scale = math.gamma((freedom + 1) / 2) / (math.sqrt(freedom * math.pi) * math.gamma(freedom / 2))
    return 1.0 - float(np.trapezoid(scale * (1 + at**2 / freedom) ** (-(freedom + 1) / 2), at))


def test_chances_are_those_of_counting_and_of_the_integral() -> None:
    found = difference(FIRST, SECOND)
    assert found.rank_p == pytest.approx(by_counting(FIRST, SECOND), rel=1e-12)
    assert found.mean_p == pytest.approx(by_integral(FIRST, SECOND), rel=1e-6)
    won = sum(one > other for one in FIRST for other in SECOND)
    assert found.effect == pytest.approx(won / 20)
    other = difference(SECOND, FIRST)
    assert (other.rank_p, other.mean_p) == pytest.approx((found.rank_p, found.mean_p))
    assert other.effect == pytest.approx(1 - found.effect)


def test_groups_that_do_not_vary() -> None:
    assert difference([1.0, 1.0], [1.0, 1.0]) == (1.0, 1.0, 0.5)
    apart = difference([1.0] * 5, [2.0] * 5)
    assert apart.mean_p == 0.0
    assert apart.effect == 0.0
    assert difference([1.0], [2.0]).rank_p == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.2, 0.001, 0.02, 0.021]) == pytest.approx([0.2, 0.004, 0.06, 0.06])
