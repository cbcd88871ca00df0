"""Frames of pandas become tables, with or without pyarrow. Without pandas there is nothing to test."""

import sys
from datetime import date, datetime
from typing import Any

import pytest

from unrolled.data.tables import is_table, read_table

pandas = pytest.importorskip("pandas", reason="pandas is not installed; who has no frame of it needs none of this")
DAYS = pandas.date_range("2024-01-01", periods=3)


def rows(frame: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    assert is_table(frame)
    read = read_table(frame).frame
    return read.columns, read.rows()


@pytest.fixture(autouse=True)
def no_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on most machines: polars asks for it to take texts from pandas."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)


def test_texts_numbers_times_and_what_is_missing() -> None:
    frame = pandas.DataFrame({"unique_id": ["a", "a", None], "ds": DAYS, "y": [1.5, float("nan"), 3.0]})
    columns, found = rows(frame)
    assert columns == ["unique_id", "ds", "y"]
    assert found == [
        ("a", datetime(2024, 1, 1), 1.5),
        ("a", datetime(2024, 1, 2), None),
        (None, datetime(2024, 1, 3), 3.0),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pandas.Categorical(["x", "y", "x"]), ["x", "y", "x"]),
        (pandas.array([1, None, 3], dtype="Int64"), [1, None, 3]),
        ([True, False, True], [True, False, True]),
        ([["a", "b"], ["c"], []], [["a", "b"], ["c"], []]),
        (pandas.period_range("2024-01", periods=3, freq="M"), [datetime(2024, month, 1) for month in (1, 2, 3)]),
        ([date(2024, 1, 1)] * 3, [date(2024, 1, 1)] * 3),
        (pandas.Series([1, 2, 3], dtype="int8"), [1, 2, 3]),
    ],
)
def test_a_column_of_any_kind(values: Any, expected: list[Any]) -> None:
    assert [row[0] for row in rows(pandas.DataFrame({"x": values}))[1]] == expected


def test_an_index_of_names_or_times_is_a_column() -> None:
    assert rows(pandas.DataFrame({"y": [1, 2, 3]}, index=pandas.Index(DAYS, name="ds")))[0] == ["ds", "y"]
    assert rows(pandas.DataFrame({"y": [1, 2, 3]}, index=DAYS))[0] == ["time", "y"]
    both = pandas.MultiIndex.from_product([["a", "b"], [1, 2]], names=["unique_id", "ds"])
    assert rows(pandas.DataFrame({"y": range(4)}, index=both))[1][2] == ("b", 1, 2)
    assert rows(pandas.DataFrame({"y": range(4)})[2:]) == (["y"], [(2,), (3,)])


def test_columns_may_be_numbers_and_the_same_data_have_the_same_fingerprint() -> None:
    frame = pandas.DataFrame([[1.0, 2.0]])
    assert rows(frame)[0] == ["0", "1"]
    assert read_table(frame).fingerprint == read_table(frame.copy()).fingerprint
