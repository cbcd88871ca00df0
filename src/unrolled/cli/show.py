"""``unrolled cells`` and ``unrolled data``: what there is to choose from."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unrolled.cli.options import pairs

if TYPE_CHECKING:
    from unrolled.equations.cell import Cell

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SIZES = {"batch": 1, "steps": 100, "input": 64, "hidden": 64}


def cells(
    name: Annotated[
        str | None, typer.Argument(metavar="[CELL]", help="A cell's name, or a text file of equations.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the equations as LaTeX.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Draw one step to this SVG file.")] = None,
    backward: Annotated[bool, typer.Option("--backward", help="Print the derived backward step.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say how it is computed, and why.")] = False,
    code: Annotated[
        str | None, typer.Option(metavar="PASS", help="Print the code (LLVM IR) of forward, training or backward.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="With --explain: N, the rows. Default: 1.")] = None,
    steps: Annotated[int | None, typer.Option(help="With --explain: T. Default: 100.")] = None,
    input_size: Annotated[int | None, typer.Option("--input", help="With --explain: D. Default: 64.")] = None,
    hidden: Annotated[int | None, typer.Option(help="With --explain: H. Default: 64.")] = None,
    size: Annotated[
        list[str] | None, typer.Option(help="With --explain: a size that the cell names, as NAME=UNITS.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="With --explain: float32, float64, bfloat16 or float16. Default: float32.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="With --explain: where tensors are, such as cuda. Default: cpu.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the cells, or show one: its equations, its paper, its parameters, its code."""
    from unrolled.cells.library import find_cell
    from unrolled.errors import UsageError

    sizes = {"batch": batch, "steps": steps, "input": input_size, "hidden": hidden}
    given = {word: number for word, number in sizes.items() if number is not None}
    others = [word for word, value in {"size": size, "dtype": dtype, "device": device}.items() if value]
    if (given or others) and not explain:
        raise UsageError(f"--{[*given, *others][0]} goes with --explain, as in: unrolled cells lstm --explain")
    if name is None:
        if latex or svg or backward or explain or code is not None:
            raise UsageError("name the cell to show, as in: unrolled cells lstm --latex")
        _list_cells(as_json)
        return
    cell = find_cell(name)
    if svg is not None:
        svg.write_text(cell.picture(), encoding="utf-8")
        print(f"one step of {cell.name} is drawn in {svg}", file=sys.stderr)
    if latex:
        print(cell.latex(), end="")
    elif backward:
        print(cell.backward().text())
    elif explain:
        _explain(cell, {**_SIZES, **given}, size or [], dtype or "float32", device or "cpu", as_json)
    elif code is not None:
        _print_code(cell, code)
    elif as_json:
        print(json.dumps(cell.to_dict(), ensure_ascii=False))
    elif svg is None:
        print(cell.text())
        print(f"parameters: {cell.count_formula()}   (D: input size, H: hidden size)")
        print(f"states: {', '.join(cell.states) or 'none'}; output: {cell.output}")


def _list_cells(as_json: bool) -> None:
    from unrolled.cells.library import LIBRARY

    if as_json:
        print(json.dumps([cell.to_dict() for cell in LIBRARY.values()], ensure_ascii=False))
        return
    width = max(map(len, LIBRARY))
    for cell in LIBRARY.values():
        print(f"{cell.name:{width}}  {cell.source}")


def _explain(cell: "Cell", sizes: dict[str, int], named: list[str], dtype: str, device: str, as_json: bool) -> None:
    from unrolled.engine.explain import explain
    from unrolled.engine.precision import dtype_named

    found = explain(cell, *sizes.values(), sizes=pairs(named), dtype=dtype_named(dtype), device=device)
    print(json.dumps(found.to_dict(), ensure_ascii=False) if as_json else found)


def _print_code(cell: "Cell", which: str) -> None:
    from unrolled.engine.explain import code

    print(code(cell, which))


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
