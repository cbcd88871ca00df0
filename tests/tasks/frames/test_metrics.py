"""Metrics of labelled steps against scikit-learn, and against computations written another way."""

from functools import cache

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from unrolled.errors import UsageError
from unrolled.tasks.frames.answers import LabelSets, Numbers, OneLabel
from unrolled.tasks.frames.metrics import accuracy, edit_score, macro_f1, micro_f1
from unrolled.tasks.frames.recordings import Recording

CHANCE = np.random.default_rng(7)


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_and_macro_f1_are_those_of_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    true, said = generator.integers(0, 5, 40), generator.integers(1, 7, 40)  # 0 is never said, 5 and 6 never true
    assert accuracy(true, said) == pytest.approx(accuracy_score(true, said))
    assert macro_f1(true, said) == pytest.approx(f1_score(true, said, average="macro", zero_division=0))


def test_micro_f1_is_that_of_scikit_learn() -> None:
    true, said = CHANCE.random((30, 4)) < 0.3, CHANCE.random((30, 4)) < 0.4
    assert micro_f1(true, said) == pytest.approx(f1_score(true, said, average="micro"))
    assert micro_f1(np.zeros((2, 3), bool), np.zeros((2, 3), bool)) == 1.0


@pytest.mark.parametrize(
    ("true", "said", "score"),
    [
        ([1, 1, 2, 2, 3], [1, 2, 2, 2, 3], 1.0),  # the same segments, other lengths
        ([1, 1, 1, 1], [1, 2, 1, 1], 1 - 2 / 3),  # one segment, and three: two are inserted
        ([1, 2, 3, 4], [1, 3, 4], 1 - 1 / 4),
        ([1, 1], [2, 2], 0.0),
        ([1, 2, 1, 2], [2, 1, 2, 1], 1 - 2 / 4),
    ],
)
def test_the_edit_score_by_hand(true: list[int], said: list[int], score: float) -> None:
    assert edit_score(true, said) == pytest.approx(score)
    assert edit_score(said, true) == pytest.approx(score)


@pytest.mark.parametrize("seed", range(4))
def test_the_edit_score_is_the_recursion_of_its_definition(seed: int) -> None:
    generator = np.random.default_rng(seed)
    one, other = (generator.integers(0, 3, size).tolist() for size in (12, 9))

    def segments(steps: list[int]) -> list[int]:
        return [label for place, label in enumerate(steps) if place == 0 or steps[place - 1] != label]

    left, right = segments(one), segments(other)

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        changed = distance(i - 1, j - 1) + (left[i - 1] != right[j - 1])
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, changed)

    wanted = 1 - distance(len(left), len(right)) / max(len(left), len(right))
    assert edit_score(one, other) == pytest.approx(wanted)


def recording(labels: list[tuple[str, ...]]) -> Recording:
    return Recording("a", torch.zeros(len(labels), 1), labels)


def test_figures_of_one_label_count_unseen_ones_as_wrong() -> None:
    answers = OneLabel({"go": 3, "stop": 1}, False)
    scores = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    figures = answers.figures([scores], [recording([("go",), ("stop",), ("jump",)])])
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["unseen_frames"] == 1
    assert figures["unseen_labels"] == ["jump"]
    wanted = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(-1.0))) / 2
    assert figures["nll"] == pytest.approx(wanted)
    chance = answers.figures(answers.by_chance([recording([("stop",)])]), [recording([("stop",)])])
    assert chance["accuracy"] == 0.0
    assert chance["nll"] == pytest.approx(-np.log(1 / 4))


def test_the_nll_of_label_sets_is_summed_over_labels() -> None:
    answers = LabelSets({"60": 1, "64": 3}, 4)
    steps = [("60",), (), ("60", "64")]
    scores = torch.tensor([[0.5, -1.0], [-2.0, 0.1], [1.5, 2.5]])
    probabilities = 1 / (1 + np.exp(-scores.double().numpy()))
    holds = np.array([[1, 0], [0, 0], [1, 1]])
    wanted = -np.log(np.where(holds == 1, probabilities, 1 - probabilities)).sum(1).mean()
    figures = answers.figures([scores], [recording(steps)])
    assert figures["nll"] == pytest.approx(wanted)
    assert figures["micro_f1"] == pytest.approx(2 * 3 / (3 + 4))
    independent = answers.figures(answers.by_chance([recording(steps)]), [recording(steps)])
    share = np.array([2 / 6, 4 / 6])
    assert independent["nll"] == pytest.approx(-np.log(np.where(holds == 1, share, 1 - share)).sum(1).mean(), rel=1e-6)


def test_balanced_weights_give_every_label_the_same_say() -> None:
    scores = torch.zeros(4, 2).requires_grad_()
    answers = torch.tensor([0, 0, 0, 1])
    OneLabel({"a": 3, "b": 1}, True).loss(scores, answers).backward()
    assert scores.grad is not None
    assert scores.grad.sum(0).abs().max() < 1e-7  # what three of a label pull, one of the other pulls too
    plain = torch.zeros(4, 2).requires_grad_()
    OneLabel({"a": 3, "b": 1}, False).loss(plain, answers).backward()
    assert plain.grad is not None
    assert plain.grad.sum(0).abs().max() > 0.1


def test_figures_of_numbers() -> None:
    values = torch.tensor([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0]])
    one = Recording("a", torch.zeros(3, 1), values)
    answers = Numbers.learned([one], ["y", "z"])
    exact = (values - answers.means) / answers.deviations
    assert answers.figures([exact], [one])["r2"] == pytest.approx(1.0, abs=1e-5)
    chance = answers.figures(answers.by_chance([one]), [one])
    assert chance["r2"] == pytest.approx(0.0, abs=1e-6)
    assert chance["mae"] == pytest.approx((4 / 3 + 20 / 3) / 2, rel=1e-5)
    with pytest.raises(UsageError, match="'y' is the same at every step"):
        Numbers.learned([Recording("a", torch.zeros(2, 1), torch.ones(2, 1))], ["y"])


def test_one_label_alone_is_nothing_to_learn() -> None:
    with pytest.raises(UsageError, match="every step to learn from has the label 'go'"):
        OneLabel.learned([recording([("go",), ("go",)])], False)
