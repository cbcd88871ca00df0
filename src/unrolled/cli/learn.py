"""``unrolled train``: a task's training, from a file to a model folder."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
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

    if out is None:
        if source in (None, "-"):
            raise UsageError("name the folder of the model with --out.")
        out = Path("runs") / Path(str(source)).stem
    given = {**(_settings_in(config, settings) if config else {}), **settings}
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


def _settings_in(file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in a file; a budget among the options takes the place of the file's."""
    from unrolled.errors import UsageError, did_you_mean
    from unrolled.training.config import BUDGETS, read_config_file

    settings = read_config_file(file)
    for name in settings:
        if name not in TextConfig.model_fields:
            near = did_you_mean(name, TextConfig.model_fields)
            raise UsageError(f"there is no setting '{name}' (in {file}).{near}")
    beaten = BUDGETS if any(name in options for name in BUDGETS) else ()
    return {name: value for name, value in settings.items() if name not in beaten}
