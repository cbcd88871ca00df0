"""From the command line: train, predict, evaluate on pairs made by hand."""

import json
from pathlib import Path

import pytest

from tasks.samples import options
from tasks.samples_translate import PAIRS, TINY, write_pairs, write_parallel
from unrolled.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


SETTINGS = options({**TINY, "steps": 4, "validations": 2})


def test_from_two_files_to_translations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parallel(tmp_path, "train")
    test = write_parallel(tmp_path, "held", PAIRS[:3])
    out = tmp_path / "model"
    sides = ("--source", "de", "--target", "en")
    code, said, _ = run(capsys, "train", "translate", tmp_path, "--test", test, "--out", out, *sides, *SETTINGS)
    assert code == 0
    assert "test: BLEU" in said
    assert "tok:13a" in said
    (tmp_path / "new.txt").write_text("der hund\nein mann sieht\n", encoding="utf-8")
    code, said, _ = run(capsys, "predict", out, tmp_path / "new.txt")
    rows = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [row["source"] for row in rows] == ["der hund", "ein mann sieht"]
    assert all(len(row["n_best"]) <= 2 and row["log_probability"] <= 0 for row in rows)
    code, said, _ = run(capsys, "evaluate", out, test, "--json")
    figures = json.loads(said)
    assert code == 0
    assert figures["sentences"] == 3
    assert set(figures["baselines"]["word by word"]) >= {"bleu", "chrf", "exact_match", "token_error_rate"}
    code, said, _ = run(capsys, "evaluate", out, test)
    assert "bleu signature: nrefs:1" in said


def test_a_broken_file_is_one_line_and_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parallel(tmp_path, "train")
    (tmp_path / "train.en").write_text("the\n", encoding="utf-8")
    sides = ("--source", "de", "--target", "en")
    out = tmp_path / "model"
    code, _, said = run(capsys, "train", "translate", tmp_path / "train", "--out", out, *sides, *SETTINGS)
    assert code == 2
    assert (
        said.strip()
        == f"unrolled: line i of both files is one pair, but train.de has {len(PAIRS)} and train.en has 1 lines."
    )
    assert not out.exists()


def test_resume_reads_what_it_read_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    assert run(capsys, "train", "translate", write_pairs(tmp_path), "--out", out, *SETTINGS)[0] == 0
    code, said, _ = run(capsys, "train", "translate", "--out", out, "--resume", "--steps", 6, "--json")
    assert code == 0
    assert json.loads(said)["training"]["steps"] == 6
