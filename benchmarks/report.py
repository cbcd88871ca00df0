"""What a run leaves behind: one JSON file with every figure, one Markdown file to read; both name their origin."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

from benchmarks.machine import slug


@dataclass(frozen=True)
class Table:
    """A table of the Markdown file."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """The table in Markdown; names to the left, figures to the right."""
        if not self.rows:
            return f"## {self.title}\n\nnothing measured\n"
        left = [not _is_figure(row[column]) for column in range(len(self.header)) for row in [self.rows[0]]]
        lines = [self.header, [":--" if one else "--:" for one in left], *self.rows]
        return f"## {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _is_figure(text: str) -> bool:
    return text[:1].isdigit() or text in ("", "-")


@dataclass
class Report:
    """All that a theme found."""

    theme: str
    machine: Mapping[str, Any]
    gate: str
    """What was checked before anything was measured."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Every figure, as the JSON file holds it."""
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The Markdown file."""
        machine = self.machine
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        head = [
            f"# {self.theme}",
            "",
            f"{machine['cpu']} ({machine['llvm_cpu']}, {machine['vector']}), {machine['cores']} processors, "
            f"threads: {machine['threads']}, {machine['system']}; {machine['date']}; seed {machine['seed']}.",
            f"{versions}.",
            "",
            f"Gate: {self.gate}.",
            "",
        ]
        notes = ["## Notes", "", *(f"- {one}" for one in self.notes), ""] if self.notes else []
        return "\n".join([*head, *(table.text() for table in self.tables), *notes])

    def write(self, folder: Path) -> list[Path]:
        """Write both files; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        data = {"theme": self.theme, "machine": self.machine, "gate": self.gate, "notes": self.notes, "rows": self.rows}
        written = paths(folder, self.theme, self.machine["date"])
        written[0].write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        written[1].write_text(self.text(), encoding="utf-8")
        return written


def paths(folder: Path, theme: str, date: str) -> list[Path]:
    """Where the JSON and the Markdown file of a theme go."""
    return [folder / f"{theme}_{slug()}_{date}.{ending}" for ending in ("json", "md")]


def geometric_mean(values: Iterable[float]) -> float:
    """The mean of ratios."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))


def milliseconds(seconds: float) -> str:
    """A time with three figures."""
    return _three(seconds * 1e3)


def microseconds(seconds: float) -> str:
    """A time with three figures."""
    return _three(seconds * 1e6)


def ratio(value: float) -> str:
    """A ratio of times."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _three(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
