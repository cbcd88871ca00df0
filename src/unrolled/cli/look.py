"""``unrolled inspect``: what goes on inside a trained network while it reads something."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from unrolled.cli.seen import show, unit_of
from unrolled.cli.tasks import open_model

FORMS = ("png", "svg")


def inspect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A model folder.")],
    data: Annotated[
        str, typer.Argument(metavar="INPUT", help="A text as it is, or what 'predict' takes: a file; - is stdin.")
    ],
    row: Annotated[
        str, typer.Option(help="Of several sequences the one to look at: its number, from 1, or its id.")
    ] = "1",
    part: Annotated[
        str | None, typer.Option(help="Of several recurrences the one to look into: decoder or encoder.")
    ] = None,
    at: Annotated[
        list[int] | None, typer.Option(help="A step, from 0 (-1: the last), whose gradient is told by itself, too.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="A unit to be shown under the text, as in 0.forward.c:17.")
    ] = None,
    figures: Annotated[Path | None, typer.Option(metavar="DIR", help="Draw all of it into this folder.")] = None,
    form: Annotated[str, typer.Option(help="What figures are: png or svg.")] = "png",
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all of it as JSON; - is standard output.")
    ] = None,
    values: Annotated[bool, typer.Option("--values", help="With --json: every quantity at every step, too.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page for a browser.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Look inside a network while it reads: gates and states, what it expects, memory, and what is wrong, if anything.

    docs/inspect.md says how to read it.
    """
    from unrolled.errors import UsageError
    from unrolled.inspection.figures import draw
    from unrolled.inspection.look import inspect as look
    from unrolled.inspection.page import write_page
    from unrolled.model_folder import write_whole

    if form not in FORMS:
        raise UsageError(f"--form is {' or '.join(FORMS)}, and is {form!r}.")
    if values and json_file is None:
        raise UsageError("--values goes with --json, as in --json seen.json --values")
    written = None if json_file in (None, "-") else Path(str(json_file))
    for file in (written, html):
        if file is not None and file.exists() and not force:
            raise UsageError(f"{file} is there already; --force replaces it.")
    if figures is not None and figures.exists() and not figures.is_dir():
        raise UsageError(f"{figures} is a file; --figures names a folder.")
    if figures is not None and figures.exists() and any(figures.glob(f"*.{form}")) and not force:
        raise UsageError(f"{figures} holds {form} files already; --force draws beside and over them.")
    model = open_model(folder)
    examined = look(model, data, row=row, part=part, at=at or ())
    units = [unit_of(name, examined.recorded) for name in unit or ()]
    if json_file is not None:
        content = examined.to_json(values) + "\n"
        if written is None:
            sys.stdout.write(content)
        else:
            write_whole(written, content.encode())
            print(f"all of it is in {written}", file=sys.stderr)
    if figures is not None:
        paths = draw(examined, figures, form)
        print(f"{len(paths)} figures are in {figures}", file=sys.stderr)
    if html is not None:
        write_page(examined, html)
        print(f"the page is {html}", file=sys.stderr)
    if json_file != "-":
        show(examined, units, str(folder), Console(highlight=False))
