"""L5: how many updates a simple recurrent network takes to a fixed loss, with tanh, sigmoid and relu."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, styles
from unrolled.lab.real import REAL, run_real, setting_of

CELLS: Mapping[str, str] = {"tanh": "elman", "sigmoid": "elman_sigmoid", "relu": "elman_relu"}
RATES = (1e-3, 3e-3, 1e-2)


def grid(quick: bool) -> list[Setting]:
    tasks, rates = (("text",), (3e-3,)) if quick else (("text", "names", "chorales"), RATES)
    how = {"hidden": 32, "steps": 150} if quick else {"hidden": 128}
    return [
        setting_of(task, quick, activation=activation, rate=rate, **how)
        for task in tasks
        for activation in CELLS
        for rate in rates
    ]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    return run_real(setting, ("hidden", "rate", "steps"), seed, bench, cell=CELLS[setting["activation"]])


class Race:
    """The runs on one task against each other.

    The loss to be reached is the lowest that every activation reaches at its best rate, in the median of its seeds; an
    activation's best rate is that with the lowest such loss.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.best: dict[str, tuple[float, list[Run]]] = {}
        for activation, own in by(runs, "activation").items():
            rates = by(own, "rate")
            rate = min(rates, key=lambda one: median(_lowest(run) for run in rates[one]))
            self.best[activation] = (rate, rates[rate])
        self.loss = max(median(_lowest(run) for run in own) for _, own in self.best.values())

    def updates(self, activation: str) -> list[float]:
        """Of each seed at the best rate, the updates to the loss; endless where it was not reached."""
        return [_updates(run, self.loss) for run in self.best[activation][1]]


def _lowest(run: Run) -> float:
    return min(row[2] for row in run.result["curve"])


def _updates(run: Run, loss: float) -> float:
    return next((row[0] for row in run.result["curve"] if row[2] <= loss), math.inf)


def table(runs: Sequence[Run]) -> Table:
    columns = ("task", "activation", "best rate", "loss to reach", "updates to it, median", "of each seed", "figure")
    rows = []
    for task, own in by(runs, "task").items():
        race = Race(own)
        for activation, (rate, best) in race.best.items():
            updates = race.updates(activation)
            figures = median(run.result["metric"] for run in best)
            rows.append(
                (
                    task,
                    activation,
                    f"{rate:g}",
                    f"{race.loss:.3f}",
                    f"{median(updates):g}",
                    " ".join(f"{one:g}" for one in updates),
                    f"{figures:.3g} {REAL[task].unit}",
                )
            )
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    tasks = by(runs, "task")
    made, every = figure(len(tasks), width=5.2)
    for axes, (task, own) in zip(every, tasks.items(), strict=True):
        race = Race(own)
        for (activation, (rate, best)), style in zip(race.best.items(), styles(), strict=False):
            for place, run in enumerate(best):
                steps, _, losses = zip(*run.result["curve"], strict=True)
                label = f"{activation}, rate {rate:g}" if not place else None
                axes.plot(steps, losses, color=style["color"], alpha=0.8, label=label)
        axes.axhline(race.loss, color="grey", linestyle=":", label="loss to reach")
        axes.set(title=task, xlabel="updates", ylabel="validation loss, nats")
        axes.legend(fontsize=8)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    told, faster = [], []
    for task, own in by(runs, "task").items():
        race = Race(own)
        updates = {activation: median(race.updates(activation)) for activation in race.best}
        faster.append(updates["tanh"] < updates["sigmoid"])
        told.append(f"{task} {', '.join(f'{name} {one:g}' for name, one in updates.items())}")
    return Verdict(all(faster), f"updates to the same loss, each at its best rate, median: {'; '.join(told)}")


ACTIVATIONS = Experiment(
    "L5",
    "tanh converges faster than sigmoid",
    "LeCun, Bottou, Orr & Müller 1998, Efficient backprop, section 4.4",
    "Elman networks with tanh, sigmoid and relu on text, names and chorales, three rates each; updates to a fixed loss",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: {"text": 3.0, "names": 2.0, "chorales": 2.0}[setting["task"]],
    seeds=(5, 1),
)
