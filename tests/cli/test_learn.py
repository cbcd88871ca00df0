"""``unrolled train``: options and files of settings, what is told on which stream, and disks that are full."""

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.commands import PROGRAM, run
from tasks.samples import EXCERPT, TINY, options, write
from unrolled.tasks.text.config import TextConfig
from unrolled.tasks.text.model import TextModel

TEXT = EXCERPT[:700]
TRAIN = ("train", "text", "text.txt")


def trained(folder: Path, *words: object) -> TextModel:
    """The model that a command trains into ``out``."""
    done = run(*TRAIN, "--out", "out", *words, folder=folder)
    assert done.code == 0, done.err
    return TextModel.load(folder / "out")


# What it says.


def test_results_go_to_one_stream_and_the_course_to_the_other(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    done = run(*TRAIN, *options(TINY), folder=tmp_path)
    model = TextModel.load(tmp_path / "runs" / "text")  # named after the text
    figures = model.metrics["validation"]
    first, ngram, better, *sample = done.out.splitlines()
    assert first.startswith(f"validation: {figures['nats_per_character']:.4f} nats a character (")
    assert first.endswith(f"perplexity {figures['perplexity']:.2f}, over 70 characters")
    assert ngram.startswith("  5-gram of the training text: ")
    assert better.startswith("validation: 5-gram of the training text is better here: nats per character")
    assert "\n".join(sample).strip() == model.generate(length=400, seed=1).strip()
    lines = done.err.splitlines()
    assert lines[0] == f"lstm, 1 layer of 8 units, {model.metrics['training']['parameters']:,} parameters, 4 steps"
    assert lines[1] == "text.txt: 630 characters to learn, 70 to validate"
    assert "(nats a character)" in lines[2]
    with open(tmp_path / "runs" / "text" / "history.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["valid"]]
    for line, row in zip(lines[3:5], rows, strict=True):
        assert line.split()[1:4] == [row["step"], f"{float(row['train']):.3f}", f"{float(row['valid']):.3f}"]
    assert "\n".join(lines[5:]).strip().startswith("The model is in runs/text: its loss is drawn in loss.png")


def test_metrics_for_machines(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    done = run(*TRAIN, "--out", "out", "--json", *options(TINY), folder=tmp_path)
    assert json.loads(done.out) == json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))


def test_standard_input_is_a_text_and_wants_a_folder(tmp_path: Path) -> None:
    words = ("train", "text", "-", *options(TINY))
    assert run(*words, folder=tmp_path, stdin=TEXT.encode()).error == "name the folder of the model with --out."
    assert run(*words, "--out", "out", folder=tmp_path, stdin=TEXT.encode()).code == 0
    assert TextModel.load(tmp_path / "out").metrics["data"]["characters"] == 630


# Settings.


def test_every_setting_is_an_option_with_a_line_of_help() -> None:
    shown = subprocess.run(
        [PROGRAM, "train", "text", "--help"], env={"COLUMNS": "400"}, capture_output=True, text=True, check=True
    ).stdout
    for name, field in TextConfig.model_fields.items():
        option = "--size" if name == "sizes" else f"--{name.replace('_', '-')}"
        (line,) = [line for line in shown.splitlines() if line.startswith(f"│ {option} ")]
        assert str(field.description) in line
        assert field.default in (None, {}, False) or f". Default: {field.default}." in line


def test_options_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    settings = (
        'cell = "lstm_projected"\nhidden = 9\nlayers = 2\nresidual = true\nsizes = { projection = 5 }\nminutes = 9\n'
    )
    write(tmp_path, settings + "batch = 4\nwindow = 16\n", "small.toml")
    model = trained(tmp_path, "--config", "small.toml", "--hidden", 7, "--no-residual", "--steps", 2)
    config = model.config
    assert (config.cell, config.hidden, config.layers, config.sizes) == ("lstm_projected", 7, 2, {"projection": 5})
    assert (config.residual, config.minutes, config.steps, config.embedding) == (False, None, 2, 64)


def test_sizes_and_switches_are_options(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    words = ("--cell", "lstm_projected", "--size", "projection=6", "--tie", "--layer-norm", *options(TINY))
    config = trained(tmp_path, *words).config
    assert (config.sizes, config.tie, config.layer_norm, config.residual) == ({"projection": 6}, True, True, False)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("hiden = 3", "there is no setting 'hiden' (in small.toml). Did you mean 'hidden'?"),
        ('out = "elsewhere"', "there is no setting 'out' (in small.toml)."),
        ('source = "elsewhere"', "there is no setting 'source' (in small.toml)."),
        ('hidden = "many"', "hidden: should be a valid integer"),
        ("minutes = 1\nepochs = 2", "minutes and epochs are budgets; give one."),
        ("hidden = ", "the settings small.toml are no TOML: "),
    ],
)
def test_a_file_of_settings_that_does_not_fit(settings: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    write(tmp_path, settings, "small.toml")
    done = run(*TRAIN, "--out", "out", "--config", "small.toml", folder=tmp_path)
    assert done.error.startswith(said)
    assert done.code == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["small.toml", "text.txt"]


# Places that cannot be written to.


@pytest.mark.parametrize("out", ["text.txt/out", "/proc/out", "/dev/null/out"])
def test_a_place_that_cannot_be_written_to(out: str, tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    error = run(*TRAIN, "--out", out, *options(TINY), folder=tmp_path).error
    assert error.startswith(f"cannot write to {out}: ")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["text.txt"]


def mount(place: Path, how: str) -> None:
    """Mount a small disk in memory, or skip where that is not allowed."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A place for a small disk; whatever is mounted there goes with the test."""
    place = tmp_path / "disk"
    place.mkdir()
    yield place
    while place.is_mount():
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_cannot_be_written_to(disk: Path, tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    mount(disk, "size=1m,ro")
    error = run(*TRAIN, "--out", "disk/out", *options(TINY), folder=tmp_path).error
    assert error == "cannot write to disk/out: Read-only file system."
    assert run(*TRAIN, "--out", "disk", *options(TINY), folder=tmp_path).error.startswith("cannot write to disk: ")


@pytest.mark.parametrize("size", ["4k", "12k", "16k", "24k", "40k"])
def test_a_full_disk_leaves_nothing_before_the_first_checkpoint(size: str, disk: Path, tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    mount(disk, f"size={size}")
    done = run(*TRAIN, "--out", "disk/out", *options(TINY), folder=tmp_path)
    assert done.code == 1
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1].startswith("unrolled: ")
    assert done.err.splitlines()[-1].endswith("No space left on device.")
    assert list(disk.iterdir()) == []


def test_a_disk_that_is_full_at_the_end_is_no_loss(disk: Path, tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    mount(disk, "size=100k")  # room for both checkpoints, and not for the figure
    done = run(*TRAIN, "--out", "disk/out", *options(TINY), folder=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-1].endswith("No space left on device.")
    assert (disk / "out" / "checkpoints" / "last.safetensors").exists()
    names = {path.name for path in disk.rglob("*")}
    assert not names & {"metrics.json", "loss.png"}
    assert not [name for name in names if name.endswith(".part")]
    assert "Its training was cut off" in run("generate", "disk/out", folder=tmp_path).error
    mount_larger = ["mount", "-o", "remount,size=4m", str(disk)]
    subprocess.run(mount_larger, check=True)
    assert run("train", "text", "--out", "disk/out", "--resume", folder=tmp_path).code == 0
    assert TextModel.load(disk / "out").score(TEXT).nats == trained(tmp_path, *options(TINY)).score(TEXT).nats


def test_saving_to_a_full_disk_leaves_no_half_model(disk: Path, tmp_path: Path) -> None:
    model = TextModel.fit(write(tmp_path, TEXT), **TINY)
    for size in ("4k", "12k", "24k", "48k"):
        mount(disk, f"size={size}")
        with pytest.raises(OSError, match="No space left on device"):
            model.save(disk / "out")
        assert list(disk.iterdir()) == []
        subprocess.run(["umount", str(disk)], check=True)
