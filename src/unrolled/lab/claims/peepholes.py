"""L6: LSTMs with and without peepholes where the net must time and count, with a test of significance."""

from collections.abc import Sequence
from typing import Any

import torch

from unrolled.data.toys.table import find_toy
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import dots, figure
from unrolled.lab.measure import spread
from unrolled.lab.significance import LEVEL, Difference, difference, holm
from unrolled.lab.toys import Exam, Reader, teach
from unrolled.layers.recurrent import Recurrent

CELLS = ("lstm_peephole", "lstm")
LENGTHS = {"spikes-measure": 60, "spikes-give": 60, "periodic": 60, "an-bn-cn": 31}
FURTHER = 2
"""Sequences so many times as long as those learned from are tested, too."""

ENOUGH = 10
"""Seeds without which nothing is said: few groups of fewer can differ by more than chance."""


def grid(quick: bool) -> list[Setting]:
    toys = ("spikes-measure", "an-bn-cn") if quick else tuple(LENGTHS)
    how = {"hidden": 16, "batch": 16, "rate": 1e-2, "steps": 250 if quick else 3000}
    return [{"toy": toy, "cell": cell, "length": LENGTHS[toy], **how} for toy in toys for cell in CELLS]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    toy = find_toy(setting["toy"])
    torch.manual_seed(seed)
    network = Reader(Recurrent(setting["cell"], toy.inputs, setting["hidden"]), toy.outputs)
    settings = {name: setting[name] for name in ("batch", "rate", "steps")} | {"seed": seed}
    taught = teach(network, toy, setting["length"], settings, bench.report, until_solved=False)
    exam = Exam(network, toy, FURTHER * setting["length"])
    loss = exam.take()
    return taught.result | {"loss": taught.curve[-1][2], "further": exam.score, "further_loss": loss}


def differences(runs: Sequence[Run], what: str) -> dict[str, tuple[Difference, float]]:
    """By toy: peephole against plain in the losses, and the chance by ranks, corrected for the number of toys."""
    found = {}
    for toy, own in by(runs, "toy").items():
        groups = by(own, "cell")
        found[toy] = difference(*([run.result[what] for run in groups[cell]] for cell in CELLS))
    corrected = holm([one.rank_p for one in found.values()])
    return {toy: (one, chance) for (toy, one), chance in zip(found.items(), corrected, strict=True)}


def table(runs: Sequence[Run]) -> Table:
    columns = (
        "toy",
        "cell",
        "solved",
        "score",
        f"score, {FURTHER} x as long",
        "loss",
        "p by ranks",
        "p by means",
        "Holm",
    )
    found, rows = differences(runs, "loss"), []
    for (toy, cell), own in by(runs, "toy", "cell").items():
        one, chance = found[toy]
        tests = (one.rank_p, one.mean_p, chance) if cell == CELLS[0] else ()
        rows.append(
            (
                toy,
                cell,
                f"{sum(run.result['solved'] is not None for run in own)} of {len(own)}",
                *(spread([run.result[name] for run in own]) for name in ("score", "further", "loss")),
                *([f"{one:.3g}" for one in tests] or ["", "", ""]),
            )
        )
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    toys = by(runs, "toy")
    made, every = figure(len(toys), width=3.6)
    for axes, (toy, own) in zip(every, toys.items(), strict=True):
        groups = by(own, "cell")
        dots(axes, CELLS, [[run.result["loss"] for run in groups[cell]] for cell in CELLS], "test loss at the end")
        axes.set_title(f"{toy}\np = {differences(runs, 'loss')[toy][1]:.2g} (Mann-Whitney, Holm)", fontsize=10)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    found = differences(runs, "loss")
    better = [toy for toy, (one, chance) in found.items() if chance < LEVEL and one.effect < 0.5]
    worse = [toy for toy, (one, chance) in found.items() if chance < LEVEL and one.effect > 0.5]
    told = ", ".join(f"{toy} p = {chance:.2g}" for toy, (_, chance) in found.items())
    says = (
        f"peepholes are better on {_list(better)}, worse on {_list(worse)} (test loss, Mann-Whitney with Holm: {told})"
    )
    enough = len({run.seed for run in runs}) >= ENOUGH
    return Verdict(bool(better) and not worse if enough else None, says)


def _list(toys: Sequence[str]) -> str:
    return " and ".join(toys) or "nothing"


PEEPHOLES = Experiment(
    "L6",
    "peepholes help where the net must time and count",
    "Gers & Schmidhuber 2000, Recurrent nets that time and count; Gers, Schraudolph & Schmidhuber 2002, JMLR 3:115",
    "LSTMs of 16 units with and without peepholes, as many updates each, on spike timing and a^n b^n c^n",
    grid,
    make,
    table,
    draw,
    judge,
    seeds=(12, 4),
)
