"""A table on standard input has no name, and is known by its looks."""

import io

import polars as pl
import pytest

from unrolled.data.tables import read_table


@pytest.mark.parametrize(
    "text",
    [
        "text,label\na good film,pos\none\ttwo,neg\n",
        "text\tlabel\na good film\tpos\none\ttwo\tneg\n".replace("one\ttwo", "one two"),
        '{"text": "a good film", "label": "pos"}\n{"text": "one\\ttwo", "label": "neg"}\n',
        "\ufeff\ntext,label\na good film,pos\none\ttwo,neg\n".replace("\n", "", 1),
    ],
    ids=["csv", "tsv", "jsonl", "csv with a mark"],
)
def test_its_kind(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    found = read_table("-").frame
    assert found.columns == ["text", "label"]
    assert found["label"].to_list() == ["pos", "neg"]


def test_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, raw = pl.DataFrame({"text": ["a good film"], "label": [1]}), io.BytesIO()
    frame.write_parquet(raw)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw.getvalue())))
    assert read_table("-").frame.equals(frame)
