"""A small file made by hand, from training to forecasts and figures, on the command line."""

import json
from pathlib import Path

from cli.commands import run
from tasks.samples_forecast import TINY, write_long


def options() -> list[str]:
    """TINY for the command line."""
    return [word for name, value in TINY.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def test_train_predict_evaluate(tmp_path: Path) -> None:
    write_long(tmp_path)
    words = (
        "train",
        "forecast",
        "series.csv",
        "--out",
        "out",
        "--steps",
        6,
        "--lags",
        2,
        "--lags",
        4,
        "--test-steps",
        4,
    )
    done = run(*words, *options(), folder=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith("validation: 3 forecasts of 3 series, 4 steps\n  this model ")
    assert "seasonal naive" in done.out
    assert "3 series, whole numbers, season 4" in done.err
    rows = [json.loads(line) for line in run("predict", "out", "series.csv", folder=tmp_path).out.splitlines()]
    assert [(row["id"], row["time"]) for row in rows] == [
        (f"s{one}", 30 + 3 * one + step) for one in range(3) for step in range(4)
    ]
    far = [
        json.loads(line)
        for line in run("predict", "out", "series.csv", "--horizon", 9, folder=tmp_path).out.splitlines()
    ]
    assert [row["time"] for row in far[:9]] == list(range(30, 39))
    assert far[:4] == rows[:4]
    figures = json.loads(run("evaluate", "out", "series.csv", "--json", folder=tmp_path).out)
    assert {"mase", "smape", "nd", "wql", "coverage_80", "mse", "mae", "baselines"} <= figures.keys()
    test = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert {name: figures[name] for name in ("mase", "mse")} == {name: test[name] for name in ("mase", "mse")}


def test_rows_with_an_empty_target_ask_for_forecasts(tmp_path: Path) -> None:
    write_long(tmp_path)
    assert run("train", "forecast", "series.csv", "--out", "out", "--steps", 2, *options(), folder=tmp_path).code == 0
    rows: list[tuple[object, ...]] = [("s0", step, step % 4 if step < 12 else "") for step in range(19)]
    write_long(tmp_path, rows, "ask.csv")
    lines = run("predict", "out", "ask.csv", folder=tmp_path).out.splitlines()
    assert [json.loads(line)["time"] for line in lines] == list(range(12, 19))


def test_what_does_not_fit_is_one_line(tmp_path: Path) -> None:
    write_long(tmp_path, [("a", 1, 2.0), ("a", 1, 3.0)])
    error = run("train", "forecast", "series.csv", "--out", "out", folder=tmp_path).error
    assert error == "series.csv: series 'a' has two rows for 1; one a time."
    assert not (tmp_path / "out").exists()
