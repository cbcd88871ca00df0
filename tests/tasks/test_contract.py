"""Every task keeps the contract of tests/tasks/contract.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.contract import LAWS, Case
from tasks.samples import CASES


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("task", CASES)
def test_the_contract(law: Callable[[Case, Path], None], task: str, tmp_path: Path) -> None:
    law(CASES[task], tmp_path)
