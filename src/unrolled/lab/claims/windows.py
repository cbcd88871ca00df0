"""L9: networks on a fixed window against recurrent ones as the context that is needed grows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unrolled.data.toys.table import find_toy
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, number_ticks, styles
from unrolled.lab.measure import spread
from unrolled.lab.toys import Reader, teach
from unrolled.layers.recurrent import Recurrent

TOY = "temporal-order-2"
WINDOW = 33
"""Steps that the networks on a window see; a convolution of four layers of kernels of 9 sees as many."""
KERNEL, PLAIN, DILATED = 9, (1, 1, 1, 1), (1, 2, 4, 8)


class Net(NamedTuple):
    """A network of the comparison."""

    kind: str
    sees: int | None
    """Steps that it can look back, the present one among them; None for all."""


def _field(dilations: Sequence[int]) -> int:
    return 1 + (KERNEL - 1) * sum(dilations)


NETS: Mapping[str, Net] = {
    "window MLP": Net("window", WINDOW),
    "causal CNN": Net("convolution", _field(PLAIN)),
    "dilated CNN": Net("dilated", _field(DILATED)),
    "LSTM, chrono": Net("lstm", None),
}


class Window(nn.Module):
    """At each step two layers over the last ``steps`` inputs, zeros before the first: (N, T, D) to (N, T, K)."""

    def __init__(self, inputs: int, hidden: int, outputs: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.layers = nn.Sequential(nn.Linear(steps * inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, x: Tensor) -> Tensor:
        seen = pad(x, (0, 0, self.steps - 1, 0)).unfold(1, self.steps, 1)  # (N, T, D, steps)
        return self.layers(seen.flatten(2))


class Convolution(nn.Module):
    """Causal convolutions one above the other, and a linear map: (N, T, D) to (N, T, K)."""

    def __init__(self, inputs: int, hidden: int, outputs: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.dilations = tuple(dilations)
        widths = [inputs, *[hidden] * len(self.dilations)]
        self.layers = nn.ModuleList(
            nn.Conv1d(below, hidden, KERNEL, dilation=one) for below, one in zip(widths, self.dilations, strict=False)
        )
        self.readout = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        values = x.mT  # (N, D, T)
        for layer, dilation in zip(self.layers, self.dilations, strict=True):
            values = torch.relu(layer(pad(values, (dilation * (KERNEL - 1), 0))))
        return self.readout(values.mT)


def grid(quick: bool) -> list[Setting]:
    lengths = (20, 80) if quick else (10, 20, 40, 80, 160, 320)
    how = {"parameters": 8000, "batch": 32, "rate": 5e-3, "steps": 300 if quick else 3000}
    return [{"net": net, "length": length, **how} for length in lengths for net in NETS]


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    toy, length = find_toy(TOY), setting["length"]
    torch.manual_seed(seed)
    network = build(NETS[setting["net"]], toy.inputs, toy.outputs, setting["parameters"], length)
    settings = {name: setting[name] for name in ("batch", "rate", "steps")} | {"seed": seed}
    taught = teach(network, toy, length, settings, bench.report)
    return taught.result | {"parameters": sum(one.numel() for one in network.parameters())}


def build(net: Net, inputs: int, outputs: int, parameters: int, length: int) -> nn.Module:
    """A network of the largest width whose parameters are no more than so many."""

    def of(hidden: int) -> nn.Module:
        if net.kind == "window":
            return Window(inputs, hidden, outputs, WINDOW)
        if net.kind == "lstm":
            return Reader(Recurrent("lstm", inputs, hidden, chrono=max(3, length)), outputs)
        return Convolution(inputs, hidden, outputs, DILATED if net.kind == "dilated" else PLAIN)

    hidden = 1
    while sum(one.numel() for one in of(hidden + 1).parameters()) <= parameters:
        hidden += 1
    return of(hidden)


def table(runs: Sequence[Run]) -> Table:
    columns = ("T, steps", "network", "sees, steps", "parameters", "solved", "accuracy", "without memory")
    rows = []
    trivial = find_toy(TOY).trivial
    for (length, net), own in by(runs, "length", "net").items():
        sees = NETS[net].sees
        rows.append(
            (
                str(length),
                net,
                "all" if sees is None else str(sees),
                str(own[0].result["parameters"]),
                f"{sum(run.result['solved'] is not None for run in own)} of {len(own)}",
                spread([run.result["score"] for run in own]),
                f"{trivial(length):.2f}",
            )
        )
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    made, (axes,) = figure(width=8.0, height=4.8)
    for (net, own), style in zip(by(runs, "net").items(), styles(), strict=False):
        lengths = by(own, "length")
        scores = [sum(run.result["score"] for run in some) / len(some) for some in lengths.values()]
        sees = NETS[net].sees
        axes.plot(list(lengths), scores, label=f"{net} (sees {'all' if sees is None else sees} steps)", **style)
        if sees is not None and sees < max(lengths):
            axes.axvline(sees, color=style["color"], linestyle=":", linewidth=1)
    axes.axhline(find_toy(TOY).trivial(10), color="grey", linestyle=":", label="without memory")
    axes.set(xscale="log", xlabel="length of the sequence, steps", ylabel="accuracy, mean of seeds")
    number_ticks(axes, list(by(runs, "length")))
    axes.set_title("Which of two symbols stood first and second, at places unknown")
    axes.legend(fontsize=9)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    longest = max(by(runs, "length"))
    scores = {net: [run.result["score"] for run in own] for net, own in by(by(runs, "length")[longest], "net").items()}
    told = ", ".join(f"{net} {spread(own)}" for net, own in scores.items())
    fixed = max(max(own) for net, own in scores.items() if (NETS[net].sees or longest) < longest)
    return Verdict(min(scores["LSTM, chrono"]) > fixed, f"accuracy at T = {longest}: {told}")


WINDOWS = Experiment(
    "L9",
    "a feed-forward or convolutional network on a fixed window is not suited where the prediction depends on all input",
    "Elman 1990; against it: Bai, Kolter & Koltun 2018, arXiv:1803.01271, on dilated convolutions",
    "temporal order over growing lengths; a window MLP, causal CNNs plain and dilated, an LSTM, of equal parameters",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: setting["length"] * {"window MLP": 1, "causal CNN": 4}.get(setting["net"], 4),
    seeds=(5, 1),
)
