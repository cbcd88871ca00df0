"""What the documents show is true: code runs, commands run, links lead somewhere, options exist.

Each document's ``python`` and ``console`` blocks run in order, in one empty folder. Code has one namespace, and a
``text`` block right behind it is what it prints; lines that begin with ``$`` run in a shell with the program on its
path. Only the
size of training is changed, so that the tests take seconds: a budget in minutes becomes four steps of a small network
(two more where a run is resumed), and a file that holds the first pages of the bundled text stands in its place under
its name.
"""

import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.main import get_command

from tasks.samples import SHAKESPEARE, write
from unrolled.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(document: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(document.read_text(encoding="utf-8")) if kind == language]


class Block(NamedTuple):
    """A block that runs, and the ``text`` block that stands right behind it."""

    language: str
    text: str
    shown: str | None


def running(document: Path) -> list[Block]:
    """The ``python`` and ``console`` blocks, in order."""
    text = document.read_text(encoding="utf-8")
    found = list(BLOCK.finditer(text))
    blocks = []
    for block, following in zip(found, [*found, None][1:], strict=True):
        shown = following is not None and following[1] == "text" and not text[block.end() : following.start()].strip()
        if block[1] in ("python", "console"):
            blocks.append(Block(block[1], block[2], following[2] if shown and following else None))
    return blocks


def in_seconds(command: str) -> str:
    """The command with a budget in minutes made a few steps."""
    if "unrolled train" not in command:
        return command
    budget = "--steps 6" if "--resume" in command else "--steps 4 --batch 8"
    small = "" if "--resume" in command or "--hidden" in command or "--config" in command else " --hidden 16"
    return re.sub(r"--minutes \S+", budget + small, command)


@pytest.mark.parametrize("document", [pytest.param(one, id=one.name) for one in DOCUMENTS if running(one)])
def test_what_the_document_shows_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, SHAKESPEARE[:30_000], "tinyshakespeare")
    if "leaky" in document.read_text(encoding="utf-8"):
        (tmp_path / "leaky.txt").write_text(leaky(document, tmp_path), encoding="utf-8")
    namespace = {"__name__": "document"}
    for block in running(document):
        if block.language == "console":
            run_lines(block.text, document, tmp_path)
            continue
        with redirect_stdout(StringIO()) as printed:
            exec(compile(block.text, str(document), "exec"), namespace)
        assert block.shown is None or printed.getvalue() == block.shown


def run_lines(text: str, document: Path, folder: Path) -> None:
    """Run the lines of a console block in a shell, the program on its path."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for line in text.splitlines():
        assert line.startswith("$ "), f"{document.name}: a console line begins with '$ ': {line}"
        done = subprocess.run(
            ["bash", "-c", in_seconds(line[2:])],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def leaky(document: Path, folder: Path) -> str:
    """The cell that write-a-cell.md keeps in a file for its commands."""
    namespace: dict = {"__name__": "document"}
    exec(blocks(document, "python")[0], namespace)
    assert folder.is_dir()
    return namespace["cell"].text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_option_that_is_named_exists() -> None:
    known = {"--debug", "--help", "--no-tie"}
    waiting = [get_command(app)]
    while waiting:
        command = waiting.pop()
        known |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        waiting += getattr(command, "commands", {}).values()
    for document in DOCUMENTS:
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", document.read_text(encoding="utf-8")):
            assert option in known, f"{document.name} names {option}"


def test_the_error_that_write_a_cell_shows() -> None:
    from unrolled import Cell, EquationError

    shown = blocks(ROOT / "docs" / "write-a-cell.md", "text")[-1].strip()
    with pytest.raises(EquationError) as caught:
        Cell("typo", "h' = sigmod(W @ x + U @ h)")
    assert str(caught.value) == shown


def test_notation_lists_every_function_and_declaration() -> None:
    from unrolled.equations.ops import FUNCTIONS

    text = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")
    section = text.split("### Functions")[1].split("### Declarations")[0]
    listed = set(re.findall(r"[a-z_]+", section.split("`")[1]))
    assert set(FUNCTIONS) <= listed
