"""The card of a model folder: what the model is, how well it does, how to use it; Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from unrolled.equations.cell import Cell

SPLITS = ("validation", "test")


class Described(Protocol):
    """What a card tells of a model."""

    cell: Cell
    config: Any
    metrics: dict[str, Any]
    JUDGED_BY: ClassVar[Mapping[str, bool]]

    def about(self) -> str:
        """What the model does, in one sentence."""
        ...

    def usage(self) -> list[str]:
        """Commands that use the model."""
        ...


def write_card(model: Described, drawn: Sequence[str]) -> str:
    """The README.md of a model's folder; ``drawn`` are the files of its figures, the loss first."""
    config, metrics = model.config, model.metrics
    data, training = metrics.get("data", {}), metrics.get("training", {})
    lines = [f"# {model.cell.name} on {data.get('name', 'data')}", ""]
    shape = f"{config.layers} layer{'s' * (config.layers > 1)} of {config.hidden} units"
    size = f"{shape}, {training.get('parameters', 0):,} parameters"
    lines += [f"{model.about()}: {size}.", "", "## The cell", "", "```", model.cell.text().strip(), "```", ""]
    lines += ["## How well it does", "", *_table(metrics)]
    better = [f"- {split}: {one}" for split in SPLITS for one in ahead(metrics.get(split, {}), model.JUDGED_BY)]
    lines += ["", *better] if better else []
    for name in drawn:
        lines += ["", f"![{name.rpartition('.')[0].replace('_', ' ')}]({name})"]
    lines += ["", "## Use", "", "```", *model.usage(), "```", "", "```python"]
    lines += [
        f"from unrolled import {type(model).__name__}",
        "",
        f'model = {type(model).__name__}.load(".")',
        "```",
        "",
    ]
    lines += ["## Where it comes from", ""]
    lines += [f"- data: {data.get('name', '?')}, sha256 {data.get('fingerprint', '?')}"]
    lines += [f"- {note}" for note in data.get("notes", [])]
    lines += [f"- training: {training.get('steps', 0):,} steps, {training.get('seconds', 0):.0f} s, seed {config.seed}"]
    lines += [f"- made with: {', '.join(f'{name} {version}' for name, version in metrics.get('versions', {}).items())}"]
    run = ", `history.csv` the run" if drawn else ""
    lines += ["", f"`config.json` holds every setting, `metrics.json` every figure{run}."]
    return "\n".join(lines) + "\n"


def _table(metrics: Mapping[str, Any]) -> list[str]:
    """A row for each split and each baseline beside it, a column for each figure that is one number."""
    there = [split for split in SPLITS if split in metrics]
    if not there:
        return ["Nothing was measured."]
    names = [name for name, value in metrics[there[0]].items() if isinstance(value, int | float)]
    lines = [f"| data | {' | '.join(name.replace('_', ' ') for name in names)} |", f"|---|{'---|' * len(names)}"]
    for split in there:
        figures = metrics[split]
        lines.append(_row(split, figures, names))
        lines += [
            _row(f"{split}: {name.replace('_', ' ')}", one, names) for name, one in figures.get("baselines", {}).items()
        ]
    return lines


def ahead(figures: Mapping[str, Any], judged_by: Mapping[str, bool]) -> list[str]:
    """A sentence for each baseline that is better than the model.

    Args:
        figures: A split's figures, with ``baselines``.
        judged_by: Metrics, and whether more of it is better; the first that the figures have decides.
    """
    metric = next((one for one in judged_by if isinstance(figures.get(one), int | float)), None)
    if metric is None:
        return []
    own, more = figures[metric], judged_by[metric]
    beside = [(name, one[metric]) for name, one in figures.get("baselines", {}).items() if metric in one]
    better = [(name, value) for name, value in beside if (value > own if more else value < own)]
    said = metric.replace("_", " ")
    return [
        f"{name.replace('_', ' ')} is better here: {said} {shown(value)}, this model {shown(own)}"
        for name, value in better
    ]


def _row(name: str, figures: Mapping[str, Any], names: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(shown(figures.get(one)) for one in names)} |"


def shown(value: Any) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
