"""Decoding: held against enumeration, greedy against a beam of one, sentences alone against sentences together."""

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from torch import Generator, Tensor

from unrolled.errors import UsageError
from unrolled.state import State
from unrolled.wirings.decode import Hypothesis, Search, beam, greedy, sample
from unrolled.wirings.sampling import Sampling

VOCABULARY, SIZE, END, START = 4, 3, 0, 1
LIMIT = 4
SENTENCES = 5


class Toy:
    """A network of a few numbers: its scores depend on the sentence and on all that was written."""

    def __init__(self) -> None:
        generator = Generator().manual_seed(11)
        sizes = (VOCABULARY, SIZE), (SIZE, SIZE), (SIZE, VOCABULARY), (SENTENCES, SIZE)
        drawn = [torch.randn(size, generator=generator, dtype=torch.double) for size in sizes]
        self.embedding, self.recurrent, self.output, self.sentence = drawn

    def start(self, sentences: Sequence[int], rows: int = 1) -> State:
        number = torch.tensor(sentences, dtype=torch.long).repeat_interleave(rows).unsqueeze(1)
        return State({"number": number, "h": self.sentence[number[:, 0]]})

    def __call__(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        old = (state["h"].unsqueeze(-1) * self.recurrent).sum(1)  # sums of products: rows never share a matrix product
        h = torch.tanh(self.embedding[tokens] + old)
        return 2 * (h.unsqueeze(-1) * self.output).sum(1), State({"number": state["number"], "h": h})


TOY = Toy()


def neglect(state: State) -> Tensor:
    return -state["h"].abs().sum(-1)


def enumerated(sentence: int, search: Search, limit: int = LIMIT) -> list[Hypothesis]:
    """Every hypothesis there is, the best first."""
    found = []
    for length in range(1, limit + 1):
        for tokens in product(range(VOCABULARY), repeat=length):
            if END in tokens[:-1] or (tokens[-1] != END and length < limit):
                continue
            state, nats, last = TOY.start([sentence]), 0.0, START
            for token in tokens:
                scores, state = TOY(torch.tensor([last]), state)
                nats += float(torch.log_softmax(scores[0], -1)[token])
                last = token
            score = nats / ((5 + length) / 6) ** search.length_penalty
            score += search.coverage_penalty * float(neglect(state)[0])
            written = list(tokens[:-1]) if tokens[-1] == END else list(tokens)
            found.append(Hypothesis(written, score, nats))
    return sorted(found, key=lambda one: -one.score)


def searched(sentences: Sequence[int], search: Search, limit: int = LIMIT) -> list[list[Hypothesis]]:
    state = TOY.start(sentences, search.beam)
    return beam(TOY, state, START, END, [limit] * len(sentences), search, neglect)


def alike(one: Sequence[Hypothesis], other: Sequence[Hypothesis]) -> None:
    assert [found.tokens for found in one] == [found.tokens for found in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.score == pytest.approx(theirs.score)
        assert mine.log_probability == pytest.approx(theirs.log_probability)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.6, 0.0), (2.0, 0.0), (0.6, 0.3)])
def test_a_huge_beam_is_enumeration(alpha: float, beta: float) -> None:
    # ends after 0, 1, 2, 3 tokens, and those cut off
    every = 1 + 3 + 9 + 27 + 81
    search = Search(every, alpha, beta, every)
    for sentence, found in enumerate(searched(range(SENTENCES), search)):
        expected = enumerated(sentence, search)
        assert len(found) == every
        assert sum(torch.tensor([one.log_probability for one in found]).exp()) == pytest.approx(1.0)
        alike(found, expected)


def plainly(sentence: int, search: Search, limit: int) -> list[Hypothesis]:
    """Beam search as it is told in words, one hypothesis at a time, to its very end."""
    live, found = [(list[int](), 0.0, TOY.start([sentence]), START)], []
    while live:
        grown = []
        for tokens, nats, state, last in live:
            scores, after = TOY(torch.tensor([last]), state)
            more = torch.log_softmax(scores[0], -1).tolist()
            grown += [([*tokens, token], nats + more[token], after, token) for token in range(VOCABULARY)]
        live = []
        for tokens, nats, state, last in sorted(grown, key=lambda one: -one[1])[: search.beam - len(found)]:
            if last == END or len(tokens) == limit:
                score = nats / ((5 + len(tokens)) / 6) ** search.length_penalty
                found.append(Hypothesis(tokens[:-1] if last == END else tokens, score, nats))
            else:
                live.append((tokens, nats, state, last))
    return sorted(found, key=lambda one: -one.score)[: search.best]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
@pytest.mark.parametrize(("size", "best"), [(1, 1), (2, 1), (3, 3), (6, 1), (6, 4)])
def test_it_is_the_search_that_it_says_it_is(alpha: float, size: int, best: int) -> None:
    search = Search(size, alpha, 0.0, best)
    for limit in (3, 8):
        for sentence, found in enumerate(searched(range(SENTENCES), search, limit)):
            alike(found, plainly(sentence, search, limit))


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
def test_a_beam_of_one_is_greedy(alpha: float) -> None:
    limits = [LIMIT, 1, 0, 7, 12]
    walked = greedy(TOY, TOY.start(range(SENTENCES)), START, END, limits)
    found = beam(TOY, TOY.start(range(SENTENCES)), START, END, limits, Search(1, alpha))
    assert [one[0].tokens for one in found] == [one.tokens for one in walked]
    for (mine,), theirs in zip(found, walked, strict=True):
        assert mine.log_probability == pytest.approx(theirs.log_probability)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
def test_hypotheses_are_sorted_and_all_different(alpha: float) -> None:
    for found in searched(range(SENTENCES), Search(6, alpha, 0.0, 6), limit=9):
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(one.tokens) for one in found}) == len(found) == 6


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
def test_ending_early_loses_nothing(alpha: float) -> None:
    """Whoever asks for fewer translations gets the first of those that the whole search finds."""
    whole = searched(range(SENTENCES), Search(6, alpha, 0.0, 6), limit=9)
    for best in (1, 2, 5):
        part = searched(range(SENTENCES), Search(6, alpha, 0.0, best), limit=9)
        assert part == [found[:best] for found in whole]


def test_a_longer_one_may_overtake_what_has_ended() -> None:
    scores = torch.tensor([[1.0, 0.0, 0.0, 0.0]])  # the end is the likeliest at once, and the penalty for it high
    state = State({"h": torch.zeros(85, 1)})
    found = beam(lambda tokens, state: (scores.expand(len(tokens), -1), state), state, START, END, [4], Search(85, 6.0))
    assert len(found[0][0].tokens) == 3


def test_sentences_together_are_as_each_alone() -> None:
    search = Search(4, 0.6, 0.2, 3)
    together = searched([3, 0, 4, 1, 2], search)
    assert [searched([one], search)[0] for one in (3, 0, 4, 1, 2)] == together


def test_nothing_is_written_behind_the_end_or_the_limit() -> None:
    for limit in (1, 2, 5):
        for found in searched(range(SENTENCES), Search(6, 0.6, 0.0, 6), limit):
            assert all(END not in one.tokens and len(one.tokens) <= limit for one in found)


def test_no_room_gives_an_empty_hypothesis() -> None:
    assert searched([0, 1], Search(2), limit=0) == [[Hypothesis([], 0.0, 0.0)]] * 2


def test_a_vocabulary_smaller_than_the_beam_is_no_trouble() -> None:
    found = beam(TOY, TOY.start([0], 50), START, END, [1], Search(50, 0.0, 0.0, 50))[0]
    assert sorted(one.tokens for one in found) == [[], [1], [2], [3]]


def generators(count: int, seed: int) -> list[Generator]:
    return [Generator().manual_seed(seed + place) for place in range(count)]


def test_sampling_at_temperature_zero_is_greedy() -> None:
    given = TOY, TOY.start(range(SENTENCES)), START, END, [LIMIT] * SENTENCES
    assert sample(*given, Sampling(temperature=0), generators(SENTENCES, 1)) == greedy(*given)


def test_draws_follow_the_probabilities() -> None:
    draws = 4000
    state = TOY.start([2] * draws)
    drawn = sample(TOY, state, START, END, [2] * draws, Sampling(), generators(draws, 7))
    for one in enumerated(2, Search(1, 0.0), limit=2):
        share = sum(other.tokens == one.tokens for other in drawn) / draws
        assert share == pytest.approx(float(torch.tensor(one.log_probability).exp()), abs=0.03)


def test_a_draw_depends_on_its_own_generator_alone() -> None:
    limits = [LIMIT] * 3
    together = sample(TOY, TOY.start([0, 1, 2]), START, END, limits, Sampling(), generators(3, 5))
    alone = sample(TOY, TOY.start([2]), START, END, [LIMIT], Sampling(), generators(3, 5)[2:])
    assert alone == together[2:]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam": 0}, "beam is 1 or more, and is 0"),
        ({"length_penalty": -1.0}, "length-penalty is 0 or more"),
        ({"coverage_penalty": -0.1}, "coverage-penalty is 0 or more"),
        ({"beam": 2, "best": 3}, "n-best is from 1 to the beam, 2, and is 3"),
    ],
)
def test_what_is_out_of_range_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Search(**settings)


def test_coverage_wants_to_know_what_was_looked_at() -> None:
    with pytest.raises(UsageError, match="wants attention"):
        beam(TOY, TOY.start([0], 2), START, END, [3], Search(2, 0.0, 0.5))
