"""``unrolled unroll``: a file in each form, from a name, a file, equations or a model; wrong use in a line."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.commands import run
from tasks.contract import trained
from tasks.samples import CASES, EXCERPT, TINY, write
from unrolled.cells.library import LIBRARY
from unrolled.tasks.text.model import TextModel

DOCS = Path(__file__).resolve().parents[2] / "docs"
BEGINS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.mark.parametrize("form", BEGINS)
def test_a_net_is_drawn_in_each_form(form: str, tmp_path: Path) -> None:
    done = run("unroll", "lstm", "--steps", "3", "--out", f"figures/net.{form}", folder=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", f"lstm, unrolled, is drawn in figures/net.{form}\n")
    assert (tmp_path / f"figures/net.{form}").read_bytes().startswith(BEGINS[form])


def texts(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").glob("*.svg")), ids=lambda path: path.name)
def test_the_pictures_of_the_documents_are_those_of_their_commands(picture: Path, tmp_path: Path) -> None:
    document = (DOCS / "lectures.md").read_text(encoding="utf-8")
    (command,) = re.findall(rf"^\$ unrolled (unroll .* --out {re.escape(picture.name)})$", document, re.MULTILINE)
    assert run(*command.split(), folder=tmp_path).code == 0
    assert texts(tmp_path / picture.name) == texts(picture)
    assert picture.stat().st_size < 60_000


def test_options_reach_the_picture(tmp_path: Path) -> None:
    words = ["--wiring", "many-to-one", "--layers", "2", "--bidirectional", "--inside", "--values", "--seed", "5"]
    assert run("unroll", "gru", *words, "--out", "a.svg", folder=tmp_path).code == 0
    shown = texts(tmp_path / "a.svg")
    assert {"gru, many-to-one", "gates: 0", "a random network, seed 5", "⊙"} <= set(shown)
    before = (tmp_path / "a.svg").read_bytes()
    done = run("unroll", "gru", *words[:-1], "6", "--out", "a.svg", folder=tmp_path)
    assert done.error == "a.svg is there already; --force replaces it."
    assert run("unroll", "gru", *words[:-1], "6", "--out", "a.svg", "--force", folder=tmp_path).code == 0
    assert (tmp_path / "a.svg").read_bytes() != before


def test_a_cell_may_be_a_file_or_equations(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(LIBRARY["mgu"].text(), encoding="utf-8")
    assert run("unroll", "mine.txt", "--out", "a.svg", folder=tmp_path).code == 0
    assert "mgu, many-to-many" in texts(tmp_path / "a.svg")
    assert run("unroll", "s' = tanh(U @ x + W @ s)", "--out", "b.svg", folder=tmp_path).code == 0
    assert "cell, many-to-many" in texts(tmp_path / "b.svg")


def test_a_text_models_run_is_shown(tmp_path: Path) -> None:
    TextModel.fit(write(tmp_path, EXCERPT[:700]), out=tmp_path / "model", **TINY | {"layers": 2, "cell": "gru"})
    done = run("unroll", "model", "--values", "--input", "I am\nno", "--out", "a.svg", folder=tmp_path)
    assert done.err == "gru, unrolled, is drawn in a.svg\n"
    shown = texts(tmp_path / "a.svg")
    places = [shown.index(one) for one in ("I", "␣", "a", "m", "↵", "n", "o")]
    assert places == sorted(places)
    assert run("unroll", "model", "--out", "b.svg", "--steps", "2", folder=tmp_path).code == 0
    assert texts(tmp_path / "b.svg").count("gru") == 4  # two layers, two steps
    long = run("unroll", "model", "--values", "--input", "I am no man, am I", "--out", "c.svg", folder=tmp_path)
    assert long.code == 0
    assert texts(tmp_path / "c.svg").count("gru") == 16
    for words, said in (
        (("--values",), "--values of a model folder and --input go together"),
        (("--input", "I"), "--values of a model folder and --input go together"),
        (("--values", "--input", ""), "--input is empty"),
        (("--values", "--input", "I", "--steps", "0"), "1 to 100 steps, and 0"),
        (("--layers", "2"), "--layers and --bidirectional are the model's own"),
        (("--bidirectional",), "--layers and --bidirectional are the model's own"),
        (("--values", "--input", "I", "--wiring", "many-to-one"), "--values shows no many-to-one"),
    ):
        assert said in run("unroll", "model", *words, "--out", "d.svg", folder=tmp_path).error


def test_a_run_of_models_of_other_tasks_is_shown(tmp_path: Path) -> None:
    for task, folder in (("classify texts", "classes"), ("translate", "translate")):
        trained(CASES[task], tmp_path, out=tmp_path / folder)
    done = run("unroll", "classes", "--values", "--input", "a dull film , really", "--out", "a.svg", folder=tmp_path)
    assert done.code == 0, done.err
    assert any("many-to-one" in one for one in texts(tmp_path / "a.svg"))
    for part in ("decoder", "encoder"):
        words = ("--values", "--input", "der hund sieht ein rote ball", "--part", part, "--steps", "2")
        done = run("unroll", "translate", *words, "--out", f"{part}.svg", folder=tmp_path)
        assert done.code == 0, done.err
        assert run("unroll", "translate", "--part", part, "--out", "plain.svg", "--force", folder=tmp_path).code == 0
    assert texts(tmp_path / "encoder.svg") != texts(tmp_path / "decoder.svg")
    refused = run("unroll", "translate", "--part", "middle", "--out", "c.svg", folder=tmp_path)
    assert "no part 'middle'" in refused.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lsmt", "--out", "a.svg"), "Did you mean 'lstm'?"),
        (("lstm", "--out", "a.gif"), "the end of --out says what to draw, .svg, .png, .pdf, and there it is 'a.gif'."),
        (("lstm", "--out", "plain"), "there it is 'plain'"),
        (("lstm", "--steps", "0", "--out", "a.svg"), "a picture has 1 to 100 steps, and 0 are asked for."),
        (("lstm", "--wiring", "one-to-one", "--steps", "3", "--out", "a.svg"), "one-to-one has one step, and 3"),
        (("lstm", "--wiring", "encoder-decoder", "--bidirectional", "--out", "a.svg"), "no second direction"),
        (("lstm", "--wiring", "many-to-mny", "--out", "a.svg"), "Did you mean 'many-to-many'?"),
        (("lstm", "--input", "x", "--out", "a.svg"), "--input goes with a model folder"),
        (("h' = tanh(W @ x + U @ g)", "--out", "a.svg"), "the state h is never read"),
        (("lstm", "--out", "file/a.svg"), "file"),
        (("empty", "--out", "a.svg"), "config.json is missing"),
        (("lstm",), "Missing option '--out'"),
    ],
)
def test_wrong_use_is_told_in_a_line(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    assert said in run("unroll", *words, folder=tmp_path).error
    assert not (tmp_path / "a.svg").exists()
