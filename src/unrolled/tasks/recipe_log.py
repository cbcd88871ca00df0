"""The log of a recipe, as it is kept in ``recipes/results``; Markdown."""

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import stdev
from typing import Any

import torch

from unrolled.tasks.card import SPLITS, shown
from unrolled.tasks.recipe import Outcome


def log(name: str, outcome: Outcome) -> str:
    """What is kept of a recipe that was run."""
    recipe, metrics = outcome.recipe, [one.metrics for one in outcome.results]
    lines = [f"# {name}", "", recipe.about, "", "| wanted | seen | |", "|---|---|---|"]
    for one, value in zip(recipe.expect, outcome.seen, strict=True):
        lines.append(f"| {one}{outcome.how} | {value:.4f} | {'reached' if one.holds(value) else 'missed'} |")
    if recipe.over:
        lines += ["", *_runs(outcome)]
    for split in SPLITS:
        if split not in metrics[0]:
            continue
        lines += ["", f"## {split}{outcome.how}", ""]
        parts = [one[split] for one in metrics]
        lines.append(_line("this model", parts, outcome))
        for who in parts[0].get("baselines", {}):
            beside = [one["baselines"][who] for one in parts if who in one["baselines"]]
            lines.append(_line(who, beside, outcome))
    training, machine = metrics[0]["training"], metrics[0]["machine"]
    settings = json.dumps(recipe.settings, ensure_ascii=False)
    lines += ["", "## Run", ""]
    if not recipe.over:
        took = f"{training['steps']:,} updates, {training['seconds'] / 60:.1f} minutes, ended by {training['ended']}"
        lines.append(f"- {took}, {training['parameters']:,} parameters")
    prints = {one.metrics["data"]["fingerprint"]: one.run.name.removeprefix("fold ") for one in outcome.results}
    of = {one: f" ({fold})" for one, fold in prints.items()} if recipe.over == "folds" else dict.fromkeys(prints, "")
    lines += [
        f"- settings: `{settings}`",
        f"- data: sha256 {', '.join(f'{one}{fold}' for one, fold in of.items())}",
        f"- {date.today().isoformat()}, {machine['processor']}, {machine['threads']} threads, "
        f"{platform.system()}, torch {torch.__version__}",
    ]
    return "\n".join(lines) + "\n"


def _runs(outcome: Outcome) -> list[str]:
    """A row for each run, and how far apart they lie."""
    wanted, over = outcome.recipe.expect, outcome.recipe.over.removesuffix("s")
    heads = [f"{one.metric.replace('_', ' ')} ({one.split})" for one in wanted]
    lines = [f"| {over} | {' | '.join(heads)} | updates | minutes |", f"|---|{'---|' * (len(heads) + 2)}"]
    for one in outcome.results:
        figures = " | ".join(f"{one.figure(each):.4f}" for each in wanted)
        steps = one.metrics["training"]["steps"]
        lines.append(f"| {one.run.name.removeprefix(f'{over} ')} | {figures} | {steps:,} | {one.minutes:.1f} |")
    if len(outcome.results) > 1:
        lines.append("")
        for head, each in zip(heads, wanted, strict=True):
            values = [one.figure(each) for one in outcome.results]
            spread = f"from {min(values):.4f} to {max(values):.4f}, standard deviation {stdev(values):.4f}"
            lines.append(f"{head[0].upper()}{head[1:]} lies {spread}.")
    return lines


def _line(who: str, parts: Sequence[Mapping[str, Any]], outcome: Outcome) -> str:
    """The figures of a part over all runs."""
    names = [name for name, value in parts[0].items() if isinstance(value, int | float)]
    figures = {name: outcome.together([one[name] for one in parts if name in one]) for name in names}
    return f"- {who}: " + ", ".join(f"{name} {shown(value)}" for name, value in figures.items())
