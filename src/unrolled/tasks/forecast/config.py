"""Settings of the forecast task: where series stand in a table, what is read of them, what is said of their future."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from unrolled.tasks.config import TaskConfig

LEVELS = (0.1, 0.5, 0.9)


class ForecastConfig(TaskConfig):
    """Columns, windows, scales, what the network puts out, and how it is measured."""

    TO_PREDICT: ClassVar = ("horizon", "levels", "samples", "seed", "batch")
    TO_EVALUATE: ClassVar = ("horizon", "stride", "levels", "samples", "seed", "batch")

    id: str | None = Field(None, description="column that names each row's series")
    time: str | None = Field(None, description="column of the times: dates, times or whole numbers")
    target: str | None = Field(None, description="column of the values to forecast")
    wide: bool | None = Field(None, description="one time column, every other column a series")
    past: list[str] | None = Field(None, description="column known up to the present only (may be repeated)")
    future: list[str] | None = Field(None, description="column whose future is known (may be repeated)")
    static: list[str] | None = Field(None, description="column with one value a series (may be repeated)")
    fill: Literal["none", "previous", "linear", "zero"] = Field(
        "none", description="what stands for missing values; with none they are neither learned nor scored"
    )
    horizon: int | None = Field(None, ge=1, description="steps to forecast (default: one season, 12 without one)")
    context: int | None = Field(
        None, ge=1, description="steps read before those learned (default: two seasons or more)"
    )
    season: int | None = Field(None, ge=1, description="steps of a season (default: by the frequency)")
    lags: list[int] | None = Field(
        None, description="how many steps before a target a value is shown (may be repeated; default: by the season)"
    )
    scale: Literal["mean", "standard", "global"] | None = Field(
        None,
        description="values over their running mean, by running mean and deviation, or by those of all series "
        "(default: mean, or standard where values are below zero)",
    )
    output: Literal["normal", "student_t", "negative_binomial", "quantiles", "squared", "absolute"] = Field(
        "student_t", description="distribution, quantiles, or the point with the least squared or absolute error"
    )
    direct: bool = Field(False, description="all steps of the horizon at once, instead of one after the other")
    anchor: Literal["none", "last", "seasonal"] = Field(
        "last", description="what the network's answer is added to: nothing, the last value, the one a season ago"
    )
    levels: list[float] | None = Field(
        None, description="quantile to report (may be repeated; default: 0.1, 0.5, 0.9; the median is always there)"
    )
    samples: int = Field(100, ge=2, description="paths drawn for each forecast of a distribution")
    calibrate: bool = Field(True, description="widen intervals until they hold what they say on the validation part")
    embedding: int = Field(0, ge=0, description="numbers learned to stand for each series; 0 for none")
    valid_steps: int | None = Field(None, ge=1, description="last steps of each series to validate on (the horizon)")
    validation_fraction: float | None = Field(None, gt=0, lt=1, description="share of time to validate on instead")
    test_steps: int | None = Field(None, ge=1, description="steps behind those for the final figures (default: none)")
    stride: int | None = Field(None, ge=1, description="steps between two forecasts that are scored (the horizon)")
    measure: list[int] | None = Field(
        None, description="shorter horizon to measure too, its figures named by it (may be repeated)"
    )
    hidden: int = Field(64, ge=1, description="units of a layer (H)")
    rate: float = Field(
        5e-3, gt=0, description="highest learning rate; it warms up and falls as a cosine over the budget"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for level in self.levels or ():
            if not 0 < level < 1:
                raise ValueError(f"levels lie between 0 and 1, and one is {level}")
        for lag in self.lags or ():
            if lag < 1:
                raise ValueError(f"lags are 1 or more, and one is {lag}")
        for steps in self.measure or ():
            if steps < 1:
                raise ValueError(f"measure names horizons of 1 or more, and one is {steps}")
        if self.output == "negative_binomial" and self.scale not in (None, "mean"):
            raise ValueError("negative_binomial is of counts, which only --scale mean leaves above zero")
        if self.valid_steps is not None and self.validation_fraction is not None:
            raise ValueError("valid_steps and validation_fraction say the same; give one")
        if self.wide and (self.id or self.target or self.past or self.future or self.static):
            raise ValueError("a wide table has a time column and series; id, target and covariates belong to long ones")
        return self

    @property
    def quantiles(self) -> list[float]:
        """The levels in order, the median among them."""
        return sorted({0.5, *(self.levels or LEVELS)})
