"""Settings given anew to a trained model: by ``use_by``, and by the options of ``predict`` and ``evaluate``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.commands import run
from tasks.contract import trained
from tasks.samples import CASES, EXCERPT
from tasks.samples_forecast import write_long
from tasks.samples_translate import PAIRS, write_pairs
from unrolled.cli.tasks import TASKS
from unrolled.errors import UsageError
from unrolled.tasks.estimator import Estimator

Models = Callable[[str], Estimator]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A function from a case to a fresh model of it; what it opens is trained once."""
    made: dict[str, Path] = {}

    def fresh(name: str) -> Estimator:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("use") / "out"
            more = {"settings": {"steps": 60, "rate": 0.02}} if name == "translate" else {}
            trained(CASES[name], made[name].parent, out=made[name], **more)
        return CASES[name].kind.load(made[name])

    return fresh


def settings_of(task: str) -> set[str]:
    config = TASKS[task].config
    return {*config.TO_PREDICT, *config.TO_EVALUATE}


def told(model: Estimator) -> Any:
    """What a model says of its case's inputs."""
    return list(model.predict(INPUTS[model.TASK]))


INPUTS: dict[str, Any] = {
    "text": ["To be", "First"],
    "tag": ["the cat sees a small dog .", "Anna !"],
    "forecast": CASES["forecast"].inputs,
    "translate": ["der hund sieht ein rote ball", "ein mann sieht der ball"],
}
PREDICTED: list[tuple[str, str, Any, Callable[[Any], bool]]] = [
    ("text", "length", 7, lambda rows: all(len(row["text"]) == 7 for row in rows)),
    ("text", "temperature", 0.0, lambda rows: len(set(rows[0]["text"][-50:])) < 20),
    ("text", "top_k", 1, lambda rows: len(set(rows[0]["text"][-50:])) < 20),
    ("text", "top_p", 0.01, lambda rows: len(set(rows[0]["text"][-50:])) < 20),
    ("text", "min_p", 1.0, lambda rows: len(set(rows[0]["text"][-50:])) < 20),
    ("text", "repetition_penalty", 9.0, lambda rows: bool(rows)),
    ("text", "stop", "e", lambda rows: not any("e" in row["text"] for row in rows)),
    ("text", "seed", 9, lambda rows: bool(rows)),
    ("tag with a CRF", "n_best", 3, lambda rows: [len(row["n_best"]) for row in rows] == [3, 3]),
    ("forecast", "horizon", 9, lambda rows: all(len(row["median"]) == 9 for row in rows)),
    ("forecast", "levels", [0.25], lambda rows: set(rows[0]) == {"mean", "median", "q0.25"}),
    ("forecast", "samples", 9, lambda rows: bool(rows)),
    ("forecast", "seed", 9, lambda rows: bool(rows)),
    ("translate", "n_best", 3, lambda rows: [len(row["n_best"]) for row in rows] == [3, 3]),
    ("translate", "longest", 1, lambda rows: all(len(row["translation"].split()) < 2 for row in rows)),
    ("translate", "beam", 2, lambda rows: bool(rows)),
    ("translate", "length_penalty", 2.0, lambda rows: bool(rows)),
    ("translate", "coverage_penalty", 2.0, lambda rows: bool(rows)),
]


@pytest.mark.parametrize(("case", "name", "value", "holds"), PREDICTED, ids=lambda one: str(one)[:20])
def test_a_setting_given_anew_changes_what_is_predicted(
    case: str, name: str, value: Any, holds: Callable[[Any], bool], models: Models
) -> None:
    model = models(case)
    before = told(model)
    model.use_by(**{name: value})
    after = told(model)
    assert after != before
    assert holds(after)
    assert getattr(model.config, name) == value


def test_every_setting_has_its_test() -> None:
    """A batch changes no bit (the contract says so), an encoding and a stride are seen below."""
    seen = {name for _, name, *_ in PREDICTED}
    for task in TASKS:
        assert settings_of(task) <= seen | {"batch", "encoding", "stride"}, task


@pytest.mark.parametrize("case", CASES)
def test_a_setting_of_another_kind_is_refused_and_changes_nothing(case: str, models: Models) -> None:
    model = models(case)
    before = model.config
    with pytest.raises(UsageError, match=f"'hidden' is not to be given anew; a trained {model.TASK} model takes "):
        model.use_by(hidden=3)
    name = next(iter(TASKS[model.TASK].config.TO_PREDICT))
    with pytest.raises(UsageError, match=f"Did you mean '{name}'"):
        model.use_by(**{f"{name}x": 3})
    with pytest.raises(UsageError):
        model.use_by(**{name: "much"})
    assert model.config is before


@pytest.mark.parametrize(
    ("case", "settings", "wanted"),
    [
        ("text", {"temperature": -1.0}, "temperature is 0 or more, and is -1"),
        ("text", {"length": 0}, "length is 1 or more, and is 0"),
        ("tag", {"n_best": 2}, "n_best ranks whole sequences of tags, and wants a model trained with --crf"),
        ("translate", {"n_best": 9}, "n-best is from 1 to the beam, 3, and is 9"),
        ("forecast", {"levels": [2.0]}, "levels lie between 0 and 1"),
    ],
)
def test_values_that_do_not_fit_the_model(case: str, settings: dict[str, Any], wanted: str, models: Models) -> None:
    with pytest.raises(UsageError, match=wanted):
        models(case).use_by(**settings)


def test_levels_are_of_what_is_drawn(tmp_path: Path) -> None:
    model = trained(CASES["forecast"], tmp_path, settings={"output": "quantiles"})
    with pytest.raises(UsageError, match="levels are of drawn paths, and the model puts out quantiles"):
        model.use_by(levels=[0.25])
    model.use_by(horizon=2)


def test_a_horizon_wins_over_rows_that_ask(tmp_path: Path, models: Models) -> None:
    rows = [("s0", step, 10.0 + step % 4) for step in range(20)] + [("s0", step, "") for step in range(20, 26)]
    table = write_long(tmp_path, rows)
    model = models("forecast")
    assert len(list(model.predict(table))) == 6
    model.use_by(horizon=3)
    assert len(list(model.predict(table))) == 3


def test_measures_are_of_horizons_no_longer_than_the_one_given(tmp_path: Path) -> None:
    model = trained(CASES["forecast"], tmp_path, settings={"measure": [2]})
    table = write_long(tmp_path)
    assert "mase_2" in model.evaluate(table)
    model.use_by(horizon=1)
    figures = model.evaluate(table)
    assert figures["horizon"] == 1
    assert "mase_2" not in figures
    with pytest.raises(UsageError, match="measure names horizons from 1 to the horizon, 4, and one is 5"):
        trained(CASES["forecast"], tmp_path, settings={"measure": [5]})


# From the command line.


def lines(*words: object, folder: Path, stdin: bytes = b"") -> list[dict[str, Any]]:
    done = run(*words, folder=folder, stdin=stdin)
    assert (done.code, done.err) == (0, ""), done.err
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.fixture(scope="module")
def folder(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each of four tasks."""
    made = tmp_path_factory.mktemp("commands")
    for case in ("text", "tag", "forecast", "translate"):
        models(case).save(made / case)
    return made


def test_options_of_predict(folder: Path) -> None:
    write_long(folder)
    rows = lines("predict", "forecast", "series.csv", "--horizon", 2, "--levels", 0.3, "--batch", 1, folder=folder)
    assert len(rows) == 6
    assert set(rows[0]) == {"id", "time", "mean", "median", "q0.3"}
    (row,) = lines("predict", "translate", "-", "--beam", 2, "--n-best", 2, folder=folder, stdin=b"der hund\n")
    assert len(row["n_best"]) == 2
    (row,) = lines("predict", "text", "-", "--length", 5, "--temperature", 0, folder=folder, stdin=b"To\n")
    assert len(row["text"]) == 5


def test_options_of_evaluate(folder: Path) -> None:
    write_long(folder)
    (figures,) = lines("evaluate", "forecast", "series.csv", "--horizon", 2, "--json", folder=folder)
    assert (figures["horizon"], figures["forecasts"]) == (2, 6)  # the last four steps of three series
    (closer,) = lines("evaluate", "forecast", "series.csv", "--horizon", 2, "--stride", 1, "--json", folder=folder)
    assert closer["forecasts"] == 9
    write_pairs(folder, pairs=PAIRS[:4])
    (figures,) = lines("evaluate", "translate", "pairs.tsv", "--longest", 1, "--json", folder=folder)
    assert figures["sentences"] == 4
    assert figures["bleu"] == 0


def test_a_file_in_another_encoding(folder: Path) -> None:
    (folder / "wide.txt").write_text(EXCERPT[:300], encoding="utf-16")
    (figures,) = lines("evaluate", "text", "wide.txt", "--encoding", "utf-16", "--json", folder=folder)
    assert figures["characters"] == 300
    (row,) = lines("predict", "text", "-", "--encoding", "utf-16", folder=folder, stdin="To".encode("utf-16"))
    assert row["prompt"] == "To"
    told = "a\tDET\ncat\tNOUN\n".encode("utf-16")
    (row,) = lines("predict", "tag", "-", "--encoding", "utf-16", folder=folder, stdin=told)
    assert row["words"] == ["a", "cat"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("predict", "translate", "-", "--horizon", 3),
            "--horizon is not for a model of the task 'translate'; 'predict'",
        ),
        (("evaluate", "text", "-", "--batch", 3), "'evaluate' takes --encoding there"),
        (("evaluate", "translate", "-", "--n-best", 3), "No such option: --n-best"),
        (("predict", "translate", "-", "--beem", 3), "No such option: --beem"),
        (("predict", "translate", "-", "--beam", 0), "beam: should be greater than or equal to 1, and is 0."),
        (("predict", "forecast", "-", "--horizon", "far"), "Invalid value for '--horizon'"),
    ],
)
def test_wrong_options_are_one_line(words: tuple, said: str, folder: Path) -> None:
    done = run(*words, folder=folder)
    assert said in done.error
    assert done.code == 2


def test_an_option_that_two_tasks_have_tells_what_it_is_for_each(folder: Path) -> None:
    done = run("predict", "--help", folder=folder)
    plain = " ".join(done.out.replace("│", " ").split())
    assert "beside (tag); texts that are given for each thing read, the best first (translate, caption)." in plain
