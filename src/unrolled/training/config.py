"""Settings of a training run that every task shares; the command line is made from these fields."""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unrolled.errors import UsageError, did_you_mean

Config = TypeVar("Config", bound=BaseModel)
BUDGETS = ("minutes", "epochs", "steps")


class TrainingConfig(BaseModel):
    """How long to train, how to step, what to watch."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    minutes: float | None = Field(None, gt=0, description="budget: minutes of training (the default is 5)")
    epochs: float | None = Field(None, gt=0, description="budget: passes over the training data, instead of minutes")
    steps: int | None = Field(None, gt=0, description="budget: updates, instead of minutes")
    batch: int = Field(32, ge=1, description="sequences read side by side (N)")
    rate: float = Field(
        1e-2, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the budget in which the rate rises")
    weight_decay: float = Field(0.01, ge=0, description="weight decay of AdamW, on matrices")
    clip: float = Field(1.0, gt=0, allow_inf_nan=True, description="largest norm of the gradient")
    validations: int = Field(10, ge=1, description="validations, spread evenly over the budget")
    patience: int = Field(5, ge=1, description="validations without a better one before training stops early")
    checkpoint_seconds: float = Field(30.0, gt=0, description="seconds between two checkpoints to resume from")
    inspect: float = Field(
        0.01, ge=0, le=1, description="share of the time in which a run looks into itself; 0 never, 1 at every row"
    )
    seed: int = Field(1, ge=0, lt=2**32, description="seed of all randomness")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")
    precision: Literal["32-true", "bf16-mixed", "64-true"] = Field("32-true", description="number format")

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are budgets; give one")
        return self


class StreamConfig(TrainingConfig):
    """How streams are read: windows, and how far the gradient goes back."""

    window: int = Field(64, ge=1, description="steps between two updates (k1 of truncated BPTT)")
    bptt: int | None = Field(
        None, ge=1, description="steps the gradient goes back (k2, at least the window; default: the window)"
    )
    fresh: float = Field(0.02, ge=0, le=1, description="chance of a row to begin a window from a fresh state")

    @model_validator(mode="after")
    def _back_over_the_window(self) -> Self:
        if self.bptt is not None and self.bptt < self.window:
            raise ValueError(f"bptt goes back at least over the window: bptt is {self.bptt}, window {self.window}")
        return self


def make_config(kind: type[Config], given: Mapping[str, Any]) -> Config:
    """The settings that ``given`` asks for. Raises UsageError with one line for the first that does not fit."""
    try:
        return kind(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            raise UsageError(f"there is no setting '{name}'.{did_you_mean(name, kind.model_fields)}") from None
        seen = f", and is {first['input']!r}" if name else ""
        message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        raise UsageError(f"{name}: {message}{seen}." if name else f"{message}.") from None


def read_config_file(path: Path) -> dict[str, Any]:
    """The settings in a TOML file. Raises UsageError where it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the settings {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"the settings {path} are no UTF-8 text: byte {error.start}.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the settings {path} are no TOML: {error}.") from None


DEFAULT_MINUTES = 5.0


class Budget:
    """How much of a run is done, as a share from 0 to 1, by minutes, epochs or steps.

    Args:
        config: The settings; without a budget, five minutes.
        steps_per_epoch: Updates in one pass over the data.
    """

    def __init__(self, config: TrainingConfig, steps_per_epoch: int) -> None:
        self.steps = config.steps
        if config.epochs is not None:
            self.steps = math.ceil(config.epochs * steps_per_epoch)
        self.seconds = None if self.steps else 60.0 * (config.minutes or DEFAULT_MINUTES)

    def share(self, steps: int, seconds: float) -> float:
        """The share that is used up after so many steps and seconds."""
        share = steps / self.steps if self.steps else seconds / (self.seconds or 1.0)
        return min(1.0, share)

    def __str__(self) -> str:
        return f"{self.steps} steps" if self.steps else f"{(self.seconds or 0.0) / 60:g} minutes"


def learning_rate(config: TrainingConfig, share: float) -> float:
    """The rate when ``share`` of the budget is used: a linear rise, then a cosine down to a hundredth of the highest.

    Loshchilov & Hutter 2017, SGDR, arXiv:1608.03983, eq. 5, one cycle.
    """
    if share < config.warmup:
        return config.rate * max(share / config.warmup, 0.01)
    falling = (share - config.warmup) / (1.0 - config.warmup)
    return config.rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * falling)))
