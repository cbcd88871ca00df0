"""Unit search: which unit follows a pattern over the steps, and at which other steps a state was much the same."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from unrolled.errors import UsageError
from unrolled.inspection.quantities import quantities
from unrolled.layers.recurrent import Recurrent

WINDOW = 1024
"""Steps whose quantities are held at a time."""
CHUNK = 1 << 22
"""Numbers that are sorted at a time."""
Windows = Callable[[], Iterable[Mapping[str, Tensor]]]
"""Gives all quantities over time, window after window, (t, units) by layer, direction and name; twice the same."""


@dataclass(frozen=True)
class Following:
    """A unit, and how it follows a pattern."""

    where: str
    """Layer, direction and quantity: ``"0.forward.c"``."""
    unit: int
    correlation: float
    """Pearson's, over all steps."""
    f1: float | None
    """Of calling a step 1 by the best threshold; None where the pattern is no yes or no."""
    threshold: float | None
    above: bool | None
    """Whether a step is called 1 where the value is at least the threshold, or at most."""

    def row(self) -> dict[str, object]:
        """As JSON-able names and values."""
        return asdict(self)


class Thresholds(NamedTuple):
    """The best threshold of each unit, (units,)."""

    f1: Tensor
    threshold: Tensor
    above: Tensor


def windows(
    layer: Recurrent, x: Tensor, state: Mapping[str, Tensor] | None = None, size: int = WINDOW
) -> Iterator[dict[str, Tensor]]:
    """Every quantity over one sequence x (1, T, D), a window at a time, the state carried from each to the next.

    Layers that read in both directions are read in one window.
    """
    size = size if len(layer.directions) == 1 else max(1, x.shape[1])
    for begin in range(0, x.shape[1], size):
        seen = quantities(layer, x[:, begin : begin + size], state)
        names = [f"{index}.forward.{name}" for index in range(layer.num_layers) for name in layer.cell.states]
        state = {name: seen[name][:, -1] for name in names}
        yield {name: values[0] for name, values in seen.items()}


def values_of(seen: Iterable[Mapping[str, Tensor]], where: str) -> Tensor:
    """One quantity over all windows, (T, units). Raises UsageError where there is none of that name."""
    parts = []
    for window in seen:
        if where not in window:
            raise UsageError(f"there is no quantity '{where}' here; there are {', '.join(window)}.")
        parts.append(window[where])
    return torch.cat(parts)


def search(seen: Windows, pattern: Tensor | NDArray[Any], most: int = 10) -> list[Following]:
    """The units whose values go with a pattern most closely, by the size of their correlation.

    Args:
        seen: The quantities; they are read twice, so that a long sequence need not be held whole.
        pattern: What is followed, (T,): 0 or 1 at each step, or any numbers, for which there is no F1.
        most: How many units to tell of.

    Raises:
        UsageError: the pattern has not a number for each step, or never changes.
    """
    pattern = torch.as_tensor(pattern).double()
    if not pattern.numel() or bool((pattern == pattern[0]).all()):
        raise UsageError("the pattern never changes over these steps: no unit can follow it.")
    by_place = correlations(seen, pattern)
    flat = torch.cat([one.abs() for one in by_place.values()])
    units = [(where, unit) for where, one in by_place.items() for unit in range(len(one))]
    chosen = [units[place] for place in flat.sort(descending=True, stable=True).indices[:most].tolist()]
    found = [Following(where, unit, float(by_place[where][unit]), None, None, None) for where, unit in chosen]
    if not bool(((pattern == 0) | (pattern == 1)).all()):
        return found
    columns = torch.cat([torch.stack([window[where][:, unit] for where, unit in chosen], 1) for window in seen()])
    best = best_thresholds(columns, pattern.bool())
    cuts = zip(found, best.f1.tolist(), best.threshold.tolist(), best.above.tolist(), strict=True)
    return [replace(one, f1=f1, threshold=threshold, above=above) for one, f1, threshold, above in cuts]


def correlations(seen: Windows, pattern: Tensor) -> dict[str, Tensor]:
    """Pearson's correlation of each unit with a pattern (T,), (units,) by quantity; 0 for units that never move."""
    centred, place = pattern.double() - pattern.double().mean(), 0
    shifts, sums, squares, products = ({}, {}, {}, {})
    lows, highs = dict[str, Tensor](), dict[str, Tensor]()
    for window in seen():
        count = len(next(iter(window.values())))
        own = centred[place : place + count]
        if len(own) < count:
            break
        place += count
        for where, values in window.items():
            shift = shifts.setdefault(where, values.double().mean(0))  # for the rounding of what follows
            numbers = values.double() - shift
            low, high = values.amin(0), values.amax(0)
            lows[where] = torch.minimum(lows.get(where, low), low)
            highs[where] = torch.maximum(highs.get(where, high), high)
            sums[where] = sums.get(where, 0.0) + numbers.sum(0)
            squares[where] = squares.get(where, 0.0) + numbers.square().sum(0)
            products[where] = products.get(where, 0.0) + own.to(numbers.device) @ numbers
    if place != len(pattern):
        raise UsageError(f"a pattern has a number for each step, and has {len(pattern)} for others than there are.")
    length = centred.norm()
    found = {}
    for where, square in squares.items():
        spread = (square - sums[where].square() / place).clamp(min=0).sqrt()
        moves = (highs[where] > lows[where]) & (spread > 0)
        found[where] = torch.where(moves, products[where] / (length * spread), 0.0).clamp(-1.0, 1.0)
    return found


def best_thresholds(values: Tensor, pattern: Tensor) -> Thresholds:
    """For each unit the threshold whose F1 is highest, over values (T, units) and a pattern (T,) of truth values.

    Exact: every cut between two different values is tried, from above and from below, and equal values stay together.
    """
    found = []
    for part in values.split(max(1, CHUNK // max(1, len(values))), 1):
        above, below = _best_cut(part.T, pattern), _best_cut(-part.T, pattern)
        upper = above[0] >= below[0]
        found.append((torch.where(upper, above[0], below[0]), torch.where(upper, above[1], -below[1]), upper))
    return Thresholds(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _best_cut(values: Tensor, pattern: Tensor) -> tuple[Tensor, Tensor]:
    """The best F1 of calling 1 whatever is at least a threshold, and that threshold, by row of values (units, T)."""
    ordered, order = values.contiguous().sort(1, descending=True)
    hits = pattern.to(torch.int64)[order].cumsum(1)
    taken = torch.arange(1, values.shape[1] + 1, device=values.device)
    f1 = 2.0 * hits.double() / (taken + pattern.sum())
    tied = torch.zeros_like(f1, dtype=torch.bool)
    tied[:, :-1] = ordered[:, :-1] == ordered[:, 1:]
    best, place = f1.masked_fill(tied, -1.0).max(1)
    return best, ordered.gather(1, place.unsqueeze(1)).squeeze(1)


class Near(NamedTuple):
    """A step, and how far its state is from the one asked about."""

    step: int
    distance: float


def nearest(
    states: Tensor,
    at: int,
    most: int = 10,
    measure: Literal["cosine", "euclidean"] = "cosine",
    apart: int = 10,
) -> list[Near]:
    """The other steps whose state is most like that at one step, the nearest first.

    Args:
        states: One quantity over time, (T, units).
        at: The step asked about.
        most: How many steps to tell of.
        measure: 1 - cosine of the angle between states, or the Euclidean distance.
        apart: Steps that all those told of lie apart from each other, and from ``at``.

    Raises:
        UsageError: the step lies outside of the sequence.
    """
    steps = len(states)
    if not 0 <= at < steps:
        raise UsageError(f"a step lies from 0 to {steps - 1}, and {at} is asked for.")
    values = states.double()
    if measure == "cosine":
        unit = normalize(values, dim=1)
        distances = 1.0 - unit @ unit[at]
    else:
        distances = (values - values[at]).norm(dim=1)
    free = torch.ones(steps, dtype=torch.bool)
    found, near = list[Near](), at
    ordered = distances.sort(stable=True)
    free[max(0, near - apart + 1) : near + apart] = False
    for step, distance in zip(ordered.indices.tolist(), ordered.values.tolist(), strict=True):
        if len(found) == most:
            break
        if free[step]:
            found.append(Near(step, max(0.0, distance)))
            free[max(0, step - apart + 1) : step + apart] = False
    return found


def around(pieces: Sequence[str], step: int, reach: int = 24) -> tuple[str, str, str]:
    """What stands before a step, at it, and behind it."""
    before, after = pieces[max(0, step - reach) : step], pieces[step + 1 : step + 1 + reach]
    return "".join(before), pieces[step], "".join(after)
