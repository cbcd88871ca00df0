"""Attention: at each step of a query, a mean of a memory's steps, weighted by how well each fits."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.errors import UsageError, did_you_mean
from unrolled.wirings.apart import valid_steps
from unrolled.wirings.steps import SteadyLinear

ATTENTIONS = ("additive", "dot", "bilinear")


class Attended(NamedTuple):
    """What a query found."""

    context: Tensor
    """The weighted mean of the memory, (N, T, E); zeros where a row's memory has no steps."""
    weights: Tensor
    """How much each step of the memory counts, (N, T, S); zero past a row's length."""


class Attention(nn.Module):
    """Queries (N, T, Q) over a memory (N, S, E).

    Args:
        kind: ``additive`` scores v @ tanh(W @ q + U @ m) (Bahdanau et al. 2015, arXiv:1409.0473, appendix A.1.2);
            ``dot`` scores q @ m, and ``bilinear`` q @ (W @ m) (Luong et al. 2015, arXiv:1508.04025, eq. 8, there
            "general").
        query_size: Q.
        memory_size: E; for ``dot`` the same as Q.

    Raises:
        UsageError: there is no such kind, or the sizes do not fit it.
    """

    def __init__(self, kind: str, query_size: int, memory_size: int) -> None:
        super().__init__()
        if kind not in ATTENTIONS:
            raise UsageError(
                f"there is no attention '{kind}'; choose from {', '.join(ATTENTIONS)}.{did_you_mean(kind, ATTENTIONS)}"
            )
        if kind == "dot" and query_size != memory_size:
            sizes = f"the query has {query_size} numbers, the memory {memory_size}"
            raise UsageError(f"attention dot wants one size on both sides, and {sizes}; try bilinear.")
        self.kind = kind
        if kind != "dot":
            self.key = SteadyLinear(memory_size, query_size, bias=kind == "additive")
            nn.init.xavier_uniform_(self.key.weight)
        if kind == "additive":
            self.query = SteadyLinear(query_size, query_size, bias=False)
            self.score = nn.Linear(query_size, 1, bias=False)
            nn.init.xavier_uniform_(self.query.weight)

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are held against, (N, S, Q); made once for a memory and passed along."""
        return memory if self.kind == "dot" else self.key(memory)

    def forward(self, query: Tensor, keys: Tensor, memory: Tensor, lengths: Tensor | None = None) -> Attended:
        """Look ``query`` up; ``lengths`` (N,) are the valid steps of each row's memory."""
        if self.kind == "additive":
            both = self.query(query).unsqueeze(2) + keys.unsqueeze(1)  # (N, T, S, Q)
            scores = self.score(torch.tanh(both)).squeeze(-1)  # (N, T, S)
        else:
            scores = query @ keys.transpose(1, 2)  # (N, T, S)
        if lengths is None:
            weights = torch.softmax(scores, -1)
        else:
            valid = valid_steps(memory, lengths).unsqueeze(1)  # (N, 1, S)
            lowest = torch.finfo(scores.dtype).min  # not -inf: a row without steps would give no number
            weights = torch.where(valid, torch.softmax(scores.masked_fill(~valid, lowest), -1), 0)
        return Attended(weights @ memory, weights)
