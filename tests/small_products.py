"""Fixtures for tests of small products: one thread unless a test says otherwise, and never fewer than it says."""

from collections.abc import Iterator

import pytest
import torch

from unrolled.engine.cpu import team


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Products as small as these are faster on one thread, and much faster where the machine is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def no_pauses() -> Iterator[None]:
    """Whoever asks for two threads gets them, however busy the machine is."""
    before, team._ALONE = team._ALONE, (0.0, 0.0)
    team.PAUSE.next = 0.0
    yield
    team._ALONE = before
