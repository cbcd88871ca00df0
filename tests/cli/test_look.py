"""``unrolled inspect``: each face of what is seen in a saved model, planted faults, one line for wrong input."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from cli.commands import Done, run
from tasks.contract import trained
from tasks.samples import CASES, EXCERPT, TINY, write
from tasks.samples_forecast import write_long
from unrolled import TextModel, inspect

TEXT = "First Citizen:\nWe are accounted poor citizens"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of a text, and one of series."""
    made = tmp_path_factory.mktemp("look")
    TextModel.fit(write(made), out=made / "model", **TINY)
    (made / "series").mkdir()
    trained(CASES["forecast"], made / "series", out=made / "forecast")
    return made


def look(folder: Path, *words: object) -> Done:
    done = run("inspect", *words, folder=folder)
    assert done.code == 0, done.err
    return done


def test_the_terminal_says_all_at_a_glance(folder: Path) -> None:
    lines = look(folder, "model", TEXT).out.splitlines()
    assert lines[0] == f"model: text, lstm, 1 layer of 8 units, {len(TEXT)} steps"
    assert lines[1].startswith("healthy")
    assert "First Citizen:⏎We are accounted poor citizens" in lines
    below = lines[lines.index("First Citizen:⏎We are accounted poor citizens") + 1]
    assert len(below) == len(TEXT)
    assert below[0] == " "  # nothing stands before the first character
    assert set(below[1:]) <= set("▁▂▃▄▅▆▇█")
    seen = inspect(TextModel.load(folder / "model"), TEXT).document
    place = max(range(len(TEXT) - 1), key=lambda step: seen["predictions"][step]["surprisal"])
    assert below[place + 1] == "█"
    (telling,) = [line for line in lines if line.startswith(f"{place} ")]
    assert telling.endswith(f"{seen['predictions'][place]['surprisal']:.2f}")
    for quantity in ("i", "f", "o", "g", "c", "h"):
        assert any(line.startswith(f"0.forward.{quantity} ") for line in lines)
    mean = sum(seen["quantities"]["0.forward.f"]["mean"]) / 8
    (gate,) = [line for line in lines if line.startswith("0.forward.f")]
    assert gate.split()[1] == f"{mean:.2f}"
    assert "\x1b" not in "".join(lines)


def test_a_unit_stands_under_the_text(folder: Path) -> None:
    lines = look(folder, "model", TEXT, "--unit", "0.forward.c:3").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("0.forward.c:3, "))
    values = inspect(TextModel.load(folder / "model"), TEXT).recorded["0.forward.c"][:, 3]
    assert lines[start + 2][int(values.abs().argmax())] == ("█" if values.max() > -values.min() else "▁")


def test_json_is_the_document(folder: Path) -> None:
    wanted = inspect(TextModel.load(folder / "model"), TEXT, at=[5])
    printed = look(folder, "model", TEXT, "--at", 5, "--json", "-")
    assert json.loads(printed.out) == wanted.document
    done = look(folder, "model", TEXT, "--at", 5, "--json", "seen.json", "--values")
    assert done.out.startswith("model: text")
    whole = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    recorded = whole.pop("recorded")
    assert whole == wanted.document
    assert recorded.keys() == wanted.recorded.keys()
    torch.testing.assert_close(
        torch.tensor(recorded["0.forward.f_pre"]), wanted.recorded["0.forward.f_pre"], rtol=1e-5, atol=1e-9
    )
    again = run("inspect", "model", TEXT, "--json", "seen.json", folder=folder)
    assert again.error == "seen.json is there already; --force replaces it."
    look(folder, "model", TEXT, "--json", "seen.json", "--force")
    assert "recorded" not in json.loads((folder / "seen.json").read_text(encoding="utf-8"))


def test_the_page_is_written(folder: Path) -> None:
    done = look(folder, "model", TEXT, "--html", "seen.html")
    assert done.err.splitlines()[-1] == "the page is seen.html"
    page = (folder / "seen.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert 'id="0.forward.f"' in page
    again = run("inspect", "model", TEXT, "--html", "seen.html", folder=folder)
    assert again.error == "seen.html is there already; --force replaces it."


def test_figures_are_drawn(folder: Path) -> None:
    done = look(folder, "model", TEXT, "--figures", "drawn", "--at", -1)
    names = {"gradients", "gradients-at", "factors", "predictions", "saturation", "quantities-0-forward"}
    assert {path.name for path in (folder / "drawn").iterdir()} == {f"{name}.png" for name in names}
    assert done.err == "6 figures are in drawn\n"
    for path in (folder / "drawn").iterdir():
        with Image.open(path) as picture:
            assert min(picture.size) >= 300
    assert "--force" in run("inspect", "model", TEXT, "--figures", "drawn", folder=folder).error
    look(folder, "model", TEXT, "--figures", "drawn", "--form", "svg")
    assert (folder / "drawn" / "factors.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_a_file_and_standard_input_are_read_as_the_text_itself(folder: Path) -> None:
    (folder / "lines").write_text(TEXT, encoding="utf-8")
    wanted = look(folder, "model", TEXT).out
    assert look(folder, "model", "lines").out == wanted
    assert run("inspect", "model", "-", folder=folder, stdin=TEXT.encode()).out == wanted


def test_a_series_is_named_by_its_number_or_its_id(folder: Path) -> None:
    write_long(folder)
    by_id, by_number = (look(folder, "forecast", "series.csv", "--row", row).out for row in ("s1", "2"))
    assert by_id == by_number
    assert look(folder, "forecast", "series.csv").out != by_id
    assert "surprisal, nats" in by_id
    assert "observed" in by_id


# Planted faults.


def a_saturated_forget_gate(weights: dict[str, torch.Tensor]) -> None:
    weights["b_f"].fill_(20.0)


def a_dead_unit(weights: dict[str, torch.Tensor]) -> None:
    weights["b_o"][5] = -200.0


def a_radius_of_three(weights: dict[str, torch.Tensor]) -> None:
    weights["U"].mul_(3.0 / torch.linalg.eigvals(weights["U"]).abs().max())


@pytest.mark.parametrize(
    ("cell", "plant", "named", "says", "remedy"),
    [
        ("lstm", a_saturated_forget_gate, "saturated", "sigmoid of 0.forward.f is saturated: 0%", "a smaller rate"),
        ("lstm", a_dead_unit, "dead", "1 of 8 units of 0.forward.h never move: 5", "fewer units"),
        ("elman", a_radius_of_three, "exploding", "the spectral radius of 0.forward.U is 3.00", "--clip"),
    ],
)
def test_a_planted_fault_is_named(
    cell: str, plant: Callable[[dict[str, torch.Tensor]], None], named: str, says: str, remedy: str, tmp_path: Path
) -> None:
    model = TextModel.fit(write(tmp_path), **TINY, cell=cell, chrono=40 if cell == "lstm" else None)
    model.save(tmp_path / "sound")
    with torch.no_grad():
        plant(model.network.recurrent.cell_parameters())
    model.save(tmp_path / "faulty")
    sound, faulty = (" ".join(look(tmp_path, name, TEXT).out.split()) for name in ("sound", "faulty"))
    assert says not in sound
    assert named in faulty.split("what it read")[0]
    assert says in faulty
    assert remedy in faulty.split(says)[1].split("what it read")[0]


def test_a_rate_that_was_too_high_is_named(tmp_path: Path) -> None:
    settings = {**TINY, "steps": 40}
    TextModel.fit(write(tmp_path), out=tmp_path / "wild", **settings, rate=20.0)
    TextModel.fit(write(tmp_path), out=tmp_path / "calm", **settings)
    assert "rate was" not in look(tmp_path, "calm", TEXT).out
    said = " ".join(look(tmp_path, "wild", TEXT).out.split())
    assert "rate too high" in said
    assert "the rate was too high: the loss of training began at 3." in said
    assert "a smaller rate (--rate 2)" in said


# Wrong input.


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("model", "missing.txt"), "there is no file missing.txt"),
        (("model", ""), "the text has no step; there is nothing to look at."),
        (("nowhere", TEXT), "there is no model folder nowhere"),
        (("model", TEXT, "--row", "2"), "a text holds 1 sequence(s), and number 2 is asked for."),
        (("model", TEXT, "--row", "s1"), "the sequences of a text have no ids"),
        (("model", TEXT, "--part", "encoder"), "the network has no part 'encoder' to look into; it has network."),
        (("model", TEXT, "--at", 900), f"there are {len(TEXT)} steps, from 0 to {len(TEXT) - 1}, and step 900"),
        (("model", TEXT, "--unit", "c"), "--unit names layer, direction, quantity and unit, as in 0.forward.c:17"),
        (("model", TEXT, "--unit", "0.forwrd.c:1"), "there is no quantity '0.forwrd.c' here"),
        (("model", TEXT, "--unit", "0.forward.c:8"), "'0.forward.c' has 8 units, 0 to 7, and unit 8 is asked for."),
        (("model", TEXT, "--form", "gif"), "--form is png or svg, and is 'gif'."),
        (("model", TEXT, "--values"), "--values goes with --json"),
        (("model", TEXT, "--figures", "text.txt"), "text.txt is a file; --figures names a folder."),
        (("model", "a\u2603b"), "☃"),
        (("forecast", "series.csv", "--row", "s9"), "holds no sequence 's9'"),
        (("forecast", "to be"), "a forecast is of a table"),
    ],
)
def test_wrong_input_gives_one_clear_line(words: tuple[object, ...], error: str, folder: Path) -> None:
    write_long(folder)
    assert error in run("inspect", *words, folder=folder).error


def test_a_text_that_is_too_long_is_refused(folder: Path) -> None:
    (folder / "long").write_text(EXCERPT * 9, encoding="utf-8")
    assert "20,000 are looked at" in run("inspect", "model", "long", folder=folder).error
