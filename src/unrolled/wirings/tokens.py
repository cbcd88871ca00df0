"""Input and output sides for tokens: ids become vectors, vectors become a score for every token."""

import torch
from torch import Tensor, nn

from unrolled.wirings.steps import SteadyLinear


class OneHot(nn.Module):
    """Each id as a vector of zeros with a single one: (N, T) to (N, T, V)."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.output_size = vocabulary_size
        self.vectors: Tensor  # a buffer, so that it takes the network's device and dtype; no model file holds it
        self.register_buffer("vectors", torch.eye(vocabulary_size), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        return self.vectors[ids]  # (N, T, V)


class Embedding(nn.Module):
    """Each id as a learned vector, with dropout: (N, T) to (N, T, D)."""

    def __init__(self, vocabulary_size: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = size
        self.table = nn.Embedding(vocabulary_size, size)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.table.weight, std=size**-0.5)

    @property
    def weight(self) -> nn.Parameter:
        """The table, (V, D)."""
        assert isinstance(self.table.weight, nn.Parameter)
        return self.table.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.dropout(self.table(ids))  # (N, T, D)


class TokenScores(nn.Module):
    """A score (logit) for every token, with dropout before: (N, T, size) to (N, T, V).

    Args:
        size: The numbers that come in.
        vocabulary_size: V.
        dropout: The share of the input dropped in training.
        tied: The embedding table (V, size) to use as the matrix (Press & Wolf 2017, arXiv:1608.05859); only the bias is
            learned here then.
    """

    def __init__(self, size: int, vocabulary_size: int, dropout: float = 0.0, tied: nn.Parameter | None = None) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = SteadyLinear(size, vocabulary_size)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        if tied is not None:
            self.linear.weight = tied

    def forward(self, values: Tensor) -> Tensor:
        return self.linear(self.dropout(values))  # (N, T, V)
