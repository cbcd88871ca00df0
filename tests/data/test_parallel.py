"""Pairs: read from files side by side, tables and memory; what is wrong is said with its place."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from unrolled.data.parallel import Pair, Sides, read_pairs, read_sources, splits_of
from unrolled.errors import UsageError

SIDES, NONE = Sides("de", "en"), Sides(None, None)
EXPECTED = [Pair("ein Hund", "a dog"), Pair("ein Mann", "a man")]


def put(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("ending", ["", ".txt", ".gz", ".txt.gz"])
def test_two_files_side_by_side(tmp_path: Path, ending: str) -> None:
    put(tmp_path / f"train.de{ending}", "ein Hund\nein Mann \n")
    put(tmp_path / f"train.en{ending}", "a dog\r\na man\n")
    read = read_pairs(str(tmp_path / "train"), SIDES)
    assert read.pairs == EXPECTED
    assert read.name == "train (de to en)"
    assert read_sources(tmp_path / "train", SIDES) == ["ein Hund", "ein Mann"]


@pytest.mark.parametrize(
    ("name", "text", "sides", "said"),
    [
        ("a.tsv", "source\ttarget\nein Hund\ta dog\nein Mann\ta man\n", NONE, "guessed by its name"),
        ("a.csv", "de,en\nein Hund,a dog\nein Mann,a man\n", SIDES, ""),
        ("a.tsv", "ein Hund\ta dog\nein Mann\ta man\n", NONE, "the first line is a pair"),
        ("a.tsv", "ein Hund\ta dog\nein Mann\ta man\n", Sides(None, None, False), "by their order"),
        ("a.tsv", "de\ten\nein Hund\ta dog\nein Mann\ta man\n", Sides(None, None, True), "by their order"),
        ("a.jsonl", '{"de":"ein Hund","en":"a dog"}\n{"de":"ein Mann","en":"a man"}\n', NONE, "by their order"),
    ],
)
def test_tables(tmp_path: Path, name: str, text: str, sides: Sides, said: str) -> None:
    read = read_pairs(put(tmp_path / name, text), sides)
    assert read.pairs == EXPECTED
    assert said in " ".join(read.notes)
    assert bool(read.notes) == bool(said)


def test_frames_and_lists() -> None:
    frame = pl.DataFrame({"input": ["ein Hund", "ein Mann"], "output": ["a dog", "a man"]})
    assert read_pairs(frame, NONE).pairs == EXPECTED
    assert read_pairs([(" ein Hund", "a dog"), ["ein Mann", "a man"]], NONE).pairs == EXPECTED
    assert read_sources(frame, NONE) == ["ein Hund", "ein Mann"]
    assert read_sources(["a "], NONE) == ["a"]


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    put(tmp_path / "x.de", "eins\u2028zwei\x0bdrei\n\nvier\n")
    put(tmp_path / "x.en", "one\ntwo\nthree\n")
    assert [pair.source for pair in read_pairs(tmp_path / "x", SIDES).pairs] == ["eins\u2028zwei\x0bdrei", "", "vier"]


def test_a_file_of_sources_needs_no_partner(tmp_path: Path) -> None:
    assert read_sources(put(tmp_path / "new.txt", "ein Hund\n\nein Mann"), SIDES) == ["ein Hund", "", "ein Mann"]
    assert read_sources(put(tmp_path / "new.tsv", "de\nein Hund\n"), SIDES) == ["ein Hund"]
    assert read_sources(put(tmp_path / "old.tsv", "ein Hund\nein Mann\n"), NONE) == ["ein Hund", "ein Mann"]


def test_a_folder_with_splits(tmp_path: Path) -> None:
    for name in ("train", "dev"):
        put(tmp_path / f"{name}.de.txt", "ein\n")
    assert splits_of(tmp_path, SIDES) == {"train": tmp_path / "train", "valid": tmp_path / "dev"}
    put(tmp_path / "val.de", "ein\n")
    with pytest.raises(UsageError, match="has val and dev; leave one, or give --valid"):
        splits_of(tmp_path, SIDES)
    with pytest.raises(UsageError, match="has no train.fr and train.en"):
        splits_of(tmp_path, Sides("fr", "en"))


def test_files_of_unequal_length_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "x.de", "eins\nzwei\n")
    put(tmp_path / "x.en", "one\n")
    with pytest.raises(UsageError, match=r"x\.de has 2 and x\.en has 1 lines"):
        read_pairs(tmp_path / "x", SIDES)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    put(tmp_path / "x.de", "eins\n")
    with pytest.raises(UsageError, match=r"there is no .*x\.en .*for the target; there is x\.de"):
        read_pairs(tmp_path / "x", SIDES)
    with pytest.raises(UsageError, match="--source de --target en for train.de and train.en"):
        read_pairs(tmp_path / "x", NONE)
    with pytest.raises(UsageError, match="number 2 is \\('b',\\)"):
        read_pairs([("a", "b"), ("b",)], NONE)
    with pytest.raises(UsageError, match="the list is empty"):
        read_pairs([], NONE)
    with pytest.raises(UsageError, match="number 1 is a int"):
        read_sources([1], NONE)
    table = put(tmp_path / "three.tsv", "source\tb\tc\n1\t2\t3\n")
    with pytest.raises(UsageError, match="name the column that holds the target with --target"):
        read_pairs(table, NONE)
    with pytest.raises(UsageError, match="has no column 'bb'.*Did you mean 'b'"):
        read_pairs(table, Sides("source", "bb"))


def test_bytes_of_another_encoding_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "x.de").write_bytes(b"eins\nf\xfcnf\n")
    put(tmp_path / "x.en", "one\nfive\n")
    with pytest.raises(UsageError, match="is not UTF-8: byte 0xfc in line 2"):
        read_pairs(tmp_path / "x", SIDES)
