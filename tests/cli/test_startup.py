"""The program and the package begin fast: heavy libraries are loaded when they are used, and not before."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.commands import PROGRAM

HEAVY = ("torch", "lightning", "matplotlib", "tensorboard", "tokenizers", "numpy", "safetensors")


def loaded_by(*words: str) -> set[str]:
    """The libraries that a command of the program loads, by Python's own list of import times."""
    command = [sys.executable, "-X", "importtime", str(PROGRAM), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split("|")[-1].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}


@pytest.mark.parametrize(
    "words",
    [("--help",), ("train", "text", "--help"), ("train", "classify", "--help"), ("generate", "--help"), ("data",)],
)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    loaded = loaded_by(*words)
    assert {"typer", "rich"} <= loaded
    assert not loaded & set(HEAVY)


def test_cells_are_texts_and_need_no_tensors() -> None:
    assert not loaded_by("cells", "lstm", "--latex") & set(HEAVY)


def test_drawing_needs_no_tensors(tmp_path: Path) -> None:
    loaded = loaded_by("unroll", "gru", "--out", str(tmp_path / "a.svg"))
    assert "matplotlib" in loaded
    assert "torch" not in loaded


def seconds(code: str) -> float:
    """What it takes to run some code in a fresh process, told by itself, so that the start of Python does not count."""
    timed = f"import time; begun = time.perf_counter(); {code}; print(time.perf_counter() - begun)"
    return float(subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout)


def test_importing_the_package_costs_little_beside_torch() -> None:
    assert min(seconds("import unrolled") for _ in range(4)) < 0.2


def test_the_whole_help_is_there_in_a_second(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        done = subprocess.run([PROGRAM, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - begun)
        assert all(f" {command} " in done.stdout for command in ("train", "generate", "score", "cells", "data"))
    assert min(times) < 1.0
