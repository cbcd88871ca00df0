"""The lectures' example spells "hello", and its table is what the blackboard's arithmetic gives."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hello.py"


@pytest.fixture(scope="module")
def hello() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hello_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_learns_the_word(hello: ModuleType, seed: int) -> None:
    table = hello.probabilities(hello.train(seed=seed), "hello")
    for letter, row in zip("ello□", table, strict=True):
        assert hello.LETTERS[int(row.argmax())] == letter
        assert row.max() > 0.9


def test_the_table_is_that_of_the_blackboard(hello: ModuleType) -> None:
    network = hello.train(steps=150)
    by_torch, by_hand = hello.probabilities(network, "hello"), hello.by_hand(network, "hello")
    assert by_torch.shape == (5, 5)
    np.testing.assert_allclose(by_torch, by_hand, rtol=0, atol=1e-6)
    assert np.ptp(by_hand, axis=0).max() > 0.5  # the rows differ, so equal tables mean something


def test_it_prints_the_table(hello: ModuleType) -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=120, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0][1:6] == list(hello.LETTERS)
    assert [row[-1] for row in rows[1:6]] == list("ello□")
    assert [row[0] for row in rows[1:6]] == ["h", "he", "hel", "hell", "hello"]
