"""Series of public sets as tables that the forecast task reads."""

import gzip
from pathlib import Path

import polars as pl

ETT_TRAIN, ETT_ALL = 12 * 30 * 24, 20 * 30 * 24
"""Hours of the usual split of ETTh1: 12 months to learn, 4 to validate, 4 to test, of 30 days each."""


def airline(source: Path, into: Path) -> None:
    """``airline.csv``: Month and Passengers, 1949 to 1960; the last 36 months are the test."""
    frame = pl.read_csv(source / "classic_series" / "AirPassengers.csv")
    frame.rename({"#Passengers": "Passengers"}).write_csv(into / "airline.csv")


def ett(source: Path, into: Path) -> None:
    """``ett.csv``: date and OT of ETTh1, less the mean and over the deviation of the first 12 months; 20 months."""
    frame = pl.read_csv(source / "ett_hourly" / "ETTh1.csv").select("date", "OT").head(ETT_ALL)
    learned = frame["OT"].head(ETT_TRAIN)
    scaled = (frame["OT"] - learned.mean()) / learned.std(ddof=0)
    frame.with_columns(scaled).write_csv(into / "ett.csv")


def m4(source: Path, into: Path) -> None:
    """``m4.csv``: unique_id, ds (hours from 1), y of the 414 hourly series; the last 48 of each are the test."""
    folder = source / "m4_hourly_weekly"
    with gzip.open(folder / "hourly_train.csv.gz", "rt", encoding="utf-8") as file:
        series = {name: values for name, *values in (line.split(",") for line in file.read().splitlines())}
    for line in (folder / "hourly_test.csv").read_text(encoding="utf-8").splitlines():
        name, *values = line.split(",")
        series[name] += values
    rows = [(name, hour, float(value)) for name, own in series.items() for hour, value in enumerate(own, 1)]
    pl.DataFrame(rows, ["unique_id", "ds", "y"], orient="row").write_csv(into / "m4.csv")
