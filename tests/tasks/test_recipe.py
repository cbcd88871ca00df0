"""Recipes: read strictly, run with known data, and loud where a figure lies outside its band."""

import hashlib
from pathlib import Path

import pytest

from cli.commands import run
from tasks.samples import TINY, write
from unrolled.errors import UnrolledError, UsageError
from unrolled.tasks.recipe import Expected, Recipe, log, run_recipe
from unrolled.tasks.text.model import TextModel

TEXT = """task = "text"
about = "A test."
[data]
train = "text.txt"
{data}
[settings]
{settings}
[expect]
split = "validation"
metric = "nats_per_character"
{band}
"""
SETTINGS = "\n".join(f"{name} = {value}" for name, value in TINY.items())


def recipe(folder: Path, band: str = "at_most = 99", data: str = "", settings: str = SETTINGS) -> Path:
    write(folder)
    path = folder / "one.toml"
    path.write_text(TEXT.format(data=data, settings=settings, band=band), encoding="utf-8")
    return path


def test_a_recipe_runs_and_its_log_tells_all(tmp_path: Path) -> None:
    one = Recipe.read(recipe(tmp_path))
    outcome = run_recipe(one, TextModel, None, tmp_path, tmp_path / "out")
    assert not outcome.missed
    assert outcome.seen == (outcome.metrics["validation"]["nats_per_character"],)
    text = log("one", outcome)
    assert f"| nats per character (validation) at most 99 | {outcome.seen[0]:.4f} | reached |" in text
    assert hashlib.sha256((tmp_path / "text.txt").read_bytes()).hexdigest() in text
    again = run_recipe(one, TextModel, None, tmp_path, tmp_path / "out")
    assert again.seen == outcome.seen


def test_a_figure_outside_its_band_fails_loudly(tmp_path: Path) -> None:
    path = recipe(tmp_path, "at_least = 0.5\nat_most = 1.0")
    done = run("recipe", path, "--data", tmp_path, "--out", tmp_path / "out", "--results", tmp_path, folder=tmp_path)
    assert done.code == 1
    assert "nats per character (validation) at least 0.5 and at most 1 is wanted, and it is" in done.err
    assert "missed" in (tmp_path / "one.md").read_text(encoding="utf-8")
    quick = run("recipe", path, "--data", tmp_path, "--out", tmp_path / "out", "--quick", folder=tmp_path)
    assert quick.code == 0, quick.err


@pytest.mark.parametrize(
    ("data", "settings", "band", "wanted"),
    [
        ("", "hidden = 0", "at_most = 1", "hidden: "),
        ("", "hiden = 3", "at_most = 1", "no setting 'hiden'"),
        ('valid = "other.txt"', SETTINGS, "at_most = 1", r"reads .*other\.txt, and it is not there"),
        (f'fingerprint = "{"0" * 64}"', SETTINGS, "at_most = 9", "is not what is wanted: its sha256 is"),
        ("files = 3", SETTINGS, "at_most = 1", r"data\.files"),
        ("", SETTINGS, "most = 1", r"expect\.0\.most"),
    ],
)
def test_what_does_not_fit_is_refused(data: str, settings: str, band: str, wanted: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=wanted):
        run_recipe(Recipe.read(recipe(tmp_path, band, data, settings)), TextModel, None, tmp_path, tmp_path / "out")


def test_a_figure_that_is_not_there(tmp_path: Path) -> None:
    path = recipe(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("nats_per_character", "accuracy"), encoding="utf-8")
    with pytest.raises(
        UnrolledError, match=r"no figure 'accuracy' of the split 'validation'; there is nats_per_character"
    ):
        run_recipe(Recipe.read(path), TextModel, None, tmp_path, tmp_path / "out")


def test_no_such_recipe(tmp_path: Path) -> None:
    done = run("recipe", "nothing", "--data", tmp_path, folder=tmp_path)
    assert done.code == 2
    assert "there is no recipe 'nothing'" in done.err
    with pytest.raises(UsageError, match=r"cannot read the recipe"):
        Recipe.read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("value", "holds"), [(0.9, True), (0.89, False), (1.0, True), (1.01, False), (float("nan"), False)]
)
def test_a_band(value: float, holds: bool) -> None:
    assert Expected(metric="accuracy", at_least=0.9, at_most=1.0).holds(value) is holds
