"""From the command line: train, predict, evaluate on pictures drawn by hand."""

import json
from pathlib import Path

import pytest

from tasks.samples import options
from tasks.samples_caption import CAPTIONS, TINY, write_pictures
from unrolled.cli.main import main

SETTINGS = options({**TINY, "steps": 4, "validations": 2})


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


def test_from_a_table_to_captions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, out = write_pictures(tmp_path), tmp_path / "model"
    test = write_pictures(tmp_path, "test.tsv", CAPTIONS[:4])
    code, said, told = run(capsys, "train", "caption", train, "--test", test, "--out", out, *SETTINGS)
    assert code == 0
    assert "test: BLEU" in said
    assert "without picture: BLEU" in said
    assert "picture: column 'file' (guessed by its name; --picture names another)" in told
    code, said, _ = run(capsys, "predict", out, test)
    rows = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [row["picture"] for row in rows] == [f"drawn/test{place}.png" for place in range(4)]
    assert all(len(row["n_best"]) <= 2 and row["log_probability"] <= 0 for row in rows)
    code, said, _ = run(capsys, "predict", out, tmp_path / "drawn" / "test0.png")
    assert json.loads(said)["caption"] == rows[0]["caption"]
    code, said, _ = run(capsys, "evaluate", out, test, "--json")
    figures = json.loads(said)
    assert code == 0
    assert figures["pictures"] == 4
    assert set(figures["baselines"]["without picture"]) >= {"bleu", "exact_match", "perplexity"}
    code, said, _ = run(capsys, "evaluate", out, test)
    assert "perplexity by picture: " in said


def test_a_broken_picture_is_one_line_and_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, out = write_pictures(tmp_path), tmp_path / "model"
    (tmp_path / "drawn" / "pictures2.png").write_bytes(b"broken")
    code, _, said = run(capsys, "train", "caption", train, "--out", out, *SETTINGS)
    assert code == 2
    assert said.startswith("unrolled: pictures.tsv, row 3: ")
    assert "pictures2.png is no picture that can be read" in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_resume_reads_what_it_read_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    assert run(capsys, "train", "caption", write_pictures(tmp_path), "--out", out, *SETTINGS)[0] == 0
    code, said, _ = run(capsys, "train", "caption", "--out", out, "--resume", "--steps", 6, "--json")
    assert code == 0
    assert json.loads(said)["training"]["steps"] == 6
