"""``unrolled units``, ``nearest``, ``clamp`` and ``compare`` from files to tables and JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cli.commands import Done, run
from tasks.samples import TINY, write
from unrolled.inspection.clamp import Hold, effect
from unrolled.inspection.compare import compare
from unrolled.inspection.patterns import inside_quotes
from unrolled.inspection.units import nearest, search, windows
from unrolled.tasks.text.model import TextModel

TEXT = 'he said "go on, now" and "Left".\nIt was (so) late.\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small models, and a text."""
    folder = tmp_path_factory.mktemp("units")
    write(folder, TEXT * 30)
    write(folder, TEXT * 2, "unseen.txt")
    for name, cell in (("one", "lstm"), ("two", "gru")):
        TextModel.fit(folder / "text.txt", out=folder / name, cell=cell, **TINY)
    (folder / "labels.txt").write_text("\n".join("01" * len(TEXT)), encoding="utf-8")
    np.save(folder / "short.npy", np.array([0, 1]))
    return folder


def told(*words: str, folder: Path) -> dict:
    done = run(*words, "--json", folder=folder)
    assert done.code == 0, done.err
    return json.loads(done.out)


def shown(*words: str, folder: Path) -> Done:
    done = run(*words, folder=folder)
    assert done.code == 0, done.err
    return done


def test_units_are_those_of_the_search(folder: Path) -> None:
    subject = TextModel.load(folder / "one").subject(folder / "unseen.txt")
    pattern = torch.from_numpy(inside_quotes(TEXT * 2))
    wanted = search(lambda: windows(subject.layer, subject.x), pattern, 3)
    found = told("units", "one", "unseen.txt", "--pattern", "quotes", "--most", "3", folder=folder)
    assert found["units"] == [one.row() for one in wanted]
    assert found["steps"] == len(TEXT) * 2
    share = float(pattern.mean())
    assert found["always"] == pytest.approx(2 * share / (1 + share))
    table = shown("units", "one", "unseen.txt", "--pattern", "quotes", "--most", "3", folder=folder).out
    assert table.startswith(f"inside quotation marks: {len(TEXT) * 2} steps")
    assert f"{wanted[0].where}:{wanted[0].unit}" in table
    assert f"{wanted[0].correlation:+.3f}  {wanted[0].f1:.3f}" in table


def test_other_patterns(folder: Path) -> None:
    found = told("units", "one", "unseen.txt", "--pattern", "position", folder=folder)
    assert found["always"] is None
    assert found["units"][0]["f1"] is None
    assert "what 'o.' finds" in shown("units", "one", "unseen.txt", "--regex", "o.", folder=folder).out
    assert len(told("units", "one", "unseen.txt", "--labels", "labels.txt", folder=folder)["units"]) == 10


def test_nearest_states(folder: Path) -> None:
    subject = TextModel.load(folder / "one").subject(folder / "unseen.txt")
    (seen,) = windows(subject.layer, subject.x)
    words = ["nearest", "one", "unseen.txt", "--quantity", "0.forward.c", "--measure", "euclidean", "--apart", "3"]
    found = told(*words, "--at", "-4", folder=folder)
    wanted = nearest(seen["0.forward.c"], len(TEXT) * 2 - 4, measure="euclidean", apart=3)
    assert [(one["step"], one["distance"]) for one in found["nearest"]] == [tuple(one) for one in wanted]
    assert found["step"] == len(TEXT) * 2 - 4
    lines = shown("nearest", "one", "unseen.txt", "--at", "7", "--most", "2", folder=folder).out.splitlines()
    assert lines[0] == "0.forward.h most like that at step 7, by cosine distance"
    assert lines[2].split()[:3] == ["7", "he", "said"]
    assert lines[3].split()[0] == str(len(TEXT) + 7)  # the text comes twice


def test_what_is_held(folder: Path) -> None:
    subject = TextModel.load(folder / "one").subject(folder / "unseen.txt")
    words = ["clamp", "one", "unseen.txt", "--hold", "0.forward.c:1,3=0.5", "--hold", "0.forward.f=1"]
    words += ["--from", "5", "--to", "40", "--most", "2"]
    found = told(*words, folder=folder)
    wanted = effect(subject, [Hold("0.forward.c", 0.5, [1, 3], 5, 40), Hold("0.forward.f", 1.0, None, 5, 40)], 2)
    assert found == {"held": ["0.forward.c:1,3=0.5", "0.forward.f=1"], **json.loads(json.dumps(wanted.row()))}
    table = shown(*words, folder=folder).out
    assert table.startswith(f"0.forward.c:1,3=0.5, 0.forward.f=1: loss {found['loss']:.3f}, held ")
    assert str(found["steps"][0]["step"]) in table


def test_two_models(folder: Path) -> None:
    subjects = [TextModel.load(folder / name).subject(folder / "unseen.txt") for name in ("one", "two")]
    found = told("compare", "one", "two", "unseen.txt", "--most", "3", folder=folder)
    wanted = compare(*subjects, 3)
    assert found == {"models": ["one", "two"], **json.loads(json.dumps(wanted.row()))}
    table = shown("compare", "one", "two", "unseen.txt", folder=folder).out
    assert table.startswith(f"loss {found['losses'][0]:.3f} (one) and {found['losses'][1]:.3f} (two)")
    assert "where they differ most" in table


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["units", "one", "unseen.txt"], "give one of --pattern, --regex and --labels, as in: --pattern quotes"),
        (["units", "one", "unseen.txt", "--pattern", "quotes", "--regex", "a"], "give one of --pattern"),
        (["units", "one", "unseen.txt", "--pattern", "quote"], "Did you mean 'quotes'?"),
        (["units", "one", "unseen.txt", "--regex", "("], "no regular expression"),
        (["units", "one", "unseen.txt", "--labels", "short.npy"], "short.npy holds 2 numbers, and there are 102 steps"),
        (["units", "one", "unseen.txt", "--pattern", "digit"], "the pattern never changes"),
        (["nearest", "one", "unseen.txt", "--at", "200"], "a step lies from 0 to 101, and 200 is asked for"),
        (["nearest", "one", "unseen.txt", "--quantity", "0.forward.k"], "there is no quantity '0.forward.k' here"),
        (["clamp", "one", "unseen.txt", "--hold", "0.forward.c"], "--hold says what is held at which value, as in"),
        (["clamp", "one", "unseen.txt", "--hold", "0.forward.c=x"], "--hold says what is held at which value, as in"),
        (["clamp", "one", "unseen.txt", "--hold", "0.forward.k=1"], "there is no '0.forward.k' here"),
        (["compare", "one", "nowhere", "unseen.txt"], "nowhere"),
    ],
)
def test_wrong_use_is_told_in_a_line(words: list[str], says: str, folder: Path) -> None:
    assert says in run(*words, folder=folder).error


def test_a_long_sequence_is_refused_where_all_predictions_are_held(folder: Path) -> None:
    write(folder, "go on " * 4000, "long.txt")
    assert (
        "24,000 steps, and 20,000 can be"
        in run("clamp", "one", "long.txt", "--hold", "0.forward.f=1", folder=folder).error
    )
