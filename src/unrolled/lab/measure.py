"""Measures that several experiments share: the gradient by lag and its change a step, and what seeds say together."""

import copy
import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.data.toys.toy import Toy
from unrolled.inspection.gradients import gradients_through_time
from unrolled.lab.toys import Reader

SEQUENCES = 4
"""Sequences that a gradient by lag is the mean of."""


class ByLag(NamedTuple):
    """How much of a loss's gradient reaches the state so many steps before."""

    lags: list[int]
    share: list[float]
    """Of the norm at the loss itself."""
    factor: float
    """How the norm changes a step, by a straight line through its logarithm: below 1 it decays, above it grows."""
    horizon: int | None
    """The lag from which on it stays below a hundredth of its largest value, if it does within the sequence."""


def gradient_by_lag(network: Reader, toy: Toy, length: int, state: str = "h") -> ByLag:
    """The gradient of the last step's loss with respect to a state of the first layer, by lag; in double precision."""
    network = copy.deepcopy(network).double().eval()
    batch = toy.batch(SEQUENCES, length, 7)
    norms = torch.zeros(length, dtype=torch.float64)
    for x, targets in zip(batch.x.double(), batch.targets, strict=True):

        def loss(outputs: Tensor, targets: Tensor = targets) -> Tensor:
            found = network.readout(outputs)  # (R, T, K)
            if toy.kind == "class":
                return torch.nn.functional.cross_entropy(found.mT, targets.expand(len(found), -1), reduction="none")
            return (found - targets.double()).square().mean(-1)

        reached = gradients_through_time(network.recurrent, x.unsqueeze(0), [length - 1], loss)
        one = reached[f"0.forward.{state}"]
        norms += one.by_lag / one.by_lag[0].clamp(min=1e-300)
    return of_norms((norms / SEQUENCES).tolist())


def of_norms(norms: Sequence[float]) -> ByLag:
    """What norms by lag, from lag 0 on, say; lags are thinned out to those that a figure shows."""
    top = max(norms, default=0.0)
    if not top or not math.isfinite(top):
        return ByLag([], [], math.nan, None)
    share = [one / (norms[0] or top) for one in norms]
    seen = [lag for lag, one in enumerate(norms) if one > 1e-250]
    above = [lag for lag, one in enumerate(norms) if one > 0.01 * top]
    horizon = above[-1] + 1 if above[-1] + 1 < len(norms) else None
    steps = {round(1.25**power) for power in range(60)}
    lags = [lag for lag in range(len(norms)) if lag in steps or lag in (0, len(norms) - 1)]
    return ByLag(lags, [share[lag] for lag in lags], _factor(seen, [math.log(norms[lag]) for lag in seen]), horizon)


def _factor(lags: Sequence[int], logarithms: Sequence[float]) -> float:
    """exp of the slope of the least squares line."""
    if len(lags) < 2:
        return 0.0
    middle, level = fmean(lags), fmean(logarithms)
    products = sum((lag - middle) * (one - level) for lag, one in zip(lags, logarithms, strict=True))
    return math.exp(products / sum((lag - middle) ** 2 for lag in lags))


def spread(values: Sequence[float], digits: int = 3) -> str:
    """``0.123 ± 0.004``: mean and standard deviation over seeds; where some gave no finite number, of how many."""
    finite = [one for one in values if math.isfinite(one)]
    deviation = stdev(finite) if len(finite) > 1 else 0.0
    middle = f"{fmean(finite):.{digits}g}" if finite else "none"
    part = f" ({len(finite)} of {len(values)})" if 0 < len(finite) < len(values) else ""
    return (f"{middle} ± {deviation:.1g}" if deviation else middle) + part
