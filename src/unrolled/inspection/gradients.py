"""Gradient through time: how much of what a step's loss says reaches the steps before it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.equations.observe import probed
from unrolled.errors import UsageError
from unrolled.layers.recast import recast
from unrolled.layers.recurrent import Recurred, Recurrent

HORIZON = 0.01
"""The memory horizon is the lag at which a gradient has fallen to this share."""
Loss = Callable[[Tensor], Tensor]
"""From the layers' outputs for R copies of a sequence, (R, T, size), to a loss of every copy at every step, (R, T)."""
WholeLoss = Callable[[Recurred], Tensor]
"""From all that the layers give for one sequence to its one loss, a number."""
TOGETHER = 1 << 24
"""Numbers of states at most that are followed back together; more losses are taken in turn."""


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
    _check_one(x)
    steps = x.shape[1]
    for time in times:
        if not 0 <= time < steps:
            raise UsageError(f"a step lies from 0 to {steps - 1}, and {time} is asked for.")
    rows = max(1, TOGETHER // max(1, steps * sum(layer.hidden_sizes) * len(layer.directions)))
    parts = dict[str, list[Tensor]]()
    for start in range(0, len(times), rows):
        some = times[start : start + rows]

        def chosen(recurred: Recurred, some: Sequence[int] = some) -> Tensor:
            losses = loss(_plain(recurred))
            if tuple(losses.shape) != (len(some), steps):
                wanted = f"({len(some)}, {steps})"
                raise UsageError(f"a loss of every copy and step is {wanted}, and is {tuple(losses.shape)}.")
            return losses.gather(1, torch.tensor(some, device=x.device).unsqueeze(1)).sum()

        for place, norms in _norms(layer, x, len(some), chosen, state).items():
            parts.setdefault(place, []).append(norms)
    together = {place: torch.cat(norms) for place, norms in parts.items()}
    return {place: Reached(norms, _by_lag(norms, times, _backwards(place))) for place, norms in together.items()}


def gradients_of_whole(
    layer: Recurrent, x: Tensor, loss: WholeLoss, state: Mapping[str, Tensor] | None = None
) -> dict[str, Reached]:
    """The gradient of the one loss of a sequence with respect to every state at every step; see above.

    Lags are counted from the last step, in a reverse layer from the first: from where each direction ends.
    """
    _check_one(x)
    steps = x.shape[1]
    norms = _norms(layer, x, 1, loss, state) if steps else {}
    ends = {place: [0 if _backwards(place) else steps - 1] for place in norms}
    return {place: Reached(one, _by_lag(one, ends[place], _backwards(place))) for place, one in norms.items()}


def _norms(
    layer: Recurrent, x: Tensor, copies: int, loss: WholeLoss, state: Mapping[str, Tensor] | None
) -> dict[str, Tensor]:
    """The norms of the gradients of the loss of so many copies of a sequence, (copies, T), by place."""
    cell, names = probed(layer.cell)
    network = recast(layer, cell)
    probes, places = {}, {}
    for index in range(layer.num_layers):
        for direction in layer.directions:
            sizes = layer.one(index, direction).state_sizes
            for name, probe in names.items():
                place = f"{index}.{direction}"
                zeros = torch.zeros(copies, x.shape[1], sizes[name], dtype=x.dtype, device=x.device, requires_grad=True)
                probes[f"{place}.{probe}"], places[f"{place}.{probe}"] = zeros, f"{place}.{name}"
    if not probes:  # a cell without a state hands nothing on
        return {}
    begin = None if state is None else {name: value.detach().repeat(copies, 1) for name, value in state.items()}
    with torch.enable_grad():
        total = loss(network(x.detach().repeat(copies, 1, 1), begin, noise=probes))
    found = torch.autograd.grad(total, list(probes.values()), allow_unused=True)
    norms = {}
    for (probe, zeros), gradient in zip(probes.items(), found, strict=True):
        value = torch.zeros_like(zeros) if gradient is None else gradient
        norms[places[probe]] = value.detach().double().norm(dim=-1)  # (copies, T)
    return norms


def _check_one(x: Tensor) -> None:
    if x.dim() != 3 or x.shape[0] != 1:
        raise UsageError(f"gradients through time want one sequence (1, T, D), and x is {tuple(x.shape)}.")


def _plain(recurred: Recurred) -> Tensor:
    assert isinstance(recurred.outputs, Tensor)
    return recurred.outputs


def _backwards(place: str) -> bool:
    return place.split(".")[1] == "reverse"


def _by_lag(norms: Tensor, times: Sequence[int], backwards: bool) -> Tensor:
    """Means over rows by how far a step lies before the loss's (behind it, ``backwards``); NaN where no row goes."""
    steps = norms.shape[1]
    lined = torch.full_like(norms, torch.nan)
    for row, time in enumerate(times):
        reach = norms[row, time:] if backwards else norms[row, : time + 1].flip(0)
        lined[row, : len(reach)] = reach
    return lined.nanmean(0)[:steps]
