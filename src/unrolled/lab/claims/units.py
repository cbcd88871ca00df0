"""L7: LSTM, both kinds of GRU and Elman networks with as many parameters, in as many updates or as much time."""

from collections.abc import Mapping, Sequence
from typing import Any

from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import dots, figure
from unrolled.lab.measure import spread
from unrolled.lab.real import REAL, is_small, run_real, setting_of, units

CELLS: Mapping[str, str] = {
    "LSTM": "lstm",
    "GRU": "gru",
    "GRU, reset after": "gru_reset_after",
    "Elman": "elman",
}
COMPARABLE = 0.05
"""The share of the LSTM's figure by which a comparable one may be worse."""


def grid(quick: bool) -> list[Setting]:
    tasks, rules = (("text",), ("updates",)) if quick else (tuple(REAL), ("updates", "time"))
    return [
        setting_of(task, quick, rule=rule, unit=unit, parameters=8000 if quick else 60000, **_budget(rule, quick))
        for task in tasks
        for rule in rules
        for unit in CELLS
    ]


def _budget(rule: str, quick: bool) -> dict[str, Any]:
    return {"minutes": 0.5} if rule == "time" else {"steps": 150} if quick else {}


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    cell = CELLS[setting["unit"]]
    hidden = units(setting["task"], cell, setting["parameters"])
    found = run_real(setting, ("steps", "minutes"), seed, bench, cell=cell, hidden=hidden)
    return found | {"hidden": hidden}


def table(runs: Sequence[Run]) -> Table:
    columns = ("task", "equal", "network", "units", "parameters", "figure", "of", "updates", "seconds of training")
    rows = []
    for (task, rule, unit), own in by(runs, "task", "rule", "unit").items():
        rows.append(
            (
                task,
                rule,
                unit,
                *(str(own[0].result[name]) for name in ("hidden", "parameters")),
                spread([run.result["metric"] for run in own], 4),
                REAL[task].unit,
                *(spread([run.result[name] for run in own], 3) for name in ("steps", "seconds")),
            )
        )
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    panels = by(runs, "rule", "task")
    rules = len(by(runs, "rule"))
    made, every = figure(len(panels) // rules, rules, width=4.4)
    for axes, ((rule, task), own) in zip(every, panels.items(), strict=False):
        groups = by(own, "unit")
        values = [[run.result["metric"] for run in some] for some in groups.values()]
        better = "higher" if REAL[task].higher else "lower"
        dots(axes, list(groups), values, f"{REAL[task].unit}, {better} is better")
        axes.set_title(f"{task}, equal parameters and {rule}")
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    told, comparable = [], []
    for (task, rule), own in by(runs, "task", "rule").items():
        figures = {unit: [run.result["metric"] for run in some] for unit, some in by(own, "unit").items()}
        means = {unit: sum(some) / len(some) for unit, some in figures.items()}
        best = (max if REAL[task].higher else min)(means["GRU"], means["GRU, reset after"])
        sign = -1.0 if REAL[task].higher else 1.0
        comparable.append(sign * (best - means["LSTM"]) <= COMPARABLE * abs(means["LSTM"]))
        told.append(f"{task} ({rule}) {', '.join(f'{unit} {one:.3g}' for unit, one in means.items())}")
    return Verdict(None if is_small(runs) else all(comparable), "; ".join(told))


UNITS = Experiment(
    "L7",
    "GRU: simpler than LSTM, comparable performance",
    "Chung et al. 2014, arXiv:1412.3555; Jozefowicz, Zaremba & Sutskever 2015",
    "text, names, chorales and ETTh1 with as many parameters in the recurrent layer, in equal updates and equal time",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: {"text": 3.0, "names": 2.0, "chorales": 2.0, "ETTh1": 2.0}[setting["task"]],
    seeds=(3, 1),
)
