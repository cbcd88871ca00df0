"""Metrics of labelled steps: accuracy, macro F1, segment edit score, micro F1."""

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from unrolled.tasks.edits import edit_distance


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
    return 1.0 - edit_distance(one, other) / max(len(one), len(other), 1)


def micro_f1(true: np.ndarray, said: np.ndarray) -> float:
    """F1 over all steps and labels together; both are (R, L), whether a label holds. 1 where no label ever holds."""
    both = int((true & said).sum())
    total = int(true.sum()) + int(said.sum())
    return 2 * both / total if total else 1.0
