"""Noise: its mean, its text, and what it refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.equations.noise import Noise

finite = st.floats(-1e6, 1e6)


@given(finite, st.floats(0.0, 1.0), st.sampled_from(["step", "sequence"]))
def test_noise_reads_back_from_its_text(value: float, probability: float, per: Any) -> None:
    noise = Noise(value, probability, per)
    assert Noise.parse(str(noise)) == noise
    assert noise.mean == value * probability


def test_a_scaled_coin_has_mean_one() -> None:
    assert Noise(1.25, 0.8, "sequence").mean == 1.0
    assert str(Noise(1, 0.5, "step")) == "1.0 with probability 0.5 per step"
    assert Noise.parse("  2   with probability .5 per  step ") == Noise(2.0, 0.5, "step")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1.0, 1.5, "step"), "between 0 and 1, and is 1.5"),
        ((1.0, -0.1, "step"), "between 0 and 1"),
        ((1.0, float("nan"), "step"), "between 0 and 1"),
        ((float("inf"), 0.5, "step"), "a finite value, and not inf"),
        ((1.0, 0.5, "epoch"), "per step or per sequence, not per epoch"),
    ],
)
def test_noise_that_is_none(values: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Noise(*values)


@pytest.mark.parametrize(
    "text", ["", "1", "1 with probability 0.5", "one with probability 0.5 per step", "1_0 with probability 1 per step"]
)
def test_text_that_is_no_noise(text: str) -> None:
    with pytest.raises(ValueError, match="write VALUE with probability P per step"):
        Noise.parse(text)
