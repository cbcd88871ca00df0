"""A run that was killed and resumed is, to the bit, the run that was never stopped; and what --resume refuses."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cli.commands import PROGRAM, Running, run, start
from tasks.samples import EXCERPT, TINY, options, write
from training.equality import assert_same
from unrolled.errors import UnrolledError, UsageError
from unrolled.tasks.text.model import TextModel
from unrolled.training.checkpoint import load_checkpoint
from unrolled.training.interrupt import Interrupt
from unrolled.training.trainer import BEST, LAST

PLAIN = {"steps": 60, "hidden": 16, "batch": 4, "window": 16, "dropout_output": 0.2, "checkpoint_seconds": 0.05}
PLAIN |= {"inspect": 1}  # a look for each row, so that no clock says when
BEYOND_THE_WINDOW = {"steps": 500, "batch": 2, "window": 2, "bptt": 5, "fresh": 0.3, "validations": 3, "cell": "elman"}
BEYOND_THE_WINDOW |= {"hidden": 8, "layers": 2, "dropout_layers": 0.3, "checkpoint_seconds": 0.05, "inspect": 1}
"""Several updates in a row of history, so that a checkpoint stands between two rows."""
NOISY = PLAIN | {"cell": "gru", "zoneout": 0.2, "variational": 0.2, "drop_connect": 0.1}
CLOCK = ("seconds", "per_second")
"""What depends on the clock, and so on nothing that a run can repeat."""


def trained(folder: Path, out: str, *words: str, **settings: object) -> None:
    """Train in a process of its own, to the end."""
    done = run("train", "text", "text.txt", "--out", out, *words, *options(settings), folder=folder)
    assert done.code == 0, done.err


def step_of(out: Path) -> int:
    """The step of the last checkpoint, 0 where there is none."""
    return load_checkpoint(out / LAST)["progress"]["step"] if (out / LAST).exists() else 0


def wait_for_step(command: Running, out: Path, step: int) -> None:
    """Wait until a run has written a checkpoint of this step or a later one, or has ended."""
    while step_of(out) < step and not command.ended:
        time.sleep(0.002)


def killed(words: tuple[object, ...], out: Path, step: int, steps: int) -> None:
    """Run a training and kill it with SIGKILL once a checkpoint of this step is there; again, where it was faster."""
    before = out.with_name("before")
    if out.exists():
        shutil.copytree(out, before)
    for _ in range(5):
        command = start("train", "text", *words, "--out", out, folder=out.parent)
        wait_for_step(command, out, step)
        command.send(signal.SIGKILL)
        done = command.wait()
        if done.code == -signal.SIGKILL and step <= step_of(out) < steps:
            assert not (out / "metrics.json").exists()
            shutil.rmtree(before, ignore_errors=True)
            return
        assert done.code in (0, -signal.SIGKILL), done.err
        shutil.rmtree(out)
        if before.exists():
            shutil.copytree(before, out)
    raise AssertionError(f"five runs of {steps} steps were too fast to be killed between step {step} and the end")


def without_clock(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in rows]


def assert_same_run(one: Path, other: Path) -> None:
    """Both folders hold the same run: model, best and last checkpoint, history, figures, but for the clock's part."""
    for name in ("model.safetensors", "config.json", "vocabulary.json", BEST):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert_same(last_of(one), last_of(other))
    tables = []
    for out in (one, other):
        with open(out / "history.csv", encoding="utf-8", newline="") as file:
            tables.append(without_clock(list(csv.DictReader(file))))
    assert len(tables[0]) > 10
    assert tables[0] == tables[1]
    figures = [json.loads((out / "metrics.json").read_text(encoding="utf-8")) for out in (one, other)]
    for figure in figures:
        for name in CLOCK:
            figure["training"].pop(name)
    assert figures[0] == figures[1]


def last_of(out: Path) -> dict[str, Any]:
    """The last checkpoint without what depends on the clock."""
    content = load_checkpoint(out / LAST)
    (content["progress"],) = without_clock([content["progress"]])
    content["history"] = without_clock(content["history"])
    assert set(content) == {"network", "optimizer", "progress", "course", "history", "losses", "count", "random"}
    return content


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    write(folder)
    trained(folder, "whole", **PLAIN)
    return folder / "whole"


def test_killed_and_resumed_by_the_installed_program_equals_uninterrupted(whole: Path, tmp_path: Path) -> None:
    write(tmp_path)
    out = tmp_path / "killed"
    command = [PROGRAM, "train", "text", "text.txt", "--out", str(out), *options(PLAIN)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while step_of(out) < 2:
            assert running.poll() is None
            time.sleep(0.002)
        os.kill(running.pid, signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert 2 <= step_of(out) < 60
    assert not (out / "model.safetensors").exists()
    subprocess.run([PROGRAM, "train", "text", "--out", out, "--resume"], check=True, cwd=tmp_path, capture_output=True)
    assert_same_run(whole, out)


@pytest.mark.parametrize(
    ("settings", "kills", "words"),
    [
        pytest.param(BEYOND_THE_WINDOW, [100, 300], ("--learn-initial-state",), id="k2 beyond the window, fresh rows"),
        pytest.param(NOISY, [13, 37], ("--layer-norm",), id="noise, over ends of epochs, killed twice"),
    ],
)
def test_killed_and_resumed_equals_uninterrupted(
    settings: dict[str, Any], kills: list[int], words: tuple[str, ...], tmp_path: Path
) -> None:
    write(tmp_path, EXCERPT[:1200])  # epochs of 17 and of 270 windows
    trained(tmp_path, "whole", *words, **settings)
    out = tmp_path / "killed"
    command = ("text.txt", *words, *options(settings))
    for step in kills:
        killed(command, out, step, settings["steps"])
        command = ("--resume",)
    assert run("train", "text", "--resume", "--out", out, folder=tmp_path).code == 0
    assert_same_run(tmp_path / "whole", out)
    shown = EventAccumulator(str(out / "tensorboard")).Reload().Scalars("train")  # what a killed run told is void
    assert [event.step for event in shown] == [row["step"] for row in last_of(out)["history"]]


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    """Else the comparison above might compare nothing."""
    write(tmp_path)
    for seed in (1, 2):
        TextModel.fit(tmp_path / "text.txt", out=tmp_path / str(seed), seed=seed, **TINY)
    with pytest.raises(AssertionError):
        assert_same_run(tmp_path / "1", tmp_path / "2")
    one, other = (last_of(tmp_path / seed) for seed in "12")
    for part in ("network", "optimizer", "course", "random"):
        with pytest.raises(AssertionError):
            assert_same(one[part], other[part])


# Killed between the end of training and the end of writing.


@pytest.mark.parametrize("ended", ["budget", "patience"])
def test_a_run_killed_before_its_result_was_written_ends_as_it_would_have(ended: str, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    write(texts, "ab" * 300, "train.txt")
    write(texts, "abababababbbaaabba", "valid.txt")
    settings = TINY | {"steps": 40, "validations": 20, "rate": 0.03, "patience": 2 if ended == "patience" else 100}
    TextModel.fit(texts, out=tmp_path / "whole", **settings)
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    for name in ("model.safetensors", "loss.png", "README.md", "metrics.json"):
        (tmp_path / "killed" / name).unlink()
    model = TextModel.fit(out=tmp_path / "killed", resume=True)
    assert model.metrics["training"]["ended"] == ended
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    assert (tmp_path / "killed" / "loss.png").exists()


# Ctrl-C.


def test_ctrl_c_ends_in_good_order_and_resumes_to_the_same_weights(whole: Path, tmp_path: Path) -> None:
    write(tmp_path)
    out = tmp_path / "stopped"
    command = start("train", "text", "text.txt", "--out", out, *options(PLAIN), folder=tmp_path)
    wait_for_step(command, out, 10)
    command.send(signal.SIGINT)
    done = command.wait()
    assert done.code == 0
    assert done.out.startswith("validation: ")
    assert f"Stopped by Ctrl-C; go on with: unrolled train text --out {out} --resume\n" in done.err
    metrics = TextModel.load(out).metrics
    assert metrics["training"]["ended"] == "interrupt"
    assert 10 <= metrics["training"]["steps"] == step_of(out) < 60
    assert {one.name for one in out.iterdir()} == {one.name for one in whole.iterdir()}
    assert run("train", "text", "--out", out, "--resume", folder=tmp_path).code == 0
    expected, stopped = last_of(whole), last_of(out)
    for part in ("network", "optimizer", "course", "random"):
        assert_same(expected[part], stopped[part])
    assert TextModel.load(out).metrics["training"]["ended"] == "budget"


def test_the_first_ctrl_c_is_a_wish_and_the_second_an_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as interrupt:
        assert not interrupt.asked
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


# What --resume takes and refuses.


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps that has ended, beside its text."""
    folder = tmp_path_factory.mktemp("finished")
    TextModel.fit(write(folder), out=folder / "out", **TINY)
    return folder / "out"


def resumed(out: Path, source: Path | None = None, **given: Any) -> TextModel:
    return TextModel.fit(source, out=out, resume=True, **given)


def refusal(out: Path, source: Path | None = None, **given: Any) -> str:
    """The line with which a resumption is refused; the folder stays as it is."""
    before = {path: path.stat().st_mtime_ns for path in sorted(out.rglob("*"))}
    with pytest.raises(UnrolledError) as caught:
        resumed(out, source, **given)
    assert "\n" not in str(caught.value)
    assert before == {path: path.stat().st_mtime_ns for path in sorted(out.rglob("*"))}
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"hidden": 9}, "hidden"),
        ({"hidden": 9, "rate": 0.5, "steps": 9}, "hidden, rate"),
        ({"cell": "gru"}, "cell"),
        ({"device": "cpu"}, "device"),
        ({"hiden": 9}, "hiden"),
    ],
)
def test_other_settings_are_refused(given: dict[str, Any], named: str, finished: Path) -> None:
    expected = f"--resume goes on with the settings of {finished}; leave out {named}."
    assert refusal(finished, **given) == expected


def test_a_changed_text_is_refused(finished: Path, tmp_path: Path) -> None:
    other = write(tmp_path, EXCERPT + "!")
    expected = f"{other} is not what {finished} was trained on: its fingerprint differs."
    assert refusal(finished, other, steps=9) == expected


def test_a_used_up_budget_is_refused(finished: Path) -> None:
    assert refusal(finished) == "the budget of 4 steps is used up; give a larger one to go on."
    assert refusal(finished, steps=3) == "the budget of 3 steps is used up; give a larger one to go on."


def test_a_larger_budget_goes_on(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    model = resumed(out, finished.parent / "text.txt", hidden=8, steps=7)  # said again, it is no other setting
    assert [row["step"] for row in model.history] == [1, 2, 3, 4, 5, 6, 7]
    assert model.metrics["training"]["steps"] == 7
    loaded = TextModel.load(out)
    assert (loaded.config.steps, loaded.config.hidden) == (7, 8)
    again = resumed(out, epochs=0.3)
    assert again.config.steps is None
    assert again.metrics["training"]["steps"] == 11  # 34 windows an epoch


def test_a_missing_folder_checkpoint_or_text_is_named(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"there is no model folder {tmp_path / 'none'}"):
        resumed(tmp_path / "none")
    with pytest.raises(UsageError, match="--resume goes on with the run in --out DIR; name the folder"):
        TextModel.fit(resume=True)
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / LAST).unlink()
    assert refusal(out, steps=9) == f"there is no checkpoint {out / LAST} to resume from."
    shutil.copy(out / BEST, out / LAST)
    assert refusal(out, steps=9) == f"the checkpoint {out / LAST} is no such checkpoint: it holds no 'optimizer'."
    (out / "source.json").write_text('{"source": "nowhere.txt", "fingerprint": "0"}', encoding="utf-8")
    assert refusal(out, steps=9).startswith("'nowhere.txt' is no file, no folder and no bundled text")
    (out / "source.json").write_text("{}", encoding="utf-8")
    assert refusal(out, steps=9) == f"{out / 'source.json'} is damaged: it names no source."
