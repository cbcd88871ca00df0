"""Which file of a folder is which split, by its name."""

from pathlib import Path

import pytest

from unrolled.data.folders import find_splits
from unrolled.errors import UsageError

TABLES = (".csv", ".tsv")


def filled(folder: Path, *names: str) -> Path:
    """A folder with empty files; a name that ends in a stroke is a folder."""
    for name in names:
        if name.endswith("/"):
            (folder / name).mkdir()
        else:
            (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("names", "endings", "expected"),
    [
        (["train.csv", "test.csv", "notes.csv"], TABLES, {"train": "train.csv", "test": "test.csv"}),
        (["train.csv", "val.csv.gz"], TABLES, {"train": "train.csv", "valid": "val.csv.gz"}),
        (["a-train.tsv", "a-dev.tsv"], TABLES, {"train": "a-train.tsv", "valid": "a-dev.tsv"}),
        (["train.tsv", "train.csv"], TABLES, {"train": "train.csv"}),
        (["x-train.conllu", "x-train.txt"], (".conllu", ".txt"), {"train": "x-train.conllu"}),
        (["train.parquet", ".train.csv"], TABLES, {}),
        (["constrained.csv", "training_1.csv", "intervals.csv"], TABLES, {}),
        (["train/", "test/", "train.csv"], (*TABLES, "/"), {"train": "train", "test": "test"}),
        (["train/", "car/", "bus/"], (*TABLES, "/"), {}),
        (["train/", "test/"], TABLES, {}),
    ],
)
def test_names(names: list[str], endings: tuple[str, ...], expected: dict[str, str], tmp_path: Path) -> None:
    found = find_splits(filled(tmp_path, *names), endings)
    assert found == {split: tmp_path / name for split, name in expected.items()}


def test_two_files_that_could_be_one_split(tmp_path: Path) -> None:
    filled(tmp_path, "old-train.csv", "new-train.csv")
    with pytest.raises(UsageError, match="2 files that could be the train split: new-train.csv, old-train.csv"):
        find_splits(tmp_path, TABLES)
