"""Settings, budgets and the learning rate over a budget."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import UsageError
from unrolled.tasks.text.config import TextConfig
from unrolled.training.config import DEFAULT_MINUTES, Budget, TrainingConfig, learning_rate, make_config
from unrolled.training.config import read_config_file as read

shares = st.floats(0, 1)
rates = st.floats(1e-6, 10)
warmups = st.floats(0, 0.99)


def refusal(**settings: object) -> str:
    """The one line with which these settings are refused."""
    with pytest.raises(UsageError) as caught:
        make_config(TextConfig, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Budgets.


def test_a_budget_in_steps_is_used_up_by_steps_alone() -> None:
    budget = Budget(TrainingConfig(steps=40), steps_per_epoch=7)
    assert [budget.share(steps, 1e9) for steps in (0, 10, 40, 41)] == [0, 0.25, 1, 1]
    assert str(budget) == "40 steps"


@pytest.mark.parametrize(("epochs", "steps"), [(2, 14), (0.5, 4), (1.01, 8), (0.01, 1)])
def test_a_budget_in_epochs_is_rounded_up_to_whole_steps(epochs: float, steps: int) -> None:
    budget = Budget(TrainingConfig(epochs=epochs), steps_per_epoch=7)
    assert budget.share(steps, 0) == 1
    assert budget.share(steps - 1, 1e9) == (steps - 1) / steps


def test_a_budget_in_minutes_is_used_up_by_seconds_alone() -> None:
    budget = Budget(TrainingConfig(minutes=0.5), steps_per_epoch=7)
    assert [budget.share(10**9, seconds) for seconds in (0, 3, 30, 31)] == [0, 0.1, 1, 1]
    assert str(budget) == "0.5 minutes"


def test_without_a_budget_it_is_the_default_minutes() -> None:
    budget = Budget(TrainingConfig(), steps_per_epoch=7)
    assert budget.share(0, 60 * DEFAULT_MINUTES) == 1
    assert budget.share(0, 60 * DEFAULT_MINUTES - 1) < 1


# The learning rate.


@given(rates, warmups)
def test_the_rate_begins_low_peaks_after_the_warmup_and_ends_at_a_hundredth(rate: float, warmup: float) -> None:
    config = TrainingConfig(rate=rate, warmup=warmup)
    assert learning_rate(config, 0.0) == (rate * 0.01 if warmup else rate)
    assert math.isclose(learning_rate(config, warmup), rate)
    assert math.isclose(learning_rate(config, 1.0), rate * 0.01)


@given(rates, warmups, shares, shares)
def test_the_rate_rises_through_the_warmup_and_falls_from_there(rate: float, warmup: float, a: float, b: float) -> None:
    config = TrainingConfig(rate=rate, warmup=warmup)
    before, after = (learning_rate(config, share) for share in sorted((a, b)))
    if max(a, b) < warmup:
        assert before <= after
    elif min(a, b) >= warmup:
        assert before >= after
    assert 0 < before <= rate * (1 + 1e-12)


def test_half_way_down_the_rate_is_half_way_between() -> None:
    assert math.isclose(learning_rate(TrainingConfig(rate=1.0, warmup=0.2), 0.6), (1 + 0.01) / 2)


# Settings that do not fit.


def test_an_unknown_setting_names_the_nearest() -> None:
    assert refusal(hiden=3) == "there is no setting 'hiden'. Did you mean 'hidden'?"
    assert refusal(qwertyuiop=3) == "there is no setting 'qwertyuiop'."


@pytest.mark.parametrize(
    "two", [{"minutes": 1, "steps": 2}, {"epochs": 1, "steps": 2}, {"minutes": 1, "epochs": 2, "steps": 3}]
)
def test_two_budgets_are_one_too_many(two: dict[str, int]) -> None:
    assert refusal(**two) == f"{' and '.join(two)} are budgets; give one."


def test_the_gradient_goes_back_over_the_window_at_least() -> None:
    assert refusal(bptt=8, window=9) == "bptt goes back at least over the window: bptt is 8, window 9."
    assert refusal(bptt=8) == "bptt goes back at least over the window: bptt is 8, window 64."
    assert make_config(TextConfig, {"bptt": 9, "window": 9}).bptt == 9


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("steps", 0, "greater than 0"),
        ("steps", "many", "integer"),
        ("rate", -1.0, "greater than 0"),
        ("clip", float("nan"), "greater than 0"),
        ("warmup", 1, "less than 1"),
        ("hidden", 2.5, "integer"),
        ("unit", "wird", "'char', 'word' or 'bpe'"),
        ("device", "gpu", "'auto', 'cpu', 'cuda' or 'mps'"),
        ("dropout_output", 1, "less than 1"),
        ("fresh", 1.5, "less than or equal to 1"),
        ("tie", "perhaps", "boolean"),
        ("sizes", {"projection": "wide"}, "integer"),
        ("validation_fraction", 1, "less than 1"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(name: str, value: object, wanted: str) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"{name}: should be ")
    assert wanted in message
    shown = value["projection"] if isinstance(value, dict) else value
    assert message.endswith(f", and is {shown!r}.")


def test_settings_do_not_change_once_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make_config(TextConfig, {}).hidden = 3


# Settings in a file.


def test_a_file_gives_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text('cell = "gru"\nhidden = 96\nsizes = { projection = 8 }  # é\n', encoding="utf-8")
    assert read(path) == {"cell": "gru", "hidden": 96, "sizes": {"projection": 8}}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"hidden == 3", "are no TOML: "),
        (b"hidden = 3\nhidden = 4", "are no TOML: "),
        (b"# caf\xe9\n", "are no UTF-8 text: byte 5."),
    ],
)
def test_a_file_that_is_no_toml_says_so(content: bytes, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(caught.value).startswith(f"the settings {path} {wanted}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.toml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageError) as caught:
            read(path)
        assert str(caught.value) == f"cannot read the settings {path}: {reason}."
