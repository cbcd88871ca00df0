"""Arrays and label sets: what is found in them, and what is refused, each in one line that says where."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.samples_frames import chords
from unrolled.errors import UsageError
from unrolled.tasks.estimator import Sources
from unrolled.tasks.frames.arrays import read_arrays
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.label_sets import read_label_sets
from unrolled.tasks.frames.recordings import Recordings
from unrolled.tasks.frames.sources import read_splits

X = np.arange(24, dtype=np.float64).reshape(2, 4, 3)
Y = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])


def read(arrays: Any, answers: bool = True, **settings: Any) -> Recordings:
    return read_arrays(arrays, FramesConfig(**settings), None, answers)


def features(found: Recordings) -> list[torch.Tensor]:
    return [one.features for one in found.sequences if one.features is not None]


def test_three_spellings_of_the_same_sequences(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y, lengths=[4, 2])
    padded = read(tmp_path / "a.npz")
    behind = read({"x": X.reshape(8, 3)[:6], "y": Y.reshape(-1)[:6], "lengths": [4, 2]})
    offsets = read({"features": X.reshape(8, 3)[:6], "labels": Y.reshape(-1)[:6], "offsets": [0, 4, 6]})
    for found in (padded, behind, offsets):
        assert [one.answers for one in found.sequences] == [[("0",), ("1",), ("1",), ("0",)], [("1",), ("1",)]]
        assert torch.equal(features(found)[1], torch.tensor(X[1, :2], dtype=torch.float32))


def test_names_of_labels_and_of_sequences() -> None:
    found = read({"x": X, "y": Y, "classes": ["rest", "go"], "id": ["a", "b"]})
    assert found.sequences[1].answers == [("go",), ("go",), ("rest",), ("rest",)]
    assert [one.id for one in found.sequences] == ["a", "b"]


def test_pictures_are_read_row_by_row_and_stay_bytes() -> None:
    pictures = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    found = read({"x": pictures, "y": Y[:, :3]})
    assert features(found)[0].dtype == torch.uint8
    assert torch.equal(features(found)[1], torch.from_numpy(pictures[1].reshape(3, 20)))
    assert any("4 x 5" in note for note in found.notes)


def test_one_sequence() -> None:
    found = read({"x": X[0], "y": np.array(["a", "b", "a", "a"])})
    assert found.sequences[0].answers == [("a",), ("b",), ("a",), ("a",)]


def test_several_labels_and_numbers() -> None:
    sets = np.array([[[1, 0], [1, 1], [0, 0], [0, 1]]] * 2)
    found = read({"x": X, "y": sets, "classes": ["c", "d"]}, multilabel=True)
    assert found.sequences[0].answers == [("c",), ("c", "d"), (), ("d",)]
    numbers = read({"x": X, "y": Y * 0.5}, regression=True)
    assert torch.equal(numbers.sequences[0].answers, torch.tensor([[0.0], [0.5], [0.5], [0.0]]))


def with_value(value: float) -> np.ndarray:
    changed = X.copy()
    changed[1, 2, 0] = value
    return changed


OBJECTS = np.array([X[0], X[1, :2]], dtype=object)
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "objects": ({"x": OBJECTS, "y": Y}, {}, "'x' holds Python objects, which only pickle reads, and pickle runs code"),
    "nan": ({"x": with_value(np.nan), "y": Y}, {}, "column '0', step 3 of sequence '2', holds a missing number"),
    "infinite": ({"x": with_value(np.inf), "y": Y}, {}, "step 3 of sequence '2', holds an infinite number"),
    "no x": ({"y": Y}, {}, "no array of features"),
    "no y": ({"x": X}, {}, r"has no array 'y' of answers \(--label\); it has x\[2, 4, 3\]"),
    "no such array": ({"x": X, "y": Y}, {"label": "z"}, "no array 'z' of answers"),
    "texts": ({"x": np.array([["a"]]), "y": Y}, {}, "numbers .* are wanted"),
    "too few answers": ({"x": X, "y": Y[:, :3]}, {}, "has not one answer a step"),
    "lengths": ({"x": X, "y": Y, "lengths": [4, 5]}, {}, "2 lengths with 9 steps in all; neither form fits"),
    "no steps": ({"x": X, "y": Y, "lengths": [4, 0]}, {}, "sequence 2 has no steps"),
    "half labels": ({"x": X, "y": Y + 0.5}, {}, "step 1 of sequence '1' has 0.5 for a label"),
    "classes": ({"x": X, "y": Y, "classes": ["one"]}, {}, "has the label 1, and classes name 0 to 0"),
    "two values": ({"x": X, "y": np.stack([Y, Y], -1)}, {}, "has 2 values a step"),
    "not 0 or 1": ({"x": X, "y": np.stack([Y, Y + 1], -1)}, {"multilabel": True}, "wants a 0 or 1 for each label"),
    "same ids": ({"x": X, "y": Y, "id": ["a", "a"]}, {}, "two sequences have the id 'a'"),
    "target": ({"x": X, "y": np.full((2, 4), np.nan)}, {"regression": True}, "missing number"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("in_file", [True, False], ids=["file", "memory"])
def test_what_cannot_be_used_is_refused(name: str, in_file: bool, tmp_path: Path) -> None:
    arrays, settings, message = BAD[name]
    source: Any = arrays
    if in_file:
        source = tmp_path / "a.npz"
        np.savez(source, **arrays)
    with pytest.raises(UsageError, match=message) as caught:
        read(source, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.npz is no sound npz file"):
        read(path)


# Label sets.


def write(folder: Path, content: Any) -> Path:
    path = folder / "chords.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_label_sets_are_read(tmp_path: Path) -> None:
    found = read_label_sets(write(tmp_path, [[[72, 60, 72], []], [["a"]]]))["all"]
    assert [one.answers for one in found.sequences] == [[("72", "60"), ()], [("a",)]]
    assert found.form.own


def test_a_file_brings_its_own_parts(tmp_path: Path) -> None:
    path = write(tmp_path, {"train": chords(4), "valid": chords(2, 5), "test": chords(3, 6)})
    splits = read_splits(Sources(path), FramesConfig(multilabel=True, ahead=1))
    assert splits.test is not None
    assert [len(one.sequences) for one in (splits.train, splits.valid, splits.test)] == [4, 2, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[[[1, 2", "is no JSON: .* in line 1"),
        ([], "a list of sequences is wanted, and there is nothing"),
        ({"training": []}, "has training; train, valid and test are wanted"),
        ([[[1]], [[1], 2]], "sequence 2, step 2: a list of labels is wanted, and there is 2"),
        ([[[1]], [[1], [2.5]]], "sequence 2, step 2: a label is a whole number or a text, and is 2.5"),
        ([[[1]], []], "sequence 2: a list of steps is wanted, and there is nothing"),
    ],
)
def test_other_json_is_refused(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        read_label_sets(write(tmp_path, content))


def test_labels_that_are_read_are_said_of_a_later_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ahead 1 predicts the next"):
        read_splits(Sources(write(tmp_path, chords())), FramesConfig(multilabel=True))
    with pytest.raises(UsageError, match="--multilabel reads it"):
        read_splits(Sources(write(tmp_path, chords())), FramesConfig())
    with pytest.raises(UsageError, match=r"sequence '1' has 1 step\(s\), and --ahead 2 wants more"):
        read_splits(Sources(write(tmp_path, [[[1]], [[1], [2], [3]]])), FramesConfig(multilabel=True, ahead=2))
