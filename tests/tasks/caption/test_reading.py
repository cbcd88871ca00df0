"""Tables of pictures and captions as they come, and what does not fit, by row."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from tasks.samples_caption import CAPTIONS, TINY, drawn, write_pictures
from unrolled.errors import UsageError
from unrolled.tasks.caption.config import CaptionConfig
from unrolled.tasks.caption.reading import Captioned, read_captioned, read_pictures, read_splits
from unrolled.tasks.estimator import Sources


def config(**settings: Any) -> CaptionConfig:
    return CaptionConfig(**{**TINY, **settings})


def said(pictures: list[Captioned]) -> dict[str | None, tuple[str, ...]]:
    return {one.name: one.captions for one in pictures}


def as_lines(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_of_one_file_are_captions_of_one_picture(tmp_path: Path) -> None:
    write_pictures(tmp_path, captions=CAPTIONS[:2])
    rows = ["drawn/pictures0.png,red square", "drawn/pictures1.png,red bar", "drawn/pictures0.png,  a  red\tone "]
    (tmp_path / "rows.csv").write_text("\n".join(["image,description", *rows]) + "\n", encoding="utf-8")
    read = read_captioned(tmp_path / "rows.csv", config())
    assert said(read.pictures) == {
        "drawn/pictures0.png": ("red square", "a red one"),
        "drawn/pictures1.png": ("red bar",),
    }
    guessed = ["picture: column 'image'", "caption: column 'description'"]
    assert [one.partition(" (")[0] for one in read.notes] == guessed
    assert read.pictures[0].picture.tolist() == drawn("red square").transpose(2, 0, 1).tolist()


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "frame"])
def test_a_caption_may_be_a_list_of_them(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path, captions=CAPTIONS[:2])
    rows = [
        {"path": "drawn/pictures0.png", "captions": ["red square", "a square", ""]},
        {"path": "drawn/pictures1.png", "captions": ["red bar"]},
    ]
    frame = pl.DataFrame(rows)
    if kind == "jsonl":
        data: Any = as_lines(tmp_path, rows)
    elif kind == "parquet":
        data = tmp_path / "rows.parquet"
        frame.write_parquet(data)
    else:
        monkeypatch.chdir(tmp_path)  # a frame lies nowhere: its files are found from where we are
        data = frame
    read = read_captioned(data, config())
    assert list(said(read.pictures).values()) == [("red square", "a square"), ("red bar",)]


def test_columns_are_named_where_their_names_say_nothing(tmp_path: Path) -> None:
    write_pictures(tmp_path, captions=CAPTIONS[:1])
    path = as_lines(tmp_path, [{"a": "drawn/pictures0.png", "b": "red"}])
    with pytest.raises(UsageError, match="name the column that holds the picture with --picture; it has the columns a"):
        read_captioned(path, config())
    assert said(read_captioned(path, config(picture="a", caption="b")).pictures) == {"drawn/pictures0.png": ("red",)}


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"file": "gone.png", "caption": "x"}, r"rows.jsonl, row 2: there is no picture .*gone.png"),
        ({"file": "broken.png", "caption": "x"}, r"rows.jsonl, row 2: .*broken.png is no picture that can be read"),
        ({"file": "", "caption": "x"}, "rows.jsonl, row 2: the column 'file' names no picture file"),
        ({"file": None, "caption": "x"}, "rows.jsonl, row 2: the column 'file' names no picture file"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named_by_row_and_path(tmp_path: Path, row: dict, error: str) -> None:
    write_pictures(tmp_path, captions=CAPTIONS[:1])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    path = as_lines(tmp_path, [{"file": "drawn/pictures0.png", "caption": "red square"}, row])
    with pytest.raises(UsageError, match=error):
        read_captioned(path, config())


def test_rows_without_a_caption_are_left_out_and_said(tmp_path: Path) -> None:
    write_pictures(tmp_path, captions=CAPTIONS[:2])
    rows: list[dict[str, Any]] = [{"file": f"drawn/pictures{place}.png", "caption": " "} for place in (0, 1)]
    with pytest.raises(UsageError, match="there is no caption"):
        read_captioned(as_lines(tmp_path, rows), config())
    rows[0]["caption"] = "red"
    read = read_captioned(as_lines(tmp_path, rows), config())
    assert said(read.pictures) == {"drawn/pictures0.png": ("red",)}
    assert read.notes[-1] == "left out: 1 row(s) without a caption, the first is row 2"


def test_a_caption_is_a_text(tmp_path: Path) -> None:
    write_pictures(tmp_path, captions=CAPTIONS[:1])
    path = as_lines(tmp_path, [{"file": "drawn/pictures0.png", "caption": 7}])
    with pytest.raises(UsageError, match="row 1: a caption is a text or a list of texts, and this is 7"):
        read_captioned(path, config())


def test_a_picture_validates_with_all_its_captions(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    rows = [
        {"file": f"drawn/pictures{place}.png", "caption": f"{kind} {caption}"}
        for kind in ("a", "one")
        for place, caption in enumerate(CAPTIONS)
    ]
    splits = read_splits(Sources(as_lines(tmp_path, rows)), config(validation_fraction=0.25, seed=2))
    names = [{one.name for one in part} for part in (splits.train, splits.valid)]
    assert [len(part) for part in names] == [9, 3]
    assert not names[0] & names[1]
    assert all(len(one.captions) == 2 for one in [*splits.train, *splits.valid])
    assert splits.notes[-1].startswith("validation: 25% of the pictures, chosen by seed 2")


def test_pairs_in_memory_and_what_is_none() -> None:
    pairs = [(drawn("red bar"), "red bar"), (drawn("red bar"), ["a bar", "red"])]
    read = read_captioned(pairs, config())
    assert [one.captions for one in read.pictures] == [("red bar",), ("a bar", "red")]
    with pytest.raises(UsageError, match="number 2 is no pair of a picture and its caption: 'red bar'"):
        read_captioned([pairs[0], "red bar"], config())
    with pytest.raises(UsageError, match="pictures in memory, number 1: a picture is a file or an array"):
        read_captioned([(7, "seven")], config())


def test_the_fingerprint_knows_the_pictures(tmp_path: Path) -> None:
    path = write_pictures(tmp_path)
    before = read_captioned(path, config()).fingerprint
    assert read_captioned(path, config()).fingerprint == before
    Image.fromarray(drawn("black cross")).save(tmp_path / "drawn" / "pictures0.png")
    assert read_captioned(path, config()).fingerprint != before


def test_pictures_to_caption_come_from_files_folders_tables_and_lists(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, captions=CAPTIONS[:3])
    folder = tmp_path / "drawn"
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    names = [f"pictures{place}.png" for place in range(3)]
    assert [name for name, _ in read_pictures(folder, config())] == names
    assert [name for name, _ in read_pictures(table, config())] == [f"drawn/{name}" for name in names]
    assert [name for name, _ in read_pictures(folder / names[0], config())] == [str(folder / names[0])]
    listed = list(read_pictures([folder / names[1], drawn("red bar")], config()))
    assert [name for name, _ in listed] == [str(folder / names[1]), None]
    assert listed[0][1].tolist() == listed[1][1].tolist()
    with pytest.raises(UsageError, match="is a folder without pictures"):
        read_pictures(tmp_path, config())
    with pytest.raises(UsageError, match="notes.txt is no table by its name"):
        read_pictures(folder / "notes.txt", config())
    with pytest.raises(UsageError, match="the list, row 1: there is no picture gone.png"):
        list(read_pictures(["gone.png"], config()))
