"""A recipe run: one training after the other, kept as they are made, so that a stopped recipe goes on where it was."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.errors import UnrolledError, UsageError
from unrolled.model_folder import write_whole
from unrolled.tasks.estimator import Estimator, Sources
from unrolled.tasks.fit import fit
from unrolled.tasks.observer import Observer
from unrolled.tasks.recipe import Outcome, Recipe, Result, Run
from unrolled.training.config import BUDGETS

Prepare = Callable[[Path, Path], None]
"""Makes the files of a recipe from the data folder: (data folder, where to)."""
QUICK: dict[str, Any] = {"steps": 4, "validations": 1, "hidden": 16, "layers": 1}
FEW, TWICE = 40, 2
"""Settings, examples and runs of the quick form, in which nothing is expected but that all runs through."""
UNFINISHED = "unfinished.json"
"""What the runs made so far gave, while the recipe is under way."""


def run_recipe(
    recipe: Recipe,
    kind: type[Estimator],
    prepare: Prepare | None,
    data: Path,
    out: Path,
    quick: bool = False,
    observer: Observer | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run a recipe; where it was stopped before its end, only the runs that are missing.

    Args:
        recipe: What to run.
        kind: The task's estimator.
        prepare: Makes the files, where the recipe names a preparer.
        data: The data folder.
        out: Where files are prepared (``data``) and models go (``model``, ``seed-1``, ``fold-a1``); a model there is
            replaced.
        quick: Only whether all runs through: few steps of a small network over few examples, at most two runs.
        observer: Who is told how a training goes.
        say: Told which run begins, and what each gave.

    Raises:
        UsageError: files are missing, or are not those that the recipe is for.
        UnrolledError: Ctrl-C stopped a run.
    """
    folder = data
    if prepare is not None:
        folder = out / "data"
        folder.mkdir(parents=True, exist_ok=True)
        prepare(data, folder)
    runs = recipe.runs()[: TWICE if quick else None]
    for path in (folder / name for run in runs for name in run.files if name is not None):
        if not path.exists():
            raise UsageError(f"the recipe reads {path}, and it is not there; --data names the data folder.")
    asked = {"recipe": recipe.model_dump(mode="json"), "data": str(data.resolve()), "quick": quick}
    kept = _Kept.open(out / UNFINISHED, asked)
    results = []
    for count, run in enumerate(runs, 1):
        before = kept.result(run)
        where = f"{run.name} ({count} of {len(runs)})"
        if before is None:
            if recipe.over:
                say(where)
            before = _train(run, kind, folder, out, recipe.quick if quick else None, observer)
            if before.metrics["training"]["ended"] == "interrupt":
                goes_on = f" in {where}; the same command goes on with it" if recipe.over else ""
                raise UnrolledError(f"the recipe was stopped by Ctrl-C{goes_on}.")
            kept.add(before)
        else:
            where += ", run before"
        results.append(before)
        if recipe.over:
            say(f"{where}: {before.told(recipe.expect)}")
    kept.path.unlink()
    return Outcome(recipe, results)


def _train(
    run: Run, kind: type[Estimator], folder: Path, out: Path, quick: dict[str, Any] | None, observer: Observer | None
) -> Result:
    """One training; ``quick`` are the settings of the quick form, None for the whole."""
    settings = dict(run.settings)
    how = {"out": out / run.name.replace(" ", "-"), "force": True, "observer": observer, "fingerprint": run.fingerprint}
    if quick is not None:
        settings = {name: value for name, value in settings.items() if name not in BUDGETS}
        settings |= {name: value for name, value in QUICK.items() if name in kind.CONFIG.model_fields} | quick
        how["examples"] = FEW
    begun = time.monotonic()
    model = fit(kind, Sources(*(name and folder / name for name in run.files)), settings=settings, **how)
    return Result(run, model.metrics, (time.monotonic() - begun) / 60)


@dataclass(frozen=True)
class _Kept:
    """The runs that a recipe has behind it, in a file."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def open(cls, path: Path, asked: dict[str, Any]) -> "_Kept":
        """What the file holds of this recipe on these data; nothing, where it is of another, or cannot be read."""
        try:
            content = json.loads(path.read_bytes())
            if content["asked"] == asked:
                return cls(path, content)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return cls(path, {"asked": asked, "runs": {}})

    def result(self, run: Run) -> Result | None:
        """What a run gave, if it was run."""
        kept = self.content["runs"].get(run.name)
        return None if kept is None else Result(run, kept["metrics"], kept["minutes"])

    def add(self, one: Result) -> None:
        """Keep what a run gave."""
        self.content["runs"][one.run.name] = {"metrics": one.metrics, "minutes": one.minutes}
        write_whole(self.path, json.dumps(self.content).encode())
