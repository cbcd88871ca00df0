"""``unrolled recipe``: a training that somebody has done before, with what must come out."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.tasks import TASKS
from unrolled.cli.watch import Watch

PLACES = (
    Path("recipes"),
    Path(__file__).resolve().parents[3] / "recipes",
    Path(__file__).resolve().parents[1] / "recipes",
)
"""Where recipes lie: here, in a checkout, in an installed package."""


def recipe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A recipe's name, or its TOML file.")],
    data: Annotated[Path, typer.Option(help="The data folder.")],
    out: Annotated[Path | None, typer.Option(help="Where the model goes; runs/recipes/NAME where left out.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only see whether all runs through, in under a minute.")
    ] = False,
    results: Annotated[Path | None, typer.Option(help="Folder for the log of the run.")] = None,
) -> None:
    """Run a recipe: exact settings, known data; it fails where the figures are not those expected.

    Stopped among several seeds or folds, the same command goes on with those that are missing.
    """
    from unrolled.data.prepared.table import preparer
    from unrolled.errors import UnrolledError
    from unrolled.model_folder import write_whole
    from unrolled.tasks.recipe import Recipe
    from unrolled.tasks.recipe_log import log
    from unrolled.tasks.recipe_run import run_recipe

    path = _find(name)
    one, short = Recipe.read(path), path.stem
    kind = TASKS[one.task].load()
    prepare = None if one.data.prepare is None else preparer(one.data.prepare)
    with Watch() as watch:
        place = out or Path("runs/recipes") / short
        outcome = run_recipe(one, kind, prepare, data, place, quick, watch, watch.say)
    text = log(short, outcome)
    print(text, end="")
    if results is not None:
        write_whole(results / f"{short}.md", text.encode())
    if outcome.missed and not quick:
        raise UnrolledError(f"recipe {short}: {'; '.join(outcome.missed)}.")
    if not quick:
        print(f"recipe {short}: all that was expected was seen.", file=sys.stderr)


def _find(name: str) -> Path:
    """The file of a recipe. Raises UsageError that lists those that are there."""
    from unrolled.errors import UsageError, did_you_mean

    if name.endswith(".toml"):
        return Path(name)
    for place in PLACES:
        if (place / f"{name}.toml").is_file():
            return place / f"{name}.toml"
    known = sorted({path.stem for place in PLACES if place.is_dir() for path in place.glob("*.toml")})
    raise UsageError(f"there is no recipe '{name}'; there are {', '.join(known)}.{did_you_mean(name, known)}")
