"""Runs are made once each, kept when they are done, and gone on with; whoever waits is told how far they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unrolled.errors import UsageError
from unrolled.lab.experiment import Bench, Experiment, Result, Setting, Stopped, Table, Verdict
from unrolled.lab.runs import Kept, Plan, make_runs

GRID: list[Setting] = [{"size": size, "words": "of nothing"} for size in (1, 2, 3)]


class Counting:
    """An experiment whose runs only count themselves; the one of a number is stopped by Ctrl-C."""

    def __init__(self, grid: list[Setting] = GRID, stopped: int = 0) -> None:
        self.made: list[tuple[int, int]] = []
        self.stopped = stopped
        self.experiment = Experiment(
            "L0",
            "nothing",
            "nobody",
            "nothing",
            lambda quick: grid,
            self.make,
            lambda runs: Table(("size",), []),
            lambda runs: None,
            lambda runs: Verdict(True, "so"),
            cost=lambda setting: setting["size"],
        )

    def make(self, setting: Setting, seed: int, bench: Bench) -> Result:
        if len(self.made) + 1 == self.stopped:
            raise Stopped("by hand")
        self.made.append((setting["size"], seed))
        bench.report(0.5)
        return {"size": setting["size"], "seed": seed}


def silent(what: str, share: float, left: float) -> None: ...


def runs_of(counting: Counting, path: Path, seeds: int = 2, show: Callable[..., None] = silent) -> list[Any]:
    return make_runs(Plan(counting.experiment, False, seeds, None), Kept(path), show)


def test_every_setting_and_seed_is_run_once_and_given_by_setting(tmp_path: Path) -> None:
    counting = Counting()
    found = runs_of(counting, tmp_path / "runs.jsonl")
    assert counting.made == [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]
    assert [(run.setting["size"], run.seed) for run in found] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert all(run.result == {"size": run.setting["size"], "seed": run.seed} for run in found)


def test_what_was_stopped_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    stopped = Counting(stopped=5)
    with pytest.raises(Stopped):
        runs_of(stopped, tmp_path / "runs.jsonl")
    again = Counting()
    found = runs_of(again, tmp_path / "runs.jsonl")
    assert stopped.made + again.made == [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]
    whole = runs_of(Counting(), tmp_path / "whole.jsonl")
    assert [run[:3] for run in found] == [run[:3] for run in whole]
    assert runs_of(nothing_left := Counting(), tmp_path / "runs.jsonl") == found
    assert nothing_left.made == []
    runs_of(more := Counting(), tmp_path / "runs.jsonl", seeds=3)
    assert more.made == [(1, 3), (2, 3), (3, 3)]


def test_a_line_cut_off_is_made_again_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    runs_of(Counting(), path)
    path.write_text(path.read_text()[:-20])
    runs_of(again := Counting(), path)
    assert again.made == [(3, 2)]
    runs_of(whole := Counting(), path)
    assert whole.made == []


def test_another_setting_is_another_run_but_its_order_is_not(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    runs_of(Counting(), path, seeds=1)
    turned: list[Setting] = [{"words": "of nothing", "size": 1}, {"size": 2, "words": "of something"}]
    runs_of(again := Counting(turned), path, seeds=1)
    assert again.made == [(2, 1)]


def test_progress_goes_by_what_runs_cost_and_tells_the_time_left(tmp_path: Path) -> None:
    told = list[tuple[str, float, float]]()
    runs_of(Counting(), tmp_path / "runs.jsonl", seeds=1, show=lambda *one: told.append(one))
    assert [round(share, 3) for _, share, _ in told] == [
        0.0,
        round(0.5 / 6, 3),
        round(1 / 6, 3),
        round(2 / 6, 3),
        0.5,
        0.75,
    ]
    assert told[0][2] == 0.0
    assert all(left >= 0.0 for _, _, left in told)
    assert told[-1][0] == "L0 size 3, seed 1 (3 of 3)"


def test_settings_that_read_data_are_left_out_without_them(tmp_path: Path) -> None:
    grid: list[Setting] = [{"size": 1}, {"size": 2, "data": "names"}, {"size": 3, "data": "chorales"}]
    (tmp_path / "names").mkdir()
    counting = Counting(grid)
    plan = Plan(counting.experiment, False, 1, tmp_path)
    assert plan.left_out == ["chorales"]
    make_runs(plan, Kept(tmp_path / "runs.jsonl"), silent)
    assert counting.made == [(1, 1), (2, 1)]
    nothing = Plan(Counting(grid[1:]).experiment, False, 1, None)
    with pytest.raises(UsageError, match="L0 reads data: no data folder has names, chorales; --data"):
        make_runs(nothing, Kept(tmp_path / "none.jsonl"), silent)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        Kept(tmp_path / "runs.jsonl")
