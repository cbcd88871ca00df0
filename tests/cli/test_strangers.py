"""What strangers do: numbers without bounds, both names misspelt, Ctrl-C at once; one line each, and never silence."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cli.commands import run
from tasks.samples import write
from tasks.samples_frames import TINY, write_csv
from unrolled.cli.main import app
from unrolled.errors import UnrolledError
from unrolled.tasks.frames.model import FramesModel
from unrolled.tasks.observer import Silent

REVIEWS = "review\tsentiment\n" + "".join(f"film {one}\t{'good' if one % 2 else 'bad'}\n" for one in range(30))
SHOPS = "store,day,sold\n" + "".join(f"a,2024-01-{one:02d},{one}\n" for one in range(1, 29))
WALKS = "person,frame,lift,phase\n" + "".join(f"{one},{step},0.5,up\n" for one in "ab" for step in range(5))
PAIRS = "german\tenglish\n" + "eins\tone\nzwei\ttwo\n" * 15
SERIES = "@classLabel true a b\n@data\n1,2,3:a\n2,3,4:b\n1,2"
OWN = "text\tlabel\n" + "".join(f"film {one}\t{one / 7:.3f}\n" for one in range(30))
FILES = {
    "reviews.tsv": REVIEWS,
    "shops.csv": SHOPS,
    "walks.csv": WALKS,
    "pairs.tsv": PAIRS,
    "cut.ts": SERIES,
    "own.tsv": OWN,
}
REVIEW = ("classify", "reviews.tsv", "--steps", "2")

REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "seed": ((*REVIEW, "--seed", str(2**32)), 2, "seed: should be less than 4294967296"),
    "no end": (("classify", "reviews.tsv", "--minutes", "inf"), 2, "minutes: should be a finite number, and is inf."),
    "rate": ((*REVIEW, "--rate", "inf"), 2, "rate: should be a finite number, and is inf."),
    "unit": ((*REVIEW, "--unit", "letters"), 2, "Invalid value for '--unit': 'letters' is not one of 'char', 'word'"),
    "memory": ((*REVIEW, "--hidden", "99999999"), 1, "the memory is not enough; try fewer units (--hidden)"),
    "vectors": ((*REVIEW, "--vectors", "cut.ts"), 2, "cut.ts, line 1"),
    "cut": (("classify", "cut.ts"), 2, "cut.ts, line 5 does not end with ':' and its class; is the file cut off?"),
    "own classes": (("classify", "own.tsv"), 2, "each of the 30 examples is of a class of its own"),
    "columns": (("forecast", "shops.csv"), 2, "'store' holds text ('a'), so the table is not wide; name what it"),
    "steps": (("classify", "walks.csv"), 2, "or for series, a row a step, their columns with --id and --time; it has"),
    "no id": (
        ("frames", "walks.csv", "--label", "phase"),
        2,
        "rows 1 and 6 have the same frame, 0; if it holds several sequences, --id names their column.",
    ),
    "sides": (
        ("translate", "pairs.tsv", "--source", "germn", "--target", "englsh"),
        2,
        "pairs.tsv has no column 'germn' (--source); it has the columns german, english. Did you mean 'german'?",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_things_are_one_line(name: str, tmp_path: Path) -> None:
    for file, text in FILES.items():
        write(tmp_path, text, file)
    words, code, said = REFUSED[name]
    done = run("train", *words, "--out", "model", folder=tmp_path)
    assert said in done.error
    assert done.code == code
    assert not (tmp_path / "model").exists()


def test_a_translator_is_not_measured_on_columns_that_it_does_not_know(tmp_path: Path) -> None:
    write(tmp_path, PAIRS, "pairs.tsv")
    write(tmp_path, REVIEWS, "reviews.tsv")
    words = ("--source", "german", "--target", "english", "--steps", 1, "--hidden", 4, "--unit", "word")
    assert run("train", "translate", "pairs.tsv", "--out", "model", *words, folder=tmp_path).code == 0
    for verb in ("evaluate", "predict"):
        assert "reviews.tsv has no column 'german'" in run(verb, "model", "reviews.tsv", folder=tmp_path).error


def test_whole_numbers_as_times_are_learned_from_without_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "step,y\n" + "".join(f"{one},{one % 4}\n" for one in range(60)), "steps.csv")
    words = ("--steps", 1, "--hidden", 4, "--horizon", 4, "--context", 8, "--batch", 4)
    done = run("train", "forecast", "steps.csv", "--out", "model", *words, folder=tmp_path)
    assert done.code == 0, done.err
    assert "Warning" not in done.err


class Impatient(Silent):
    """Presses Ctrl-C while the figures are made."""

    def __init__(self, when: str) -> None:
        self.when = when

    def scoring(self, what: str, done: int, total: int) -> None:  # noqa: ARG002 (not looked at)
        if self.when in what and done == 2:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_the_training_of_a_baseline_makes_no_weaker_baseline(tmp_path: Path) -> None:
    data, settings = write_csv(tmp_path), {**TINY, "steps": 6}
    with pytest.raises(KeyboardInterrupt):
        FramesModel.fit(data, out=tmp_path / "out", observer=Impatient("without recurrence"), **settings)
    assert not (tmp_path / "out" / "metrics.json").exists()
    resumed = FramesModel.fit(out=tmp_path / "out", resume=True)
    assert resumed.metrics["validation"] == FramesModel.fit(data, **settings).metrics["validation"]


def test_ctrl_c_behind_the_training_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(tmp_path)
    monkeypatch.chdir(tmp_path)

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FramesModel, "figures", pressed)
    words = ["train", "frames", "steps.csv", "--steps", "2", "--hidden", "4", "--out", "out"]
    with pytest.raises(UnrolledError, match=r"stopped before the figures were made; go on with: .* train frames --out"):
        get_command(app).main(words, standalone_mode=False)


@pytest.mark.parametrize("kind", [RecursionError, ImportError])
def test_ctrl_c_is_told_in_a_line_whatever_it_breaks(kind: type[BaseException]) -> None:
    code = f"""
import os, signal
from unrolled.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored

def half_imported(words, debug):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    except KeyboardInterrupt:
        raise {kind.__name__}("half imported") from None

main._run = half_imported
main.main(["cells"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "unrolled: stopped.\n")
