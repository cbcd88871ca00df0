"""The benchmarks measure what they say: peers compute our function, flops and medians are right, files are left."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch

from benchmarks.__main__ import main
from benchmarks.cases import CELLS, MODES, Case, Problem, product_size
from benchmarks.contender import Answer, Contender, LeftOut, Setting, errors
from benchmarks.gate import SMALL, GateRed, check_row, complaints, truth
from benchmarks.limits import at_most
from benchmarks.options import read
from benchmarks.packing import pack, unpack
from benchmarks.peak import Peak
from benchmarks.peers.table import OURS, build, missing, peers_of
from benchmarks.progress import say
from benchmarks.report import Table, geometric_mean
from benchmarks.steps import RECIPES
from benchmarks.timing import FAR, FAR_AND_LONG, LONG, PATIENCE, interleave, wait_until_quiet
from unrolled.cells.library import LIBRARY

ROOT = Path(__file__).resolve().parents[2]
LIMITS = (1e-5, 1e-4)

IN_PROCESS = ("torch.nn", "torch loop", "jax.lax.scan", "onnxruntime", "torchrecurrent")
"""Peers that neither compile for seconds nor start a process."""

PAIRS = [
    (cell, mode, name)
    for cell in CELLS
    for mode in MODES
    for name in peers_of(cell, mode)
    if name in IN_PROCESS
    if name != "jax.lax.scan" or mode == "train" or cell == "lstm"  # what is jitted: once, for training
]
PAIRS += [("lstm", mode, OURS) for mode in MODES]  # tests/engine has the other cells


def small(cell: str) -> Problem:
    return Problem(Case(cell, *SMALL), seed=2)


@pytest.mark.parametrize(("cell", "mode", "name"), PAIRS)
def test_a_contender_computes_the_cell(cell: str, mode: str, name: str) -> None:
    if name != OURS and (reason := missing(name)):
        pytest.skip(f"{name}: {reason}")
    problem = small(cell)
    contender = build(name, problem, mode, Setting(threads=1))
    expected = truth(problem, mode)
    assert set(expected.gradients) == ({"x", *problem.parameters} if mode == "train" else set())
    assert complaints(name, contender.answer(contender.run()), expected, *LIMITS) == []


@pytest.mark.parametrize("cell", CELLS)
def test_packing_is_undone_by_unpacking(cell: str) -> None:
    problem, stacks = small(cell), RECIPES[cell].stacks
    parameters = problem.parameters
    packed = pack(parameters, stacks)
    assert packed["W"].shape == (problem.case.D, len(stacks["W"]) * problem.case.H)  # what x @ W wants
    again = unpack(packed, stacks)
    assert set(again) == set(parameters)
    for name, value in parameters.items():
        assert torch.equal(again[name], value)


def test_a_wrong_answer_is_complained_about() -> None:
    problem = small("lstm")
    expected = truth(problem, "train")
    gradients = {name: value.clone() for name, value in expected.gradients.items()}
    assert complaints("same", Answer(expected.outputs, gradients), expected, *LIMITS) == []
    swapped = {**gradients, "W_i": gradients["W_f"], "W_f": gradients["W_i"]}
    assert len(complaints("swapped", Answer(expected.outputs, swapped), expected, *LIMITS)) == 2
    del gradients["U_o"]
    assert errors(Answer(expected.outputs, gradients), expected)["dU_o"] == float("inf")
    assert errors(Answer(expected.outputs * torch.nan), expected)["outputs"] == float("inf")
    shifted = [(fixed("ours", [1.0]), expected), (fixed("theirs", [1.0]), replace(expected, outputs=-expected.outputs))]
    with pytest.raises(GateRed, match="theirs: outputs is 2.0e\\+00 away"):
        check_row(shifted)


def test_flops_against_counts_by_hand() -> None:
    # Four gates, each a product of D and of H numbers with H units, two operations a number; three times that to train.
    assert Case("lstm", 100, 16, 128, 128).flops("infer") == 2 * 16 * 100 * 4 * 128 * (128 + 128)
    assert Case("lstm", 35, 20, 650, 650).flops("train") == 3 * 2 * 20 * 35 * 4 * 650 * (650 + 650)
    for cell in ("gru", "gru_reset_after"):
        assert Case(cell, 7, 3, 5, 8).flops("infer") == 2 * 3 * 7 * 3 * 8 * (5 + 8)
    assert product_size(CELLS["lstm_layer_norm"], 5, 8) == product_size(CELLS["lstm_peephole"], 5, 8) == 4 * 8 * 13
    assert product_size(CELLS["indrnn"], 5, 8) == 5 * 8
    assert product_size(CELLS["mingru"], 5, 8) == 2 * 5 * 8


def test_a_matrix_used_twice_counts_twice() -> None:
    assert product_size(LIBRARY["antisymmetric"], 5, 8) == 5 * 8 + 2 * 8 * 8


class Clock:
    """Time that goes on only when a contender runs, and a log of who ran when."""

    def __init__(self) -> None:
        self.now, self.log = 0.0, list[str]()

    def __call__(self) -> float:
        return self.now

    def contender(self, name: str, durations: Iterator[float] | list[float]) -> Contender:
        left = iter(durations)

        def run() -> None:
            self.log.append(name)
            self.now += next(left)

        return Contender(name, run, lambda result: result)


def fixed(name: str, durations: list[float]) -> Contender:
    return Clock().contender(name, durations)


def test_medians_and_turns_on_a_fake_clock() -> None:
    clock, rests = Clock(), list[None]()
    # The first call counts for nobody; calls of 0.1 s and more are not preceded by another.
    one = clock.contender("one", [9.0 / 90, 0.3, 0.1, 0.2])
    other = clock.contender("other", [0.4, 0.4, 0.9, 0.5])
    measured = interleave([one, other], least=3, seconds=0.0, clock=clock, rest=lambda: rests.append(None))
    assert all(set(clock.log[place : place + 2]) == {"one", "other"} for place in range(0, 8, 2))
    assert clock.log != ["one", "other"] * 4  # nobody always comes behind the same one
    assert len(rests) == 6
    assert measured["one"].median == pytest.approx(0.2)
    assert measured["other"].median == pytest.approx(0.5)
    assert (measured["one"].low, measured["one"].high) == pytest.approx((0.15, 0.25))
    assert measured["one"].samples == measured["other"].samples == 3


def test_short_calls_are_woken_by_one_that_does_not_count() -> None:
    clock = Clock()
    short = clock.contender("short", [0.01, 7.0, 0.01, 7.0, 0.02, 7.0, 0.03])
    assert interleave([short], 3, 0.0, clock, lambda: None)["short"].median == pytest.approx(0.02)


def test_a_turn_waits_for_threads_that_still_spin() -> None:
    end = time.monotonic() + 0.06

    def spin() -> None:
        while time.monotonic() < end:
            pass

    threading.Thread(target=spin).start()
    wait_until_quiet()
    assert time.monotonic() >= end
    rests = list[float]()
    wait_until_quiet(lambda: sum(rests), rests.append)  # never quiet
    assert sum(rests) == pytest.approx(PATIENCE)


def test_slow_contenders_take_fewer_turns() -> None:
    clock = Clock()
    durations = {"quick": 0.06, "far": 0.06 * FAR * 1.01, "far and long": FAR_AND_LONG * 1.01}
    ready = [clock.contender(name, [seconds] * 99) for name, seconds in durations.items()]
    measured = interleave(ready, 7, 0.0, clock, lambda: None)
    assert {name: one.samples for name, one in measured.items()} == {"quick": 7, "far": 3, "far and long": 1}
    assert clock.log.count("far and long") == 1
    assert interleave([clock.contender("one", [LONG + 1])], 7, 0.0, clock, lambda: None)["one"].samples == 1
    more = interleave([clock.contender("quick", [0.06] * 99)], 7, 1.0, clock, lambda: None)
    assert more["quick"].samples == 16  # as many turns of 0.06 s as fit into a second


def test_what_takes_too_long_to_compile_is_left_out() -> None:
    with pytest.raises(LeftOut, match="compile took > 1 s"), at_most(1, "compile"):
        time.sleep(60)


def test_peak_grows_with_the_work_that_is_done() -> None:
    peak = Peak(threads=1)
    assert 0.5 < peak.sample(2000) < 5000  # GFLOP/s of one thread: no processor is outside
    assert peak.best == max(peak.samples)


def test_a_table_and_a_mean() -> None:
    text = Table("Rows", ("who", "ms"), [["a", "1.5"], ["b", "2"]]).text()
    assert text == "## Rows\n\n| who | ms |\n| :-- | --: |\n| a | 1.5 |\n| b | 2 |\n"
    assert geometric_mean([0.5, 8.0]) == pytest.approx(2.0)


@pytest.mark.parametrize("theme", ["layers", "memory", "ragged", "step"])
def test_every_theme_can_be_loaded(theme: str) -> None:
    assert callable(import_module(f"benchmarks.themes.{theme}").run)


def test_a_run_leaves_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["layers", "--quick", "--skip-tests", "--cells", "elman", "--shapes", "5,2,4,4", "--out", str(tmp_path)]
    arguments += ["--threads", "1", "--minutes", "0", "--peers", "torch.nn", "torch loop"]
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (figures,), (table,) = tmp_path.glob("layers_*.json"), tmp_path.glob("layers_*.md")
    assert figures.stem == table.stem
    assert table.read_text(encoding="utf-8").strip() == done.stdout.strip()
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert [(row["cell"], row["T"], row["mode"]) for row in found["rows"]] == [("elman", 5, mode) for mode in MODES]
    for row in found["rows"]:
        assert set(row["seconds"]) == {OURS, "torch.nn", "torch loop"}
        assert row["best"] in row["seconds"]
        assert all(0 < one["low"] <= one["median"] <= one["high"] for one in row["seconds"].values())
        assert row["ratio"] == pytest.approx(row["seconds"][row["best"]]["median"] / row["seconds"][OURS]["median"])
    assert "tests/engine was not run" in found["gate"]
    assert found["machine"]["threads"] == 1
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err


def test_wrong_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, complaint in (
        (["layers", "--shapes", "5,2,4"], "T,N,D,H"),
        (["layers", "--shapes", "5,0,4,4"], "sizes go from 1 on"),
        (["layers", "--threads", "0"], "--threads is a whole number from 1 on"),
        (["speed"], "invalid choice"),
    ):
        with pytest.raises(SystemExit) as left:
            read(arguments)
        assert left.value.code == 2
        assert complaint in capsys.readouterr().err
    say("progress goes to standard error")
    assert capsys.readouterr().out == ""
