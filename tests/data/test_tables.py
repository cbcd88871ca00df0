"""Tables of every kind become the same frame; what is broken is told by its line."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from unrolled.data.tables import is_table, read_table
from unrolled.errors import UsageError

FRAME = pl.DataFrame({"text": ["a, b", 'say "hm"', "ü"], "label": ["01", "02", "01"]})


def written(folder: Path, kind: str) -> Path:
    path = folder / f"table{kind}"
    if kind == ".parquet":
        FRAME.write_parquet(path)
    elif kind in (".jsonl", ".ndjson"):
        FRAME.write_ndjson(path)
    elif kind == ".tsv":
        FRAME.write_csv(path, separator="\t", quote_style="never")
    else:
        FRAME.write_csv(path)
    return path


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_kind_gives_the_same_frame(kind: str, packed: bool, tmp_path: Path) -> None:
    path = written(tmp_path, kind)
    if packed:
        plain, path = path, path.with_name(f"{path.name}.gz")
        path.write_bytes(gzip.compress(plain.read_bytes()))
        assert read_table(path, as_text=True).fingerprint == read_table(plain, as_text=True).fingerprint
    assert is_table(path)
    assert read_table(path, as_text=True).frame.equals(FRAME)


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_spreadsheets_write_is_read(kind: str, encoding: str, tmp_path: Path) -> None:
    comma = "\t" if kind == ".tsv" else ","
    lines = ['{"text": "né", "n": 1}'] if kind == ".jsonl" else [f"text{comma}n", f"né{comma}1"]
    (tmp_path / f"a{kind}").write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    assert read_table(tmp_path / f"a{kind}").frame.rows() == [("né", 1)]


def test_numbers_are_found_out_where_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text("ds,y\n2024-01-01,1.5\n2024-01-02,2\n", encoding="utf-8")
    assert read_table(path).frame.dtypes == [pl.Date, pl.Float64]
    assert read_table(path, as_text=True).frame.dtypes == [pl.String, pl.String]
    assert read_table(path, as_text=True, header=False).frame.height == 3


def test_a_frame_is_taken_and_has_a_fingerprint_of_its_content() -> None:
    table = read_table(FRAME)
    assert table.frame is FRAME
    assert table.fingerprint == read_table(FRAME.clone()).fingerprint
    assert table.fingerprint != read_table(FRAME.reverse()).fingerprint
    assert is_table(FRAME)
    assert not is_table("model.txt")
    assert not is_table(["a"])


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        (
            "a.csv",
            b"text,label\na,b\nc,d,e\n",
            r"a\.csv is no table of the kind \.csv: line 3 has 3 fields, and the first",
        ),
        ("a.tsv", b"text\tlabel\na\tb\tc\n", r"line 2 has 3 fields, and the first line 2"),
        ("a.csv", b"text,label\na,\xff\n", r"line 2 is not UTF-8"),
        ("a.csv", b"text,label\n", r"a\.csv holds no rows"),
        ("a.csv", b"", r"empty"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', r"a\.jsonl is no table of the kind \.jsonl"),
        ("a.parquet", b"PAR1 no", r"a\.parquet is no table of the kind \.parquet"),
        ("a.csv", b"text,label\nun caf\xe9,b\n", r"line 2 is not UTF-8; save it as UTF-8"),
        ("a.csv", b"text,label\na,b\n\0\0,c\n", r"a\.csv is no text: line 3 holds a zero byte"),
        ("a.jsonl", b"\0" * 40, r"a\.jsonl is no text: line 1 holds a zero byte"),
        ("a.tsv", "text\tlabel\na\tb\n".encode("utf-16")[:-1], r"a\.tsv begins as UTF-16, and is damaged"),
        ("a.xlsx", b"PK", r"is no table by its name; tables end in \.csv"),
    ],
)
def test_what_is_broken_is_told_by_its_line(name: str, content: bytes, wanted: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=wanted):
        read_table(tmp_path / name, as_text=True)


def test_a_missing_file_and_a_foreign_value_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        read_table(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="this is a dict"):
        read_table({"text": ["a"]})


def test_columns_are_named_or_guessed() -> None:
    table = read_table(pl.DataFrame({"Sentence": ["a"], "id": [1], "class": ["x"]}))
    usual = ("text", "sentence")
    assert table.column("id", "text", usual) == ("id", "")
    assert table.column(None, "text", usual) == (
        "Sentence",
        "text: column 'Sentence' (guessed by its name; --text names another)",
    )
    with pytest.raises(
        UsageError, match=r"no column 'clas' \(--label\); it has the columns Sentence, id, class.*class"
    ):
        table.column("clas", "label", ())
    with pytest.raises(UsageError, match=r"name the column that holds the label with --label"):
        table.column(None, "label", ("label",))
