"""Recipes: exact settings, the data they are for, and what must come out; run whole, or in quick form."""

import json
import platform
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unrolled.errors import UnrolledError, UsageError
from unrolled.tasks.card import shown
from unrolled.tasks.estimator import Estimator, Sources
from unrolled.tasks.fit import fit
from unrolled.tasks.observer import Observer
from unrolled.training.config import BUDGETS

Prepare = Callable[[Path, Path], None]
"""Makes the files of a recipe from the data folder: (data folder, where to)."""
QUICK: dict[str, Any] = {"steps": 4, "validations": 1, "hidden": 16, "layers": 1}
FEW = 40
"""Settings and examples of the quick form, in which nothing is expected but that all runs through."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """The files: below the data folder, or below what ``prepare`` makes of it."""

    train: str
    valid: str | None = None
    test: str | None = None
    prepare: str | None = None
    fingerprint: str | None = None
    """sha256 over all that is read; another one is an error."""


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
    settings: dict[str, Any] = Field(default_factory=dict)
    quick: dict[str, Any] = Field(default_factory=dict)
    """Settings of the quick form, beside :data:`QUICK`."""
    expect: tuple[Expected, ...]

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
class Outcome:
    """What a recipe gave."""

    recipe: Recipe
    metrics: Mapping[str, Any]
    seen: tuple[float, ...]
    """The figure of each expectation, in order."""

    @property
    def missed(self) -> list[str]:
        """Expectations that do not hold, in words."""
        pairs = zip(self.recipe.expect, self.seen, strict=True)
        return [f"{one} is wanted, and it is {value:.4f}" for one, value in pairs if not one.holds(value)]


def run_recipe(
    recipe: Recipe,
    kind: type[Estimator],
    prepare: Prepare | None,
    data: Path,
    out: Path,
    quick: bool = False,
    observer: Observer | None = None,
) -> Outcome:
    """Run a recipe.

    Args:
        recipe: What to run.
        kind: The task's estimator.
        prepare: Makes the files, where the recipe names a preparer.
        data: The data folder.
        out: Where files are prepared (``data``) and the model goes (``model``); a model there is replaced.
        quick: Only whether all runs through: few steps of a small network over few examples.
        observer: Who is told how it goes.

    Raises:
        UsageError: files are missing, or are not those that the recipe is for.
    """
    folder = data
    if prepare is not None:
        folder = out / "data"
        folder.mkdir(parents=True, exist_ok=True)
        prepare(data, folder)
    named = [
        None if name is None else folder / name for name in (recipe.data.train, recipe.data.valid, recipe.data.test)
    ]
    for path in named:
        if path is not None and not path.exists():
            raise UsageError(f"the recipe reads {path}, and it is not there; --data names the data folder.")
    settings = dict(recipe.settings)
    if quick:
        kept = {name: value for name, value in settings.items() if name not in BUDGETS}
        settings = (
            kept | {name: value for name, value in QUICK.items() if name in kind.CONFIG.model_fields} | recipe.quick
        )
    how = {"out": out / "model", "force": True, "observer": observer, "fingerprint": recipe.data.fingerprint}
    how |= {"examples": FEW} if quick else {}
    model = fit(kind, Sources(*named), settings=settings, **how)
    return Outcome(recipe, model.metrics, tuple(_figure(model.metrics, one) for one in recipe.expect))


def _figure(metrics: Mapping[str, Any], wanted: Expected) -> float:
    figures = metrics.get(wanted.split, {})
    if not isinstance(figures.get(wanted.metric), int | float):
        have = ", ".join(name for name, value in figures.items() if isinstance(value, int | float)) or "nothing"
        raise UnrolledError(f"there is no figure '{wanted.metric}' of the split '{wanted.split}'; there is {have}.")
    return float(figures[wanted.metric])


def log(name: str, outcome: Outcome) -> str:
    """What is kept of a run in ``recipes/results``; Markdown."""
    recipe, metrics = outcome.recipe, outcome.metrics
    training, machine = metrics["training"], metrics["machine"]
    lines = [f"# {name}", "", recipe.about, "", "| wanted | seen | |", "|---|---|---|"]
    for one, value in zip(recipe.expect, outcome.seen, strict=True):
        lines.append(f"| {one} | {value:.4f} | {'reached' if one.holds(value) else 'missed'} |")
    for split in ("validation", "test"):
        if split not in metrics:
            continue
        lines += ["", f"## {split}", ""]
        for who, figures in (("this model", metrics[split]), *metrics[split].get("baselines", {}).items()):
            plain = {key: value for key, value in figures.items() if isinstance(value, int | float)}
            lines.append(f"- {who}: " + ", ".join(f"{key} {shown(value)}" for key, value in plain.items()))
    settings = json.dumps(recipe.settings, ensure_ascii=False)
    lines += [
        "",
        "## Run",
        "",
        f"- {training['steps']:,} updates, {training['seconds'] / 60:.1f} minutes, ended by {training['ended']}, "
        f"{training['parameters']:,} parameters",
        f"- settings: `{settings}`",
        f"- data: sha256 {metrics['data']['fingerprint']}",
        f"- {date.today().isoformat()}, {machine['processor']}, {machine['threads']} threads, "
        f"{platform.system()}, torch {torch.__version__}",
    ]
    return "\n".join(lines) + "\n"
