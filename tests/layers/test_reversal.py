"""Reading backwards: each row within its length, and marks that part it at the same places."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from unrolled.layers.reversal import reset_reversed_in_time, reversed_in_time


@st.composite
def batches(draw) -> tuple[Tensor, Tensor]:
    """Marks (N, T) and lengths (N,), zero and T among them."""
    rows, steps = draw(st.integers(1, 4)), draw(st.integers(1, 9))
    lengths = draw(st.lists(st.integers(0, steps), min_size=rows, max_size=rows))
    marks = draw(st.lists(st.lists(st.booleans(), min_size=steps, max_size=steps), min_size=rows, max_size=rows))
    return torch.tensor(marks), torch.tensor(lengths)


def test_by_hand() -> None:
    values = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    assert reversed_in_time(values, torch.tensor([4, 2, 0])).tolist() == [[4, 3, 2, 1], [6, 5, 7, 8], [9, 10, 11, 12]]
    assert reversed_in_time(values).tolist() == [[4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]]


@pytest.mark.parametrize("dtype", [torch.int64, torch.int8, torch.uint8, torch.uint16])
@given(batch=batches())
def test_reversed_twice_it_is_itself_and_the_padding_stays(batch: tuple[Tensor, Tensor], dtype: torch.dtype) -> None:
    marks, lengths = batch
    values = torch.arange(marks.numel() * 2).reshape(*marks.shape, 2)
    once = reversed_in_time(values, lengths.to(dtype))
    assert torch.equal(reversed_in_time(once, lengths.to(dtype)), values)
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(once[row, :length], values[row, :length].flip(0))
        assert torch.equal(once[row, length:], values[row, length:])


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.uint16])
@given(batch=batches())
def test_marks_part_the_same_documents(batch: tuple[Tensor, Tensor], dtype: torch.dtype) -> None:
    marks, lengths = batch
    backwards = reset_reversed_in_time(marks, lengths.to(dtype))
    for row, length in enumerate(lengths.tolist()):
        documents = _documents(marks[row], length)
        assert [steps[::-1] for steps in reversed(documents)] == [
            [length - 1 - step for step in steps] for steps in _documents(backwards[row], length)
        ]
        assert not backwards[row, length:].any()
        assert not backwards[row, :1].any()


def _documents(marks: Tensor, length: int) -> list[list[int]]:
    documents: list[list[int]] = []
    for step in range(length):
        if marks[step] or not documents:
            documents.append([])
        documents[-1].append(step)
    return documents


def test_marks_without_lengths_are_those_of_full_length() -> None:
    marks = torch.tensor([[True, False, True, False, True], [False, True, True, False, False]])
    assert reset_reversed_in_time(marks).tolist() == reset_reversed_in_time(marks, torch.tensor([5, 5])).tolist()
    assert reset_reversed_in_time(marks).int().tolist() == [[0, 1, 0, 1, 0], [0, 0, 0, 1, 1]]


def test_gradients_pass_through_where_the_values_went() -> None:
    values = torch.arange(8.0).reshape(2, 4).requires_grad_()
    weights = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    (reversed_in_time(values, torch.tensor([3, 0])) * weights).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [[3.0, 2.0, 1.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
