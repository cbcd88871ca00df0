"""Products as small as these are faster on one thread, and much faster where the machine is busy; torch's calls."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from unrolled.engine.torch_functions import FUNCTIONS


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions of torch that were called."""
    called: list[str] = []

    def noting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def note(*given: Any) -> Any:
            called.append(name)
            return real(*given)

        return note

    for name in {function.name for function in FUNCTIONS}:
        monkeypatch.setattr(torch, name, noting(name, getattr(torch, name)))
    return called
