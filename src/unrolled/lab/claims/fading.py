"""L4: the gradient by lag of gated and simple cells, before and after training, and an LSTM in which it explodes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from unrolled.data.toys.table import find_toy
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, styles
from unrolled.lab.measure import gradient_by_lag, spread
from unrolled.lab.toys import Reader, like_torch, teach
from unrolled.layers.recurrent import Recurrent


class Net(NamedTuple):
    """A network whose gradient is looked at."""

    cell: str
    start: str
    """``torch``: as torch.nn begins; ``own``: the library's start; ``large``: that, recurrent weights times GAIN."""
    state: str = "h"
    """The state that the gradient is taken to: the one that is to remember."""


NETS: Mapping[str, Net] = {
    "Elman": Net("elman", "torch"),
    "Elman, orthogonal": Net("elman", "own"),
    "GRU": Net("gru", "own"),
    "LSTM": Net("lstm", "own", "c"),
    "LSTM as torch.nn": Net("lstm", "torch", "c"),
    "LSTM, large U": Net("lstm", "large", "c"),
}
GAIN = 6.0
GROWN = 10.0
"""How many times its size at the loss a gradient must reach to count as exploding."""


def grid(quick: bool) -> list[Setting]:
    how = {"toy": "adding", "length": 100, "hidden": 32, "batch": 16, "rate": 1e-2, "steps": 150 if quick else 3000}
    return [{"net": name, **how} for name in NETS]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    toy, net, length = find_toy(setting["toy"]), NETS[setting["net"]], setting["length"]
    torch.manual_seed(seed)
    layer = Recurrent(net.cell, toy.inputs, setting["hidden"])
    if net.start == "torch":
        like_torch(layer)
    elif net.start == "large":
        _enlarge(layer)
    network = Reader(layer, toy.outputs)
    before = gradient_by_lag(network, toy, length, net.state)
    settings = {name: setting[name] for name in ("batch", "rate", "steps")} | {"seed": seed}
    taught = teach(network, toy, length, settings, bench.report)
    after = gradient_by_lag(network, toy, length, net.state)
    return taught.result | {"before": before._asdict(), "after": after._asdict()}


@torch.no_grad()
def _enlarge(layer: Recurrent) -> None:
    shapes = layer.one(0, "forward").shapes
    for name, value in layer.cell_parameters().items():
        if shapes[name].recurrent:
            value.mul_(GAIN)


def table(runs: Sequence[Run]) -> Table:
    columns = ["network"]
    for when in ("before", "after"):
        columns += [f"a step, {when}", f"1% after, steps, {when}", f"largest over that at the loss, {when}"]
    rows = []
    for net, own in by(runs, "net").items():
        row = [net]
        for when in ("before", "after"):
            found = [run.result[when] for run in own]
            row += [
                f"x {spread([one['factor'] for one in found])}",
                _horizons(found),
                spread([_top(one) for one in found]),
            ]
        rows.append((*row, spread([run.result["score"] for run in own])))
    return Table([*columns, "MSE after training"], rows)


def _horizons(found: Sequence[Mapping[str, Any]]) -> str:
    """The horizons, from the shortest to the longest."""
    seen = sorted("never" if one["horizon"] is None else f"{one['horizon']:d}" for one in found)
    seen.sort(key=lambda one: float("inf") if one == "never" else int(one))
    return seen[0] if seen[0] == seen[-1] else f"{seen[0]} to {seen[-1]}"


def _top(one: Mapping[str, Any]) -> float:
    return max(one["share"], default=0.0)


def _reach(one: Mapping[str, Any]) -> float:
    """The horizon in steps; endless where there is none."""
    return float("inf") if one["horizon"] is None else one["horizon"]


def draw(runs: Sequence[Run]) -> Any:
    made, every = figure(2, width=6.4, height=4.8)
    for axes, when in zip(every, ("before", "after"), strict=True):
        for (net, own), style in zip(by(runs, "net").items(), styles(), strict=False):
            for place, run in enumerate(own):
                found = run.result[when]
                axes.plot(found["lags"], found["share"], label=net if not place else None, **style, alpha=0.8)
        axes.axhline(0.01, color="grey", linestyle=":", label="1%")
        axes.set(yscale="log", xlabel="lag, steps", ylabel="gradient norm, share of that at the loss")
        axes.set_title(f"{when} training on adding, T = {runs[0].setting['length']}")
        axes.set_ylim(1e-14, 1e14)
        axes.legend(fontsize=8)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    own = by(runs, "net")
    before = {net: [_reach(run.result["before"]) for run in some] for net, some in own.items()}
    longer = min(before["LSTM"]) > max(before["Elman"])
    growth = [_top(run.result["before"]) for run in own["LSTM, large U"]]
    small = [run.result["before"]["factor"] for run in own["LSTM as torch.nn"]]
    explodes, fades = min(growth) >= GROWN, max(small) < 0.95
    says = (
        f"untrained, the gradient falls to 1% after {min(before['LSTM']):g} steps or more in an LSTM and at most "
        f"{max(before['Elman']):g} in an Elman network; it still fades by x {spread(small)} a step in an LSTM begun as "
        f"torch.nn's, and grows {spread(growth)}-fold in one with {GAIN:g} times the recurrent weights"
    ).replace("inf steps or more", f"none of {runs[0].setting['length']} steps")
    return Verdict(longer and (explodes or fades), says, longer and explodes)


FADING = Experiment(
    "L4",
    "LSTMs alleviate, not entirely solve, vanishing and exploding gradients",
    "Hochreiter & Schmidhuber 1997; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063",
    "gradient of the last step's loss by lag, untrained and trained on adding; an LSTM with large recurrent weights",
    grid,
    make,
    table,
    draw,
    judge,
    seeds=(5, 1),
)
