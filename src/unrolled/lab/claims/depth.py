"""L8: what is gained by one to six stacked layers, at equal width and with as many parameters."""

from collections.abc import Sequence
from typing import Any

from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, number_ticks, styles
from unrolled.lab.measure import spread
from unrolled.lab.real import REAL, is_small, run_real, setting_of, units

RULES = ("width", "parameters")
"""What layers of different number have in common."""
THREE = 3
MUCH = 0.02
"""The share of the figure of three layers that more must gain to count as much."""


def grid(quick: bool) -> list[Setting]:
    tasks, layers, rules = (("text",), (1, 3, 5), ("width",)) if quick else (("text", "names"), range(1, 7), RULES)
    how = {"hidden": 32, "parameters": 8000, "steps": 100} if quick else {"hidden": 96, "parameters": 100_000}
    return [
        setting_of(task, quick, rule=rule, layers=count, **how) for task in tasks for rule in rules for count in layers
    ]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    hidden = setting["hidden"]
    if setting["rule"] == "parameters":
        hidden = units(setting["task"], "lstm", setting["parameters"], setting["layers"])
    found = run_real(setting, ("layers", "steps"), seed, bench, cell="lstm", hidden=hidden)
    return found | {"hidden": hidden}


def table(runs: Sequence[Run]) -> Table:
    columns = ("task", "equal", "layers", "units", "parameters", "figure", "of", "seconds of training")
    rows = []
    for (task, rule, layers), own in by(runs, "task", "rule", "layers").items():
        sizes = (str(own[0].result[name]) for name in ("hidden", "parameters"))
        figures = spread([run.result["metric"] for run in own], 4)
        seconds = spread([run.result["seconds"] for run in own])
        rows.append((task, rule, str(layers), *sizes, figures, REAL[task].unit, seconds))
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    tasks = by(runs, "task")
    made, every = figure(len(tasks), width=5.6)
    for axes, (task, own) in zip(every, tasks.items(), strict=True):
        for (rule, some), style in zip(by(own, "rule").items(), styles(), strict=False):
            means = {layers: _mean(those) for layers, those in by(some, "layers").items()}
            axes.plot(list(means), list(means.values()), label=f"equal {rule}", **style)
            for run in some:
                axes.plot(run.setting["layers"], run.result["metric"], ".", color=style["color"], alpha=0.5)
        better = "higher" if REAL[task].higher else "lower"
        axes.set(title=task, xlabel="stacked layers", ylabel=f"{REAL[task].unit}, {better} is better")
        number_ticks(axes, list(by(own, "layers")))
        axes.legend(fontsize=9)
    return made


def _mean(runs: Sequence[Run]) -> float:
    return sum(run.result["metric"] for run in runs) / len(runs)


def judge(runs: Sequence[Run]) -> Verdict:
    told, small = [], []
    for (task, rule), own in by(runs, "task", "rule").items():
        means = {layers: _mean(some) for layers, some in by(own, "layers").items()}
        sign = 1.0 if REAL[task].higher else -1.0
        deeper = max(sign * one for layers, one in means.items() if layers > THREE)
        gain = (deeper - sign * means[THREE]) / abs(means[THREE])
        first = sign * (means[THREE] - means[1]) / abs(means[1])
        small.append(gain < MUCH)
        told.append(f"{task} (equal {rule}) {first:+.1%} from 1 to 3 layers, {gain:+.1%} from 3 to the best of more")
    return Verdict(None if is_small(runs) else all(small), f"gains: {'; '.join(told)}")


DEPTH = Experiment(
    "L8",
    "not much is gained with more than 3 stacked layers",
    "the lecture's remark; Graves, Mohamed & Hinton 2013, arXiv:1303.5778, on how many layers help",
    "LSTMs of 1 to 6 layers on text and names, of equal width and with as many parameters",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: float(setting["layers"]),
    seeds=(3, 1),
)
