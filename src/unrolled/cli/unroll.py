"""``unrolled unroll``: the lecture's picture of a net unrolled in time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unrolled.drawing.run import Run
    from unrolled.drawing.wiring import Plan
    from unrolled.equations.cell import Cell
    from unrolled.layers.recurrent import Recurrent

_MOST_TOKENS = 8
"""Steps of an input that are shown unless more are asked for."""


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
        str,
        typer.Option(help="one-to-one, one-to-many, many-to-one, many-to-many or encoder-decoder."),
    ] = "many-to-many",
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
    text: Annotated[
        str | None, typer.Option("--input", metavar="TEXT", help="With --values and a model folder: what it reads.")
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
        cell, layer, run = _trained(Path(named), text, values, steps, wiring)
        steps = len(run.inputs) if run else steps
        layers, bidirectional = layer.num_layers, len(layer.directions) == 2
    elif text is not None:
        raise UsageError("--input goes with a model folder, as in: unrolled unroll runs/first --values --input ROMEO")
    else:
        cell = _cell(named)
    planned = plan(wiring, steps, 1 if layers is None else layers, bidirectional=bidirectional, inside=inside)
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


def _trained(
    folder: Path, text: str | None, values: bool, steps: int | None, wiring: str
) -> tuple["Cell", "Recurrent", "Run | None"]:
    """A text model's cell and layers, and if values are wanted its run over a text."""
    from unrolled.drawing.wiring import plan
    from unrolled.errors import UsageError
    from unrolled.inspection.coloured import run_of
    from unrolled.tasks.text.model import TextModel

    model = TextModel.load(folder)
    layer = model.network.recurrent
    if values != (text is not None):
        raise UsageError("--values of a model folder and --input go together: the values are those at what it reads.")
    if text is None:
        return layer.cell, layer, None
    if wiring != "many-to-many":
        raise UsageError(
            f"a text model reads and says something at each step, many-to-many; --values shows no {wiring}."
        )
    shown = len(plan(wiring, _MOST_TOKENS if steps is None else steps).columns)
    ids = model.vocabulary.encode(text)[:shown]
    if not len(ids):
        raise UsageError("--input is empty; give the model something to read.")
    network = model.network.eval()
    outputs = network(ids.unsqueeze(0)).outputs[0].argmax(-1)
    tokens, predicted = ([_shown(model.vocabulary.decode([int(one)])) for one in found] for found in (ids, outputs))
    says = f"{folder.resolve().name}: what it reads, below; what it expects next, above"
    return layer.cell, layer, run_of(layer, network.input_side(ids.unsqueeze(0)), tokens, says, predicted)


def _shown(token: str) -> str:
    """A token that can be seen."""
    return token.replace("\n", "↵").replace(" ", "␣") if token.strip("\n ").isprintable() else repr(token)[1:-1]
