"""Every form of data is read as it stands, and what cannot be read is refused by file, row and column."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from scipy.io import wavfile

from tasks.samples_classify import write_table, write_ts
from unrolled.errors import UsageError
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import Examples, Form
from unrolled.tasks.classify.read import read_examples

ROWS = [("good film", "pos"), ("bad film", "neg"), ("ok", "pos")]
LONG = [("a", 2, 5.0, "x"), ("b", 1, 1.5, "y"), ("a", 1, 4.0, "x"), ("b", 2, "", "y"), ("b", 3, 2.5, "y")]
LONG_HEADER = ("id", "time", "height", "label")


def read(source: Any, form: Form | None = None, answers: bool = True, **settings: Any) -> Examples:
    found = read_examples(source, ClassifyConfig(**settings), form, answers)
    assert found is not None
    return found


def test_a_table_of_texts(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv", ROWS)
    found = read(path)
    assert (found.inputs, found.labels, found.form.kind) == (
        ["good film", "bad film", "ok"],
        ["pos", "neg", "pos"],
        "text",
    )
    assert any("--text" in note for note in found.notes)
    assert any("--label" in note for note in found.notes)
    named = read(path, text="text", label="label")
    assert named.notes == ()
    assert named.fingerprint == found.fingerprint


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "parquet", "frame"])
def test_every_kind_of_table_gives_the_same(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame(ROWS, schema=["text", "label"], orient="row")
    path: Any = tmp_path / f"a.{kind}"
    if kind == "tsv":
        frame.write_csv(path, separator="\t")
    elif kind == "jsonl":
        frame.write_ndjson(path)
    elif kind == "parquet":
        frame.write_parquet(path)
    else:
        path = frame
    found = read(path)
    assert list(zip(found.inputs, found.labels or (), strict=True)) == ROWS


def test_of_two_columns_the_one_of_few_values_is_the_class(tmp_path: Path) -> None:
    found = read(write_table(tmp_path / "a.csv", ROWS, ("what", "who")))
    assert found.labels == ["pos", "neg", "pos"]
    assert found.form.columns == {"text": "what", "label": "who"}


def test_a_table_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('DESC\tmanner\tHow is "it" ?\nENTY\tx\tWhat ?\n', encoding="utf-8")
    found = read(path, header=False, text="column_3", label="column_1")
    assert (found.inputs, found.labels) == (['How is "it" ?', "What ?"], ["DESC", "ENTY"])


def test_numbers_as_classes_stay_as_they_are_written(tmp_path: Path) -> None:
    assert read(write_table(tmp_path / "a.csv", [("x", "01"), ("y", "1.0")])).labels == ["01", "1.0"]
    assert read(pl.DataFrame({"text": ["x", "y"], "label": [3, 12]})).of_classes().classes == ("3", "12")


def test_a_long_table_is_sorted_by_time_within_each_series(tmp_path: Path) -> None:
    found = read(write_table(tmp_path / "a.csv", LONG, LONG_HEADER))
    assert (found.ids, found.labels, found.form.width) == (["a", "b"], ["x", "y"], 1)
    assert found.inputs[0].tolist() == [[4.0], [5.0]]
    assert found.inputs[1][:, 0].tolist()[::2] == [1.5, 2.5]
    assert found.inputs[1][1, 0].isnan()
    said = " ".join(found.notes)
    assert "1 series were not in the order" in said
    assert "1 numbers are missing" in said


def test_a_long_table_with_dates_and_chosen_channels(tmp_path: Path) -> None:
    rows = [("s", "2024-01-10", 1, 2, "p"), ("s", "2024-01-09", 3, 4, "p"), ("t", "2024-01-01", 5, 6, "q")]
    path = write_table(tmp_path / "a.csv", rows, ("who", "when", "u", "v", "what"))
    found = read(path, id="who", time="when", channels="v", label="what")
    assert [one.tolist() for one in found.inputs] == [[[4.0], [2.0]], [[6.0]]]


def test_a_wide_table_has_a_series_a_row(tmp_path: Path) -> None:
    rows = [("a", 1, 2.5, 3, "x"), ("b", 4, "", 6, "y"), ("c", 7, 8, "", "x")]
    path = write_table(tmp_path / "a.csv", rows, ("id", "t0", "t1", "t2", "label"))
    found = read(path)
    assert (found.ids, found.labels, found.form.kind, found.form.width) == (
        ["a", "b", "c"],
        ["x", "y", "x"],
        "series",
        1,
    )
    assert found.inputs[0].tolist() == [[1.0], [2.5], [3.0]]
    assert found.inputs[1].isnan().flatten().tolist() == [False, True, False]
    assert found.inputs[2].tolist() == [[7.0], [8.0]]
    assert any(
        "3 columns, t0 to t2, are the steps of a series, a row each (guessed; --no-wide)" in one for one in found.notes
    )
    new = write_table(tmp_path / "new.csv", [("d", 1, 2, 3, 4, 5)], ("id", "t0", "t1", "t2", "t3", "t4"))
    assert read(new, found.form, answers=False).inputs[0].tolist() == [[1.0], [2.0], [3.0], [4.0], [5.0]]
    assert read(path, found.form, answers=False).inputs[0].tolist() == [[1.0], [2.5], [3.0]]
    frame = pl.DataFrame({"label": ["x", "y"], "t0": [1, 2], "t1": [3, 4]})
    assert [one.flatten().tolist() for one in read(frame, wide=True).inputs] == [[1.0, 3.0], [2.0, 4.0]]
    with pytest.raises(UsageError, match="name the column of texts with --text, or for series"):
        read(path, wide=False)


def test_a_wide_table_as_the_ucr_archive_has_it(tmp_path: Path) -> None:
    path = tmp_path / "Gun_TRAIN.tsv"
    path.write_text("2\t0.5\t-1.25\t3\n1\t4\t5\t6e-1\n", encoding="utf-8")
    found = read(path, header=False)
    assert found.labels == ["2", "1"]
    assert [one.flatten().tolist() for one in found.inputs] == [[0.5, -1.25, 3.0], [4.0, 5.0, pytest.approx(0.6)]]
    assert any("label: column 'column_1', the first" in note for note in found.notes)
    assert [len(one) for one in read(path, found.form, answers=False, header=False).inputs] == [3, 3]


def test_a_ts_file_with_channels_of_different_length_and_padding(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    cases = "1,2,?:4,5,6:one\n7,8:NaN,10:two\n\n1,NaN,NaN:2,NaN,NaN:one\n"
    path.write_text(f"@problemName x\n@timestamps false\n@classLabel true one two\n@data\n{cases}", encoding="utf-8")
    found = read(path)
    assert [len(one) for one in found.inputs] == [3, 2, 1]
    assert found.inputs[0][0].tolist() == [1.0, 4.0]
    assert found.inputs[0][2, 0].isnan()
    assert found.labels == ["one", "two", "one"]
    assert any("padding" in note for note in found.notes)
    path.write_text("@ClassLabel True one two\n@data\n1,2:one\n3:two\n", encoding="utf-8")
    assert read(path).labels == ["one", "two"]
    path.write_text(f"@problemName x\n@timestamps false\n@classLabel true one two\n@data\n{cases}", encoding="utf-8")
    packed = tmp_path / "b.ts.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed).fingerprint == found.fingerprint


def test_an_npz_file_padded_flat_and_of_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    whole = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    np.savez(path, x=whole, y=np.array([1, 0]), lengths=np.array([4, 2]))
    found = read(path)
    assert [tuple(one.shape) for one in found.inputs] == [(4, 3), (2, 3)]
    assert found.labels == ["1", "0"]
    np.savez(path, x=whole.reshape(8, 3), y=np.array(["b", "a"]), lengths=np.array([5, 3]))
    flat = read(path)
    assert [len(one) for one in flat.inputs] == [5, 3]
    assert torch.equal(torch.cat(list(flat.inputs)), torch.from_numpy(whole.reshape(8, 3)))
    np.savez(path, x=np.ones((3, 4, 5), dtype=np.uint8), y=np.arange(3))
    assert (read(path).form.kind, read(path).form.width) == ("pictures", 5)
    np.savez(path, x=np.ones((3, 4)), y=np.arange(3))
    assert [tuple(one.shape) for one in read(path).inputs] == [(4, 1)] * 3


def test_an_npz_file_with_its_splits(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x_train=np.zeros((3, 2)), y_train=np.arange(3), x_test=np.ones((1, 2)), y_test=np.zeros(1, int))
    test = read_examples(path, ClassifyConfig(), split="test")
    assert test is not None
    assert len(test) == 1
    assert read_examples(path, ClassifyConfig(), split="valid") is None
    train = read_examples(path, ClassifyConfig(), split="train")
    assert train is not None
    assert train.labels == ["0", "1", "2"]


def wav(path: Path, rate: int = 8000, seconds: float = 0.1, kind: Any = np.int16) -> Path:
    samples = np.sin(np.arange(int(rate * seconds)) * 0.3) * 0.5
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1
    wavfile.write(path, rate, (samples * scale).astype(kind))
    return path


def test_a_folder_of_sounds_a_class(tmp_path: Path) -> None:
    for name, rate in (("yes/a", 8000), ("yes/b", 16000), ("no/c", 48000)):
        wav(tmp_path / f"{name}.wav", rate)
    found = read(tmp_path)
    assert (found.labels, found.form.kind, found.form.rate, found.form.width) == (
        ["no", "yes", "yes"],
        "sound",
        8000,
        40,
    )
    assert len({len(one) for one in found.inputs}) == 1
    assert any("48,000" in note for note in found.notes)
    assert read(tmp_path, sample_rate=16000, mels=20).form == Form("sound", 20, 16000)
    alone = read(tmp_path / "yes", form=found.form, answers=False)
    assert torch.equal(alone.inputs[0], found.inputs[1])


def test_a_table_of_pictures_beside_them(tmp_path: Path) -> None:
    for name, shade in (("dark", 10), ("light", 250)):
        Image.new("RGB", (5, 4), (shade, shade, shade)).save(tmp_path / f"{name}.png")
    found = read(write_table(tmp_path / "a.csv", [("dark.png", 0), ("light.png", 1)], ("image", "label")))
    assert found.form == Form("pictures", 5, 0, {"file": "image", "label": "label"})
    assert [one.unique().tolist() for one in found.inputs] == [[10.0], [250.0]]
    assert found.ids == ["dark.png", "light.png"]


def test_pictures_as_cameras_and_scanners_write_them(tmp_path: Path) -> None:
    """Turned upright as they say; 16 bits a point brought to 8; what is transparent is white."""
    shades = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6  # lies on its left side
    Image.fromarray(np.rot90(shades)).save(tmp_path / "turned.png", exif=turned)
    Image.fromarray(shades.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    clear = np.dstack([np.zeros((2, 3, 3), np.uint8), 255 - shades])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    names = ("turned.png", "deep.png", "clear.png")
    found = read(
        write_table(tmp_path / "a.csv", [(name, place % 2) for place, name in enumerate(names)], ("file", "label"))
    )
    for name, one in zip(names, found.inputs, strict=True):
        assert one.tolist() == shades.tolist(), name


def test_values_in_memory() -> None:
    found = read((["a b", "c"], [0, 1]))
    assert (found.inputs, found.labels) == (["a b", "c"], ["0", "1"])
    numbers = read(([[1.0, 2.0], [[3.0], [4.0], [5.0]]], ["p", "q"]))
    assert [tuple(one.shape) for one in numbers.inputs] == [(2, 1), (3, 1)]


@dataclass(frozen=True)
class Refused:
    """Broken data, and what is said of them."""

    write: Callable[[Path], Any]
    said: str
    settings: dict[str, Any] | None = None


def text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return write


def table(*rows: Any, header: Any = ("text", "label")) -> Callable[[Path], Path]:
    return lambda folder: write_table(folder / "a.csv", rows, header)


def npz(**arrays: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        np.savez(folder / "a.npz", **arrays)
        return folder / "a.npz"

    return write


def broken_sound(folder: Path) -> Path:
    text("a.wav", "RIFF")(folder)
    return table(("a.wav", "y"), header=("file", "label"))(folder)


def broken_picture(folder: Path) -> Path:
    (folder / "x").mkdir()
    text("x/a.png", "GIF")(folder)
    return folder


TS = "@problemName x\n@timestamps false\n@classLabel true a b\n@data\n"
X = np.zeros((2, 3, 1))
REFUSED = {
    "no such column": Refused(table(("x", "y")), "no column 'txt'.*Did you mean 'text'", {"text": "txt"}),
    "nothing to guess by": Refused(table((1, 2, 3), header=("p", "q", "r")), "name the column.*--text"),
    "an empty text": Refused(table(("x", "y"), (" ", "z")), "a.csv, row 2: the text .*is empty"),
    "no class": Refused(table(("x", "y"), ("z", "")), "a.csv, row 2 has no class"),
    "an id twice": Refused(
        table(("x", "y", 7), ("z", "y", 7), header=("text", "label", "id")),
        "row 2 has the id '7', as has .*row 1",
        {"id": "id"},
    ),
    "a word among numbers": Refused(
        table(("a", 1, "high", "x"), header=LONG_HEADER), "row 1, column 'height': 'high' is no number"
    ),
    "a word in a wide table": Refused(
        table((1, 2, "high", "x"), header=("a", "b", "c", "label")),
        "row 1, column 'c': 'high' is no number",
        {"wide": True},
    ),
    "a wide table of nothing": Refused(
        table(("x",), header=("label",)), "no columns beside id and class", {"wide": True}
    ),
    "an empty row of a wide table": Refused(
        table((1, 2, 3, "x"), ("", "", "", "y"), header=("a", "b", "c", "label")), "a.csv, row 2 is empty"
    ),
    "an infinite number": Refused(
        table(("a", 1, "1", "x"), ("b", 1, "inf", "x"), header=LONG_HEADER), "series 'b'.*step 1, channel 1 is infinite"
    ),
    "a time twice": Refused(
        table(("a", 1, 1, "x"), ("a", 1, 2, "x"), header=LONG_HEADER),
        "row 2: the series 'a' has a step of the same time",
    ),
    "no time": Refused(table(("a", "soon", 1, "x"), header=LONG_HEADER), "row 1, column 'time': the time 'soon' is no"),
    "two classes of a series": Refused(
        table(("a", 1, 1, "x"), ("a", 2, 2, "y"), header=LONG_HEADER), "series 'a' has the classes 'x' and 'y'"
    ),
    "a series without numbers": Refused(table(("a", 1, "", "x"), header=LONG_HEADER), "series 'a' is empty"),
    "a ts file without data": Refused(text("a.ts", "@problemName x\n"), "no line '@data'"),
    "a ts file without cases": Refused(text("a.ts", TS), "no cases"),
    "a ts file with a word": Refused(text("a.ts", TS + "1,2:a\n1,two:b\n"), "line 6, channel 1"),
    "a ts file with another width": Refused(
        text("a.ts", TS + "1:2:a\n1:b\n"), "line 6 has 1 channels, and the first case 2"
    ),
    "a ts file with infinity": Refused(text("a.ts", TS + "1,inf:a\n"), "line 5: .*step 2, channel 1 is infinite"),
    "a ts file with time stamps": Refused(text("a.ts", "@timeStamps true\n@data\n(1,2):a\n"), "time stamps"),
    "a ts file without classes": Refused(text("a.ts", "@classLabel false\n@data\n1,2\n"), "no classes"),
    "an npz file of something else": Refused(npz(z=X), "holds no array x.*it holds z"),
    "an npz file without classes": Refused(npz(x=X), "no array with classes"),
    "an npz file with too few classes": Refused(npz(x=X, y=np.zeros(3)), "a class a sequence is wanted"),
    "an npz file of texts": Refused(npz(x=np.array(["a", "b"]), y=np.zeros(2)), "x is numbers"),
    "an npz file with long lengths": Refused(
        npz(x=X, y=np.zeros(2), lengths=np.array([2, 9])), "lengths go from 0 to 3"
    ),
    "an npz file of objects": Refused(npz(x=np.array([X, None], dtype=object), y=np.zeros(2)), "pickled objects"),
    "no npz file": Refused(text("a.npz", "PK not at all"), "no sound npz file"),
    "no wav file": Refused(broken_sound, "a.wav is no sound wav file"),
    "a slow wav file": Refused(lambda folder: wav(folder / "x/a.wav", 4000).parent.parent, "4000 samples a second"),
    "a folder of nothing": Refused(lambda folder: folder, "folders, one a class"),
    "no picture": Refused(broken_picture, "no picture"),
    "an unknown kind of file": Refused(text("a.doc", "x"), "nothing known by its name"),
    "inputs without labels": Refused(lambda folder: ["a", "b"], "inputs, labels"),
    "labels too few": Refused(lambda folder: (["a", "b"], [1]), "2 inputs and 1 labels"),
    "no numbers": Refused(lambda folder: ([{"a": 1}], [1]), "numbers .T, D. are wanted"),
    "different widths": Refused(lambda folder: ([[[1, 2]], [[1]]], [1, 2]), "1 and 2 numbers a step"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_broken_data_are_refused_in_one_clear_line(name: str, tmp_path: Path) -> None:
    case = REFUSED[name]
    source = case.write(tmp_path)
    with pytest.raises(UsageError, match=case.said) as caught:
        read(source, **(case.settings or {}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "said"), [(Form("series", 3), "2 numbers a step, and the model reads 3"), (Form("text"), "holds series")]
)
def test_data_of_another_form_than_the_models_are_refused(form: Form, said: str, tmp_path: Path) -> None:
    path = write_ts(tmp_path / "a.ts", [np.zeros((3, 2))], ["a"])
    with pytest.raises(UsageError, match=said):
        read(path, form=form)


def test_data_of_one_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="all 2 examples are of one class, 'y'"):
        read(write_table(tmp_path / "a.csv", [("x", "y"), ("z", "y")])).of_classes()
