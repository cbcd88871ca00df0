"""``unrolled cells`` and ``unrolled data``: listings for eyes and for machines, equations in every form."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.commands import run
from tasks.samples import write
from unrolled.cells.library import LIBRARY
from unrolled.data.reading import load_text
from unrolled.engine.explain import code, explain
from unrolled.equations.cell import Cell


def shown(folder: Path, *words: object) -> str:
    """What a command prints; nothing on standard error."""
    done = run(*words, folder=folder)
    assert (done.code, done.err) == (0, "")
    return done.out


def test_cells_are_listed_with_their_papers(tmp_path: Path) -> None:
    lines = shown(tmp_path, "cells").splitlines()
    assert [line.split()[0] for line in lines] == list(LIBRARY)
    for line, cell in zip(lines, LIBRARY.values(), strict=True):
        assert line.endswith(f"  {cell.source}")
        assert cell.source


def test_cells_are_listed_for_machines(tmp_path: Path) -> None:
    listed = json.loads(shown(tmp_path, "cells", "--json"))
    assert [Cell.from_dict(one) for one in listed] == list(LIBRARY.values())


def test_a_cell_is_shown_whole(tmp_path: Path) -> None:
    text = shown(tmp_path, "cells", "lstm")
    lines = text.splitlines()
    assert Cell.from_text("\n".join(lines[:-2])) == LIBRARY["lstm"]
    assert lines[-2] == "parameters: 4 D H + 4 H^2 + 4 H   (D: input size, H: hidden size)"
    assert lines[-1] == "states: c, h; output: h"
    assert "Hochreiter & Schmidhuber 1997" in text


@pytest.mark.parametrize("name", LIBRARY)
def test_every_cell_is_shown_in_every_form(name: str, tmp_path: Path) -> None:
    cell = LIBRARY[name]
    assert cell.text().strip() in shown(tmp_path, "cells", name)
    assert shown(tmp_path, "cells", name, "--latex") == cell.latex()
    assert shown(tmp_path, "cells", name, "--backward").strip() == cell.backward().text().strip()
    assert Cell.from_dict(json.loads(shown(tmp_path, "cells", name, "--json"))) == cell


def test_a_step_is_drawn_to_a_file(tmp_path: Path) -> None:
    done = run("cells", "gru", "--svg", "gru.svg", folder=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "one step of gru is drawn in gru.svg\n")
    assert ElementTree.parse(tmp_path / "gru.svg").getroot().tag.endswith("svg")
    done = run("cells", "gru", "--svg", "again.svg", "--latex", folder=tmp_path)
    assert done.out == LIBRARY["gru"].latex()
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "gru.svg").read_bytes()


def test_a_file_of_equations_is_shown(tmp_path: Path) -> None:
    write(tmp_path, "cell mine\nh' = tanh(W @ x + U @ h)\n", "mine.txt")
    assert shown(tmp_path, "cells", "mine.txt").splitlines()[-1] == "states: h; output: h"
    assert json.loads(shown(tmp_path, "cells", "mine.txt", "--json"))["name"] == "mine"


@pytest.mark.parametrize("form", [("--latex",), ("--backward",), ("--svg", "a.svg")])
def test_a_form_wants_a_cell(form: tuple[str, ...], tmp_path: Path) -> None:
    assert run("cells", *form, folder=tmp_path).error.startswith("name the cell to show")
    assert list(tmp_path.iterdir()) == []


def test_a_drawing_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    error = run("cells", "gru", "--svg", "none/gru.svg", folder=tmp_path).error
    assert error == "none/gru.svg: No such file or directory."


def test_data_are_listed_and_can_be_trained_on(tmp_path: Path) -> None:
    text = shown(tmp_path, "data")
    (one,) = json.loads(shown(tmp_path, "data", "--json"))
    assert one == {
        "name": "tinyshakespeare",
        "title": "Tiny Shakespeare: excerpts from the plays",
        "task": "text",
        "characters": 1_115_394,
    }
    assert text.startswith("tinyshakespeare  Tiny Shakespeare: excerpts from the plays; 1,115,394 characters")
    assert "unrolled train text tinyshakespeare\n" in text
    splits = load_text(one["name"])
    assert len(splits.train) + len(splits.valid) == one["characters"]


# How a cell is computed


def test_a_cell_is_explained(tmp_path: Path) -> None:
    sizes = ("--batch", 3, "--steps", 7, "--input", 5, "--hidden", 6)
    text = shown(tmp_path, "cells", "gru", "--explain", *sizes)
    assert text.startswith("gru: N 3, T 7, D 5, H 6; float32, with gradients\nbackend: cpu")
    assert "    r = sigmoid(W_r @ x + U_r @ h + b_r)\n" in text
    described = json.loads(shown(tmp_path, "cells", "gru", "--explain", "--json", *sizes))
    expected = explain(LIBRARY["gru"], 3, 7, 5, 6).to_dict()
    del described["machine"], expected["machine"]  # the threads are those of each process
    assert described == json.loads(json.dumps(expected))


def test_an_explanation_has_sizes_by_itself(tmp_path: Path) -> None:
    assert shown(tmp_path, "cells", "lstm", "--explain").startswith("lstm: N 1, T 100, D 64, H 64; ")
    named = shown(tmp_path, "cells", "lstm_projected", "--explain", "--size", "projection=8")
    assert named.startswith("lstm_projected: N 1, T 100, D 64, H 64, projection 8; ")
    half = shown(tmp_path, "cells", "lstm", "--explain", "--dtype", "bfloat16")
    assert "; bfloat16 storage, float32 arithmetic, with gradients\nbackend: cpu" in half
    assert "wants the size 'projection'" in run("cells", "lstm_projected", "--explain", folder=tmp_path).error


def test_an_explanation_needs_no_gpu(tmp_path: Path) -> None:
    assert "\nbackend: torch (" in shown(tmp_path, "cells", "lstm", "--explain", "--device", "cuda")
    assert "\nbackend: loop (" in shown(tmp_path, "cells", "gru", "--explain", "--device", "cuda")


@pytest.mark.parametrize("which", ["forward", "training", "backward"])
def test_the_code_of_a_pass_is_printed(which: str, tmp_path: Path) -> None:
    write(tmp_path, "cell mine\nh' = tanh(W @ x + U @ h)\n", "mine.txt")
    text = shown(tmp_path, "cells", "mine.txt", "--code", which)
    assert text == code(Cell.from_text("cell mine\nh' = tanh(W @ x + U @ h)\n"), which) + "\n"
    assert "  ; d_h' = carry.h + arrive.h'\n" in text or which != "backward"
    assert "  ; h' = tanh(_h3)\n" in text or which == "backward"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--explain",), "name the cell to show"),
        (("--code", "forward"), "name the cell to show"),
        (("elman", "--code", "foward"), "there is no pass 'foward'; choose from forward, training, backward."),
        (("elman", "--batch", 3), "--batch goes with --explain"),
        (("elman", "--dtype", "float16"), "--dtype goes with --explain"),
        (("elman", "--explain", "--dtype", "bfloat"), "there is no dtype 'bfloat'; choose from float32, float64, "),
        (("elman", "--size", "projection=3"), "--size goes with --explain"),
        (("elman", "--device", "cuda"), "--device goes with --explain"),
        (("elman", "--explain", "--device", "gpu"), "there is no device 'gpu'"),
        (("elman", "--explain", "--size", "projection"), "--size wants NAME=UNITS"),
        (("elman", "--explain", "--hidden", 0), "cell elman: the hidden size is a whole number from 1 on"),
        (("elman", "--explain", "--steps", 0), "steps is a whole number from 1 on, and is 0."),
    ],
)
def test_what_cannot_be_explained(words: tuple[object, ...], message: str, tmp_path: Path) -> None:
    assert run("cells", *words, folder=tmp_path).error.startswith(message)
