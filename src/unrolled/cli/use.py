"""``unrolled predict``, ``evaluate``, ``generate`` and ``score``: a model at work."""

import json
import sys
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli.tasks import TASKS
from unrolled.cli.watch import Watch

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A model folder.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda or mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def predict(
    folder: Folder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Data as in training, answers not needed; - is stdin.")],
    out: Annotated[Path | None, typer.Option(help="Write the lines to this file.")] = None,
    n_best: Annotated[
        int | None, typer.Option(min=1, help="Give so many of the best whole answers beside (tag with a CRF).")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Forecast so many steps, any number (forecast; default: as in training).")
    ] = None,
    device: Device = "cpu",
) -> None:
    """What a model says of each sequence: a JSON line each, in order."""
    from unrolled.errors import UsageError
    from unrolled.model_folder import write_whole

    model = _load(folder, device)
    if n_best is not None and "n_best" not in signature(model.predict).parameters:
        raise UsageError(f"--n-best ranks whole answers, and a model of the task '{model.TASK}' does not.")
    if horizon is not None and "horizon" not in signature(model.predict).parameters:
        raise UsageError(f"--horizon is how far a forecast goes, and a model of the task '{model.TASK}' makes none.")
    given = {"n_best": n_best, "horizon": horizon}
    how = {name: value for name, value in given.items() if value is not None}
    lines = (json.dumps(row, ensure_ascii=False) for row in model.predict(data, **how))
    if out is not None:
        write_whole(out, "".join(f"{line}\n" for line in lines).encode())
        return
    for line in lines:
        print(line)


def evaluate(
    folder: Folder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Data as in training, answers included; - is stdin.")],
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """How well a model does on data whose answers are known."""
    model = _load(folder, device)
    with Watch() as watch:
        figures = model.evaluate(data, watch.scoring)
    if as_json:
        print(json.dumps(figures))
        return
    for line in _shown(figures):
        print(line)
    for name, beside in figures.get("baselines", {}).items():
        print(f"  {name.replace('_', ' ')}: {', '.join(_shown(beside))}")
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


def _load(folder: Path, device: str) -> Any:
    """The model in a folder, by the task that it names."""
    from unrolled.errors import UsageError
    from unrolled.model_folder import ModelFolder
    from unrolled.training.device import resolve_device

    _, described = ModelFolder.open(folder)
    task = described.get("task")
    if task not in TASKS:
        raise UsageError(f"{folder} holds a model of the task '{task}', and this unrolled knows {', '.join(TASKS)}.")
    return TASKS[task].load().load(folder, resolve_device(device))


def generate(
    folder: Folder,
    prompt: Annotated[str, typer.Option(help="What stands before.")] = "",
    length: Annotated[int, typer.Option(help="Tokens to write at most.")] = 500,
    temperature: Annotated[
        float, typer.Option(help="Below 1 bolder towards the likely, above 1 wilder; 0 takes the best.")
    ] = 0.8,
    top_k: Annotated[int, typer.Option(help="Draw from the k best tokens; 0 from all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Draw from the best tokens that together reach this probability.")] = 1.0,
    min_p: Annotated[float, typer.Option(help="Draw from tokens with this share of the best one's probability.")] = 0.0,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1, tokens already written become less likely.")
    ] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The same seed writes the same text.")] = None,
    stop: Annotated[str | None, typer.Option(help="End before this text would be written.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Texts to write; seeds count up from --seed.")] = 1,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Write on from a prompt, on standard output as it comes."""
    from unrolled.tasks.text.model import TextModel
    from unrolled.training.device import resolve_device
    from unrolled.wirings.sampling import Sampling

    sampling = Sampling(temperature, top_k, top_p, min_p, repetition_penalty)
    model = TextModel.load(folder, resolve_device(device))
    for index in range(samples):
        one_seed = None if seed is None else seed + index
        pieces = model.stream(prompt, length, sampling, one_seed, stop)
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
