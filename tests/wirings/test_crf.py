"""The CRF against enumeration: every sequence of tags written out and scored by hand, in float64."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from unrolled.wirings.crf import Crf

LENGTHS = torch.tensor([4, 1, 0, 3, 2])


def drawn(tags: int = 3, steps: int = 4, seed: int = 1) -> tuple[Crf, Tensor]:
    """A CRF and the scores of five rows, what stands past their lengths no numbers."""
    generator = torch.Generator().manual_seed(seed)
    crf = Crf(tags).double().requires_grad_(False)
    for parameter in crf.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    scores = torch.randn(len(LENGTHS), steps, tags, generator=generator, dtype=torch.float64)
    for row, length in enumerate(LENGTHS.tolist()):
        scores[row, length:] = math.nan
    return crf, scores


def by_hand(crf: Crf, scores: Tensor) -> list[tuple[float, tuple[int, ...]]]:
    """Every sequence of tags of one row (T, K) with its score, the best first."""
    start, end, transitions = crf.start.tolist(), crf.end.tolist(), crf.transitions.tolist()
    steps, size = scores.shape
    found = []
    for tags in itertools.product(range(size), repeat=steps):
        score = sum(float(scores[step, tag]) for step, tag in enumerate(tags))
        score += sum(transitions[one][other] for one, other in itertools.pairwise(tags))
        found.append((score + (start[tags[0]] + end[tags[-1]] if tags else 0.0), tags))
    return sorted(found, reverse=True)


def rows(scores: Tensor) -> list[Tensor]:
    return [row[:length] for row, length in zip(scores, LENGTHS.tolist(), strict=True)]


def test_scores_and_partition_are_those_of_all_sequences() -> None:
    crf, scores = drawn()
    partition = crf.log_partition(scores, LENGTHS)
    for row, one in enumerate(rows(scores)):
        every = by_hand(crf, one)
        assert float(partition[row]) == pytest.approx(math.log(sum(math.exp(score) for score, _ in every)), abs=1e-12)
        for score, tags in every:
            padded = torch.zeros(len(LENGTHS), 4, dtype=torch.long)
            padded[row, : len(tags)] = torch.tensor(tags, dtype=torch.long)
            padded[row, len(tags) :] = -1  # past the end nothing is read
            assert float(crf.score(scores, padded, LENGTHS)[row]) == pytest.approx(score, abs=1e-12)
            log_chance = float(crf(scores, padded, LENGTHS)[row])
            assert log_chance == pytest.approx(score - float(partition[row]), abs=1e-12)


def test_marginals_are_sums_over_all_sequences() -> None:
    crf, scores = drawn()
    chances = crf.marginals(scores, LENGTHS)
    for row, one in enumerate(rows(scores)):
        every = by_hand(crf, one)
        whole = sum(math.exp(score) for score, _ in every)
        expected = torch.zeros(4, 3, dtype=torch.float64)
        for score, tags in every:
            for step, tag in enumerate(tags):
                expected[step, tag] += math.exp(score) / whole
        torch.testing.assert_close(chances[row], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_the_best_sequences_are_the_best_of_all(count: int) -> None:
    crf, scores = drawn()
    paths = crf.best(scores, LENGTHS, count)
    assert paths.tags.shape == (5, count, 4)
    for row, one in enumerate(rows(scores)):
        every = by_hand(crf, one)[:count]
        found = [tuple(tags[: len(one)]) for tags in paths.tags[row].tolist()]
        assert found[: len(every)] == [tags for _, tags in every]
        assert paths.scores[row, : len(every)].tolist() == pytest.approx([score for score, _ in every], abs=1e-12)
        assert paths.scores[row, len(every) :].isneginf().all()  # there are no more than all
        assert not paths.tags[row, :, len(one) :].any()


def test_equal_sequences_come_in_one_order() -> None:
    crf = Crf(60)
    paths = crf.best(torch.zeros(2, 3, 60), torch.tensor([3, 2]), 2)
    assert paths.tags[0].tolist() == [[0, 0, 0], [1, 0, 0]]
    alone = crf.best(torch.zeros(1, 2, 60), None, 2)
    assert torch.equal(paths.tags[1, :, :2], alone.tags[0])


def test_a_row_is_as_alone() -> None:
    crf, scores = drawn(tags=17, steps=4)
    for row, one in enumerate(rows(scores)):
        alone, lengths = one.unsqueeze(0), LENGTHS[row : row + 1]
        together, apart = crf.best(scores, LENGTHS, 3), crf.best(alone, lengths, 3)
        assert torch.equal(together.tags[row, :, : len(one)], apart.tags[0])
        assert torch.equal(together.scores[row], apart.scores[0])
        torch.testing.assert_close(crf.log_partition(scores, LENGTHS)[row], crf.log_partition(alone, lengths)[0])
        torch.testing.assert_close(crf.marginals(scores, LENGTHS)[row, : len(one)], crf.marginals(alone)[0])


def test_without_steps_there_is_the_empty_sequence() -> None:
    crf, nothing = Crf(3), torch.zeros(2, 0, 3)
    assert torch.equal(crf.log_partition(nothing), torch.zeros(2))
    assert torch.equal(crf(nothing, torch.zeros(2, 0, dtype=torch.long)), torch.zeros(2))
    assert crf.marginals(nothing).shape == (2, 0, 3)
    paths = crf.best(nothing, count=2)
    assert paths.tags.shape == (2, 2, 0)
    assert paths.scores.tolist() == [[0.0, -math.inf]] * 2


def test_the_gradient_is_the_gradient() -> None:
    crf, scores = drawn()
    tags = torch.tensor([[0, 2, 1, 1], [2, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [2, 0, 0, 0]])
    scores = torch.nan_to_num(scores).requires_grad_()

    def log_chance(scores: Tensor, *_: Tensor) -> Tensor:
        return crf(scores, tags, LENGTHS)

    assert torch.autograd.gradcheck(log_chance, (scores, *crf.requires_grad_().parameters()))


def test_what_is_past_the_end_has_no_gradient() -> None:
    crf, scores = drawn()
    scores.requires_grad_()
    crf.requires_grad_()(scores, torch.zeros(5, 4, dtype=torch.long), LENGTHS).sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert not scores.grad[3, 3:].any()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in crf.parameters())


def test_the_gradient_of_the_partition_is_the_marginals() -> None:
    crf, scores = drawn(seed=2)
    scores = torch.nan_to_num(scores).requires_grad_()
    (gradient,) = torch.autograd.grad(crf.log_partition(scores, LENGTHS).sum(), scores)
    torch.testing.assert_close(gradient, crf.marginals(scores, LENGTHS), rtol=0, atol=1e-12)


def test_long_rows_stay_finite() -> None:
    scores = torch.full((1, 3000, 4), 30.0)
    crf = Crf(4).requires_grad_(False)
    assert float(crf.log_partition(scores)) == pytest.approx(3000 * (30 + math.log(4)), rel=1e-4)  # float32
    assert float(crf.marginals(scores)[0, 1500, 2]) == pytest.approx(0.25, rel=1e-3)
