"""The public series as tables: the rows and splits that the recipes count on."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from unrolled.data.prepared import forecast


def test_airline_is_one_series_of_twelve_years(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    forecast.airline(shared_data("classic_series").parent, tmp_path)
    frame = pl.read_csv(tmp_path / "airline.csv")
    assert frame.columns == ["Month", "Passengers"]
    assert (frame.height, frame["Month"][0], frame["Passengers"].sum()) == (144, "1949-01", 40363)


def test_ett_is_scaled_by_what_is_learned_from(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    forecast.ett(shared_data("ett_hourly").parent, tmp_path)
    frame = pl.read_csv(tmp_path / "ett.csv")
    assert frame.height == 14400
    learned = frame["OT"].head(8640)
    assert (learned.mean(), learned.std(ddof=0)) == pytest.approx((0, 1), abs=1e-9)


def test_m4_joins_what_is_learned_from_and_the_test(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    forecast.m4(shared_data("m4_hourly_weekly").parent, tmp_path)
    frame = pl.read_csv(tmp_path / "m4.csv")
    lengths = frame.group_by("unique_id").len()["len"]
    assert (len(lengths), lengths.min(), lengths.max()) == (414, 748, 1008)
    assert frame.row(0) == ("H1", 1, 605.0)
