"""``unrolled unroll``: the lecture's picture of a net unrolled in time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from unrolled.cli.tasks import open_model

if TYPE_CHECKING:
    from unrolled.drawing.run import Run
    from unrolled.drawing.wiring import Plan
    from unrolled.equations.cell import Cell
    from unrolled.layers.recurrent import Recurrent
    from unrolled.tasks.estimator import Estimator

_MOST_TOKENS = 8
"""Steps of an input that are shown unless more are asked for."""
_SAYS = {
    "many-to-many": "what it reads, below; what it says there, above",
    "many-to-one": "what it reads, below; what it says then, above",
}


def unroll(
    named: Annotated[
        str,
        typer.Argument(
            metavar="CELL", help="A cell's name, a text file of equations, equations themselves, or a model folder."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to draw: .svg, .png or .pdf.")],
    steps: Annotated[
        int | None, typer.Option(help="Steps; of an encoder-decoder each. Default: 4, or 3 where much is to be seen.")
    ] = None,
    wiring: Annotated[
        str | None,
        typer.Option(
            help="one-to-one, one-to-many, many-to-one, many-to-many or encoder-decoder. Default: many-to-many, or the "
            "model's."
        ),
    ] = None,
    layers: Annotated[int | None, typer.Option(help="Layers, stacked. Default: 1, or the model's.")] = None,
    bidirectional: Annotated[
        bool, typer.Option("--bidirectional", help="A second cell a layer reads from the end.")
    ] = False,
    inside: Annotated[
        bool, typer.Option("--inside", help="Open one step: its gates and operations, as the equations have them.")
    ] = False,
    values: Annotated[
        bool, typer.Option("--values", help="Colour it with a run: of a small random network, or of the model.")
    ] = False,
    read: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="INPUT",
            help="With --values and a model folder: what it reads, a text as it is or what 'predict' takes.",
        ),
    ] = None,
    row: Annotated[str, typer.Option(help="Of several sequences in --input the one to read: its number or id.")] = "1",
    part: Annotated[
        str | None, typer.Option(help="Of a model's several recurrences the one to draw: decoder or encoder.")
    ] = None,
    seed: Annotated[int, typer.Option(help="With --values: the random network's seed.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
) -> None:
    """Draw a cell unrolled in time, in any wiring, as the lectures do; every quantity by its name."""
    from unrolled.drawing.net import unroll as drawn
    from unrolled.drawing.paint import FORMS, paint
    from unrolled.drawing.wiring import plan
    from unrolled.errors import UsageError

    form = out.suffix.removeprefix(".").lower()
    if form not in FORMS:
        raise UsageError(f"the end of --out says what to draw, .{', .'.join(FORMS)}, and there it is '{out.name}'.")
    if out.exists() and not force:
        raise UsageError(f"{out} is there already; --force replaces it.")
    run = None
    if Path(named).is_dir():
        if layers is not None or bidirectional:
            raise UsageError("--layers and --bidirectional are the model's own; leave them out with a model folder.")
        if values != (read is not None):
            raise UsageError(
                "--values of a model folder and --input go together: the values are those at what it reads."
            )
        asked = _Asked(steps, wiring, read, row, part)
        layer, run, wiring = _trained(Path(named), asked)
        steps = len(run.inputs) if run else steps
        cell, layers, bidirectional = layer.cell, layer.num_layers, len(layer.directions) == 2
    elif read is not None:
        raise UsageError("--input goes with a model folder, as in: unrolled unroll runs/first --values --input ROMEO")
    else:
        cell = _cell(named)
    planned = plan(
        wiring or "many-to-many", steps, 1 if layers is None else layers, bidirectional=bidirectional, inside=inside
    )
    if values and run is None:
        run = _random(cell, planned, seed)
    picture = paint(drawn(cell, planned, run), form)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(picture)
    print(f"{cell.name}, unrolled, is drawn in {out}", file=sys.stderr)


def _cell(named: str) -> "Cell":
    """The cell of a name, a file, or equations given as they are."""
    from unrolled.cells.library import find_cell
    from unrolled.equations.cell import Cell

    return Cell("cell", named) if "=" in named and not Path(named).is_file() else find_cell(named)


def _random(cell: "Cell", planned: "Plan", seed: int) -> "Run":
    from unrolled.inspection.coloured import random_run

    return random_run(cell, planned, seed)


class _Asked(NamedTuple):
    """What is asked for of a trained model."""

    steps: int | None
    wiring: str | None
    read: str | None
    row: str
    part: str | None


def _trained(folder: Path, asked: _Asked) -> tuple["Recurrent", "Run | None", str]:
    """A model's layers, their run over what it is to read, if there is something, and how they are wired."""
    from unrolled.drawing.wiring import plan
    from unrolled.errors import UsageError
    from unrolled.inspection.coloured import run_of

    model = open_model(folder)
    own = "many-to-one" if model.TASK == "classify" else "many-to-many"
    if asked.read is None:
        return _layers(model, asked.part), None, asked.wiring or own
    if not asked.read:
        raise UsageError("--input is empty; give the model something to read.")
    if asked.wiring not in (None, own):
        raise UsageError(f"a model of the task {model.TASK} is {own}; --values shows no {asked.wiring}.")
    shown = len(plan(own, _MOST_TOKENS if asked.steps is None else asked.steps).columns)
    subject = model.subject(asked.read, asked.row, asked.part)
    return subject.layer, run_of(subject, f"{folder.resolve().name}: {_SAYS[own]}", shown), own


def _layers(model: "Estimator", part: str | None) -> "Recurrent":
    """The layers of a model, or of a part of it."""
    from unrolled.layers.recurrent import Recurrent
    from unrolled.tasks.choose import part_of

    part = part_of(part, model.PARTS)
    wanted = "recurrent" if part == "network" else part
    found = [(name, one) for name, one in model.network.named_modules() if isinstance(one, Recurrent)]
    return next(one for name, one in found if name.split(".")[-1] == wanted)
