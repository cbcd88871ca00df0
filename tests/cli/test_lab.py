"""``unrolled lab``: it lists the claims, runs one, goes on where it was, fails where the well known is not seen."""

import json
import signal
import time
from pathlib import Path

import matplotlib.image
import pytest

import unrolled.lab.table
from cli.commands import run, start
from unrolled.cli.lab import lab
from unrolled.errors import UnrolledError
from unrolled.lab.experiment import Bench, Experiment, Result, Setting, Table, Verdict
from unrolled.lab.figure import figure


def test_the_claims_are_listed(tmp_path: Path) -> None:
    shown = run("lab", folder=tmp_path)
    assert shown.code == 0
    for number in range(1, 11):
        assert f"\nL{number} " in f"\n{shown.out}"
    rows = json.loads(run("lab", "--json", folder=tmp_path).out)
    assert [row["id"] for row in rows] == [f"L{number}" for number in range(1, 11)]
    assert all(row["claim"] and row["source"] for row in rows)
    assert not list(tmp_path.iterdir())


def test_a_claim_is_run_written_and_not_run_again(tmp_path: Path) -> None:
    done = run("lab", "l3", "--quick", "--seeds", 1, "--out", "lab", folder=tmp_path)
    assert done.code == 0, done.err
    last = done.out.splitlines()[-1]
    assert last.startswith("L3 held here: ")
    assert "trained, U = 0" in done.out
    assert "seed 1 (3 of 3)" in done.err
    document = json.loads((tmp_path / "lab" / "L3-quick.json").read_text())
    assert document["schema"] == "unrolled lab 1"
    assert document["seeds"] == [1]
    assert matplotlib.image.imread(tmp_path / "lab" / "L3-quick.png").shape[1] > 700
    kept = (tmp_path / "lab" / "L3-quick.runs.jsonl").read_text()
    again = run("lab", "L3", "--quick", "--seeds", 1, "--out", "lab", "--json", folder=tmp_path)
    assert json.loads(again.out) == document
    assert "(1 of" not in again.err
    assert (tmp_path / "lab" / "L3-quick.runs.jsonl").read_text() == kept


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    running = start("lab", "L1", "--quick", "--out", "lab", folder=tmp_path)
    path = tmp_path / "lab" / "L1-quick.runs.jsonl"
    late = time.monotonic() + 60
    while not (path.exists() and path.read_text().count("\n") >= 2):
        assert time.monotonic() < late
        time.sleep(0.02)
    running.send(signal.SIGINT)
    done = running.wait()
    assert done.code in (1, 130), done.err
    assert "Traceback" not in done.err
    made = path.read_text().count("\n")
    assert made < 16
    first = path.read_text().splitlines()[0]
    again = run("lab", "L1", "--quick", "--out", "lab", folder=tmp_path)
    assert f"(1 of {16 - made})" in again.err
    assert path.read_text().splitlines()[0] == first
    assert path.read_text().count("\n") == 16


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    assert "no experiment 'L11'; there are L1" in run("lab", "L11", folder=tmp_path).error
    assert "seeds" in run("lab", "L1", "--seeds", 0, folder=tmp_path).err


def planted(name: str, expected: bool, robust: bool, data: str | None = None) -> Experiment:
    def make(setting: Setting, seed: int, bench: Bench) -> Result:
        return {"value": seed + len(setting) + bool(bench.data)}

    return Experiment(
        name,
        "something",
        "somebody",
        "something else",
        lambda quick: [{"data": data} if data else {"quick": quick}],
        make,
        lambda runs: Table(("value",), [(str(run.result["value"]),) for run in runs]),
        lambda runs: figure()[0],
        lambda runs: Verdict(False, "nothing was seen", expected),
        robust=robust,
    )


def test_only_the_robust_ones_must_go_in_their_direction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ones = [planted("L1", True, True), planted("L2", False, False), planted("L3", True, False, data="names")]
    monkeypatch.setattr(unrolled.lab.table, "EXPERIMENTS", {one.id: one for one in ones})
    lab("all", out=tmp_path, quick=True)
    shown = capsys.readouterr()
    assert [line for line in shown.out.splitlines() if "here" in line] == [
        "L1 did not hold here: nothing was seen.",
        "L2 did not hold here: nothing was seen.",
    ]
    assert "L3: left out, it reads names (--data)" in shown.err
    ones[0] = planted("L1", False, True)
    monkeypatch.setattr(unrolled.lab.table, "EXPERIMENTS", {one.id: one for one in ones})
    with pytest.raises(UnrolledError, match="^L1: what is well known was not seen"):
        lab("all", out=tmp_path, quick=True)


def test_force_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrolled.lab.table, "EXPERIMENTS", {"L1": planted("L1", True, True)})
    path = tmp_path / "L1.runs.jsonl"
    lab("L1", out=tmp_path, seeds=2)
    kept = path.read_text()
    path.write_text(kept.replace('"value": 2', '"value": 7'))
    lab("L1", out=tmp_path, seeds=2)
    assert '"value": 7' in path.read_text()
    lab("L1", out=tmp_path, seeds=2, force=True)
    assert '"value": 7' not in path.read_text()
