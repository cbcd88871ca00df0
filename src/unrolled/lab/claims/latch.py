"""L1: how far back a simple recurrent network learns to look, and how its gradient fades on the way."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import init

from unrolled.cells.elman import ELMAN, ELMAN_RELU
from unrolled.data.toys.table import find_toy
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, number_ticks, styles
from unrolled.lab.measure import gradient_by_lag, spread
from unrolled.lab.toys import Reader, like_torch, teach
from unrolled.layers.recurrent import Recurrent

STARTS: Mapping[str, str] = {
    "default": "tanh, uniform within 1 / sqrt(H) as torch.nn begins",
    "orthogonal": "tanh, orthogonal U (Saxe et al. 2014)",
    "identity": "tanh, U = I",
    "relu identity": "relu, U = I (Le, Jaitly & Hinton 2015)",
}
LAGS = (5, 10, 15, 20, 30, 50, 100, 200)
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
USUAL = 1e-3
"""The rate that Adam is mostly run at; the claim is judged by it, and what other rates reach is said."""
ABOUT_TEN = (5, 20)
"""Lags that count as about 10."""


def grid(quick: bool) -> list[Setting]:
    how = {"hidden": 32, "batch": 32, "steps": 400 if quick else 2000}
    starts, rates, lags = (
        (STARTS, RATES, LAGS) if not quick else (("default", "orthogonal"), (USUAL,), (5, 10, 20, 100))
    )
    return [{"start": start, "rate": rate, "lag": lag, **how} for start in starts for rate in rates for lag in lags]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    toy, length = find_toy("latch"), setting["lag"] + 1
    network = begin(setting["start"], setting["hidden"], seed)
    probe = max(length, 51)
    before = gradient_by_lag(network, toy, probe)
    settings = {name: setting[name] for name in ("batch", "rate", "steps")} | {"seed": seed}
    taught = teach(network, toy, length, settings, bench.report)
    return taught.result | {"before": before._asdict(), "after": gradient_by_lag(network, toy, probe)._asdict()}


def begin(start: str, hidden: int, seed: int) -> Reader:
    """An Elman network over one number a step, with two classes, begun in one of :data:`STARTS`."""
    torch.manual_seed(seed)
    layer = Recurrent(ELMAN_RELU if start == "relu identity" else ELMAN, 1, hidden)
    if start == "default":
        like_torch(layer)
    elif start == "identity":
        init.eye_(layer.cell_parameters()["U"])
    return Reader(layer, 2)


def table(runs: Sequence[Run]) -> Table:
    columns = ("start", "rate", "lag, steps", "solved", "accuracy", "gradient a step, before", "after", "updates")
    rows = []
    for (start, rate, lag), own in by(runs, "start", "rate", "lag").items():
        factors = [[run.result[when]["factor"] for run in own] for when in ("before", "after")]
        rows.append(
            (
                start,
                f"{rate:g}",
                str(lag),
                f"{_solved(own)} of {len(own)}",
                spread([run.result["score"] for run in own]),
                *(f"x {spread(one)}" for one in factors),
                spread([run.result["steps"] for run in own], 4),
            )
        )
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    made, (success, *others) = figure(3)
    for (start, every), style in zip(by(runs, "start").items(), styles(), strict=False):
        for rate, own in by(every, "rate").items():
            lags = by(own, "lag")
            how = {"label": STARTS[start]} if rate == USUAL else {"linestyle": ":", "alpha": 0.5, "linewidth": 1}
            success.plot(list(lags), [_solved(one) / len(one) for one in lags.values()], **style, **how)
        lags = by(by(every, "rate")[USUAL], "lag")
        longest = lags[max(lags)]
        for axes, when in zip(others, ("before", "after"), strict=True):
            for place, run in enumerate(longest):
                seen = run.result[when]
                axes.plot(seen["lags"], seen["share"], color=style["color"], label=start if not place else None)
    success.axvline(10, color="grey", linestyle=":", label="about 10 steps")
    success.set(
        xscale="log",
        xlabel="lag, steps",
        ylabel="share of seeds that learned it",
        title=f"Latching a bit, rate {USUAL:g} (dotted: others)",
    )
    number_ticks(success, list(by(runs, "lag")))
    success.set_ylim(-0.05, 1.05)
    success.legend(fontsize=7)
    for axes, when in zip(others, ("before", "after"), strict=True):
        axes.set(yscale="log", xlabel="lag, steps", ylabel="gradient norm, share of that at the loss")
        axes.set_title(f"Gradient through time {when} training, lag {max(by(runs, 'lag'))}")
        axes.set_ylim(1e-12, 1e4)
        axes.legend(fontsize=8)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    own = by(runs, "start", "rate")
    reaches = {which: _reach(some) for which, some in own.items()}
    factors = [run.result["before"]["factor"] for run in by(runs, "start")["default"]]
    fades = all(one < 0.99 for one in factors) or all(one > 1.01 for one in factors)
    reach, lags = reaches["default", USUAL], by(own["default", USUAL], "lag")
    others = ", ".join(f"{start} {rate:g}: {one}" for (start, rate), one in reaches.items())
    says = (
        f"the gradient of a default start changes {'exponentially' if fades else 'not steadily'}, by x "
        f"{spread(factors)} a step; at rate {USUAL:g} latching reaches lag {reach} of {max(lags)} (start, rate: reach; "
        f"{others})"
    )
    held = fades and ABOUT_TEN[0] <= reach <= ABOUT_TEN[1]
    return Verdict(held, says, fades and reach < max(lags) and _solved(lags[min(lags)]) > 0)


def _reach(runs: Sequence[Run]) -> int:
    """The longest lag up to which at least half of the seeds learned every lag; 0 if not even the shortest."""
    reach = 0
    for lag, own in sorted(by(runs, "lag").items()):
        if 2 * _solved(own) < len(own):
            break
        reach = lag
    return reach


def _solved(runs: Sequence[Run]) -> int:
    return sum(run.result["solved"] is not None for run in runs)


LATCH = Experiment(
    "L1",
    "a standard RNN's memory of the past exponentially decays or grows; usually it is limited to about 10 steps",
    "Bengio, Simard & Frasconi 1994, IEEE TNN 5(2); Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063",
    "a bit is to be latched over a lag among noise; Elman networks, begun in several ways; gradient by lag",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: 20 + setting["lag"],
    robust=True,
)
