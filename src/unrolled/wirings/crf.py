"""Linear-chain CRF: scores of tags at each step, and of each tag behind each other, make a chance of a whole sequence.

Lafferty et al. 2001, Conditional random fields, ICML; on top of a recurrent net: Lample et al. 2016, arXiv:1603.01360,
section 2.2. K is the number of tags. All sums are made in log space; what stands past a row's length is never read.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.wirings.apart import valid_steps


class Paths(NamedTuple):
    """The best sequences of tags, the best first."""

    tags: Tensor
    """(N, n, T), zeros past a row's length."""
    scores: Tensor
    """(N, n), unnormalised; -inf where a row has fewer sequences than asked for."""


class Crf(nn.Module):
    """The score of tags y given step scores s is start[y_1] + sum s[t, y_t] + sum transitions[y_t, y_t+1] + end[y_T].

    A row without steps has one sequence, the empty one, of score 0.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.start, self.end = nn.Parameter(torch.zeros(tags)), nn.Parameter(torch.zeros(tags))
        self.transitions = nn.Parameter(torch.zeros(tags, tags))  # from, to

    def forward(self, scores: Tensor, tags: Tensor, lengths: Tensor | None = None) -> Tensor:
        """log p of tags (N, T) given step scores (N, T, K), in nats, (N,)."""
        return self.score(scores, tags, lengths) - self.log_partition(scores, lengths)

    def score(self, scores: Tensor, tags: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The score of tags (N, T), (N,)."""
        scores, valid = _cleared(scores, lengths)
        if not scores.shape[1]:
            return scores.new_zeros(len(scores))
        tags = torch.where(valid, tags, 0)
        steps = scores.gather(2, tags.unsqueeze(2)).squeeze(2)  # (N, T)
        moves = torch.where(valid[:, 1:], self.transitions[tags[:, :-1], tags[:, 1:]], 0)  # (N, T - 1)
        last = tags.gather(1, (valid.sum(1, keepdim=True) - 1).clamp(min=0)).squeeze(1)  # (N,)
        whole = self.start[tags[:, 0]] + steps.sum(1) + moves.sum(1) + self.end[last]
        return torch.where(valid[:, 0], whole, 0)

    def log_partition(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The log of the sum of exp(score) over all sequences of tags, by the forward algorithm, (N,)."""
        scores, valid = _cleared(scores, lengths)
        if not scores.shape[1]:
            return scores.new_zeros(len(scores))
        whole = torch.logsumexp(self._forward(scores, valid)[-1] + self.end, -1)
        return torch.where(valid[:, 0], whole, 0)

    def marginals(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The chance of each tag at each step, whatever the others are, (N, T, K); zeros past a row's length."""
        scores, valid = _cleared(scores, lengths)
        if not scores.shape[1]:
            return scores
        before = torch.stack(self._forward(scores, valid), 1)  # (N, T, K)
        behind = [self.end.expand(len(scores), -1)]
        for step in range(scores.shape[1] - 1, 0, -1):
            moves = self.transitions + (scores[:, step] + behind[0]).unsqueeze(1)  # (N, K, K)
            behind.insert(0, torch.where(valid[:, step, None], torch.logsumexp(moves, 2), self.end))
        chances = torch.softmax(before + torch.stack(behind, 1), -1)
        return torch.where(valid.unsqueeze(2), chances, 0)

    def best(self, scores: Tensor, lengths: Tensor | None = None, count: int = 1) -> Paths:
        """The ``count`` best sequences by the Viterbi algorithm, each tag at each step holding its ``count`` best."""
        scores, valid = _cleared(scores, lengths)
        rows, steps, size = scores.shape
        if not steps:
            return _only_empty(Paths(valid.new_zeros((rows, count, 0), dtype=torch.long), scores), valid, count)
        held = scores.new_full((rows, size, count), -torch.inf)
        held[:, :, 0] = self.start + scores[:, 0]
        stay = torch.arange(size * count, device=scores.device).view(size, count)
        moves = self.transitions.repeat_interleave(count, 0)  # (K * n, K)
        sources = []
        for step in range(1, steps):
            reached, source = _highest(held.flatten(1).unsqueeze(2) + moves, count)  # (N, n, K)
            there = valid[:, step, None, None]
            held = torch.where(there, reached.transpose(1, 2) + scores[:, step].unsqueeze(2), held)
            sources.append(torch.where(there, source.transpose(1, 2), stay))  # (N, K, n)
        highest, place = _highest((held + self.end.unsqueeze(1)).flatten(1), count)  # (N, n)
        tags = [place // count]
        for source in reversed(sources):
            place = source.flatten(1).gather(1, place)
            tags.insert(0, place // count)
        return _only_empty(Paths(torch.stack(tags, 2) * valid.unsqueeze(1), highest), valid, count)

    def _forward(self, scores: Tensor, valid: Tensor) -> list[Tensor]:
        """The log of the sum over all beginnings that reach a tag at a step, (N, K) a step; past a row's end its last.

        Equation 5 of Lample et al. 2016, summed step by step.
        """
        sums = [self.start + scores[:, 0]]
        for step in range(1, scores.shape[1]):
            reached = torch.logsumexp(sums[-1].unsqueeze(2) + self.transitions, 1) + scores[:, step]
            sums.append(torch.where(valid[:, step, None], reached, sums[-1]))
        return sums


def _cleared(scores: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores with zeros past each row's length, and which steps are within it, (N, T)."""
    valid = valid_steps(scores, lengths)
    return torch.where(valid.unsqueeze(2), scores, 0), valid


def _highest(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` highest along dimension 1 and their places; of equals the first, whatever stands beside."""
    ordered = values.sort(dim=1, descending=True, stable=True)
    return ordered.values[:, :count], ordered.indices[:, :count]


def _only_empty(paths: Paths, valid: Tensor, count: int) -> Paths:
    """Rows without steps have the empty sequence and no other."""
    empty = torch.full((count,), -torch.inf, dtype=paths.scores.dtype, device=paths.scores.device)
    empty[0] = 0
    if not valid.shape[1]:
        return Paths(paths.tags, empty.expand(len(valid), -1))
    return Paths(paths.tags, torch.where(valid[:, :1], paths.scores, empty))
