"""Intervals hold what they say: calibrated on the validation part, never narrower than the network's own."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tasks.samples_forecast import TINY, write_long
from unrolled.tasks.forecast.calibrate import FEWEST, MOST, _factors
from unrolled.tasks.forecast.model import ForecastModel
from unrolled.tasks.forecast.standing import _of_paths


def noise(series: int = 60, steps: int = 60, seed: int = 1) -> pl.DataFrame:
    """White noise around 0."""
    values = np.random.default_rng(seed).normal(size=(series, steps))
    rows = [(f"s{one}", step, values[one, step]) for one in range(series) for step in range(steps)]
    return pl.DataFrame(rows, ["unique_id", "ds", "y"], orient="row")


NARROW: dict[str, Any] = {
    **TINY,
    "samples": 100,
    "season": 1,
    "scale": "standard",
    "steps": 1,
    "rate": 1e-9,
    "valid_steps": 8,
}
"""A network that has learned nothing: around the last value, its 80 % interval holds some 60 % of white noise."""


@pytest.mark.parametrize(
    "how", [{"horizon": 1}, {"direct": True}, {"output": "quantiles", "direct": True, "steps": 15, "rate": 0.02}]
)
def test_an_interval_holds_its_share_of_new_values(how: dict[str, Any]) -> None:
    plain, calibrated = (
        ForecastModel.fit(noise(), test_steps=8, calibrate=one, **NARROW | how) for one in (False, True)
    )
    before, after = (model.metrics["test"]["coverage_80"] for model in (plain, calibrated))
    assert before < 0.7
    assert after == pytest.approx(0.8, abs=0.07)
    assert calibrated.metrics["validation"]["coverage_80"] == pytest.approx(0.8, abs=0.05)
    assert calibrated.metrics["validation"]["widening"] > 1.2
    assert plain.metrics["validation"]["widening"] == 1.0
    assert calibrated.metrics["test"]["mase"] == plain.metrics["test"]["mase"]  # the median stays


def test_a_folder_keeps_how_wide_intervals_are(tmp_path: Path) -> None:
    model = ForecastModel.fit(noise(), out=tmp_path / "out", **NARROW)
    opened = ForecastModel.load(tmp_path / "out")
    assert (opened.network.widening == model.network.widening).all()
    assert float(opened.network.widening.max()) > 1.2
    assert list(opened.predict(noise(2))) == list(model.predict(noise(2)))


def test_counts_are_never_below_zero(tmp_path: Path) -> None:
    rows = [(f"s{one}", step, (step * 7 + one) % 3) for one in range(3) for step in range(30)]
    path = write_long(tmp_path, rows)
    model = ForecastModel.fit(path, **{**TINY, "steps": 2, "output": "negative_binomial"})
    model.network.widening.fill_(5.0)
    assert min(row["q0.1"] for row in model.predict(path)) == 0


def test_a_point_has_no_interval() -> None:
    model = ForecastModel.fit(noise(), **NARROW, output="squared")
    assert model.metrics["validation"]["widening"] == 1.0


def test_a_factor_is_the_conformal_quantile_of_its_step() -> None:
    scores = np.stack([np.arange(1.0, 200.0), np.arange(1.0, 200.0) / 1000, np.full(199, 50.0)], 1)
    assert _factors(scores, 0.8).tolist() == [MOST, 1.0, MOST]
    assert _factors(scores / 100, 0.8)[0] == 1.6  # the 160th of 199: ceil(200 * 0.8)
    assert _factors(np.array([[2.0, 3.0]] * (FEWEST // 2 - 1)), 0.8).tolist() == [1.0, 1.0]


def test_steps_with_few_values_look_at_those_around_them() -> None:
    scores = np.repeat(np.array([[2.0, 3.0, 4.0]]), 50, 0)
    assert _factors(scores, 0.5).tolist() == [3.0, 3.0, 4.0]
    scores[:, 0] = np.nan
    assert _factors(scores, 0.4).tolist() == [3.0, 3.0, 3.0]


def test_a_new_path_lies_below_a_quantile_with_its_chance() -> None:
    """Of nine draws the least is the tenth part's: of ten exchangeable draws each is the last with the same chance."""
    told = _of_paths(np.arange(1.0, 10.0)[:, None], [0.1, 0.5, 0.9])
    assert [told[name][0] for name in ("q0.1", "median", "q0.9")] == [1.0, 5.0, 9.0]


def test_a_scale_is_chosen_by_the_sign_of_the_values(tmp_path: Path) -> None:
    quick = {**TINY, "steps": 1}
    below = ForecastModel.fit(noise(), **quick)
    assert below.config.scale == "standard"
    assert "scale: standard, as some values are below zero (--scale names another)" in below.metrics["data"]["notes"]
    assert ForecastModel.fit(noise(), scale="mean", **quick).config.scale == "mean"
    assert ForecastModel.fit(write_long(tmp_path), **quick).config.scale == "mean"
