"""Sampling against a transcription in NumPy: which tokens may be drawn, how often, and what is out of range."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Generator

from tolerance import assert_close
from unrolled.errors import UsageError
from unrolled.wirings.sampling import Sampling

Floats = NDArray[np.float64]

samplings = st.builds(
    Sampling,
    temperature=st.floats(0.05, 5),
    top_k=st.integers(0, 9),
    top_p=st.floats(0.01, 1),
    min_p=st.floats(0, 1),
    repetition_penalty=st.floats(0.5, 3),
)
scores_of = st.lists(st.integers(-80, 80), min_size=1, max_size=8).map(lambda tenths: np.array(tenths) / 10)
"""Scores that are equal or well apart: which of two almost equal ones is the larger is a matter of rounding."""
seen_of = st.sets(st.integers(0, 7), max_size=8)


def penalised(scores: Floats, seen: set[int], penalty: float) -> Floats:
    """The scores with the repetition penalty, token by token."""
    return np.array([
        score if token not in seen else score / penalty if score > 0 else score * penalty
        for token, score in enumerate(scores)
    ])  # fmt: skip


def by_hand(scores: Floats, seen: set[int], how: Sampling) -> Floats:
    """The probability of each token, one rule after the other, token by token; on a tie the lower id is the better."""
    scores = penalised(scores, seen, how.repetition_penalty)
    weights = np.exp((scores - scores.max()) / how.temperature)
    probabilities = weights / weights.sum()
    best_first = sorted(range(len(scores)), key=lambda token: (-probabilities[token], token))
    allowed, reached = [], 0.0
    for rank, token in enumerate(best_first):
        inside_k = how.top_k == 0 or rank < how.top_k
        inside_p = how.top_p == 1 or reached < how.top_p
        likely = probabilities[token] >= how.min_p * probabilities[best_first[0]]
        if rank == 0 or (inside_k and inside_p and likely):
            allowed.append(token)
        reached += probabilities[token]
    cut = np.zeros_like(probabilities)
    cut[allowed] = probabilities[allowed]
    return cut / cut.sum()


def drawn(scores: Floats, seen: set[int], how: Sampling, draws: int = 1, seed: int = 0) -> list[int]:
    generator = Generator().manual_seed(seed)
    return [how.choose(torch.from_numpy(scores), seen, generator) for _ in range(draws)]


@given(scores_of, samplings)
def test_the_allowed_tokens_are_those_of_the_transcription(scores: Floats, how: Sampling) -> None:
    probabilities = torch.softmax(torch.from_numpy(scores) / how.temperature, -1)
    allowed = how.allowed(probabilities)
    expected = by_hand(scores, set(), how)
    if (np.abs(np.cumsum(np.sort(probabilities.numpy())[::-1]) - how.top_p) < 1e-9).any():
        return  # whether a sum reaches top-p to the last bit depends on the order of summing
    assert_close(allowed / allowed.sum(), expected, "loop, numpy")
    kept = allowed > 0
    assert torch.equal(allowed[kept], probabilities[kept])


@given(scores_of, seen_of, samplings, st.integers(0, 99))
def test_only_allowed_tokens_are_drawn(scores: Floats, seen: set[int], how: Sampling, seed: int) -> None:
    seen = {token for token in seen if token < len(scores)}
    cut = by_hand(scores, seen, how)
    (token,) = drawn(scores, seen, how, seed=seed)
    near_an_edge = by_hand(
        scores, seen, replace(how, top_p=min(1, how.top_p * (1 + 1e-9)), min_p=how.min_p * (1 - 1e-9))
    )
    assert cut[token] > 0 or near_an_edge[token] > 0


@pytest.mark.parametrize(
    "how",
    [
        Sampling(),
        Sampling(temperature=0.5),
        Sampling(temperature=2.0),
        Sampling(top_k=2),
        Sampling(top_p=0.7),
        Sampling(min_p=0.3),
        Sampling(repetition_penalty=2.0),
        Sampling(temperature=1.5, top_k=4, top_p=0.95, min_p=0.05, repetition_penalty=1.3),
    ],
    ids=repr,
)
def test_tokens_are_drawn_as_often_as_they_are_likely(how: Sampling) -> None:
    scores, draws = np.array([1.0, -0.5, 2.0, 0.3, -2.0, 1.9]), 2000
    counts = np.bincount(drawn(scores, {2, 4}, how, draws), minlength=6)
    expected = by_hand(scores, {2, 4}, how)
    deviation = np.sqrt(draws * expected * (1 - expected))  # of a binomial count
    assert (np.abs(counts - draws * expected) <= 4.5 * deviation).all(), (counts / draws, expected)
    assert (counts[expected == 0] == 0).all()


@given(scores_of, seen_of, samplings)
def test_at_temperature_zero_the_best_token_is_taken(scores: Floats, seen: set[int], how: Sampling) -> None:
    seen = {token for token in seen if token < len(scores)}
    (token,) = drawn(scores, seen, replace(how, temperature=0.0))
    assert token == penalised(scores, seen, how.repetition_penalty).argmax()


def test_a_tie_goes_to_the_lower_id() -> None:
    scores = np.array([0.0, 3.0, 3.0, 3.0])
    assert set(drawn(scores, set(), Sampling(temperature=0.0), 50)) == {1}
    assert set(drawn(scores, set(), Sampling(top_k=1), 50)) == {1}
    assert set(drawn(scores, set(), Sampling(top_k=2), 200)) == {1, 2}
    assert set(drawn(scores, set(), Sampling(top_p=0.01), 50)) == {1}
    assert set(drawn(scores, set(), Sampling(min_p=1.0), 200)) == {1, 2, 3}


def test_a_repetition_penalty_lowers_scores_of_either_sign_once() -> None:
    how = Sampling(temperature=0.0, repetition_penalty=2.0)
    assert drawn(np.array([3.0, 2.0]), {0}, how) == [1]
    assert drawn(np.array([-1.0, -1.5]), {0}, how) == [1]
    assert drawn(np.array([3.0, 1.4]), {0}, how) == [0]  # 1.5, not 0.75: a token seen twice counts once
    scores = torch.tensor([3.0, 2.0])
    how.choose(scores, {0}, Generator())
    assert scores.tolist() == [3.0, 2.0], "the caller's scores were changed"


def test_no_temperature_is_too_low_to_draw_by() -> None:
    for temperature in (1e-5, 1e-45, 5e-324):
        assert set(drawn(np.array([700.0, 699.0, -700.0]), set(), Sampling(temperature=temperature), 20)) == {0}


def test_the_same_generator_draws_the_same() -> None:
    scores = np.linspace(-1, 1, 9)
    assert drawn(scores, set(), Sampling(), 40, seed=5) == drawn(scores, set(), Sampling(), 40, seed=5)
    assert drawn(scores, set(), Sampling(), 40, seed=5) != drawn(scores, set(), Sampling(), 40, seed=6)


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("temperature", (-0.1, float("nan")), "0 or more"),
        ("top_k", (-1,), "0 (all) or more"),
        ("top_p", (0.0, 1.1, float("nan")), "above 0 and at most 1"),
        ("min_p", (-0.1, 1.1, float("nan")), "from 0 to 1"),
        ("repetition_penalty", (0.0, -1.0, float("nan")), "above 0"),
    ],
)
def test_a_value_out_of_range_is_named(name: str, values: tuple[float, ...], wanted: str) -> None:
    for value in values:
        with pytest.raises(UsageError) as caught:
            Sampling(**{name: value})
        assert str(caught.value) == f"{name.replace('_', '-')} is {wanted}, and is {value}."
