"""Devices that are there, and those that are not."""

import pytest
import torch

from unrolled.errors import UsageError
from unrolled.training.device import resolve_device


def test_auto_is_a_device_that_is_there() -> None:
    assert torch.zeros(1, device=resolve_device("auto")).device.type == resolve_device("auto")


def test_an_unknown_device() -> None:
    with pytest.raises(UsageError, match="Did you mean 'cuda'"):
        resolve_device("cuba")
