"""Every recipe in recipes/ is well formed, and its quick form runs through on the real data."""

from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.cli.tasks import TASKS
from unrolled.data.prepared.table import preparer
from unrolled.tasks.recipe import Recipe
from unrolled.tasks.recipe_run import run_recipe
from unrolled.training.config import make_config

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
each = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)


def test_there_are_recipes() -> None:
    assert RECIPES


@each
def test_a_recipe_is_well_formed(path: Path) -> None:
    recipe = Recipe.read(path)
    config = make_config(TASKS[recipe.task].config, recipe.settings)
    assert config.minutes or config.epochs or config.steps, "a recipe says for how long"
    assert recipe.expect, "a recipe says what must come out"
    if recipe.data.prepare is not None:
        preparer(recipe.data.prepare)


@each
def test_the_quick_form_runs_through(path: Path, tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    recipe = Recipe.read(path)
    prepare = None if recipe.data.prepare is None else preparer(recipe.data.prepare)
    outcome = run_recipe(recipe, TASKS[recipe.task].load(), prepare, shared_data("."), tmp_path, quick=True)
    assert len(outcome.seen) == len(recipe.expect)
