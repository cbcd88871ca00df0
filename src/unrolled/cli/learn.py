"""``unrolled train``: a task's training, from a file to a model folder."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli.options import with_settings
from unrolled.cli.watch import Watch
from unrolled.tasks.text.config import TextConfig

train_app = typer.Typer(help="Train a model.", no_args_is_help=True)


@train_app.callback()
def _train() -> None:
    """Train a model."""


@train_app.command("text")
@with_settings(TextConfig)
def text(
    source: Annotated[
        str | None,
        typer.Argument(metavar="FILE_OR_NAME", help="A text, a folder with train/valid/test, or a bundled name."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the model; runs/NAME where left out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the model that stands there.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, from its last checkpoint.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="Settings from a TOML file; options win over it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Train a network that says what comes next in a text."""
    from unrolled.errors import UsageError
    from unrolled.tasks.text.model import TextModel
    from unrolled.training.config import read_config_file

    if out is None:
        if source in (None, "-"):
            raise UsageError("name the folder of the model with --out.")
        out = Path("runs") / Path(str(source)).stem
    given = {**(read_config_file(config) if config else {}), **settings}
    with Watch() as watch:
        model = TextModel.train(source, out=out, force=force, resume=resume, observer=watch, **given)
    if as_json:
        print(json.dumps(model.metrics))
        return
    ended, checked = model.metrics["training"]["ended"], model.metrics["validation"]
    print(
        f"validation: {checked['nats_per_character']:.4f} nats a character ({checked['bits_per_character']:.4f} bits), "
        f"perplexity {checked['perplexity']:.2f}, over {checked['characters']:,} characters"
    )
    print()
    print(model.generate(length=400 if model.config.unit != "word" else 80, seed=model.config.seed).strip())
    print()
    if ended == "interrupt":
        print(f"Stopped by Ctrl-C; go on with: {_program()} train text --out {out} --resume", file=sys.stderr)
    print(f"The model is in {out}: its loss is drawn in loss.png, its figures are in README.md.", file=sys.stderr)
    program = _program()
    print(f"Next: {program} generate {out} --prompt 'To be' --temperature 0.7", file=sys.stderr)
    print(f"      {program} train text YOUR_FILE.txt --minutes 10 --out runs/mine", file=sys.stderr)
    print(f"      {program} cells", file=sys.stderr)


def _program() -> str:
    """How this program is called from here: by its name, or by its path where the shell would not find it."""
    return "unrolled" if shutil.which("unrolled") else os.path.relpath(sys.argv[0])
