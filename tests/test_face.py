"""The public face: every name is there, loads its room when first used, and costs nothing before."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import unrolled

SOURCE = Path(unrolled.__file__).read_text(encoding="utf-8")


def checked_names() -> dict[str, str]:
    """What the face imports for type checkers: public name to module."""
    block = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If))
    return {
        alias.name: str(node.module) for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def test_the_three_lists_agree() -> None:
    assert sorted(unrolled.__all__) == sorted(unrolled._ROOMS)
    assert checked_names() == {name: f"unrolled.{room}" for name, room in unrolled._ROOMS.items()}


@pytest.mark.parametrize("name", unrolled.__all__)
def test_a_name_is_what_its_room_holds(name: str) -> None:
    assert getattr(unrolled, name) is getattr(import_module(f"unrolled.{unrolled._ROOMS[name]}"), name)
    assert name in dir(unrolled)


def test_another_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Recurent'"):
        _ = unrolled.Recurent  # pyright: ignore[reportAttributeAccessIssue]


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = ("torch", "lightning", "numpy", "typer")
    code = f"import sys, unrolled; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
