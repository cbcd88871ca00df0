"""The n-gram baseline of the text task: what it says is what counting by hand says."""

import math
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tasks.samples import EXCERPT, TINY, write
from unrolled.data.vocabulary import Vocabulary
from unrolled.tasks.text.model import TextModel
from unrolled.tasks.text.ngram import beside, surprisals


def by_hand(ids: list[int], size: int, order: int) -> list[Fraction]:
    """The chance of each token, by looking back over all that stands before it."""
    chances = []
    for place, token in enumerate(ids):
        chance = Fraction(1, size)
        for length in range(min(order, place + 1)):
            context = ids[place - length : place]
            behind = [ids[end] for end in range(length, place) if ids[end - length : end] == context]
            if behind:
                kinds = len(set(behind))
                chance = (behind.count(token) + kinds * chance) / (len(behind) + kinds)
        chances.append(chance)
    return chances


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 3, 40])
def test_it_counts_as_one_counts_by_hand(order: int, size: int) -> None:
    chance = random.Random(order)
    ids = [chance.randrange(size) for _ in range(120)]
    wanted = [-math.log(one) for one in by_hand(ids, size, order)]
    np.testing.assert_allclose(surprisals(np.array(ids), size, order), wanted, rtol=1e-12, atol=1e-12)


def test_the_chances_of_all_tokens_are_one() -> None:
    before = [0, 1, 2, 0, 1, 0, 2, 2, 0, 1]
    total = sum(math.exp(-surprisals(np.array([*before, token]), 4, 3)[-1]) for token in range(4))
    assert total == pytest.approx(1.0, rel=1e-12)


def test_what_was_read_before_helps() -> None:
    vocabulary = Vocabulary.train(EXCERPT, "char")
    (name, known), (other, fresh) = (
        next(iter(one.items()))
        for one in (beside(vocabulary, EXCERPT[1200:], EXCERPT[:1200]), beside(vocabulary, EXCERPT[1200:]))
    )
    assert (name, other) == ("5-gram of the training text", "5-gram of the text as it reads it")
    assert known["nats_per_character"] < fresh["nats_per_character"] < math.log(vocabulary.size)


def test_it_stands_beside_the_network(tmp_path: Path) -> None:
    path = write(tmp_path)
    model = TextModel.fit(path, **TINY)
    one = model.metrics["validation"]["baselines"]["5-gram of the training text"]
    kept = round(len(EXCERPT) * 0.9)
    assert one == beside(model.vocabulary, EXCERPT[kept:], EXCERPT[:kept])["5-gram of the training text"]
    assert f"  5-gram of the training text: {one['nats_per_character']:.4f} nats a character (" in model.summary()[1]
    assert list(model.evaluate(path)["baselines"]) == ["5-gram of the text as it reads it"]
