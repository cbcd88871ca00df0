"""L2: over how many steps gated cells carry what they have seen, and where an Elman network fails."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from unrolled.data.toys.table import find_toy
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, styles
from unrolled.lab.measure import spread
from unrolled.lab.toys import Reader, like_torch, teach
from unrolled.layers.recurrent import Recurrent


class Net(NamedTuple):
    """A network of the comparison."""

    cell: str
    start: str
    """``chrono``: for the memory that the task asks for; ``torch``: as torch.nn; ``own``: the library's start."""


NETS: Mapping[str, Net] = {
    "LSTM, chrono": Net("lstm", "chrono"),
    "LSTM": Net("lstm", "own"),
    "GRU": Net("gru", "own"),
    "Elman": Net("elman", "torch"),
    "Elman, orthogonal": Net("elman", "own"),
}
FULL = {"adding": (100, 500, 1000, 2000), "copy": (100, 500, 1000, 2000), "latch": (1000, 2000), "lag": (1000,)}
HOW: Mapping[str, Mapping[str, Any]] = {
    "adding": {"hidden": 32, "steps": 3000},
    "copy": {"hidden": 64},
    "latch": {"hidden": 32, "batch": 32, "rate": 5e-3, "steps": 3000},
    "lag": {"hidden": 32, "steps": 1000},
}
LONG = 1000
"""Steps that the claim speaks of."""


def grid(quick: bool) -> list[Setting]:
    if quick:
        how = {"length": 200, "hidden": 32, "batch": 16, "rate": 2e-2, "steps": 800}
        return [{"toy": "adding", "net": net, **how} for net in ("LSTM, chrono", "LSTM", "Elman")]
    return [
        {"toy": toy, "net": net, "length": length, "batch": 16, "rate": 2e-2, "steps": _steps(length), **HOW[toy]}
        for toy, lengths in FULL.items()
        for length in lengths
        for net in NETS
    ]


def _steps(length: int) -> int:
    """Updates for a task that nothing is known to solve: the longer, the fewer, so that the hours stay few."""
    return max(1000, 1_000_000 // length)


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    toy, net, length = find_toy(setting["toy"]), NETS[setting["net"]], setting["length"]
    torch.manual_seed(seed)
    layer = Recurrent(net.cell, toy.inputs, setting["hidden"], chrono=length if net.start == "chrono" else None)
    if net.start == "torch":
        like_torch(layer)
    network = Reader(layer, toy.outputs)
    settings = {name: setting[name] for name in ("batch", "rate", "steps")} | {"validations": 40, "seed": seed}
    taught = teach(network, toy, length, settings, bench.report)
    return taught.result | {"trivial": toy.trivial(length), "metric": toy.metric}


def table(runs: Sequence[Run]) -> Table:
    columns = ("toy", "T, steps", "network", "solved", "score", "metric", "without memory", "updates", "minutes a run")
    rows = []
    for (toy, length, net), own in by(runs, "toy", "length", "net").items():
        rows.append(
            (
                toy,
                str(length),
                net,
                f"{_solved(own)} of {len(own)}",
                spread([run.result["score"] for run in own]),
                own[0].result["metric"],
                f"{own[0].result['trivial']:.3g}",
                spread([run.result["steps"] for run in own], 4),
                spread([run.seconds / 60 for run in own], 2),
            )
        )
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    panels = by(runs, "toy", "length")
    made, every = figure(min(4, len(panels)), -(-len(panels) // 4), width=4.4, height=3.6)
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    for axes, ((toy, length), own) in zip(every, panels.items(), strict=False):
        for (net, lines), style in zip(by(own, "net").items(), styles(), strict=False):
            for place, run in enumerate(lines):
                steps, scores = zip(*((row[0], row[3]) for row in run.result["curve"]), strict=True)
                label = net if not place else None
                axes.plot(steps, scores, color=style["color"], alpha=0.8, linewidth=1.3, label=label)
        known = find_toy(toy)
        axes.axhline(known.trivial(length), color="grey", linestyle=":", label="without memory")
        axes.axhline(known.solved, color="black", linestyle="--", linewidth=0.8, label="solved")
        axes.set(title=f"{toy}, T = {length}", xlabel="updates", ylabel=known.metric)
        if known.metric != "accuracy":
            axes.set_yscale("log")
        axes.legend(fontsize=7)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    nets = by(runs, "net")
    reach = {net: _reach(own) for net, own in nets.items()}
    told = ", ".join(f"{net} {steps or 'none'}" for net, steps in reach.items())
    lstm = max((steps for net, steps in reach.items() if "LSTM" in net), default=0)
    adding = by(runs, "toy", "net")
    chrono, elman = ([run.result["score"] for run in adding["adding", net]] for net in ("LSTM, chrono", "Elman"))
    says = (
        f"longest T at which every seed solves a task: {told}; adding over all T: LSTM (chrono) {spread(chrono)}, "
        f"Elman {spread(elman)} MSE"
    )
    long = max(by(runs, "length")) >= LONG
    return Verdict(lstm >= LONG if long else None, says, max(chrono) < 0.5 * min(elman))


def _reach(runs: Sequence[Run]) -> int:
    """The longest T at which every seed solved a task."""
    parts = by(runs, "toy", "length").items()
    return max((length for (_, length), own in parts if _solved(own) == len(own)), default=0)


def _solved(runs: Sequence[Run]) -> int:
    return sum(run.result["solved"] is not None for run in runs)


BRIDGES = Experiment(
    "L2",
    "an LSTM can learn to bridge time intervals in excess of 1000 steps",
    "Hochreiter & Schmidhuber 1997, Neural Computation 9(8); chrono: Tallec & Ollivier 2018, arXiv:1804.11188",
    "adding and copy memory up to T = 2000, latch and a lag without noise from T = 1000 on; until solved or given up",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: (
        setting["steps"] * (setting["length"] + 50) * (0.4 if setting["net"].startswith("Elman") else 1.0)
    ),
    robust=True,
)
