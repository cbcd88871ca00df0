"""L3: what the gradient meets on its way from an LSTM's c_t to c_(t-1), with the gates held, and with them moving."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.data.toys.table import find_toy
from unrolled.engine.scan import scan
from unrolled.inspection.jacobian import direct_path, steps_of
from unrolled.inspection.quantities import quantities
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, styles
from unrolled.lab.measure import spread
from unrolled.lab.toys import Reader, teach
from unrolled.layers.recurrent import Recurrent

EQUAL = 1e-10
"""How far apart, as a share, two computations in double precision of the same number may be."""
CELLS = ("lstm", "lstm_coupled", "lstm_peephole")


def grid(quick: bool) -> list[Setting]:
    how = {"toy": "adding", "length": 50, "hidden": 16, "batch": 16, "rate": 1e-2, "steps": 100 if quick else 1000}
    return [
        {"cell": cell, "weights": weights, **how}
        for cell in CELLS
        for weights in ("untrained", "trained", "trained, U = 0")
        if not (quick and cell != "lstm")
    ]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    toy, length = find_toy(setting["toy"]), setting["length"]
    torch.manual_seed(seed)
    network = Reader(Recurrent(setting["cell"], toy.inputs, setting["hidden"]), toy.outputs)
    if setting["weights"] != "untrained":
        settings = {name: setting[name] for name in ("batch", "rate", "steps")} | {"seed": seed}
        teach(network, toy, length, settings, bench.report, until_solved=False)
    layer = network.recurrent.double().eval()
    if setting["weights"] == "trained, U = 0":
        _cut(layer)
    x = toy.batch(1, length, seed).x.double()
    return compared(layer, x)


@torch.no_grad()
def _cut(layer: Recurrent) -> None:
    """Take every recurrent weight away, so that no gate looks at the past."""
    shapes = layer.one(0, "forward").shapes
    for name, value in layer.cell_parameters().items():
        if shapes[name].recurrent:
            value.zero_()


def compared(layer: Recurrent, x: Tensor) -> Result:
    """Over one sequence (1, T, D), by lag: the product of forget gates, the direct path, and the whole gradient.

    The direct path is the derivative of the line of c by c alone, gates held, as autograd finds it; the whole one is
    d c_T / d c_(T - k) through every way, by autograd through the loop, of which the diagonal is comparable.
    """
    recorded, begin = quantities(layer, x), layer.initial_state(1)
    gates = recorded["0.forward.f"][0]  # (T, H)
    kept = direct_path(layer.cell, layer.cell_parameters(), steps_of(layer, x, recorded, 0, "forward", begin))["c"]
    products, direct = gates.flip(0).cumprod(0), kept.flip(0).cumprod(0)  # row k: over the last k + 1 steps
    apart = float(((direct - products).abs() / products).max())
    states = {
        name: torch.cat([begin[f"0.forward.{name}"], recorded[f"0.forward.{name}"][0]]) for name in layer.cell.states
    }
    lags = [lag for lag in (1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 50) if lag <= x.shape[1]]
    whole = [_jacobian(layer, x, states, lag) for lag in lags]  # (H, H) each
    cut = [float((one - torch.diag(products[lag - 1])).abs().max()) for lag, one in zip(lags, whole, strict=True)]
    return {
        "apart": apart,
        "whole_apart": max(cut),
        "lags": lags,
        "product": [float(products[lag - 1].norm()) for lag in lags],
        "direct": [float(direct[lag - 1].norm()) for lag in lags],
        "whole": [float(one.norm()) for one in whole],
    }


def _jacobian(layer: Recurrent, x: Tensor, states: dict[str, Tensor], lag: int) -> Tensor:
    """d c_T / d c_(T - lag) through every way, (H, H): row u is the gradient of unit u at the end."""
    place, hidden = x.shape[1] - lag, layer.hidden_sizes[0]
    start = {name: value[place].detach().repeat(hidden, 1).requires_grad_() for name, value in states.items()}
    with torch.enable_grad():
        run = scan(layer.cell, layer.cell_parameters(), x[:, place:].repeat(hidden, 1, 1), start, backend="loop")
        (found,) = torch.autograd.grad(run.state["c"].diagonal().sum(), start["c"])
    return found


def table(runs: Sequence[Run]) -> Table:
    columns = ("cell", "weights", "direct path and product of f apart by", "whole gradient and product apart by")
    columns += ("whole over product, lag 10", "lag 40")
    rows = []
    for (cell, weights), own in by(runs, "cell", "weights").items():
        worst = [max(run.result[name] for run in own) for name in ("apart", "whole_apart")]
        ratios = [[_ratio(run, lag) for run in own] for lag in (10, 40)]
        rows.append((cell, weights, *(f"{one:.1e}" for one in worst), *(spread(one) for one in ratios)))
    return Table(columns, rows)


def _ratio(run: Run, lag: int) -> float:
    """The norm of the whole gradient over that of the product of forget gates, at a lag."""
    place = run.result["lags"].index(lag)
    return run.result["whole"][place] / run.result["product"][place]


def draw(runs: Sequence[Run]) -> Any:
    panels = by(runs, "cell", "weights")
    made, every = figure(3, len(panels) // 3, width=4.6, height=3.8)
    for axes, ((cell, weights), own) in zip(every, panels.items(), strict=True):
        found = own[0].result
        for (name, label), style in zip(
            (
                ("product", "product of forget gates"),
                ("direct", "direct path, by autograd"),
                ("whole", "whole gradient"),
            ),
            styles(),
            strict=False,
        ):
            width = {"linewidth": 4, "alpha": 0.4} if name == "product" else {}
            axes.plot(found["lags"], found[name], label=label, **style, **width)
        axes.set(yscale="log", xlabel="lag k, steps", ylabel="norm of d c_T / d c_(T-k)", title=f"{cell}, {weights}")
        axes.legend(fontsize=8)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    plain = [run for run in runs if run.setting["cell"] == "lstm"]
    apart = max(run.result["apart"] for run in plain)
    cut = max(run.result["whole_apart"] for run in plain if run.setting["weights"] == "trained, U = 0")
    ratios = [_ratio(run, 40) for run in plain if run.setting["weights"] == "trained"]
    held = apart <= EQUAL and cut <= EQUAL
    says = (
        f"with the gates held the gradient is the product of forget gates to {apart:.0e}, and so is the whole one "
        f"where U = 0, to {cut:.0e}; through the gates of a trained net other ways add: over 40 steps the whole is "
        f"{spread(ratios)} times the product"
    )
    return Verdict(held, says, held)


GATES = Experiment(
    "L3",
    "from c_t to c_(t-1) the gradient meets only the forget gate",
    "Gers, Schmidhuber & Cummins 2000, Learning to forget; the lecture's picture of the LSTM's cell state",
    "d c_T / d c_(T-k) in double precision: along the direct path, gates held, and through every way, by autograd",
    grid,
    make,
    table,
    draw,
    judge,
    seeds=(5, 2),
    robust=True,
)
