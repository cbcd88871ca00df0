"""What an experiment is: a claim, a grid of runs, what makes one run, what shows them, and what judges them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.errors import UnrolledError

Setting = Mapping[str, Any]
"""All that tells one cell of the grid from the others, and all that its runs depend on but the seed; JSON-able."""
Result = dict[str, Any]
"""What a run measured; JSON-able."""


class Stopped(UnrolledError):
    """Ctrl-C ended a run before it was whole."""


class Run(NamedTuple):
    """One run that was made."""

    setting: Setting
    seed: int
    result: Result
    seconds: float


class Table(NamedTuple):
    """What is printed."""

    columns: Sequence[str]
    """Names, with units."""
    rows: Sequence[Sequence[str]]


class Verdict(NamedTuple):
    """What the runs say of the claim."""

    held: bool | None
    """Whether the claim held here; None where so small a form cannot say."""
    says: str
    """The figures that say so, in one line."""
    expected: bool = True
    """Whether what is well known was seen; it can be without the claim holding to the letter."""


class Bench(NamedTuple):
    """What a run may use."""

    data: Path | None
    """The data folder, for settings that name a data set."""
    report: Callable[[float], None] = lambda share: None
    """Told how much of the run is done."""


@dataclass(frozen=True)
class Experiment:
    """A claim as an experiment.

    Attributes:
        id: L1 to L10.
        claim: What the lecture says.
        source: Where that is from.
        measures: What is done here, in a sentence.
        grid: The settings; in the quick form few and small ones. One that needs a data set names it as ``data``.
        make: Makes one run.
        table: The runs as a table, a row a setting.
        draw: The runs as a figure of matplotlib.
        judge: The runs against the claim.
        cost: About how long a run takes beside the others; for the time left.
        seeds: So many runs of each setting, the quick form's behind.
        robust: What is expected holds even in the quick form, so its absence is a failure.
    """

    id: str
    claim: str
    source: str
    measures: str
    grid: Callable[[bool], Sequence[Setting]]
    make: Callable[[Setting, int, Bench], Result]
    table: Callable[[Sequence[Run]], Table]
    draw: Callable[[Sequence[Run]], Any]
    judge: Callable[[Sequence[Run]], Verdict]
    cost: Callable[[Setting], float] = lambda setting: 1.0
    seeds: tuple[int, int] = (5, 2)
    robust: bool = False


def name_of(setting: Setting) -> str:
    """A setting as one text, the same for equal settings."""
    return json.dumps(setting, sort_keys=True, ensure_ascii=False)


def by(runs: Sequence[Run], *names: str) -> dict[Any, list[Run]]:
    """The runs by the values of some parts of their settings, in the order in which they come."""
    found: dict[Any, list[Run]] = {}
    for run in runs:
        key = tuple(run.setting[name] for name in names)
        found.setdefault(key if len(names) > 1 else key[0], []).append(run)
    return found
