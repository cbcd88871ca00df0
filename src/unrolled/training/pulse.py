"""The pulse of a run: gradients by lag, saturated gates and how far updates go, now and then, at a bounded cost."""

import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from unrolled.equations.lower import lower
from unrolled.inspection.examine import spread
from unrolled.inspection.gradients import Reached, gradients_through_time
from unrolled.inspection.quantities import behaviour, bounded_by
from unrolled.layers.recast import recast
from unrolled.layers.recurrent import Recurrent

LAGS = (1, 4, 16, 64, 256)
"""How many steps back gradients are told."""
COPIES = 4
"""Steps whose gradients are followed back, at most."""
OP_SECONDS = 3e-5
"""What an op of a step may take in a look that is still to come, before one was made."""
COLUMNS = ("clipped", "update_ratio", "saturated", "horizon", *(f"gradient_{lag}" for lag in LAGS))
"""What a row of history has of it: the share of updates whose gradient was clipped, and at the last look how large the
update was beside the matrices, the largest share of a quantity's values near its ends, the longest memory horizon, and
which share of the gradient is left so many steps back, the mean over layers, directions and states."""
_ARGUMENTS = inspect.signature(Recurrent.forward)


@dataclass
class Seen:
    """One row of what recurrent layers read in an update, and what came back to them."""

    layer: Recurrent
    x: Tensor
    """(1, T, D)"""
    state: dict[str, Tensor] | None
    arrived: Tensor | None = None
    """The gradient of the loss with respect to the outputs, (T, size)."""

    def cost(self) -> int:
        """Ops that a look takes."""
        ops = len(lower(self.layer.cell.statements)) * self.layer.num_layers * len(self.layer.directions)
        return ops * self.x.shape[1]


class Pulse:
    """Looks into the recurrent layers of a network that is trained. A look draws no random number and changes none.

    The plain loop computes it, so that no code is compiled for it, over one row of an update. A gradient is that of
    what reaches the layers' outputs at a step: in a network that looks back at all steps at once, as attention does,
    the way back through the layers is seen, and the others are not.

    Args:
        network: What is trained.
        share: Of the time, how much looks may take; at 1 every look that is asked for is made.
    """

    def __init__(self, network: nn.Module, share: float) -> None:
        self.network, self.share = network, share
        self.layers = {
            name: one for name, one in network.named_modules() if isinstance(one, Recurrent) and one.cell.states
        }
        self.begun, self.spent, self.op_seconds = time.perf_counter(), 0.0, OP_SECONDS

    def affords(self, ops: int) -> bool:
        """Whether a look of so many ops fits into the share."""
        spent = self.spent + ops * self.op_seconds
        return self.share == 1 or spent <= self.share * (time.perf_counter() - self.begun)

    @contextmanager
    def watching(self, wanted: bool) -> Iterator[dict[str, Seen]]:
        """Keep what the layers read in an update, forward and backward, if a look is wanted and time is left for it."""
        seen, handles = dict[str, Seen](), list[RemovableHandle]()
        if wanted and self.share and self.affords(0):
            handles = [
                layer.register_forward_hook(_keeper(name, seen), with_kwargs=True)
                for name, layer in self.layers.items()
            ]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()

    def look(self, seen: Mapping[str, Seen], update: Callable[[], object]) -> dict[str, float] | None:
        """Make the update, and look at the layers before it and at the weights around it; None where none is due.

        Returns:
            Numbers by the names under which TensorBoard shows them, such as ``gradient/0.forward.c/4``.
        """
        seen = {name: one for name, one in seen.items() if one.arrived is not None}
        ops = sum(one.cost() for one in seen.values())
        if not seen or not self.affords(ops):
            update()
            return None
        begun = time.perf_counter()
        found = dict[str, float]()
        for name, one in seen.items():
            found |= _inside(one, f"{name}." if len(self.layers) > 1 else "")
        matrices = {name: one for name, one in self.network.named_parameters() if one.dim() > 1 and one.requires_grad}
        before = {name: one.detach().clone() for name, one in matrices.items()}
        middle = time.perf_counter()
        update()
        updated = time.perf_counter()
        for name, one in matrices.items():
            length = float(before[name].norm())
            if length:
                found[f"update/{name}"] = float((one.detach() - before[name]).norm()) / length
        taken = middle - begun + time.perf_counter() - updated
        self.spent += taken
        self.op_seconds = taken / max(1, ops)
        return found


def columns(found: Mapping[str, float] | None) -> dict[str, float | None]:
    """The columns of a row of history, but for ``clipped``, from what a look gave; None for what it did not see."""
    given = found or {}

    def of(start: str, end: str = "") -> list[float]:
        return [value for name, value in given.items() if name.startswith(f"{start}/") and name.endswith(end)]

    told = {
        "update_ratio": median(of("update")) if of("update") else None,
        "saturated": max(of("saturated"), default=None),
        "horizon": max(of("horizon"), default=None),
    }
    by_lag = {lag: of("gradient", f"/{lag}") for lag in LAGS}
    return told | {f"gradient_{lag}": sum(values) / len(values) if values else None for lag, values in by_lag.items()}


def _keeper(name: str, seen: dict[str, Seen]) -> Callable[..., None]:
    """A hook that keeps one row of what layers are given, and the gradient that their outputs get."""

    def keep(layer: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], found: Any) -> None:
        given = _ARGUMENTS.bind(layer, *arguments, **named).arguments
        x, lengths = given["x"], given.get("lengths")
        outputs = found.outputs
        if not isinstance(x, Tensor) or not outputs.requires_grad or given.get("reset") is not None:
            return
        row = 0 if lengths is None else int(lengths.argmax())
        count = x.shape[1] if lengths is None else int(lengths[row])
        state = given.get("state")
        begin = None if state is None else {one: value[row : row + 1].detach() for one, value in state.items()}
        assert isinstance(layer, Recurrent)
        own = Seen(layer, x[row : row + 1, :count].detach(), begin)

        def arrive(gradient: Tensor) -> None:
            own.arrived = gradient[row, :count].detach()
            seen[name] = own

        if count > 1:
            outputs.register_hook(arrive)

    return keep


def _inside(seen: Seen, name: str) -> dict[str, float]:
    """What one row says of its layers."""
    kind = next(seen.layer.parameters()).dtype
    x, arrived = seen.x.to(kind), seen.arrived
    assert arrived is not None
    state = None if seen.state is None else {one: value.to(kind) for one, value in seen.state.items()}
    layer, found = recast(seen.layer, seen.layer.cell), dict[str, float]()
    layer.backend = "loop"
    layer.eval()
    functions = bounded_by(layer.cell)
    if functions:
        with torch.no_grad():
            recorded = layer(x, state, record=list(functions)).recorded
        for place, values in recorded.items():
            share = behaviour(values[0], functions[place.rpartition(".")[2]]).saturated
            if share is not None:
                found[f"saturated/{name}{place}"] = share
    reached = arrived.to(kind)
    alive = reached.norm(dim=-1).nonzero().flatten().tolist()
    if alive:
        times = [alive[place] for place in spread(len(alive), COPIES)]
        ways = gradients_through_time(layer, x, times, lambda outputs: (outputs * reached).sum(-1), state)
        for place, one in ways.items():
            found |= _by_lag(one, f"{name}{place}")
    return found


def _by_lag(one: Reached, place: str) -> dict[str, float]:
    """The gradient at some lags as a share of that at the loss, its growth, and the memory horizon."""
    lags = one.by_lag[~one.by_lag.isnan()]
    base = float(lags[0]) if len(lags) else 0.0
    if not base:
        return {}
    found = {f"gradient/{place}/{lag}": float(lags[lag]) / base for lag in LAGS if lag < len(lags)}
    found[f"growth/{place}"] = float(lags.max()) / base
    found[f"horizon/{place}"] = float(len(lags) if one.horizon is None else one.horizon)
    found[f"sight/{place}"] = float(len(lags))
    return found


def lately(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The medians of what the looks of the last third of a run gave, by name; of the last look where it has fewer."""
    looks = [row["inside"] for row in rows if row.get("inside")]
    late = looks[-max(1, len(looks) // 3) :]
    return {name: median(one[name] for one in late if name in one) for name in (late[-1] if late else ())}
