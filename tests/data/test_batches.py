"""Batches: every sequence once a pass, like lengths together, the order from seed and pass alone; and holding out."""

from collections import Counter

import pytest
import torch

from unrolled.data.batches import by_length, padded, shuffled
from unrolled.data.holdout import hold_out
from unrolled.errors import UsageError

LENGTHS = [(7 * place) % 23 for place in range(1000)]


def test_padded_sequences_stand_side_by_side() -> None:
    whole, lengths = padded([torch.ones(2, 3), torch.ones(0, 3), torch.ones(4, 3)])
    assert whole.shape == (3, 4, 3)
    assert lengths.tolist() == [2, 0, 4]
    assert whole.sum((1, 2)).tolist() == [6, 0, 12]


@pytest.mark.parametrize("batch", [1, 3, 16, 5000])
def test_a_pass_holds_every_sequence_once(batch: int) -> None:
    batches = shuffled(LENGTHS, batch, seed=1, epoch=0)
    assert sorted(place for one in batches for place in one) == list(range(1000))
    assert all(len(one) <= batch for one in batches)
    assert len(batches) == -(-1000 // batch)
    assert sorted(place for one in by_length(LENGTHS, batch) for place in one) == list(range(1000))


def test_the_order_is_of_seed_and_pass() -> None:
    one = shuffled(LENGTHS, 16, seed=1, epoch=0)
    assert one == shuffled(LENGTHS, 16, seed=1, epoch=0)
    assert one != shuffled(LENGTHS, 16, seed=1, epoch=1)
    assert one != shuffled(LENGTHS, 16, seed=2, epoch=0)


def test_like_lengths_stand_together() -> None:
    spread = [
        max(map(LENGTHS.__getitem__, one)) - min(map(LENGTHS.__getitem__, one)) for one in shuffled(LENGTHS, 16, 1, 0)
    ]
    assert sum(spread) / len(spread) < 2  # of 22; by chance it would be about 20


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_each_kind_gives_its_share(fraction: float) -> None:
    kinds = ["a"] * 500 + ["b"] * 100 + ["c"] * 11 + ["d"]
    kept, held = hold_out(kinds, fraction, seed=1)
    assert sorted(kept + held) == list(range(612))
    taken = Counter(kinds[place] for place in held)
    for kind, count in Counter(kinds).items():
        assert abs(taken[kind] - fraction * count) <= 1
    assert taken["d"] == 0  # who is alone is learned from
    assert held != hold_out(kinds, fraction, seed=2)[1]
    assert held == hold_out(kinds, fraction, seed=1)[1]


def test_too_few_to_hold_out() -> None:
    with pytest.raises(UsageError, match="too few"):
        hold_out(["a", "a"], 0.1, 1)
    with pytest.raises(UsageError, match="of a class of its own"):
        hold_out(["a", "b"], 0.5, 1)
    with pytest.raises(UsageError, match="between 0 and 1"):
        hold_out(["a"] * 9, 1.0, 1)
