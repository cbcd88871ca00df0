"""Equality to the bit of nested values, as a run that was resumed must have it."""

import math
from typing import Any

import torch
from torch import Tensor


def assert_same(one: Any, other: Any) -> None:
    """Both are the same in every type and bit; a NaN is a NaN."""
    assert type(one) is type(other)
    if isinstance(one, Tensor):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key, value in one.items():
            assert_same(value, other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif isinstance(one, float) and math.isnan(one):
        assert math.isnan(other)
    else:
        assert one == other
        assert repr(one) == repr(other)  # -0.0 is not 0.0
