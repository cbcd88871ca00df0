"""Recipes: read strictly, run with known data, and loud where a figure lies outside its band."""

import hashlib
import signal
from pathlib import Path
from statistics import stdev
from typing import Any

import pytest

from cli.commands import run
from tasks.samples import EXCERPT, TINY, write
from unrolled.errors import UnrolledError, UsageError
from unrolled.tasks.observer import Silent, Told
from unrolled.tasks.recipe import Expected, Outcome, Recipe, Result
from unrolled.tasks.recipe_log import log
from unrolled.tasks.recipe_run import UNFINISHED, run_recipe
from unrolled.tasks.text.model import TextModel
from unrolled.training.trainer import Progress

TEXT = """task = "text"
about = "A test."
{more}
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


def recipe(folder: Path, band: str = "at_most = 99", data: str = "", settings: str = SETTINGS, more: str = "") -> Path:
    write(folder)
    path = folder / "one.toml"
    path.write_text(TEXT.format(data=data, settings=settings, band=band, more=more), encoding="utf-8")
    return path


def test_a_recipe_runs_and_its_log_tells_all(tmp_path: Path) -> None:
    one = Recipe.read(recipe(tmp_path))
    outcome = run_recipe(one, TextModel, None, tmp_path, tmp_path / "out")
    assert not outcome.missed
    assert outcome.seen == (outcome.results[0].metrics["validation"]["nats_per_character"],)
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


# Several runs.

FOLDS = 'folds = ["a", "b", "c"]'


def folds(folder: Path, data: str = FOLDS) -> Path:
    """A recipe over three texts."""
    path = recipe(folder, data=data)
    path.write_text(path.read_text(encoding="utf-8").replace('"text.txt"', '"{fold}.txt"'), encoding="utf-8")
    for place, name in enumerate("abc"):
        (folder / f"{name}.txt").write_text(EXCERPT[200 * place :][:700], encoding="utf-8")
    return path


def told(recipe: Path, out: Path, **how: Any) -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    return run_recipe(Recipe.read(recipe), TextModel, None, recipe.parent, out, say=lines.append, **how), lines


def test_a_figure_is_the_median_of_its_seeds(tmp_path: Path) -> None:
    outcome, lines = told(recipe(tmp_path, more="seeds = 3", settings=SETTINGS + "\nseed = 4"), tmp_path / "out")
    figures = [one.metrics["validation"]["nats_per_character"] for one in outcome.results]
    assert [one.metrics["seed"] for one in outcome.results] == [4, 5, 6]
    assert len(set(figures)) == 3
    assert outcome.seen == (sorted(figures)[1],)
    assert [TextModel.load(tmp_path / "out" / f"seed-{seed}").config.seed for seed in (4, 5, 6)] == [4, 5, 6]
    assert lines[2:4] == [
        "seed 5 (2 of 3)",
        f"seed 5 (2 of 3): nats per character (validation) {figures[1]:.4f}, {outcome.results[1].minutes:.1f} minutes",
    ]
    text = log("one", outcome)
    assert f"at most 99, median of 3 seeds | {outcome.seen[0]:.4f} | reached |" in text
    assert f"| 6 | {figures[2]:.4f} | 4 | 0.0 |" in text
    assert f"lies from {min(figures):.4f} to {max(figures):.4f}, standard deviation {stdev(figures):.4f}." in text
    assert f"- this model: nats_per_character {outcome.seen[0]:.4f}" in text


def test_a_figure_is_the_mean_of_its_folds(tmp_path: Path) -> None:
    outcome, lines = told(folds(tmp_path), tmp_path / "out")
    figures = [one.metrics["validation"]["nats_per_character"] for one in outcome.results]
    assert len(set(figures)) == 3
    assert outcome.seen == (sum(figures) / 3,)
    assert lines[0] == "fold a (1 of 3)"
    prints = {name: hashlib.sha256((tmp_path / f"{name}.txt").read_bytes()).hexdigest() for name in "abc"}
    assert [one.metrics["data"]["fingerprint"] for one in outcome.results] == list(prints.values())
    text = log("one", outcome)
    assert "at most 99, mean of 3 folds" in text
    assert "sha256 " + ", ".join(f"{one} ({name})" for name, one in prints.items()) in text
    named = "\nfingerprint = { " + ", ".join(f'{name} = "{one}"' for name, one in prints.items()) + " }"
    assert told(folds(tmp_path, FOLDS + named), tmp_path / "out")[0].seen == outcome.seen
    with pytest.raises(UsageError, match="is not what is wanted: its sha256 is"):
        told(folds(tmp_path, FOLDS + named.replace(prints["b"], prints["a"])), tmp_path / "out")


def test_a_band_is_for_the_middle_and_not_for_each_run(tmp_path: Path) -> None:
    def outcome(values: list[float], more: str) -> Outcome:
        one = Recipe.read(recipe(tmp_path, "at_least = 0.5", more=more))
        runs = zip(one.runs(), values, strict=True)
        return Outcome(one, [Result(run, {"validation": {"nats_per_character": value}}, 1.0) for run, value in runs])

    assert not outcome([0.1, 0.5, 0.6], "seeds = 3").missed
    assert outcome([0.4, 0.49, 0.9], "seeds = 3").missed == [
        "nats per character (validation) at least 0.5, median of 3 seeds is wanted, and it is 0.4900"
    ]


class Stopping(Silent):
    """Presses Ctrl-C in the training of a seed."""

    def __init__(self, seed: int) -> None:
        self.runs, self.seed = 0, seed

    def begun(self, told: Told) -> None:  # noqa: ARG002
        self.runs += 1

    def stepped(self, progress: Progress) -> None:
        if self.runs == self.seed and progress.step == 1:
            signal.raise_signal(signal.SIGINT)


def test_a_stopped_recipe_goes_on_with_the_first_run_that_is_missing(tmp_path: Path) -> None:
    path, out = recipe(tmp_path, more="seeds = 3"), tmp_path / "out"
    with pytest.raises(UnrolledError, match=r"Ctrl-C in seed 2 \(2 of 3\); the same command goes on with it\."):
        told(path, out, observer=Stopping(2))
    watching = Stopping(0)
    outcome, lines = told(path, out, observer=watching)
    assert watching.runs == 2
    assert lines[0].startswith("seed 1 (1 of 3), run before: nats per character (validation) ")
    assert lines[1] == "seed 2 (2 of 3)"
    assert not (out / UNFINISHED).exists()
    whole, lines = told(path, tmp_path / "whole")
    assert outcome.seen == whole.seen
    again, lines = told(path, out)  # what has ended begins anew
    assert lines[0] == "seed 1 (1 of 3)"
    assert again.seen == whole.seen


def test_what_was_kept_of_another_recipe_is_not_used(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnrolledError):
        told(recipe(tmp_path, more="seeds = 3"), out, observer=Stopping(2))
    changed = recipe(tmp_path, more="seeds = 3", settings=SETTINGS.replace("hidden = 8", "hidden = 9"))
    assert told(changed, out)[1][0] == "seed 1 (1 of 3)"
    (out / UNFINISHED).write_text("{", encoding="utf-8")
    assert told(changed, out)[1][0] == "seed 1 (1 of 3)"


def test_the_quick_form_makes_two_runs_at_most(tmp_path: Path) -> None:
    outcome, _ = told(folds(tmp_path), tmp_path / "out", quick=True)
    assert [one.run.name for one in outcome.results] == ["fold a", "fold b"]


def test_the_command_shows_each_run(tmp_path: Path) -> None:
    done = run("recipe", recipe(tmp_path, more="seeds = 2"), "--data", tmp_path, folder=tmp_path)
    assert done.code == 0, done.err
    assert done.err.count("seed 2 (2 of 2)") == 2
    assert "median of 2 seeds" in done.out


@pytest.mark.parametrize(
    ("more", "data", "wanted"),
    [
        ("seeds = 0", "", r"seeds: .*greater than or equal to 1"),
        ("", FOLDS, "folds are names, and {fold} in the names of files stands for them"),
        ("", 'fingerprint = { a = "0" }', "fingerprint is one sha256; with folds one for each"),
    ],
)
def test_seeds_and_folds_that_do_not_fit(more: str, data: str, wanted: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=wanted):
        Recipe.read(recipe(tmp_path, more=more, data=data))


def test_folds_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"fingerprint names a, and the folds are a, b, c"):
        Recipe.read(folds(tmp_path, FOLDS + '\nfingerprint = { a = "0" }'))
    path = folds(tmp_path)
    path.write_text("seeds = 2\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"over several seeds or over folds, not over both"):
        Recipe.read(path)
