"""Batches of sequences of different lengths: which stand together, and in which order."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

POOL = 50
"""Batches that are sorted by length together: the more, the less padding, and the less chance."""


def padded(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Sequences (T_n, ...) side by side, (N, T, ...), zeros behind each; and their lengths, (N,)."""
    lengths = torch.tensor([len(one) for one in sequences])
    longest = int(lengths.max()) if len(sequences) else 0
    side_by_side = sequences[0].new_zeros((len(sequences), longest, *sequences[0].shape[1:]))
    for row, one in zip(side_by_side, sequences, strict=True):
        row[: len(one)] = one
    return side_by_side, lengths


def shuffled(lengths: Sequence[int], batch: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one pass: places of sequences, like lengths together; seed and pass alone set their order."""
    generator = torch.Generator().manual_seed((seed << 24) + epoch)
    places = torch.randperm(len(lengths), generator=generator).tolist()
    size = batch * POOL
    pools = [sorted(places[start : start + size], key=lengths.__getitem__) for start in range(0, len(places), size)]
    batches = [pool[start : start + batch] for pool in pools for start in range(0, len(pool), batch)]
    return [batches[place] for place in torch.randperm(len(batches), generator=generator).tolist()]


def by_length(lengths: Sequence[int], batch: int) -> Iterator[list[int]]:
    """Places of sequences, the shortest first, in batches; each place once."""
    places = sorted(range(len(lengths)), key=lengths.__getitem__)
    return (places[start : start + batch] for start in range(0, len(places), batch))
