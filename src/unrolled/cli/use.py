"""``unrolled predict``, ``evaluate``, ``generate`` and ``score``: a model at work."""

import json
import sys
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from unrolled.cli.options import flag_of, with_settings
from unrolled.cli.tasks import TASKS, open_model, task_of
from unrolled.cli.watch import Watch
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.text.config import TextConfig

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A model folder.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda or mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _options(verb: str) -> dict[str, FieldInfo]:
    """The settings that a verb may give anew to a model of one task or other, with what each of these says of them."""
    made: dict[str, FieldInfo] = {}
    users: dict[str, dict[str, list[str]]] = {}
    for task, known in TASKS.items():
        for name in _settings_at(verb, known.config):
            field = known.config.model_fields[name]
            made.setdefault(name, copy(field))
            users.setdefault(name, {}).setdefault(field.description or "", []).append(task)
    for name, field in made.items():
        field.default = None
        field.description = "; ".join(f"{said} ({', '.join(tasks)})" for said, tasks in users[name].items())
    return made


def _settings_at(verb: str, config: type[TaskConfig]) -> tuple[str, ...]:
    return config.TO_PREDICT if verb == "predict" else config.TO_EVALUATE


@with_settings(_options("predict"))
def predict(
    folder: Folder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Data as in training, answers not needed; - is stdin.")],
    out: Annotated[Path | None, typer.Option(help="Write the lines to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    device: Device = "cpu",
    *,
    settings: dict[str, Any],
) -> None:
    """What a model says of each sequence: a JSON line each, in order."""
    from unrolled.errors import UsageError
    from unrolled.model_folder import write_whole

    if out is not None and out.exists() and not force:
        raise UsageError(f"{out} is there already; --force replaces it.")
    model = _load(folder, device, "predict", settings)
    lines = (json.dumps(row, ensure_ascii=False) for row in model.predict(data))
    if out is not None:
        write_whole(out, "".join(f"{line}\n" for line in lines).encode())
        return
    for line in lines:
        print(line)


@with_settings(_options("evaluate"))
def evaluate(
    folder: Folder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Data as in training, answers included; - is stdin.")],
    device: Device = "cpu",
    as_json: AsJson = False,
    *,
    settings: dict[str, Any],
) -> None:
    """How well a model does on data whose answers are known."""
    from unrolled.tasks.card import ahead

    model = _load(folder, device, "evaluate", settings)
    with Watch() as watch:
        figures = model.evaluate(data, watch.scoring)
    if as_json:
        print(json.dumps(figures))
        return
    for line in _shown(figures):
        print(line)
    for name, beside in figures.get("baselines", {}).items():
        print(f"  {name.replace('_', ' ')}: {', '.join(_shown(beside))}")
    for line in ahead(figures, model.JUDGED_BY):
        print(line)
    for note in figures.get("notes", ()):
        print(note, file=sys.stderr)


def _shown(figures: Mapping[str, Any]) -> list[str]:
    """The figures that are one number or one text, by name."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, int | float | str):
            told = value if isinstance(value, str) else format(value, "," if isinstance(value, int) else ".4f")
            lines.append(f"{name.replace('_', ' ')}: {told}")
    return lines


def _load(folder: Path, device: str, verb: str, settings: Mapping[str, Any]) -> Any:
    """The model in a folder, by the task that it names, with settings given anew."""
    from unrolled.errors import UsageError, did_you_mean
    from unrolled.training.device import resolve_device

    task = task_of(folder)
    flags = [flag_of(name) for name in _settings_at(verb, TASKS[task].config)]
    for given in map(flag_of, settings):
        if given not in flags:
            known = f"'{verb}' takes {', '.join(flags)} there"
            raise UsageError(f"{given} is not for a model of the task '{task}'; {known}.{did_you_mean(given, flags)}")
    model = open_model(folder, resolve_device(device))
    model.use_by(**settings)
    return model


@with_settings({name: TextConfig.model_fields[name] for name in TextConfig.WRITING})
def generate(
    folder: Folder,
    prompt: Annotated[str, typer.Option(help="What stands before.")] = "",
    seed: Annotated[int | None, typer.Option(help="The same seed writes the same text.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Texts to write; seeds count up from --seed.")] = 1,
    device: Device = "cpu",
    as_json: AsJson = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Write on from a prompt, on standard output as it comes."""
    from unrolled.tasks.text.model import TextModel
    from unrolled.training.device import resolve_device

    model = TextModel.load(folder, resolve_device(device))
    model.use_by(**settings)
    for index in range(samples):
        one_seed = None if seed is None else seed + index
        pieces = model.write(prompt, one_seed)
        if as_json:
            print(json.dumps({"prompt": prompt, "text": "".join(pieces), "seed": one_seed}, ensure_ascii=False))
            continue
        if index:
            print("\n---")
        first = next(pieces, "")
        sys.stdout.write(prompt + first)
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
        print()


def score(
    folder: Folder,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text to score; - is standard input.")],
    per_token: Annotated[
        bool, typer.Option("--per-token", help="Print a JSON line a token: surprisal, byte offsets.")
    ] = False,
    encoding: Annotated[str, typer.Option(help="Encoding of the text.")] = "utf-8",
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """How surprising a text is to a model, its state carried over all of it."""
    from unrolled.data.reading import read_text
    from unrolled.tasks.text.model import TextModel
    from unrolled.training.device import resolve_device

    model = TextModel.load(folder, resolve_device(device))
    text = read_text(file, encoding)
    with Watch() as watch:
        scored = model.score(text, report=lambda done, total: watch.scoring(file, done, total))
    figures = scored.figures()
    if per_token:
        for row in scored.rows():
            print(json.dumps(row, ensure_ascii=False))
    elif as_json:
        print(json.dumps(figures))
    else:
        print(f"{figures['nats_per_character']:.4f} nats a character, {figures['bits_per_character']:.4f} bits")
        print(f"{figures['perplexity']:.4f} perplexity of a token ({figures['nats_per_token']:.4f} nats)")
        print(f"{figures['characters']:,} characters, {figures['tokens']:,} tokens")
