"""Tables of series: long and wide, every odd one handled as said or refused in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tasks.samples_forecast import write_long
from unrolled.errors import UsageError
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.frequency import DAY, HOUR, Frequency
from unrolled.tasks.forecast.reader import Columns, read_series
from unrolled.training.config import make_config


def read(frame: dict[str, Any], **settings: Any):
    return read_series(pl.DataFrame(frame), make_config(ForecastConfig, settings))


def long(times: list[Any], values: list[Any] | None = None, name: str = "a") -> dict[str, Any]:
    return {"unique_id": [name] * len(times), "ds": times, "y": values or [float(one) for one in range(len(times))]}


def test_a_long_table_is_read_with_guesses_said(tmp_path: Path) -> None:
    found = read_series(write_long(tmp_path), ForecastConfig())
    assert [one.name for one in found.series] == ["s0", "s1", "s2"]
    assert [len(one) for one in found.series] == [30, 33, 36]
    assert found.columns == Columns("ds", "unique_id", "y")
    assert found.notes[0] == "3 series, whole numbers, season 1"
    assert sum("(guessed by its name;" in note for note in found.notes) == 3


def test_a_wide_table_is_guessed_and_said_or_asked_for() -> None:
    frame = {"date": ["2024-01-01", "2024-01-02", "2024-01-03"], "north": [1.0, 2.0, 3.0], "south": [4, None, 6]}
    found = read(frame)
    assert [one.name for one in found.series] == ["north", "south"]
    assert np.isnan(found.series[1].values[1])
    assert any(
        note.startswith("a wide table: each column but 'date' is a series (north, south)") for note in found.notes
    )
    assert not any("wide" in note for note in read(frame, wide=True).notes)
    assert [one.name for one in read(frame, target="north").series] == ["north"]
    clash = "a wide table has a time column and series; id, target and covariates belong to long ones"
    with pytest.raises(UsageError, match=clash):
        read(frame, wide=True, target="north")


FREQUENCIES = [
    (["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00"], "hourly", 24),
    (["2024-01-01 00:00", "2024-01-01 00:30", "2024-01-01 01:00"], "every 30 minutes", 48),
    (["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"], "daily", 7),
    (["2024-02-29", "2024-03-01", "2024-03-04", "2024-03-05"], "business daily", 5),
    (["2024-01-07", "2024-01-14", "2024-01-21"], "weekly", 52),
    (["2024-01", "2024-02", "2024-03"], "monthly", 12),
    (["2024-01-31", "2024-02-29", "2024-03-31"], "monthly", 12),
    (["2024-01-01", "2024-04-01", "2024-07-01"], "quarterly", 4),
    (["2022-01-01", "2023-01-01", "2024-01-01"], "yearly", 1),
    ([3, 5, 7], "whole numbers 2 apart", 1),
]


@pytest.mark.parametrize(("times", "shown", "season"), FREQUENCIES, ids=lambda one: str(one))
def test_the_frequency_is_seen_in_the_times(times: list[Any], shown: str, season: int) -> None:
    found = read(long(times))
    assert (str(found.frequency), found.frequency.season) == (shown, season)
    one, steps = found.series[0], np.arange(len(times))
    told = [str(found.frequency.shown(time)) for time in found.frequency.times(one.start, steps).tolist()]
    assert [each[: len(str(time))].replace("T", " ") for each, time in zip(told, times, strict=True)] == [
        str(time) for time in times
    ]


def test_times_of_other_types_are_read_alike() -> None:
    texts = long(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00"])
    start = read(texts).series[0].start
    frame = pl.DataFrame(texts).with_columns(pl.col("ds").str.to_datetime("%Y-%m-%d %H:%M"))
    zoned = frame.with_columns(pl.col("ds").dt.replace_time_zone("UTC"))
    for one in (frame, zoned, frame.with_columns(pl.col("ds").cast(pl.Datetime("ns")))):
        assert read_series(one, ForecastConfig()).series[0].start == start


def test_gaps_and_empty_values_are_reported_and_filled_only_when_asked() -> None:
    frame = long(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05", "2024-01-06"], [1.0, 2.0, None, 5.0, 6.0])
    found = read(frame)
    np.testing.assert_array_equal(found.series[0].values, [1, 2, np.nan, np.nan, 5, 6])
    told = (
        "2 values missing in 1 series (first: 'a' at 2024-01-03), neither learned nor scored; --fill previous, linear"
    )
    assert any(note.startswith(told) for note in found.notes)
    for how, middle in (("previous", [2, 2]), ("linear", [3, 4]), ("zero", [0, 0])):
        found = read(frame, fill=how)
        np.testing.assert_array_equal(found.series[0].values, [1, 2, *middle, 5, 6])
        assert found.notes[-1].endswith(f"filled: {how}")


def test_words_for_a_missing_value_are_missing_values() -> None:
    frame = long(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], ["1.5", "NA", " null", "4"])
    (one,) = read(frame).series
    assert np.isnan(one.values).tolist() == [False, True, True, False]
    assert one.values[[0, 3]].tolist() == [1.5, 4.0]
    with pytest.raises(UsageError, match="row 2 has 'few' in 'y', where numbers are wanted"):
        read(frame | {"y": ["1.5", "few", "NA", "4"]})


def test_days_may_be_written_without_their_hour() -> None:
    mixed = long(["2024-01-01 22:00", "2024-01-01 23:00", "2024-01-02", "2024-01-02 01:00"])
    assert read(mixed).notes[0] == "1 series, hourly, season 24"
    hours = {"unique_id": list("aaabbb"), "y": [1.0] * 6}
    hours["ds"] = ["2024-01-01 22:00", "2024-01-01 23:00", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    with pytest.raises(UsageError, match="mixed frequency: series 'a' is hourly, and 'b' daily; one a file"):
        read(hours)


def test_rows_out_of_order_are_sorted_and_said() -> None:
    found = read(long([3, 1, 2], [30.0, 10.0, 20.0]))
    np.testing.assert_array_equal(found.series[0].values, [10, 20, 30])
    assert "rows of 1 series were not in order of time ('a'); they were sorted" in found.notes


def test_series_begin_and_end_with_a_value_and_rows_behind_ask_for_forecasts() -> None:
    frame = long([1, 2, 3, 4, 5, 6], [None, 1.0, 2.0, 3.0, None, None]) | {"price": [0.0, 1, 2, 3, 4, 5]}
    one = read(frame, future=["price"]).series[0]
    assert (one.start, len(one), one.asked) == (2, 3, 2)
    np.testing.assert_array_equal(one.future[:, 0], [1, 2, 3, 4, 5])


def test_covariates_are_placed_and_statics_have_one_value() -> None:
    frame = long([1, 2, 3]) | {"rain": [1.0, 2.0, 3.0], "kind": ["x", "x", "x"]}
    one = read(frame, past=["rain"], static=["kind"]).series[0]
    assert one.static == ("x",)
    np.testing.assert_array_equal(one.past[:, 0], [1, 2, 3])
    with pytest.raises(UsageError, match="series 'a' has 2 values of the static 'kind'"):
        read(frame | {"kind": ["x", "y", "x"]}, static=["kind"])


REFUSED = [
    (long([1, 2, 2]), {}, "series 'a' has two rows for 2; one a time"),
    (long(["2024-01-01", "2024-01-01", "2024-01-02"]), {}, "series 'a' has two rows for 2024-01-01"),
    (long([1, 2, 3]) | {"unique_id": ["a", None, "a"]}, {}, "row 2 names no series in 'unique_id'"),
    (long([1, 2, None]), {}, "row 3 has no time in 'ds'"),
    (long([1, 2, 3], [1.0, float("inf"), 2.0]), {}, "row 2 has an infinite value in 'y'"),
    (long([1, 2, 3], [1.0, 1e300, 2.0]), {}, "row 2 has 1e\\+300, too large a value, in 'y'"),
    (
        {"ds": [1, 2], "shop": ["a", "b"], "sold": [1.0, 2.0]},
        {},
        "'shop' holds text \\('a'\\), so the table is not wide; name what it holds with --id, --time and --target",
    ),
    (long([1, 2, 3], ["1", "two", "3"]), {}, "row 2 has 'two' in 'y', where numbers are wanted"),
    (long([1, 2, 3], [None, None, float("nan")]), {}, "no series has a value in 'y'"),
    (long(["monday", "tuesday", "friday"]), {}, "row 1 has 'monday' in 'ds', and a time is like 2024-01-31 13:00"),
    (long([1.5, 2.5, 3.5]), {}, "the times in 'ds' are dates, times or whole numbers, not Float64"),
    (long([1]), {}, "every series has one time only; a frequency is seen from two on"),
    (long([1, 2, 3]), {"target": "z"}, "has no column 'z' \\(--target\\)"),
    (long([1, 2, 3]), {"future": ["price"]}, "has no column 'price'"),
    (
        long(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 02:30"]),
        {},
        "series 'a': the times are hourly, and 2024-01-01T02:30:00 is no whole number of steps behind",
    ),
    (
        {
            "unique_id": ["a"] * 3 + ["b"] * 3,
            "ds": [
                "2024-01-01 00:00",
                "2024-01-01 01:00",
                "2024-01-01 02:00",
                "2024-01-01",
                "2024-01-02",
                "2024-01-03",
            ],
            "y": [1.0] * 6,
        },
        {},
        "mixed frequency: series 'a' is hourly, and 'b' daily; one a file",
    ),
]


@pytest.mark.parametrize(("frame", "settings", "message"), REFUSED, ids=[message[:40] for *_, message in REFUSED])
def test_what_does_not_fit_is_refused_in_one_line(
    frame: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    if frame["ds"][0] == "2024-01-01 00:00" and "2024-01-02" in frame["ds"]:
        frame = frame | {"ds": [f"{one} 00:00"[:16] for one in frame["ds"]]}
    with pytest.raises(UsageError, match=message) as caught:
        read(frame, **settings)
    assert "\n" not in str(caught.value)


def test_a_model_refuses_a_table_without_its_columns() -> None:
    with pytest.raises(UsageError, match="the frame has no column 'ds', and the model reads it; it has the columns a"):
        read_series(pl.DataFrame({"a": [1]}), ForecastConfig(), columns=Columns("ds", "unique_id", "y"))


def test_a_model_refuses_times_of_another_kind() -> None:
    frame = pl.DataFrame(long([1, 2, 3]))
    with pytest.raises(UsageError, match="the times are whole numbers, and the model's are hourly"):
        read_series(frame, ForecastConfig(), Columns("ds", "unique_id", "y"), Frequency("microsecond", HOUR))


def test_months_keep_their_day_and_end() -> None:
    monthly = Frequency("month")
    for start, told in (("2023-12-31", "2024-02-29"), ("2023-12-30", "2024-02-29"), ("2023-12-05", "2024-02-05")):
        begin = int(np.datetime64(start, "us").astype(np.int64))
        assert monthly.shown(int(monthly.times(begin, np.array([2]))[0])) == told


def test_the_calendar_goes_round() -> None:
    hourly = Frequency("microsecond", HOUR)
    times = np.arange(0, 8 * DAY, HOUR)
    seen = hourly.calendar(times)
    assert seen.shape == (192, hourly.calendar_size) == (192, 4)
    np.testing.assert_array_equal(seen[0], seen[168])
    np.testing.assert_array_equal(seen[:24, :2], seen[24:48, :2])
    np.testing.assert_allclose(seen[6, :2], [1, 0], atol=1e-12)
    assert not np.array_equal(seen[0], seen[24])
