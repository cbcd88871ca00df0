"""The frames task on the command line, on a small table made by hand: train, predict, evaluate."""

import json
from pathlib import Path

import pytest

from cli.commands import run
from tasks.samples_frames import rows, write_chords, write_csv

SMALL = ("--steps", 5, "--hidden", 5, "--batch", 3, "--validations", 1)


def test_from_a_table_to_answers(tmp_path: Path) -> None:
    write_csv(tmp_path)
    new = write_csv(tmp_path, "new.csv", rows((4, 3), 4))
    done = run("train", "frames", "steps.csv", "--test", "new.csv", "--out", "model", *SMALL, folder=tmp_path)
    assert done.code == 0, done.err
    assert "guessed by its name" in done.err
    assert "test: accuracy" in done.out
    assert "no recurrence: accuracy" in done.out
    assert "no recurrence" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")

    done = run("predict", "model", new, folder=tmp_path)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(line["id"], len(line["labels"])) for line in lines] == [("clip0", 4), ("clip1", 3)]
    assert lines[0]["probabilities"][0].keys() <= {"down", "rest", "up"}

    done = run("evaluate", "model", new, "--json", folder=tmp_path)
    figures = json.loads(done.out)
    said = [label for line in lines for label in line["labels"]]
    true = [row["phase"] for row in rows((4, 3), 4)]
    assert figures["accuracy"] == pytest.approx(sum(a == b for a, b in zip(said, true, strict=True)) / 7)
    assert figures.keys() >= {"macro_f1", "edit_score", "nll", "baselines"}
    assert "macro f1:" in run("evaluate", "model", new, folder=tmp_path).out


def test_label_sets_from_the_command_line(tmp_path: Path) -> None:
    path = write_chords(tmp_path)
    done = run("train", "frames", path, "--multilabel", "--ahead", 1, "--out", "model", *SMALL, folder=tmp_path)
    assert done.code == 0, done.err
    figures = json.loads(run("evaluate", "model", path, "--json", folder=tmp_path).out)
    assert figures.keys() >= {"nll", "micro_f1"}
    assert len(run("predict", "model", path, folder=tmp_path).out.splitlines()) == 6
    chords = json.loads(path.read_text())
    (tmp_path / "parts.json").write_text(json.dumps({"train": chords, "valid": chords[:1], "test": chords[:2]}))
    of_parts = json.loads(run("evaluate", "model", "parts.json", "--json", folder=tmp_path).out)
    assert of_parts["sequences"] == 2
    assert "parts.json holds train, valid, test; taken: test" in of_parts["notes"]


def test_a_table_from_standard_input(tmp_path: Path) -> None:
    content = write_csv(tmp_path).read_bytes()
    done = run("train", "frames", "-", "--out", "model", "--no-baseline", *SMALL, folder=tmp_path, stdin=content)
    assert done.code == 0, done.err
    assert len(run("predict", "model", "-", folder=tmp_path, stdin=content).out.splitlines()) == 7


def test_what_does_not_fit_is_one_line(tmp_path: Path) -> None:
    write_csv(tmp_path)
    error = run("train", "frames", "steps.csv", "--label", "fase", "--out", "model", folder=tmp_path).error
    assert "no column 'fase' (--label)" in error
    error = run("train", "frames", "--out", "model", folder=tmp_path).error
    assert error.startswith("name a file to train on")
    assert not (tmp_path / "model").exists()
