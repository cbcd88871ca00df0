"""ForecastModel: the same numbers by whatever way a moment is reached, and every kind of output over any horizon."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tasks.samples_forecast import TINY, long_rows, wave, write_long
from unrolled.errors import UsageError
from unrolled.tasks.forecast.backtest import Forecast
from unrolled.tasks.forecast.model import ForecastModel

DAYS = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 3, 10), eager=True).to_list()


def trained(data: Any, **settings: Any) -> ForecastModel:
    return ForecastModel.fit(data, **{**TINY, "steps": 6, "validations": 2, **settings})


def table(ends: dict[str, int]) -> pl.DataFrame:
    """Series cut off behind so many values each."""
    rows = [row for row in long_rows() if row[0] in ends and row[1] < ends[row[0]]]
    return pl.DataFrame(rows, ["unique_id", "ds", "y"], orient="row")


def same(one: Forecast, other: Forecast) -> None:
    assert (one.series.name, one.seen, one.told.keys()) == (other.series.name, other.seen, other.told.keys())
    for name, values in one.told.items():
        np.testing.assert_array_equal(values, other.told[name], err_msg=name)


KINDS = [
    {"output": "student_t"},
    {"output": "normal", "scale": "standard", "direct": True},
    {"output": "quantiles", "levels": [0.05, 0.95]},
    {"output": "quantiles", "direct": True, "anchor": "seasonal"},
    {"output": "squared", "scale": "global", "cell": "gru", "layers": 2},
    {"output": "absolute", "anchor": "none", "embedding": 3},
]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ForecastModel:
    model = trained(write_long(tmp_path_factory.mktemp("data")), **request.param)
    model.network.widening.copy_(torch.linspace(1, 2, len(model.network.widening)))  # as if it had been calibrated
    return model


def test_a_backtest_says_what_a_forecast_from_each_moment_says(model: ForecastModel) -> None:
    for horizon in (3, 7):  # 7: beyond what a direct model was trained for
        rolled = model.backtest(table({"s0": 30, "s1": 21}), horizon, stride=4, steps=12)
        moments = [one.seen for one in rolled if one.series.name == "s1"]
        assert moments == [seen for seen in (9, 13, 17) if seen + horizon <= 21]
        for one in rolled:
            (alone,) = model.forecast(table({str(one.series.name): one.seen}), horizon)
            same(alone, one)


def test_an_update_leads_to_where_the_whole_history_leads(model: ForecastModel) -> None:
    followed = model.follow(table({"s0": 12, "s1": 9}))
    for name, begin, end in (("s0", 12, 17), ("s1", 9, 20)):
        for step in range(begin, end):
            followed.update(wave(step, int(name[1])), name)
    for one, whole in zip(followed.forecast(5), model.forecast(table({"s0": 17, "s1": 20}), 5), strict=True):
        same(one, whole)


def test_what_is_kept_of_a_series_does_not_grow(model: ForecastModel) -> None:
    def kept(standing: Any) -> int:
        arrays = [getattr(standing, name) for name in ("tails", "past", "static", "level")]
        series = standing.series[0]
        return sum(one.nbytes for one in (*arrays, series.values, series.past, series.future))

    followed = model.follow(table({"s0": 12}))
    before = kept(followed.standing["s0"])
    for step in range(12, 30):
        followed.update(wave(step))
    assert kept(followed.standing["s0"]) == before


def test_any_horizon_can_be_asked_for_and_begins_alike(model: ForecastModel) -> None:
    data = table({"s0": 30})
    short, far = (list(model.predict(data, steps)) for steps in (2, 11))
    assert short == far[:2]
    assert [row["time"] for row in far] == list(range(30, 41))
    names = set(far[0]) - {"id", "time"}
    told = {"squared": {"mean"}, "absolute": {"median"}}
    levels = model.config.levels or [0.1, 0.9]
    quantiles = {"median", *(f"q{level:g}" for level in levels)}
    everything = quantiles if model.config.output == "quantiles" else quantiles | {"mean"}
    assert names == told.get(model.config.output, everything)
    for row in far:
        ordered = [row[f"q{levels[0]:g}"], row["median"], row[f"q{levels[1]:g}"]] if len(names) > 1 else []
        assert ordered == sorted(ordered)


def test_counts_are_learned_from_counts_alone(tmp_path: Path) -> None:
    rows = [(name, step, max(0, round(value))) for name, step, value in long_rows()]
    model = trained(write_long(tmp_path, rows), output="negative_binomial")
    whole = [row["q0.9"] for row in model.predict(write_long(tmp_path, rows))]
    assert min(whole) >= 0
    with pytest.raises(UsageError, match="--output negative_binomial is of counts, and series 's0' holds 13.521"):
        trained(write_long(tmp_path), output="negative_binomial")


def covered(**changes: Any) -> pl.DataFrame:
    """Daily values that follow a price known ahead, and a kind of shop; three days more than there are values."""
    count = len(DAYS)
    shops = []
    for shop in ("a", "b"):
        price = [float((step * 7 + len(shops)) % 5) for step in range(count)]
        values = [10 - one + 0.1 * step for step, one in enumerate(price)]
        frame = {"shop": shop, "day": DAYS, "sold": [*values[:-3], None, None, None], "price": price}
        shops.append(
            pl.DataFrame({**frame, "rain": [one % 3 for one in range(count)], "kind": f"{shop}-kind"} | changes)
        )
    return pl.concat(shops)


COVARIATES: dict[str, Any] = {
    "id": "shop", "time": "day", "target": "sold", "past": ["rain"], "future": ["price"], "static": ["kind"]
}  # fmt: skip


@pytest.mark.parametrize("direct", [False, True])
def test_covariates_of_every_kind_are_read_and_matter(direct: bool) -> None:
    model = trained(covered(), **COVARIATES, horizon=3, direct=direct, output="squared", steps=20, rate=0.05)
    rows = list(model.predict(covered()))
    assert [(row["id"], row["time"]) for row in rows[:4]] == [
        ("a", "2024-03-08"), ("a", "2024-03-09"), ("a", "2024-03-10"), ("b", "2024-03-08")
    ]  # fmt: skip
    ahead = covered().with_columns(price=pl.when(pl.col("sold").is_null()).then(9.0).otherwise("price"))
    behind = covered().with_columns(rain=pl.col("rain") + 1)
    other = covered().with_columns(kind=pl.lit("b-kind"))
    for changed in (ahead, behind, other):
        assert list(model.predict(changed))[0]["mean"] != rows[0]["mean"]
    with pytest.raises(UsageError, match="series 'a': the future covariates of 1 more step\\(s\\) ahead are needed"):
        list(model.predict(covered(), horizon=4))


def test_an_update_with_covariates_leads_where_the_whole_leads() -> None:
    model = trained(covered(), **COVARIATES, horizon=2)
    whole = covered().filter(pl.col("shop") == "a")
    begin = whole.with_columns(sold=pl.when(pl.col("day") < DAYS[-9]).then("sold")).head(len(DAYS) - 8)
    followed = model.follow(begin)  # it knows one price ahead, the rest comes with the values
    for row in whole[len(DAYS) - 9 : len(DAYS) - 3].iter_rows(named=True):
        followed.update(row["sold"], past=[row["rain"]], future=[row["price"]])
    with pytest.raises(UsageError, match="the future covariates of 2 more"):
        followed.forecast()
    wanted = model.forecast(whole)[0]
    standing = followed.standing["a"]
    reached = model.follow(whole).standing["a"]
    for name, value in reached.state.items():
        assert (value == standing.state[name]).all(), name
    assert wanted.seen == int(standing.seen[0])
    with pytest.raises(UsageError, match="past covariates: 1 are wanted, and 0 given"):
        followed.update(1.0)


def test_missing_values_are_neither_learned_nor_scored(tmp_path: Path) -> None:
    rows = [(name, step, "" if step % 7 == 3 else value) for name, step, value in long_rows()]
    model = trained(write_long(tmp_path, rows))
    assert any("values missing in 3 series" in note for note in model.metrics["data"]["notes"])
    followed, whole = model.follow(table({"s0": 12})), model.follow(table({"s0": 12}))
    followed.update(None)
    whole.update(wave(12))
    assert followed.forecast()[0].told["mean"][0] != whole.forecast()[0].told["mean"][0]
    assert np.isfinite(followed.forecast()[0].told["mean"]).all()


def test_figures_stand_beside_their_baselines_and_a_winner_is_named(tmp_path: Path) -> None:
    model = trained(write_long(tmp_path), test_steps=6, stride=1, measure=[1], out=tmp_path / "out")
    validation, test = model.metrics["validation"], model.metrics["test"]
    assert (validation["forecasts"], test["forecasts"], test["forecasts_1"]) == (3, 9, 18)
    for name in ("mase", "smape", "nd", "mse", "mae"):
        assert {name, f"{name}_1"} <= test["baselines"]["seasonal naive"].keys() & test.keys()
    assert test["baselines"].keys() == {"naive", "seasonal naive"}
    beaten = test["mase"] < min(one["mase"] for one in test["baselines"].values())
    said = "\n".join(model.summary())
    assert ("by mase" in said.partition("test:")[2]) != beaten
    assert ("mase (test)" in model.about()) != beaten
    assert (tmp_path / "out" / "forecast.png").read_bytes().startswith(b"\x89PNG")
    assert "![forecast](forecast.png)" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_share_of_the_time_can_be_validated_on(tmp_path: Path) -> None:
    model = trained(write_long(tmp_path), validation_fraction=0.2)
    assert model.metrics["data"]["values"] == 24 + 26 + 29
    assert "validation: the last 0.2 of the time of each series" in model.metrics["data"]["notes"]


def test_a_series_too_short_to_validate_on_is_learned_from(tmp_path: Path) -> None:
    rows = [*long_rows(), *(("little", step, wave(step)) for step in range(3))]
    model = trained(write_long(tmp_path, rows))
    assert model.metrics["data"]["series"] == 4
    assert model.metrics["validation"]["series"] == 3
    noted = "1 series too short to validate on, only learned from (series 'little')"
    assert noted in model.metrics["data"]["notes"]


def test_other_files_go_on_where_the_training_ends_or_stand_alone(tmp_path: Path) -> None:
    rows = long_rows()
    first = write_long(tmp_path, [row for row in rows if row[1] < 20], "first.csv")
    later = write_long(tmp_path, [row for row in rows if 20 <= row[1] < 26], "later.csv")
    model = trained(first, valid=later)
    assert model.metrics["validation"]["forecasts"] == 3
    assert model.metrics["data"]["values"] == 60
    whole = trained(write_long(tmp_path, [row for row in rows if row[1] < 26]), valid_steps=6)
    assert whole.metrics["validation"]["baselines"] == model.metrics["validation"]["baselines"]
    gap = write_long(tmp_path, [row for row in rows if 22 <= row[1] < 26], "gap.csv")
    with pytest.raises(UsageError, match="series 's0' goes on behind a gap"):
        trained(first, valid=gap)


def test_what_cannot_be_done_is_refused_in_one_line(tmp_path: Path) -> None:
    data = write_long(tmp_path)
    model = trained(data)
    refused = [
        (lambda: list(model.predict(data, 0)), "horizon is 1 or more, and is 0"),
        (lambda: model.backtest(data, stride=0), "horizon and stride are 1 or more"),
        (lambda: list(model.predict([["a"]])), "a series in memory is a list of numbers"),
        (lambda: list(model.predict([[1.0, float("inf")]])), "holds an infinite value at step 1"),
        (lambda: model.follow(data).update(1.0, "S0"), "no series .S0. is followed\\. Did you mean"),
        (lambda: model.follow([[1.0, 2.0]]).update(float("inf")), "is a number or None, and is inf"),
        (lambda: trained(data, horizon=40), "the longest series has 36 steps"),
        (lambda: trained(data, valid_steps=3, validation_fraction=0.1), "give one"),
        (lambda: trained(data, levels=[1.5]), "levels lie between 0 and 1, and one is 1.5"),
        (lambda: trained(data, lags=[0]), "lags are 1 or more, and one is 0"),
        (lambda: trained(data, measure=[5]), "measure names horizons from 1 to the horizon, 4, and one is 5"),
        (
            lambda: trained(data, output="negative_binomial", scale="global"),
            "only --scale mean leaves above zero",
        ),
        (lambda: trained(data, valid=data, test_steps=4), "test_steps are cut from the training data"),
        (lambda: trained(None), "name a table of series to train on"),
    ]
    for ask, message in refused:
        with pytest.raises(UsageError, match=message):
            ask()
