"""The card of a model folder: what the model is, how well it does, how to use it; Markdown."""

from collections.abc import Mapping
from typing import Any

from unrolled.equations.cell import Cell
from unrolled.model_folder import FIGURE


def write_card(cell: Cell, settings: Mapping[str, Any], metrics: Mapping[str, Any], with_figure: bool) -> str:
    """The README.md of a text model's folder."""
    data, training = metrics.get("data", {}), metrics.get("training", {})
    lines = [f"# {cell.name} on {data.get('name', 'text')}", ""]
    lines += [
        f"A recurrent network that says what comes next in a text, by {settings['unit']}: "
        f"{settings['layers']} layer(s) of {settings['hidden']} units, {training.get('parameters', 0):,} parameters.",
        "",
        "## The cell",
        "",
        "```",
        cell.text().strip(),
        "```",
        "",
        "## How well it does",
        "",
    ]
    lines += _table(metrics)
    if with_figure:
        lines += ["", f"![loss over training]({FIGURE})"]
    lines += ["", "## Use", "", "```", "unrolled generate . --prompt 'To be'", "unrolled score . FILE", "```", ""]
    lines += [
        "```python",
        "from unrolled import TextModel",
        "",
        'print(TextModel.load(".").generate("To be"))',
        "```",
        "",
    ]
    lines += ["## Where it comes from", ""]
    lines += [f"- text: {data.get('name', '?')}, sha256 {data.get('fingerprint', '?')}"]
    lines += [
        f"- training: {training.get('steps', 0):,} steps, {training.get('seconds', 0):.0f} s, seed {settings['seed']}"
    ]
    lines += [f"- made with: {', '.join(f'{name} {version}' for name, version in metrics.get('versions', {}).items())}"]
    run = ", `history.csv` the run" if with_figure else ""
    lines += ["", f"`config.json` holds every setting, `metrics.json` every figure{run}."]
    return "\n".join(lines) + "\n"


def _table(metrics: Mapping[str, Any]) -> list[str]:
    rows = [
        "| text | nats a character | bits a character | perplexity of a token | characters |",
        "|---|---|---|---|---|",
    ]
    for split in ("validation", "test"):
        if split in metrics:
            one = metrics[split]
            figures = f"{one['nats_per_character']:.4f} | {one['bits_per_character']:.4f} | {one['perplexity']:.3f}"
            rows.append(f"| {split} | {figures} | {one['characters']:,} |")
    return rows
