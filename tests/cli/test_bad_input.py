"""What bad input gets on the command line: one clear line, exit code 2 or 1, nothing half-written left behind."""

import subprocess
import time
from pathlib import Path

import pytest
import torch

from cli.commands import PROGRAM, run
from tasks.samples import EXCERPT, write

TRAIN = ("train", "text")
QUICK = ("--steps", "2", "--hidden", "8", "--batch", "2", "--window", "8")


def refused(folder: Path, *words: object, code: int = 2) -> str:
    """The one line that a command is refused with; it must leave the folder as it was."""
    before = sorted(folder.rglob("*"))
    done = run(*words, folder=folder)
    assert done.code == code
    assert sorted(folder.rglob("*")) == before
    return done.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trian",), "Did you mean 'train'"),
        ((*TRAIN, "text.txt", "--hiden", "3"), "--hidden"),
        ((*TRAIN, "text.txt", "--cell", "lstmm"), "Did you mean 'lstm'"),
        ((*TRAIN, "tinyshakespare"), "Did you mean 'tinyshakespeare'"),
        ((*TRAIN, "missing.txt"), "missing.txt"),
        ((*TRAIN,), "--out"),
        ((*TRAIN, "--out", "model"), "bundled"),
        ((*TRAIN, "text.txt", "--hidden", "0"), "hidden"),
        ((*TRAIN, "text.txt", "--hidden", "many"), "'--hidden'"),
        ((*TRAIN, "text.txt", "--unit", "letter"), "'char', 'word', 'bpe'"),
        ((*TRAIN, "text.txt", "--steps", "2", "--minutes", "1"), "give one"),
        ((*TRAIN, "text.txt", "--window", "16", "--bptt", "8"), "bptt"),
        ((*TRAIN, "text.txt", "--size", "projection"), "projection=64"),
        ((*TRAIN, "text.txt", "--cell", "lstm_projected"), "projection"),
        ((*TRAIN, "text.txt", "--device", "tpu"), "'cuda'"),
        ((*TRAIN, "text.txt", "--config", "missing.toml"), "missing.toml"),
        ((*TRAIN, "text.txt", "--resume", "--out", "nowhere"), "nowhere"),
        ((*TRAIN, "text.txt", "--out", "text.txt"), "is a file"),
        ((*TRAIN, "text.txt", "--out", "text.txt/model"), "cannot write to text.txt/model"),
        ((*TRAIN, "text.txt", "--out", "kept"), "holds files that are no model"),
        ((*TRAIN, "text.txt", "--out", "kept", "--force"), "holds files that are no model"),
        (("generate", "nowhere"), "there is no model folder nowhere"),
        (("score", "kept", "text.txt"), "config.json is missing"),
        (("cells", "grru"), "Did you mean 'gru'"),
        (("cells", "--latex"), "name the cell"),
    ],
    ids=lambda value: " ".join(map(str, value))[:60] if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_line(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "diary.txt").write_text("mine", encoding="utf-8")
    assert said in refused(tmp_path, *words)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"To be", "--window"),
        (b"caf\xe9 " * 300, "offset 3"),
    ],
    ids=["empty", "shorter than a window", "not UTF-8"],
)
def test_a_text_that_cannot_be_trained_on(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(content)
    assert said in refused(tmp_path, *TRAIN, "text.txt", "--out", "model", *QUICK)


def test_the_encoding_that_the_error_names_works(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(b"un caf\xe9 noir.\n" * 60)
    assert "--encoding latin-1" in refused(tmp_path, *TRAIN, "text.txt", "--out", "model", *QUICK)
    done = run(*TRAIN, "text.txt", "--out", "model", "--encoding", "latin-1", *QUICK, folder=tmp_path)
    assert done.code == 0, done.err


def test_a_folder_without_the_expected_files(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.md").write_text(EXCERPT, encoding="utf-8")
    error = refused(tmp_path, *TRAIN, "texts", "--out", "model", *QUICK)
    assert "train" in error
    assert "notes.md" in error


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU to give")
def test_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path)
    error = refused(tmp_path, *TRAIN, "text.txt", "--out", "model", "--device", "cuda", *QUICK)
    assert "--device auto" in error


def test_a_misspelt_setting_in_a_file(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "small.toml").write_text("hiden = 8\n", encoding="utf-8")
    error = refused(tmp_path, *TRAIN, "text.txt", "--out", "model", "--config", "small.toml")
    assert "Did you mean 'hidden'" in error


def test_equations_that_are_no_cell(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "cell.txt").write_text("h' = tanh(W @ x + U @ h\n", encoding="utf-8")
    error = refused(tmp_path, *TRAIN, "text.txt", "--out", "model", "--cell", "cell.txt", *QUICK)
    assert error.startswith("line 1, column")


def test_debug_shows_where_it_happened(tmp_path: Path) -> None:
    done = run("cells", "lstmm", "--debug", folder=tmp_path)
    assert done.code == 2
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("unrolled: ")


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        write(tmp_path)
        done = run(*TRAIN, "text.txt", "--out", "disk/model", *QUICK, "--hidden", "64", folder=tmp_path)
        assert done.code == 1
        assert "Traceback" not in done.err
        assert done.err.splitlines()[-1].startswith("unrolled: ")
        assert "No space left" in done.err.splitlines()[-1]
        assert not (disk / "model" / "model.safetensors").exists()
        assert not list(disk.rglob("*.part"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_help_is_there_in_a_second(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([PROGRAM, "--help"], cwd=tmp_path, capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    assert min(times) < 1.0
