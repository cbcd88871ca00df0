"""Threads for small products, and devices that are not there."""

import pytest
import torch

from unrolled.errors import UsageError
from unrolled.training.device import SMALL_PRODUCT, resolve_device, threads_for


@pytest.mark.parametrize(("product", "wanted"), [(SMALL_PRODUCT - 1, 1), (SMALL_PRODUCT, 2)])
def test_small_products_get_one_thread(product: int, wanted: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads_for(product):
            assert torch.get_num_threads() == wanted
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_number_comes_back_behind_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), threads_for(1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_auto_is_a_device_that_is_there() -> None:
    assert torch.zeros(1, device=resolve_device("auto")).device.type == resolve_device("auto")


def test_an_unknown_device() -> None:
    with pytest.raises(UsageError, match="Did you mean 'cuda'"):
        resolve_device("cuba")
