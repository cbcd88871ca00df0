"""Long tables: what is found in them, and what is refused, each in one line that says where."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from tasks.samples_frames import as_csv, rows, write_csv
from unrolled.errors import UsageError
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.recordings import Recordings
from unrolled.tasks.frames.tables import read_long


def read(table: Any, answers: bool = True, **settings: Any) -> Recordings:
    return read_long(table if isinstance(table, Path) else pl.DataFrame(table), FramesConfig(**settings), None, answers)


def test_a_table_is_read_by_the_usual_names(tmp_path: Path) -> None:
    found = read(write_csv(tmp_path))
    assert found.form.columns == {"label": "phase", "id": "clip", "time": "step"}
    assert found.form.features == ("lift", "turn", "tilt")
    assert [len(one) for one in found.sequences] == [9, 4, 12, 7, 1, 10, 5]
    third = found.sequences[2]
    mine = [row for row in rows() if row["clip"] == "clip2"]
    assert third.id == "clip2"
    assert third.features is not None
    assert torch.equal(third.features, torch.tensor([[row[name] for name in found.form.features] for row in mine]))
    assert third.answers == [(row["phase"],) for row in mine]
    assert third.times == tuple(range(12))
    assert any("'phase' (guessed by its name" in note for note in found.notes)


@pytest.mark.parametrize("suffix", [".tsv", ".parquet", ".jsonl", ".csv.gz"])
def test_other_files_hold_the_same(suffix: str, tmp_path: Path) -> None:
    frame, path = pl.DataFrame(rows()), tmp_path / f"steps{suffix}"
    if suffix == ".tsv":
        frame.write_csv(path, separator="\t")
    elif suffix == ".parquet":
        frame.write_parquet(path)
    elif suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        import gzip

        path.write_bytes(gzip.compress(as_csv(rows()).encode()))
    found, expected = read(path), read(rows())
    for one, other in zip(found.sequences, expected.sequences, strict=True):
        assert one.answers == other.answers
        assert one.features is not None
        assert other.features is not None
        assert torch.equal(one.features, other.features)


def test_rows_out_of_order_are_sorted_and_it_is_said() -> None:
    table = rows((5, 3))
    mixed = [table[place] for place in (3, 6, 0, 1, 7, 4, 2, 5)]
    found, expected = read(mixed), read(table)
    assert {one.id: one.answers for one in found.sequences} == {one.id: one.answers for one in expected.sequences}
    assert any("2 of 2 sequences were out of order" in note for note in found.notes)


def test_columns_that_are_named_win_over_usual_ones() -> None:
    table = [row | {"label": 1, "kind": "x" if row["lift"] > 0 else "z"} for row in rows((4, 3))]
    found = read(table, label="kind", features="tilt,lift")
    assert found.form.features == ("tilt", "lift")
    assert found.sequences[0].answers is not None
    assert found.sequences[0].answers[0][0] in ("x", "z")
    guessed = read(table, label="kind")
    assert guessed.form.features == ("lift", "turn", "tilt")  # not 'label', which would give the answer away
    assert any(note.startswith("not read: phase, label") for note in guessed.notes)


def test_without_an_id_all_rows_are_one_sequence() -> None:
    table = [{name: row[name] for name in ("lift", "phase")} for row in rows((6,))]
    found = read(table)
    assert [len(one) for one in found.sequences] == [6]
    assert any("all rows are one sequence" in note for note in found.notes)


def test_cells_with_several_labels() -> None:
    found = read([{"y": "a;b", "v": 1.0}, {"y": None, "v": 2.0}, {"y": "b, c", "v": 3.0}], multilabel=True)
    assert found.sequences[0].answers == [("a", "b"), (), ("b", "c")]
    own = read([{"y": "a;b"}, {"y": "c"}], multilabel=True)
    assert own.form.own


def test_numbers_to_predict() -> None:
    found = read(rows((4,)), regression=True, label="tilt,turn")
    assert found.form.features == ("lift",)
    assert isinstance(found.sequences[0].answers, torch.Tensor)
    assert found.sequences[0].answers.shape == (4, 2)


def test_a_missing_number_stands_only_where_it_is_allowed() -> None:
    table = rows((4, 3))
    table[2]["turn"] = None
    found = read(table, missing="mean")
    assert found.sequences[0].features is not None
    assert found.sequences[0].features[2, 1].isnan()


def changed(row: int, **values: Any) -> list[dict[str, Any]]:
    table = rows((4, 3))
    table[row] |= values
    return table


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "missing number": (changed(4, turn=None), {}, "column 'turn', row 5, holds a missing number"),
    "nan": (changed(1, tilt=float("nan")), {}, "column 'tilt', row 2, holds a missing number"),
    "infinite": (changed(6, lift=float("inf")), {"missing": "mean"}, "column 'lift', row 7, holds an infinite number"),
    "too large": (changed(6, lift=1e300), {}, "column 'lift', row 7, holds an infinite number"),
    "no label": (changed(3, phase=None), {}, r"row 4 has no label \(column 'phase'\)"),
    "no id": (changed(3, clip=None), {}, r"row 4 has no id \(column 'clip'\)"),
    "no time": (changed(3, step=None), {}, r"row 4 has no time \(column 'step'\)"),
    "same time": (changed(2, step=1), {}, "rows 2 and 3 of 'clip0' have the same step, 1"),
    "number as label": (rows((4, 3)), {"label": "lift"}, "the label in row 1 is .*; --regression predicts numbers"),
    "no such label": (rows((4, 3)), {"label": "fase"}, r"no column 'fase' \(--label\).* Did you mean 'phase'\?"),
    "no such feature": (rows((4, 3)), {"features": "lift,trun"}, "no column 'trun' .* Did you mean 'turn'"),
    "feature is text": (
        rows((4, 3)),
        {"features": "phase", "label": "turn", "regression": True},
        "column 'phase' holds '.*' in row 1",
    ),
    "nothing to read": ([{"id": 1, "y": "a"}], {}, "no numeric column is left to read from"),
    "time is text": (
        [row | {"step": f"t{row['step']}"} for row in rows((3,))],
        {},
        "the time column 'step' holds text; numbers are wanted, or dates as 2024-01-31",
    ),
    "target is missing": (changed(1, tilt=None), {"regression": True, "label": "tilt"}, "column 'tilt', row 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_refused(name: str) -> None:
    table, settings, message = BAD[name]
    with pytest.raises(UsageError, match=message) as caught:
        read(table, **settings)
    assert "\n" not in str(caught.value)


def test_an_id_that_comes_again_without_a_time() -> None:
    table = [{"id": name, "v": 1.0, "y": "a"} for name in "aabba"]
    with pytest.raises(UsageError, match="the id 'a' ends in row 2 and begins again in row 5"):
        read(table)
