"""Times as people write them: what can be read in one way is read, what can be read in two is asked about."""

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tasks.samples import write
from unrolled.data.tables import Table, read_table
from unrolled.errors import UsageError
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.reader import read_series
from unrolled.tasks.forecast.times import stamps_of

MONTHS = [date(2022 + month // 12, month % 12 + 1, 1) for month in range(30)]
DAYS = [date(2024, 1, 1) + timedelta(day) for day in range(40)]

WAYS = [
    ("%Y-%m-%d", MONTHS, "monthly", ""),
    ("%m/%d/%Y", MONTHS, "monthly", "month first"),
    ("%d/%m/%Y", MONTHS, "monthly", "day first"),
    ("%m-%d-%Y", MONTHS, "monthly", "month first"),
    ("%d.%m.%Y", MONTHS, "monthly", ""),
    ("%Y%m%d", DAYS, "daily", "is read as the date 2024-01-01"),
    ("%m/%d/%Y", DAYS, "daily", "month first, as 2024-01-01"),
    ("%d/%m/%Y", DAYS, "daily", "day first, as 2024-01-01"),
    ("%m/%d/%Y 09:30", DAYS, "daily", "month first"),
]


@pytest.mark.parametrize(("how", "days", "frequency", "said"), WAYS, ids=[f"{one[0]} {one[2]}" for one in WAYS])
def test_dates_are_read_as_they_were_meant(
    how: str, days: list[date], frequency: str, said: str, tmp_path: Any
) -> None:
    rows = "".join(f"{day.strftime(how)},{place}\n" for place, day in enumerate(days))
    found = read_series(write(tmp_path, f"ds,y\n{rows}", "series.csv"), ForecastConfig())
    assert str(found.frequency) == frequency
    assert found.series[0].values.tolist() == list(range(len(days)))
    first = datetime(1970, 1, 1) + timedelta(microseconds=found.series[0].start)
    assert first.date() == days[0]
    notes = [note for note in found.notes if " is read " in note]
    assert (len(notes) == 1 and said in notes[0]) if said else not notes


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["01/02/2024", "02/02/2024", "03/02/2024"], "can be read day first or month first; write them as 2024-01-31"),
        (["13/02/2024", "02/13/2024"], "are not all dates, neither day nor month first"),
        (["2024-01-01", "2024-01-01 05:00", "soon"], "row 3 has 'soon' in 'when', and a time is like 2024-01-31 13:00"),
    ],
)
def test_dates_of_two_readings_or_none_are_refused(texts: list[str], said: str) -> None:
    frame = pl.DataFrame({"when": texts})
    with pytest.raises(UsageError, match=said):
        stamps_of(Table(frame, "table", ""), frame["when"], "when", [])


def test_dates_with_and_without_hours_go_together() -> None:
    texts = ["2024-01-01", "2024-01-01 05:00", "2024-01-01T06:00"]
    hours, whole = stamps_of(Table(pl.DataFrame(), "table", ""), pl.Series(texts), "when", [])
    assert not whole
    assert [one - hours[0] for one in hours.tolist()] == [0, 5 * 3600 * 10**6, 6 * 3600 * 10**6]


def test_whole_numbers_that_are_no_dates_stay_steps() -> None:
    for numbers in ([20240131, 20240132], [1, 2, 3], [2023, 2024]):
        found, whole = stamps_of(Table(pl.DataFrame(), "table", ""), pl.Series(numbers), "when", [])
        assert whole
        assert found.tolist() == numbers


def test_a_table_leaves_dates_that_do_not_begin_with_their_year(tmp_path: Any) -> None:
    file = write(tmp_path, "a,b,c\n01/02/2024,2024-02-01,10:00:00\n02/02/2024,,11:00:00\n", "dates.csv")
    assert [str(kind) for kind in read_table(file).frame.dtypes] == ["String", "Date", "Time"]
