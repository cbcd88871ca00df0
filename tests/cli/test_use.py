"""``unrolled generate`` and ``unrolled score``: the model at work, through real pipes."""

import json
import math
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from cli.commands import PROGRAM, Done, run
from tasks.samples import EXCERPT, TINY, write
from unrolled.tasks.text.model import TextModel
from unrolled.wirings.sampling import Sampling

SHELL_NAME = shlex.quote(str(PROGRAM))
"""The program as a shell reads it, wherever it lies."""
TEXT = EXCERPT[:700]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and a model of it."""
    made = tmp_path_factory.mktemp("use")
    TextModel.fit(write(made, TEXT), out=made / "model", **TINY)
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> TextModel:
    return TextModel.load(folder / "model")


def generate(folder: Path, *words: object) -> str:
    """What the model writes, without the line end behind it."""
    done = run("generate", "model", *words, folder=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\n")
    return done.out[:-1]


# Writing.


def test_a_prompt_and_what_follows(folder: Path, model: TextModel) -> None:
    expected = model.generate("Speak", length=30, sampling=Sampling(temperature=0.8), seed=3)
    assert generate(folder, "--prompt", "Speak", "--length", 30, "--seed", 3) == "Speak" + expected
    assert generate(folder, "--length", 30) != generate(folder, "--length", 30)


@pytest.mark.parametrize(
    ("words", "sampling"),
    [
        (("--temperature", 0), Sampling(temperature=0)),
        (("--temperature", 2.5), Sampling(temperature=2.5)),
        (("--top-k", 2), Sampling(0.8, top_k=2)),
        (("--top-p", 0.1), Sampling(0.8, top_p=0.1)),
        (("--min-p", 0.99), Sampling(0.8, min_p=0.99)),
        (("--repetition-penalty", 9), Sampling(0.8, repetition_penalty=9)),
    ],
)
def test_every_way_of_drawing_has_its_option(words: tuple, sampling: Sampling, folder: Path, model: TextModel) -> None:
    written = generate(folder, "--length", 40, "--seed", 3, *words)
    assert written == model.generate(length=40, sampling=sampling, seed=3)
    assert written != generate(folder, "--length", 40, "--seed", 3)


def test_a_stop_text_ends_it(folder: Path) -> None:
    whole = generate(folder, "--length", 60, "--seed", 3)
    assert generate(folder, "--length", 60, "--seed", 3, "--stop", whole[30:33]) == whole[: whole.index(whole[30:33])]


def test_samples_count_seeds_up(folder: Path) -> None:
    texts = [generate(folder, "--length", 9, "--seed", seed) for seed in (3, 4, 5)]
    assert generate(folder, "--length", 9, "--seed", 3, "--samples", 3) == "\n\n---\n".join(texts)
    lines = generate(folder, "--length", 9, "--seed", 3, "--samples", 3, "--json", "--prompt", "").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"prompt": "", "text": text, "seed": seed} for seed, text in enumerate(texts, 3)
    ]


def test_pieces_stream_out_as_they_are_drawn(folder: Path) -> None:
    command = [PROGRAM, "generate", "model", "--length", "1000000"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert len(running.stdout.read(100)) == 100  # long before the million is there
        running.stdout.close()
        assert running.wait(60) == 0
        assert running.stderr.read() == b""


@pytest.mark.parametrize("line", ["generate model --length 20000 --seed 1 | head -c 10", "cells --json | head -c 10"])
def test_whoever_has_read_enough_may_go(line: str, folder: Path) -> None:
    script = f"set -o pipefail; {SHELL_NAME} {line}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True)
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 10, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_output_that_cannot_be_written_is_told(folder: Path) -> None:
    done = subprocess.run(["bash", "-c", f"{SHELL_NAME} cells > /dev/full"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "unrolled: No space left on device.\n")


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("cells >&-", 0, ""),
        ("generate model --length 5 >&-", 0, ""),
        ("cells lstmm 2>&-", 2, ""),
        ("score model - <&-", 2, "unrolled: standard input is empty; a file with text in it is needed.\n"),
    ],
)
def test_closed_streams_are_no_error_of_ours(line: str, code: int, error: str, folder: Path) -> None:
    done = subprocess.run(["bash", "-c", f"{SHELL_NAME} {line}"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", error)


# Scoring.


def test_a_score_for_eyes(folder: Path, model: TextModel) -> None:
    figures = model.score(TEXT).figures()
    done = run("score", "model", "text.txt", folder=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{figures['nats_per_character']:.4f} nats a character, {figures['bits_per_character']:.4f} bits",
        f"{figures['perplexity']:.4f} perplexity of a token ({figures['nats_per_token']:.4f} nats)",
        "700 characters, 700 tokens",
    ]


def scored(done: Done) -> dict:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_a_score_for_machines_from_a_file_and_from_standard_input(folder: Path, model: TextModel) -> None:
    figures = scored(run("score", "model", "text.txt", "--json", folder=folder))
    assert figures == scored(run("score", "model", "-", "--json", folder=folder, stdin=TEXT.encode()))
    assert figures == model.score(TEXT).figures()
    assert figures["bits_per_character"] == pytest.approx(figures["nats_per_character"] / math.log(2))
    assert (figures["characters"], figures["tokens"]) == (700, 700)


def test_a_score_token_by_token(folder: Path, model: TextModel) -> None:
    done = run("score", "model", "-", "--per-token", folder=folder, stdin=b"Speak, speak.\n")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert rows == list(model.score("Speak, speak.\n").rows())
    assert [(row["token"], row["start"], row["end"]) for row in rows[:2]] == [("S", 0, 1), ("p", 1, 2)]


def test_a_text_in_another_encoding(folder: Path) -> None:
    utf16 = "Speak".encode("utf-16")
    assert (
        scored(run("score", "model", "-", "--json", "--encoding", "utf-16", folder=folder, stdin=utf16))["tokens"] == 5
    )
    error = run("score", "model", "-", folder=folder, stdin=utf16).error
    assert error == "standard input is not utf-8: byte 0xff at offset 0 (line 1); --encoding utf-16 reads it."


# What cannot be done.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("generate", "model", "--prompt", "5%"), "2 distinct character(s) of the text are not among the 45"),
        (("generate", "model", "--length", 0), "length is 1 or more, and is 0."),
        (("generate", "model", "--samples", 0), "Invalid value for '--samples'"),
        (("generate", "model", "--temperature", -1), "temperature is 0 or more, and is -1.0."),
        (("generate", "model", "--top-p", 0), "top-p is above 0 and at most 1, and is 0.0."),
        (("generate", "model", "--device", "gpu"), "there is no device 'gpu'; choose from auto, cpu, cuda, mps."),
        (
            ("generate", "model", "--device", "cud"),
            "there is no device 'cud'; choose from auto, cpu, cuda, mps. Did you",
        ),
        (("generate", "text.txt"), "there is no model folder text.txt."),
        (("generate",), "Missing argument 'DIR'."),
        (("generate", "model", "--promt", "x"), "No such option: --promt"),
        (("score", "model"), "Missing argument 'FILE'."),
        (("score", "model", "tekst.txt"), "no such file: 'tekst.txt'; its folder holds model, text.txt. Did you mean"),
        (("score", "model", "model"), "'model' is a folder; what is needed here is a file of text."),
        (("score", "model", "text.txt", "--encoding", "utf-9"), "unknown encoding 'utf-9'; known are utf-8"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_line(words: tuple, said: str, folder: Path) -> None:
    done = run(*words, folder=folder)
    assert done.error.startswith(said)
    assert done.code == 2


def test_a_command_without_its_arguments_shows_its_help(folder: Path) -> None:
    for words in ((), ("train",)):
        done = run(*words, folder=folder)
        assert "Usage: unrolled" in done.out
        assert (done.code, done.err) == (2, "")


def test_debug_shows_the_whole_error_and_changes_nothing_else(folder: Path) -> None:
    done = run("generate", "--debug", "model", "--length", 0, folder=folder)
    assert done.code == 2
    assert "Traceback (most recent call last):" in done.err
    assert "unrolled.errors.UsageError: length is 1 or more" in done.err
    assert done.err.splitlines()[-1] == "unrolled: length is 1 or more, and is 0."
    assert generate(folder, "--length", 9, "--seed", 3, "--debug") == generate(folder, "--length", 9, "--seed", 3)


def test_predict_replaces_no_file_unasked(folder: Path) -> None:
    prompts = folder / "prompts.txt"
    prompts.write_text("Speak\n", encoding="utf-8")
    done = run("predict", "model", "prompts.txt", "--out", "prompts.txt", folder=folder)
    assert done.code == 2
    assert "prompts.txt is there already; --force replaces it." in done.error
    assert prompts.read_text(encoding="utf-8") == "Speak\n"
    assert run("predict", "model", "prompts.txt", "--out", "prompts.txt", "--force", folder=folder).code == 0
    assert json.loads(prompts.read_text(encoding="utf-8"))["prompt"] == "Speak"


def test_a_baseline_that_is_better_is_told_of(folder: Path) -> None:
    done = run("evaluate", "model", write(folder, TEXT * 3, "more.txt"), folder=folder)
    better = [line for line in done.out.splitlines() if "is better here: nats per character" in line]
    assert len(better) == 1
    assert "is better here" in (folder / "model" / "README.md").read_text(encoding="utf-8")
