"""What tests of the engine share: small products, and which of torch's functions were called."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from small_products import no_pauses, one_thread
from unrolled.engine.torch_functions import FUNCTIONS


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


__all__ = ["calls", "no_pauses", "one_thread"]
