"""Runs of an experiment: made one after the other, each kept in a file when it is done, none made twice."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.errors import UsageError
from unrolled.lab.experiment import Bench, Experiment, Run, Setting, name_of

Show = Callable[[str, float, float], None]
"""Told what is run, the share of all that is done, and the seconds left as far as can be said (0 at first)."""


class Plan(NamedTuple):
    """What is to be run."""

    experiment: Experiment
    quick: bool
    seeds: int
    data: Path | None

    @property
    def settings(self) -> list[Setting]:
        """The grid, less what needs a data folder where there is none."""
        return [one for one in self.experiment.grid(self.quick) if self._can(one)]

    @property
    def left_out(self) -> list[str]:
        """The data sets that are not there."""
        named = [one["data"] for one in self.experiment.grid(self.quick) if not self._can(one)]
        return list(dict.fromkeys(named))

    def _can(self, setting: Setting) -> bool:
        name = setting.get("data")
        return name is None or (self.data is not None and (self.data / name).exists())


class Kept:
    """Runs in a file, a line of JSON each; what was cut off is not counted, and made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._runs: dict[tuple[str, int], Run] = {}
        for line in _lines(path):
            run = Run(line["setting"], line["seed"], line["result"], line["seconds"])
            self._runs[name_of(run.setting), run.seed] = run

    def get(self, setting: Setting, seed: int) -> Run | None:
        """The run of a setting and seed, if it was made."""
        return self._runs.get((name_of(setting), seed))

    def add(self, run: Run) -> None:
        """Keep a run."""
        self._runs[name_of(run.setting), run.seed] = run
        self.path.parent.mkdir(parents=True, exist_ok=True)
        cut_off = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("\n" * cut_off + json.dumps(run._asdict(), ensure_ascii=False) + "\n")


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"the runs in {path} cannot be read; name another folder with --out, or --force.") from None
    found = []
    for text in texts:
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if isinstance(line, dict) and line.keys() >= set(Run._fields):
            found.append(line)
    return found


def make_runs(plan: Plan, kept: Kept, show: Show) -> list[Run]:
    """Every run of a plan, by setting and then by seed; those that are kept are not made again.

    Args:
        plan: What is to be run.
        kept: What was made before; each new run is added.
        show: Told how far it is.

    Raises:
        Stopped: Ctrl-C ended a run.
    """
    experiment, settings = plan.experiment, plan.settings
    if not settings:
        missing = f"no data folder has {', '.join(plan.left_out)}"
        raise UsageError(f"{experiment.id} reads data: {missing}; --data names the folder.")
    seeds = range(1, plan.seeds + 1)
    # seed by seed, so that an experiment stopped half way has seen every setting
    waiting = [(one, seed) for seed in seeds for one in settings if kept.get(one, seed) is None]
    progress = _Progress(sum(experiment.cost(one) for one, _ in waiting), show)
    for place, (setting, seed) in enumerate(waiting, 1):
        what = f"{experiment.id} {_told(setting, settings)}, seed {seed} ({place} of {len(waiting)})"
        started = time.monotonic()
        result = experiment.make(setting, seed, Bench(plan.data, progress.of(what, experiment.cost(setting))))
        kept.add(Run(setting, seed, result, round(time.monotonic() - started, 3)))
    found = [kept.get(one, seed) for one in settings for seed in seeds]
    return [one for one in found if one is not None]


class _Progress:
    """How much is done of what all runs cost, and how long the rest takes if it goes on like this."""

    def __init__(self, total: float, show: Show) -> None:
        self.total, self.show, self.before, self.begun = total, show, 0.0, time.monotonic()

    def of(self, what: str, cost: float) -> Callable[[float], None]:
        """What a run that begins now is to report its share to."""
        before = self.before
        self.before += cost

        def report(share: float) -> None:
            done = (before + share * cost) / self.total
            passed = time.monotonic() - self.begun
            self.show(what, done, passed * (1 - done) / done if done else 0.0)

        report(0.0)
        return report


def _told(setting: Setting, settings: Sequence[Setting]) -> str:
    """What tells a setting from the others."""
    shown = [name for name in setting if name != "data" and any(one.get(name) != setting[name] for one in settings)]
    return ", ".join(f"{name} {setting[name]}" for name in shown)
