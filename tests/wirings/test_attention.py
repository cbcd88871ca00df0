"""Attention: the equations written out row by row, masks from lengths, keys made once."""

import pytest
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.wirings.attention import ATTENTIONS, Attention

N, T, S, Q = 3, 4, 5, 6
LENGTHS = torch.tensor([5, 2, 0])


def made(kind: str) -> tuple[Attention, Tensor, Tensor]:
    torch.manual_seed(3)
    attention = Attention(kind, Q, Q if kind == "dot" else 7).double()
    memory = torch.randn(N, S, Q if kind == "dot" else 7, dtype=torch.double)
    return attention, torch.randn(N, T, Q, dtype=torch.double), memory


def score(attention: Attention, query: Tensor, one: Tensor) -> Tensor:
    """How well one step of a memory fits one query, as the papers write it."""
    if attention.kind == "dot":
        return query @ one
    if attention.kind == "bilinear":
        return query @ (attention.key.weight @ one)
    inner = attention.query.weight @ query + attention.key.weight @ one + attention.key.bias
    return attention.score.weight[0] @ torch.tanh(inner)


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_it_is_its_equation_row_by_row(kind: str) -> None:
    attention, query, memory = made(kind)
    found = attention(query, attention.keys(memory), memory, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        for step in range(T):
            scores = [score(attention, query[row, step], memory[row, place]) for place in range(length)]
            weights = torch.softmax(torch.stack(scores), 0) if length else torch.zeros(0, dtype=torch.double)
            torch.testing.assert_close(found.weights[row, step, :length], weights)
            assert not found.weights[row, step, length:].any()
            torch.testing.assert_close(found.context[row, step], weights @ memory[row, :length])


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_padding_is_never_read(kind: str) -> None:
    attention, query, memory = made(kind)
    expected = attention(query, attention.keys(memory), memory, LENGTHS)
    memory[1, 2:] = 1e6
    found = attention(query, attention.keys(memory), memory, LENGTHS)
    assert torch.equal(found.context[:2], expected.context[:2])


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_a_memory_without_steps_gives_zeros_and_gradients(kind: str) -> None:
    attention, query, memory = made(kind)
    query.requires_grad_()
    found = attention(query, attention.keys(memory), memory, LENGTHS)
    assert not found.context[2].any()
    found.context.sum().backward()
    assert query.grad is not None
    assert torch.isfinite(query.grad).all()


def test_whole_rows_need_no_lengths() -> None:
    attention, query, memory = made("additive")
    whole = torch.full((N,), S)
    keys = attention.keys(memory)
    torch.testing.assert_close(attention(query, keys, memory), attention(query, keys, memory, whole))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="no attention 'aditive'.*Did you mean 'additive'"):
        Attention("aditive", 3, 3)
    with pytest.raises(UsageError, match="the query has 3 numbers, the memory 6; try bilinear"):
        Attention("dot", 3, 6)
