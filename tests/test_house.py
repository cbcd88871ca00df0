"""The package keeps the rules of the house, and every rule goes red on a small package made to break it."""

from collections.abc import Callable
from pathlib import Path

import pytest

import house

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "unrolled"


def build(folder: Path, files: dict[str, str]) -> Path:
    """Write a package ``unrolled`` of the given files (path to text) under ``folder`` and return its folder."""
    for path, text in files.items():
        full = folder / "unrolled" / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, encoding="utf-8")
    return folder / "unrolled"


@pytest.mark.parametrize("rule", house.RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert house.read(PACKAGE), f"no Python file in {PACKAGE}"
    assert rule(PACKAGE) == []


ORDERLY = {
    "__init__.py": (
        '"""Face."""\nfrom importlib import import_module\n'
        'def __getattr__(name):\n    import json\n    return getattr(import_module("unrolled.cells"), name), json\n'
    ),
    "errors.py": '"""Errors."""\nclass E(Exception): ...\n',
    "state.py": '"""State."""\nimport torch\nfrom .errors import E\n',
    "equations/__init__.py": '"""Texts."""\nfrom unrolled.equations.ops import op\n',
    "equations/ops.py": '"""Ops."""\nfrom ..errors import E\nop = E\ntry:\n    op()\nexcept (E, OSError):\n    raise\n',
    "layers/__init__.py": '"""Layers."""\nfrom unrolled import equations, state\nfrom unrolled.equations import ops\n',
    "layers/draw.py": '"""Draw."""\ndef draw():\n    from matplotlib.figure import Figure\n    return Figure\n',
    "cli/__init__.py": '"""Command line."""\n',
    "cli/main.py": '"""Main."""\ndef main():\n    from unrolled.layers import draw\n    print(draw)\n',
}


@pytest.mark.parametrize("rule", house.RULES, ids=lambda rule: rule.__name__)
def test_an_orderly_package_gets_no_complaint(rule: Callable[[Path], list[str]], tmp_path: Path) -> None:
    assert rule(build(tmp_path, ORDERLY)) == []


DOC = '"""Room."""\n'
DISORDERLY = {
    "rooms_on_no_floor": [
        ("attic/__init__.py", "", "attic/__init__.py: room 'attic' has no floor"),
        ("loose.py", "", "loose.py: room 'loose' has no floor"),
    ],
    "climbing_imports": [
        ("state.py", "import unrolled.layers", "state.py:2: state (floor 1) imports unrolled.layers (floor 3)"),
        ("state.py", "from . import layers", "state.py:2: state (floor 1) imports unrolled.layers (floor 3)"),
        ("state.py", "from .cli.main import main", "state (floor 1) imports unrolled.cli.main (floor 9)"),
        ("state.py", "from unrolled import equations", "state (floor 1) imports unrolled.equations (floor 1)"),
        ("equations/a.py", "from ..layers.draw import draw", "equations/a.py:2: equations (floor 1) imports"),
        ("equations/a.py", "def f():\n    import unrolled.cli", "equations/a.py:3: equations (floor 1) imports"),
        ("layers/a.py", "from unrolled import LSTM", "layers/a.py:2: imports the face"),
        ("layers/a.py", "import unrolled", "layers/a.py:2: imports the face"),
        ("layers/a.py", "import unrolled.attic", "layers/a.py:2: imports unrolled.attic, a room that has no floor"),
    ],
    "late_imports": [
        ("layers/a.py", "def f():\n    import json", "layers/a.py:3: imports json inside a function"),
        ("layers/a.py", "class A:\n    async def f(self):\n        from . import draw", "layers/a.py:4: imports"),
        (
            "layers/a.py",
            "def f():\n    from unrolled.equations import ops",
            "layers/a.py:3: imports unrolled.equations",
        ),
        ("layers/a.py", "import importlib\nimportlib.import_module('json')", "layers/a.py:3: imports by name"),
        ("cli/a.py", "def f():\n    from unrolled.cli import main", "cli/a.py:3: imports unrolled.cli.main inside"),
        ("cli/a.py", "def f():\n    import torch", "cli/a.py:3: imports torch inside a function"),
    ],
    "long_files": [("layers/a.py", "a = 1\n" * 350, "layers/a.py: 351 lines, at most 350")],
    "prints_outside_cli": [("layers/a.py", "def f():\n    print(1)", "layers/a.py:3: print outside cli/")],
    "blind_excepts": [
        ("cli/a.py", "try:\n    f()\nexcept:\n    f()", "cli/a.py:4: a blind except"),
        ("layers/a.py", "try:\n    f()\nexcept Exception as e:\n    f(e)", "layers/a.py:4: a blind except"),
        ("layers/a.py", "try:\n    f()\nexcept BaseException:\n    raise", "layers/a.py:4: a blind except"),
        ("layers/a.py", "try:\n    f()\nexcept (OSError, Exception):\n    f()", "layers/a.py:4: a blind except"),
    ],
    "environment_reads": [
        ("data/a.py", "import os\nos.environ.get('A')", "data/a.py:3: reads the environment"),
        ("data/a.py", "import os as o\no.getenv('A')", "data/a.py:3: reads the environment"),
        ("data/a.py", "from os import environ", "data/a.py:2: reads the environment"),
        ("cli/a.py", "import typer\ntyper.Option(envvar='A')", "cli/a.py:3: reads the environment"),
    ],
}


@pytest.mark.parametrize(
    ("rule", "path", "text", "complaint"), [(rule, *case) for rule, cases in DISORDERLY.items() for case in cases]
)
def test_a_rule_complains_once(rule: str, path: str, text: str, complaint: str, tmp_path: Path) -> None:
    complaints = getattr(house, rule)(build(tmp_path, ORDERLY | {path: DOC + text}))
    assert len(complaints) == 1
    assert complaint in complaints[0]


@pytest.mark.parametrize("text", ["", "# banner\n" + DOC, "\n" + DOC, "import json\n" + DOC, "a = 1\n"])
def test_a_first_line_that_is_no_docstring_is_named(text: str, tmp_path: Path) -> None:
    complaints = house.missing_first_lines(build(tmp_path, ORDERLY | {"layers/a.py": text}))
    assert complaints == ["layers/a.py:1: the first line is no docstring that says what the room is for"]


def test_a_circle_between_files_is_named_whole(tmp_path: Path) -> None:
    files = {
        "cells/a.py": DOC + "from unrolled.cells import b",
        "cells/b.py": DOC + "def f():\n    from .c import g",
        "cells/c.py": DOC + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from unrolled.cells.a import f",
    }
    assert house.import_circles(build(tmp_path, ORDERLY | files)) == [
        "circle of imports: unrolled.cells.a -> unrolled.cells.b -> unrolled.cells.c -> unrolled.cells.a"
    ]


def test_a_folders_face_importing_a_file_that_imports_the_face_is_a_circle(tmp_path: Path) -> None:
    files = {
        "cells/__init__.py": DOC + "from unrolled.cells.a import A",
        "cells/a.py": DOC + "from . import B",
    }
    assert house.import_circles(build(tmp_path, ORDERLY | files)) == [
        "circle of imports: unrolled.cells -> unrolled.cells.a -> unrolled.cells"
    ]


def test_a_long_file_with_a_reason_is_let_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = build(tmp_path, {"layers/a.py": "a = 1\n" * 351})
    assert house.long_files(package) == ["layers/a.py: 351 lines, at most 350"]
    monkeypatch.setitem(house.LONG_FILES, "layers/a.py", "a table")
    assert house.long_files(package) == []
