"""``unrolled cells`` and ``unrolled data``: what there is to choose from."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def cells(
    name: Annotated[
        str | None, typer.Argument(metavar="[CELL]", help="A cell's name, or a text file of equations.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the equations as LaTeX.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Draw one step to this SVG file.")] = None,
    backward: Annotated[bool, typer.Option("--backward", help="Print the derived backward step.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the cells, or show one: its equations, its paper, its parameters."""
    from unrolled.cells.library import LIBRARY, find_cell
    from unrolled.errors import UsageError

    if name is None:
        if latex or svg or backward:
            raise UsageError("name the cell to show, as in: unrolled cells lstm --latex")
        if as_json:
            print(json.dumps([cell.to_dict() for cell in LIBRARY.values()], ensure_ascii=False))
            return
        width = max(map(len, LIBRARY))
        for cell in LIBRARY.values():
            print(f"{cell.name:{width}}  {cell.source}")
        return
    cell = find_cell(name)
    if svg is not None:
        svg.write_text(cell.picture(), encoding="utf-8")
        print(f"one step of {cell.name} is drawn in {svg}", file=sys.stderr)
    if latex:
        print(cell.latex(), end="")
    elif backward:
        print(cell.backward().text())
    elif as_json:
        print(json.dumps(cell.to_dict(), ensure_ascii=False))
    elif svg is None:
        print(cell.text())
        print(f"parameters: {cell.count_formula()}   (D: input size, H: hidden size)")
        print(f"states: {', '.join(cell.states) or 'none'}; output: {cell.output}")


def data(as_json: AsJson = False) -> None:
    """List the data sets that come with the program."""
    from unrolled.data.bundled import bundled_sets

    sets = bundled_sets()
    if as_json:
        rows = [{"name": one.name, "title": one.title, "task": one.task, "characters": one.characters} for one in sets]
        print(json.dumps(rows, ensure_ascii=False))
        return
    for one in sets:
        print(f"{one.name}  {one.title}; {one.characters:,} characters; {one.licence}")
        print(f"  unrolled train {one.task} {one.name}")
