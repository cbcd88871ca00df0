"""Pooling over ragged batches against plain Python over each row's valid steps."""

import pytest
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.wirings.pooling import POOLINGS, Pooling

LENGTHS = [5, 0, 1, 7]


def values(size: int = 6) -> Tensor:
    drawn = torch.randn(len(LENGTHS), 7, size, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for row, length in zip(drawn, LENGTHS, strict=True):
        row[length:] = float("nan")  # what stands behind a row is nobody's business
    return drawn


def by_hand(kind: str, row: Tensor, directions: int, pooling: Pooling) -> Tensor:
    """One row's valid steps (T, size) as one vector."""
    if not len(row):
        return torch.zeros(row.shape[1], dtype=row.dtype)
    if kind == "last":
        half = row.shape[1] // directions
        return torch.cat([row[-1, :half], row[0, half:]]) if directions == 2 else row[-1]
    if kind == "mean":
        return torch.stack(list(row)).mean(0)
    if kind == "max":
        return torch.stack([max(column) for column in row.T])
    scores = torch.stack([pooling.outer.weight[0] @ torch.tanh(pooling.inner(step)) for step in row])
    weights = scores.exp() / scores.exp().sum()
    return sum((weight * step for weight, step in zip(weights, row, strict=True)), torch.zeros_like(row[0]))


@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("directions", [1, 2])
def test_each_kind_is_what_it_says(kind: str, directions: int) -> None:
    torch.manual_seed(3)
    pooling, batch = Pooling(kind, 6, directions).double(), values()
    given = batch.nan_to_num(9.0) if kind == "attention" else batch
    found = pooling(given, torch.tensor(LENGTHS))
    for row, length, one in zip(batch, LENGTHS, found, strict=True):
        torch.testing.assert_close(one, by_hand(kind, row[:length], directions, pooling))


@pytest.mark.parametrize("kind", POOLINGS)
def test_gradients_are_numbers_and_none_goes_to_padding(kind: str) -> None:
    pooling, batch = Pooling(kind, 6), values().nan_to_num(9.0).float().requires_grad_()
    pooling(batch, torch.tensor(LENGTHS)).sum().backward()
    assert batch.grad is not None
    assert all(one.grad is not None and one.grad.isfinite().all() for one in pooling.parameters())
    for row, length in zip(batch.grad, LENGTHS, strict=True):
        assert not row[length:].any()
        assert row[:length].any() == bool(length)


@pytest.mark.parametrize("kind", POOLINGS)
def test_nothing_to_pool_is_zero(kind: str) -> None:
    assert torch.equal(Pooling(kind, 4)(torch.zeros(2, 0, 4), torch.zeros(2, dtype=torch.int64)), torch.zeros(2, 4))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no pooling 'mena'.* mean"):
        Pooling("mena", 4)


@pytest.mark.parametrize("kind", POOLINGS)
def test_so_far_is_what_each_prefix_gives(kind: str) -> None:
    torch.manual_seed(3)
    pooling, row = Pooling(kind, 6).double(), values()[3:]
    row[0, 2] *= 40  # attention may lie on one step alone
    found = pooling.so_far(row)
    for step in range(7):
        torch.testing.assert_close(found[:, step], pooling(row[:, : step + 1]))
    assert pooling.so_far(row[:, :0]).shape == (1, 0, 6)
    with pytest.raises(UsageError, match="before it has read all of it"):
        Pooling(kind, 6, 2).double().so_far(row)
