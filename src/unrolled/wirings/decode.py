"""Decoding: the tokens that a step function would write, the likely ones, drawn ones, or the best that a search finds.

A step function takes the tokens written last, (R,), and the State of as many rows, and gives a score (logit) for every
token, (R, V), and the next State. Which sentence a row belongs to, and what it reads there, stands in its State.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from unrolled.errors import UsageError
from unrolled.state import State
from unrolled.wirings.sampling import Sampling

Step = Callable[[Tensor, State], tuple[Tensor, State]]


class Hypothesis(NamedTuple):
    """Something written."""

    tokens: list[int]
    """Its tokens, without the start and the end."""
    score: float
    """What it is ranked by: the log-probability, over the length penalty, plus the coverage penalty."""
    log_probability: float
    """In nats, of its tokens and the end; where the limit cut it off, of its tokens."""


@dataclass(frozen=True)
class Search:
    """How a beam search ranks. Raises UsageError for a value out of range.

    Attributes:
        beam: Hypotheses followed at a time (K); each that ends takes one place with it, so that K are found at most.
        length_penalty: alpha of Wu et al. 2016 (arXiv:1609.08144, eq. 14): a log-probability is divided by
            ((5 + length) / 6) ** alpha, the end counted. 0 leaves it, higher values like longer ones.
        coverage_penalty: beta of the same: the weight of what ``neglect`` says.
        best: How many hypotheses of a sentence are given, at most the beam.
    """

    beam: int = 5
    length_penalty: float = 0.6
    coverage_penalty: float = 0.0
    best: int = 1

    def __post_init__(self) -> None:
        ranges = {
            "beam": (self.beam, self.beam >= 1, "1 or more"),
            "length-penalty": (self.length_penalty, self.length_penalty >= 0, "0 or more"),
            "coverage-penalty": (self.coverage_penalty, self.coverage_penalty >= 0, "0 or more"),
            "n-best": (self.best, 1 <= self.best <= self.beam, f"from 1 to the beam, {self.beam}"),
        }
        for name, (value, fits, wanted) in ranges.items():
            if not fits:
                raise UsageError(f"{name} is {wanted}, and is {value}.")

    def normal(self, length: int) -> float:
        """What a log-probability of so many tokens is divided by."""
        return ((5 + length) / 6) ** self.length_penalty


def greedy(step: Step, state: State, start: int, end: int, limits: Sequence[int]) -> list[Hypothesis]:
    """The most likely token at each step, one row a sentence, to the end token or the sentence's limit of tokens."""
    return _one_by_one(step, state, start, end, limits, lambda row, scores, seen: int(scores.argmax()))


def sample(
    step: Step,
    state: State,
    start: int,
    end: int,
    limits: Sequence[int],
    sampling: Sampling,
    generators: Sequence[Generator],
) -> list[Hypothesis]:
    """Tokens drawn as ``sampling`` says, one row a sentence, each by its own generator."""
    return _one_by_one(
        step, state, start, end, limits, lambda row, scores, seen: sampling.choose(scores.cpu(), seen, generators[row])
    )


def _one_by_one(
    step: Step,
    state: State,
    start: int,
    end: int,
    limits: Sequence[int],
    choose: Callable[[int, Tensor, list[int]], int],
) -> list[Hypothesis]:
    tokens, nats = [list[int]() for _ in limits], [0.0] * len(limits)
    going = [row for row, limit in enumerate(limits) if limit > 0]
    device = next((value.device for value in state.values()), torch.device("cpu"))
    state = state.reorder(torch.tensor(going, dtype=torch.long))
    last = torch.full((len(going),), start, device=device)
    while going:
        scores, state = step(last, state)
        surprise = -torch.log_softmax(scores.double(), -1)
        chosen = [choose(row, one, tokens[row]) for row, one in zip(going, scores, strict=True)]
        stay = []
        for place, (row, token) in enumerate(zip(going, chosen, strict=True)):
            nats[row] -= float(surprise[place, token])
            if token != end:
                tokens[row].append(token)
                if len(tokens[row]) < limits[row]:
                    stay.append(place)
        going = [going[place] for place in stay]
        state = state.reorder(torch.tensor(stay, dtype=torch.long))
        last = torch.tensor([chosen[place] for place in stay], dtype=torch.long, device=device)
    return [Hypothesis(one, score, score) for one, score in zip(tokens, nats, strict=True)]


def beam(
    step: Step,
    state: State,
    start: int,
    end: int,
    limits: Sequence[int],
    search: Search,
    neglect: Callable[[State], Tensor] | None = None,
) -> list[list[Hypothesis]]:
    """The best hypotheses of each sentence, the best first, all different; K rows a sentence, which follow each other.

    A sentence is done when K hypotheses have ended, or none that goes on can come before its ``search.best`` best any
    more. At its limit of tokens, hypotheses are taken as they are. A beam of 1 is :func:`greedy`.

    Args:
        step: See above; a row's numbers must not depend on other sentences' rows.
        state: Where each row begins, (N K, ...).
        start: The token before the first.
        end: The token that ends a sentence.
        limits: The most tokens of each sentence, (N,).
        search: How hypotheses are ranked.
        neglect: Says of each row of a state how little of its source was looked at, 0 or less; for the coverage
            penalty.
    """
    if search.coverage_penalty and neglect is None:
        raise UsageError("a coverage penalty wants attention, and there is none here.")
    running = _Beams(search, state, start, end, limits)
    while running.sentences:
        scores, state = step(running.last, running.state)
        running.advance(scores, state, neglect if search.coverage_penalty else None)
    return [running.ranked(one) for one in range(len(limits))]


class _Beams:
    """The hypotheses of all sentences that are not done yet."""

    def __init__(self, search: Search, state: State, start: int, end: int, limits: Sequence[int]) -> None:
        self.search, self.end, self.limits = search, end, list(limits)
        self.found: list[list[Hypothesis]] = [[] for _ in limits]
        self.sentences = [one for one, limit in enumerate(limits) if limit > 0]
        for one, limit in enumerate(limits):
            if limit <= 0:
                self.found[one].append(Hypothesis([], 0.0, 0.0))
        size = search.beam
        device = next((value.device for value in state.values()), torch.device("cpu"))
        kept = torch.tensor(self.sentences, dtype=torch.long, device=device)
        self.state = state.reorder((kept.unsqueeze(1) * size + torch.arange(size, device=device)).flatten())
        self.last = torch.full((len(kept) * size,), start, device=device)
        self.written = torch.zeros(len(kept), size, 0, dtype=torch.long, device=device)  # (A, K, t)
        self.total = torch.full((len(kept), size), -torch.inf, dtype=torch.float64, device=device)  # (A, K)
        self.total[:, 0] = 0.0  # all rows of a sentence are alike before the first step

    def advance(self, scores: Tensor, state: State, neglect: Callable[[State], Tensor] | None) -> None:
        """Take the best continuations of each sentence; put away what has ended, and sentences that are done."""
        size, count = self.search.beam, len(self.sentences)
        nats = torch.log_softmax(scores.double(), -1).view(count, size, -1)  # (A, K, V)
        tokens = nats.shape[2]
        every = (self.total.unsqueeze(-1) + nats).flatten(1)  # (A, K V)
        best, index = every.topk(min(size, every.shape[1]), -1)  # (A, K)
        parents, chosen = index // tokens, index % tokens
        penalties = None if neglect is None else neglect(state).view(count, size).gather(1, parents).tolist()
        grown = self.written.gather(1, parents.unsqueeze(-1).expand(-1, -1, self.written.shape[2]))
        self.written = torch.cat([grown, chosen.unsqueeze(-1)], -1)
        if best.shape[1] < size:  # a tiny vocabulary gives fewer continuations than the beam has places
            more = size - best.shape[1]
            best = torch.nn.functional.pad(best, (0, more), value=-torch.inf)
            parents, chosen = (torch.nn.functional.pad(one, (0, more)) for one in (parents, chosen))
            self.written = torch.nn.functional.pad(self.written, (0, 0, 0, more))
        self.total = best
        self._put_away(best.tolist(), chosen.tolist(), penalties)
        self._go_on(state, parents, chosen)

    def _put_away(self, best: list[list[float]], chosen: list[list[int]], penalties: list[list[float]] | None) -> None:
        length = self.written.shape[2]
        for place, sentence in enumerate(self.sentences):
            free = self.search.beam - len(self.found[sentence])
            for rank, (nats, token) in enumerate(zip(best[place], chosen[place], strict=True)):
                ended = token == self.end
                if rank >= free or nats == -torch.inf:
                    self.total[place, rank] = -torch.inf
                elif ended or length >= self.limits[sentence]:
                    penalty = penalties[place][rank] if penalties else 0.0
                    score = nats / self.search.normal(length) + self.search.coverage_penalty * penalty
                    tokens = self.written[place, rank].tolist()
                    self.found[sentence].append(Hypothesis(tokens[:-1] if ended else tokens, score, nats))
                    self.total[place, rank] = -torch.inf

    def _go_on(self, state: State, parents: Tensor, chosen: Tensor) -> None:
        """Keep the sentences that are not done, their rows in the order of their hypotheses."""
        stay = [place for place, sentence in enumerate(self.sentences) if not self._done(place, sentence)]
        size, device = self.search.beam, parents.device
        kept = torch.tensor(stay, dtype=torch.long, device=device)
        self.sentences = [self.sentences[place] for place in stay]
        self.state = state.reorder((kept.unsqueeze(1) * size + parents[kept]).flatten())
        self.last = chosen[kept].flatten()
        self.written, self.total = self.written[kept], self.total[kept]

    def _done(self, place: int, sentence: int) -> bool:
        highest = float(self.total[place].max())
        if highest == -torch.inf:
            return True
        scores = sorted((one.score for one in self.found[sentence]), reverse=True)
        wanted = self.search.best
        bound = highest / self.search.normal(self.limits[sentence])  # what ends later has lost at least as much
        return len(scores) >= wanted and bound <= scores[wanted - 1]

    def ranked(self, sentence: int) -> list[Hypothesis]:
        """What was found for a sentence, the best first."""
        return sorted(self.found[sentence], key=lambda one: -one.score)[: self.search.best]
