"""An input side for words: each is known by itself where it is frequent, and by its characters however rare it is."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.wirings.many_to_one import ManyToOne
from unrolled.wirings.tokens import Embedding


class Words(NamedTuple):
    """Sentences side by side, their distinct words spelled once."""

    ids: Tensor
    """(N, T), 0 for an unknown word."""
    lengths: Tensor
    """Words of each sentence, (N,)."""
    places: Tensor
    """Which of the distinct words each one is, (N, T)."""
    spelled: Tensor
    """The characters of the distinct words, (M, C)."""
    spelled_lengths: Tensor
    """(M,)"""

    def to(self, device: torch.device | str) -> "Words":
        """The same on a device."""
        return Words(*(one.to(device) for one in self))


class WordsAndCharacters(nn.Module):
    """A vector of each word beside one made from its characters: Words to (N, T, D).

    The characters' vector is what a recurrent net in both directions ends with (Ling et al. 2015, arXiv:1508.02096;
    Lample et al. 2016, arXiv:1603.01360, section 4.1). In training a word that comes n times is read as unknown with
    the chance a / (a + n) (Kiperwasser & Goldberg 2016, arXiv:1603.04351), so that the unknown word is learned.

    Args:
        table: Ids to vectors; 0 is the unknown word.
        spelling: Characters to a vector; its output side gives what it gets. None reads words alone.
        dropout: The share of the vectors dropped in training.
        unknown: a, above.
    """

    def __init__(self, table: Embedding, spelling: ManyToOne | None, dropout: float, unknown: float) -> None:
        super().__init__()
        self.table, self.spelling, self.dropout, self.unknown = table, spelling, nn.Dropout(dropout), unknown
        self.output_size = table.output_size + (spelling.recurrent.output_size if spelling is not None else 0)
        self.chances: Tensor  # of each word to be read as unknown
        self.register_buffer("chances", torch.zeros(len(table.weight)))

    def learn(self, counts: Tensor) -> None:
        """Take how often each word comes in the training data, (V,)."""
        self.chances.copy_(self.unknown / (self.unknown + counts) if self.unknown else torch.zeros_like(counts))

    @torch.no_grad()
    def begin_from(self, rows: Mapping[int, int], vectors: Tensor) -> None:
        """Put given vectors (words, D) into the table: for each of its ids in ``rows`` the one at that place."""
        self.table.weight[list(rows)] = vectors[list(rows.values())].to(self.table.weight)

    def forward(self, words: Words) -> Tensor:
        ids = words.ids
        if self.training:
            kept = torch.rand(ids.shape, device=ids.device) >= self.chances[ids]
            ids = torch.where(kept, ids, 0)
        vectors = self.table(ids)
        if self.spelling is not None:
            # the last step is only picked, so that no row depends on another, in evaluation too
            outputs = self.spelling.read(words.spelled, words.spelled_lengths).outputs
            ends = self.spelling.pooling(outputs, words.spelled_lengths)  # (M, size)
            vectors = torch.cat([vectors, ends[words.places]], -1)
        return self.dropout(vectors)  # (N, T, D)
