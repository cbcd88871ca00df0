"""Metrics of labelled steps: accuracy, macro F1, segment edit score, micro F1."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np


def accuracy(true: np.ndarray, said: np.ndarray) -> float:
    """The share of steps whose label is right."""
    return float((true == said).mean())


def macro_f1(true: np.ndarray, said: np.ndarray) -> float:
    """The mean of every label's F1, over the labels that are true or said somewhere."""
    scores = []
    for label in np.union1d(true, said):
        right = int(((true == label) & (said == label)).sum())
        scores.append(2 * right / (int((true == label).sum()) + int((said == label).sum())))
    return float(np.mean(scores))


def edit_score(true: Iterable[int], said: Iterable[int]) -> float:
    """How alike the segments of one sequence are in their order, from 0 to 1; their lengths do not count.

    One less the Levenshtein distance between both sequences of segments, over the number of segments of the longer
    (Lea et al. 2016, Segmental spatiotemporal CNNs for fine-grained action segmentation, section 4; given there in
    percent).
    """
    one, other = ([label for label, _ in groupby(steps)] for steps in (true, said))
    return 1.0 - _levenshtein(one, other) / max(len(one), len(other), 1)


def _levenshtein(one: Sequence[int], other: Sequence[int]) -> int:
    """Insertions, deletions and substitutions that make one of the other."""
    row = list(range(len(other) + 1))
    for place, left in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, right in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (left != right))
    return row[-1]


def micro_f1(true: np.ndarray, said: np.ndarray) -> float:
    """F1 over all steps and labels together; both are (R, L), whether a label holds. 1 where no label ever holds."""
    both = int((true & said).sum())
    total = int(true.sum()) + int(said.sum())
    return 2 * both / total if total else 1.0
