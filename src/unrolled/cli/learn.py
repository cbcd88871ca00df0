"""``unrolled train``: every task's training, from data to a model folder."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli.options import with_settings
from unrolled.cli.tasks import TASKS, Task
from unrolled.cli.watch import Watch

train_app = typer.Typer(help="Train a model.", no_args_is_help=True)

Valid = Annotated[str | None, typer.Option(help="Data to validate on; part of the training data where left out.")]
Test = Annotated[str | None, typer.Option(help="Data for the final figures, looked at once.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the model; runs/NAME where left out.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the model that stands there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, from its last checkpoint.")]
ConfigFile = Annotated[Path | None, typer.Option(help="Settings from a TOML file; options win over it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")]


@train_app.callback()
def _train() -> None:
    """Train a model."""


def _add(name: str, task: Task) -> None:
    """The command of one task."""

    def train(
        data: Annotated[str | None, typer.Argument(metavar="DATA", help=task.data)] = None,
        valid: Valid = None,
        test: Test = None,
        out: Out = None,
        force: Force = False,
        resume: Resume = False,
        config: ConfigFile = None,
        as_json: AsJson = False,
        *,
        settings: dict[str, Any],
    ) -> None:
        sources = {"source": data, "valid": valid, "test": test}
        _run(name, task, sources, out, force, resume, config, as_json, settings)

    train.__name__, train.__doc__ = name, task.says
    hidden = () if task.has_splits else ("valid", "test")
    train_app.command(name)(with_settings(task.config.model_fields, hidden)(train))


def _run(
    name: str,
    task: Task,
    sources: Mapping[str, str | None],
    out: Path | None,
    force: bool,
    resume: bool,
    config: Path | None,
    as_json: bool,
    settings: Mapping[str, Any],
) -> None:
    from unrolled.errors import UnrolledError, UsageError
    from unrolled.tasks.card import SPLITS, ahead
    from unrolled.tasks.estimator import Sources
    from unrolled.tasks.fit import fit
    from unrolled.training.trainer import LAST

    source = sources["source"]
    if out is None:
        if source in (None, "-"):
            raise UsageError("name the folder of the model with --out.")
        out = Path("runs") / Path(str(source)).stem
    given = {**(_settings_in(config, settings, task) if config else {}), **settings}
    data = Sources(*(sources[one] for one in ("source", "valid", "test")))
    program = _program()
    try:
        with Watch() as watch:
            model = fit(task.load(), data, out=out, force=force, resume=resume, observer=watch, settings=given)
    except KeyboardInterrupt:
        if not (out / LAST).exists():
            raise
        go_on = f"{program} train {name} --out {out} --resume"
        raise UnrolledError(f"stopped before the figures were made; go on with: {go_on}") from None
    if as_json:
        print(json.dumps(model.metrics))
        return
    for line in model.summary():
        print(line)
    for split in SPLITS:
        for line in ahead(model.metrics.get(split, {}), model.JUDGED_BY):
            print(f"{split}: {line}")
    for line in model.specimen():
        print(line)
    verdict = model.metrics["training"]["verdict"]
    if verdict not in (None, "healthy"):
        print(f"Inside the network: {verdict}.", file=sys.stderr)
    if model.metrics["training"]["ended"] == "interrupt":
        print(f"Stopped by Ctrl-C; go on with: {program} train {name} --out {out} --resume", file=sys.stderr)
    print(f"The model is in {out}: its loss is drawn in loss.png, its figures are in README.md.", file=sys.stderr)
    lines = [line.replace("unrolled", program, 1).replace(" . ", f" {out} ") for line in model.usage()]
    print("Next: " + "\n      ".join([*lines, f"{program} cells"]), file=sys.stderr)


def _program() -> str:
    """How this program is called from here: by its name, or by its path where the shell would not find it."""
    return "unrolled" if shutil.which("unrolled") else os.path.relpath(sys.argv[0])


def _settings_in(file: Path, options: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """The settings in a file; a budget among the options takes the place of the file's."""
    from unrolled.errors import UsageError, did_you_mean
    from unrolled.training.config import BUDGETS, read_config_file

    settings = read_config_file(file)
    for name in settings:
        if name not in task.config.model_fields:
            near = did_you_mean(name, task.config.model_fields)
            raise UsageError(f"there is no setting '{name}' (in {file}).{near}")
    beaten = BUDGETS if any(name in options for name in BUDGETS) else ()
    return {name: value for name, value in settings.items() if name not in beaten}


for _name, _task in TASKS.items():
    _add(_name, _task)
