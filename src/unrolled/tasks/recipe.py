"""Recipes: exact settings, the data they are for, and what must come out; over one run, several seeds, or folds."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unrolled.errors import UnrolledError, UsageError

FOLD = "{fold}"
"""Stands for a fold's name in the names of files."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """The files: below the data folder, or below what ``prepare`` makes of it."""

    train: str
    valid: str | None = None
    test: str | None = None
    prepare: str | None = None
    folds: tuple[str, ...] = ()
    """Names of folds, each of which stands for ``{fold}`` in the names of the files in turn."""
    fingerprint: str | Mapping[str, str] | None = None
    """sha256 over all that is read, with folds one by each fold's name; another one is an error."""

    @model_validator(mode="after")
    def _folds_and_files(self) -> Self:
        named = any(FOLD in name for name in (self.train, self.valid, self.test) if name)
        if named != bool(self.folds):
            raise ValueError(f"folds are names, and {FOLD} in the names of files stands for them; give both or neither")
        prints = self.fingerprint
        if prints is not None and isinstance(prints, str) == bool(self.folds):
            raise ValueError("fingerprint is one sha256; with folds one for each, by the fold's name")
        if not isinstance(prints, str | None) and set(prints) != set(self.folds):
            raise ValueError(f"fingerprint names {', '.join(prints)}, and the folds are {', '.join(self.folds)}")
        return self


Files = tuple[str, str | None, str | None]
"""To learn from, to validate on, to test on."""


@dataclass(frozen=True)
class Run:
    """One training of a recipe."""

    name: str
    """``seed 2``, ``fold a1``, or ``model`` where there is one run."""
    settings: Mapping[str, Any]
    files: Files
    fingerprint: str | None


class Expected(_Part):
    """A band in which a figure must lie."""

    metric: str
    split: str = "test"
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a figure lies in the band."""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= value <= high

    def __str__(self) -> str:
        words = [f"at least {self.at_least:g}"] if self.at_least is not None else []
        words += [f"at most {self.at_most:g}"] if self.at_most is not None else []
        return f"{self.metric.replace('_', ' ')} ({self.split}) {' and '.join(words)}"


class Recipe(_Part):
    """A training that somebody can repeat."""

    task: str
    about: str
    data: Data
    seeds: int = Field(1, ge=1)
    """So many runs, by the seed of the settings and those behind it; a figure is their median."""
    settings: dict[str, Any] = Field(default_factory=dict)
    quick: dict[str, Any] = Field(default_factory=dict)
    """Settings of the quick form, beside :data:`unrolled.tasks.recipe_run.QUICK`."""
    expect: tuple[Expected, ...]

    @model_validator(mode="after")
    def _seeds_or_folds(self) -> Self:
        if self.seeds > 1 and self.data.folds:
            raise ValueError("a recipe runs over several seeds or over folds, not over both")
        return self

    @property
    def over(self) -> Literal["", "seeds", "folds"]:
        """What the runs differ by."""
        return "folds" if self.data.folds else "seeds" if self.seeds > 1 else ""

    @property
    def statistic(self) -> Literal["mean", "median"]:
        """How the figures of all runs become one: over folds by their mean, over seeds by their median."""
        return "mean" if self.data.folds else "median"

    def runs(self) -> list[Run]:
        """All runs, in order."""
        data, first = self.data, self.settings.get("seed", 1)
        files, prints = (data.train, data.valid, data.test), data.fingerprint
        if data.folds:
            known = {} if prints is None or isinstance(prints, str) else prints
            return [Run(f"fold {one}", self.settings, _of_fold(files, one), known.get(one)) for one in data.folds]
        whole = prints if isinstance(prints, str) else None
        if self.seeds == 1:
            return [Run("model", self.settings, files, whole)]
        seeds = range(first, first + self.seeds)
        return [Run(f"seed {seed}", self.settings | {"seed": seed}, files, whole) for seed in seeds]

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """The recipe in a TOML file. Raises UsageError where it is missing or no recipe."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"cannot read the recipe {path}: {error.strerror}.") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"the recipe {path} is no TOML: {error}.") from None
        if isinstance(content.get("expect"), dict):
            content["expect"] = [content["expect"]]
        try:
            return cls(**content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise UsageError(f"the recipe {path} does not fit: {place}: {first['msg']}.") from None


@dataclass(frozen=True)
class Result:
    """What one run gave."""

    run: Run
    metrics: Mapping[str, Any]
    minutes: float
    """From reading the data to the last figure."""

    def figure(self, wanted: Expected) -> float:
        """The figure that is wanted. Raises UnrolledError where there is none."""
        figures = self.metrics.get(wanted.split, {})
        if not isinstance(figures.get(wanted.metric), int | float):
            have = ", ".join(name for name, value in figures.items() if isinstance(value, int | float)) or "nothing"
            raise UnrolledError(f"there is no figure '{wanted.metric}' of the split '{wanted.split}'; there is {have}.")
        return float(figures[wanted.metric])

    def told(self, wanted: Sequence[Expected]) -> str:
        """The figures in a line."""
        named = (f"{one.metric.replace('_', ' ')} ({one.split}) {self.figure(one):.4f}" for one in wanted)
        return f"{', '.join(named)}, {self.minutes:.1f} minutes"


@dataclass(frozen=True)
class Outcome:
    """What a recipe gave."""

    recipe: Recipe
    results: Sequence[Result]
    seen: tuple[float, ...] = field(init=False)
    """The figure of each expectation, in order: the median over seeds, the mean over folds."""

    def __post_init__(self) -> None:
        seen = (self.together([one.figure(wanted) for one in self.results]) for wanted in self.recipe.expect)
        object.__setattr__(self, "seen", tuple(seen))

    def together(self, values: Sequence[float]) -> float:
        """The figures of all runs as one."""
        if len(values) == 1:
            return values[0]
        return fmean(values) if self.recipe.statistic == "mean" else median(values)

    @property
    def how(self) -> str:
        """How a figure was made of those of the runs, as ``, median of 5 seeds``."""
        recipe, count = self.recipe, len(self.results)
        return f", {recipe.statistic} of {count} {recipe.over}" if recipe.over else ""

    @property
    def missed(self) -> list[str]:
        """Expectations that do not hold, in words."""
        pairs = zip(self.recipe.expect, self.seen, strict=True)
        return [f"{one}{self.how} is wanted, and it is {value:.4f}" for one, value in pairs if not one.holds(value)]


def _of_fold(files: Files, fold: str) -> Files:
    train, *others = files
    valid, test = (name and name.replace(FOLD, fold) for name in others)
    return train.replace(FOLD, fold), valid, test
