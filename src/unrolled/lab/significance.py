"""Whether two groups of seeds differ by more than chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.05
"""The chance of an error that is taken."""


class Difference(NamedTuple):
    """Two groups held against each other."""

    rank_p: float
    """Chance of ranks so far apart between groups that do not differ (Mann & Whitney 1947, two-sided)."""
    mean_p: float
    """Chance of means so far apart between groups of one mean (Welch 1947, two-sided)."""
    effect: float
    """The chance that one of the first group lies above one of the second, ties half: 0.5 where they do not differ."""


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Hold two groups of at least two numbers each against each other."""
    from scipy.stats import mannwhitneyu, ttest_ind

    one, other = np.asarray(first, float), np.asarray(second, float)
    if len(one) < 2 or len(other) < 2 or np.ptp(np.concatenate([one, other])) == 0.0:
        return Difference(1.0, 1.0, 0.5)
    ranks, mean_p = mannwhitneyu(one, other), 0.0
    if np.ptp(one) or np.ptp(other):
        mean_p = float(ttest_ind(one, other, equal_var=False).pvalue)  # pyright: ignore[reportAttributeAccessIssue]
    return Difference(float(ranks.pvalue), mean_p, float(ranks.statistic) / (len(one) * len(other)))


def holm(chances: Sequence[float]) -> list[float]:
    """The chances of several tests, corrected for there being several (Holm 1979), in the same order."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    corrected, largest = [0.0] * len(chances), 0.0
    for place, which in enumerate(order):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[which]))
        corrected[which] = largest
    return corrected
