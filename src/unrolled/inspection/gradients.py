"""Gradient through time: how much of what a step's loss says reaches the steps before it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.equations.observe import probed
from unrolled.errors import UsageError
from unrolled.layers.recast import recast
from unrolled.layers.recurrent import Recurrent

HORIZON = 0.01
"""The memory horizon is the lag at which a gradient has fallen to this share."""
Loss = Callable[[Tensor], Tensor]
"""From the layers' outputs for R copies of a sequence, (R, T, size), to a loss of every copy at every step, (R, T)."""


class Reached(NamedTuple):
    """The norms of the gradients of some steps' losses with respect to one state at all steps."""

    norms: Tensor
    """(R, T), float64: of the loss at step ``times[r]`` with respect to the state behind step t."""
    by_lag: Tensor
    """Their means over the losses by lag, (T,): lag k is k steps before the loss, or behind it in a reverse layer."""

    @property
    def horizon(self) -> int | None:
        """The first lag from which on the mean stays below a hundredth of its largest value; None if there is none."""
        means = self.by_lag[~self.by_lag.isnan()]
        if not means.numel() or not float(means.max()):
            return None
        above = (means > HORIZON * means.max()).nonzero()
        last = int(above.max())
        return last + 1 if last + 1 < means.numel() else None


def gradients_through_time(
    layer: Recurrent,
    x: Tensor,
    times: Sequence[int],
    loss: Loss,
    state: Mapping[str, Tensor] | None = None,
) -> dict[str, Reached]:
    """The gradients of the losses at some steps with respect to every state at every step.

    Args:
        layer: The layers; they run as their mode says.
        x: One sequence, (1, T, D).
        times: The steps whose losses are looked at, from 0 on.
        loss: What the outputs cost. Its value at a step may depend on the outputs at all steps.
        state: What the sequence begins from.

    Returns:
        By layer, direction and state: ``"0.forward.c"``. The gradient is that of the whole network above and behind,
        all ways counted.

    Raises:
        UsageError: x is no single sequence, or a step lies outside of it.
    """
    if x.dim() != 3 or x.shape[0] != 1:
        raise UsageError(f"gradients through time want one sequence (1, T, D), and x is {tuple(x.shape)}.")
    steps, count = x.shape[1], len(times)
    for time in times:
        if not 0 <= time < steps:
            raise UsageError(f"a step lies from 0 to {steps - 1}, and {time} is asked for.")
    cell, names = probed(layer.cell)
    network = recast(layer, cell)
    probes, places = {}, {}
    for index in range(layer.num_layers):
        for direction in layer.directions:
            sizes = layer.one(index, direction).state_sizes
            for name, probe in names.items():
                place = f"{index}.{direction}"
                zeros = torch.zeros(count, steps, sizes[name], dtype=x.dtype, device=x.device, requires_grad=True)
                probes[f"{place}.{probe}"], places[f"{place}.{probe}"] = zeros, f"{place}.{name}"
    begin = None if state is None else {name: value.detach().repeat(count, 1) for name, value in state.items()}
    with torch.enable_grad():
        outputs = network(x.detach().repeat(count, 1, 1), begin, noise=probes).outputs
        losses = loss(outputs)
        if tuple(losses.shape) != (count, steps):
            raise UsageError(f"a loss of every copy and step is ({count}, {steps}), and is {tuple(losses.shape)}.")
        at = torch.tensor(times, device=x.device).unsqueeze(1)
        total = losses.gather(1, at).sum()
    found = torch.autograd.grad(total, list(probes.values()), allow_unused=True)
    reached = {}
    for (probe, zeros), gradient in zip(probes.items(), found, strict=True):
        value = torch.zeros_like(zeros) if gradient is None else gradient
        norms = value.detach().double().norm(dim=-1)  # (R, T)
        reached[places[probe]] = Reached(norms, _by_lag(norms, times, "reverse" in places[probe].split(".")[1]))
    return reached


def _by_lag(norms: Tensor, times: Sequence[int], backwards: bool) -> Tensor:
    """Means over rows by how far a step lies before the loss's (behind it, ``backwards``); NaN where no row goes."""
    steps = norms.shape[1]
    lined = torch.full_like(norms, torch.nan)
    for row, time in enumerate(times):
        reach = norms[row, time:] if backwards else norms[row, : time + 1].flip(0)
        lined[row, : len(reach)] = reach
    return lined.nanmean(0)[:steps]
