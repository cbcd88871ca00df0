"""One examination of a network over one sequence: everything that is to be seen, as one document of plain values."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.inspection.gradients import Loss, Reached, gradients_through_time
from unrolled.inspection.jacobian import direct_path, spectral_radii, step_factors, steps_of, time_constants
from unrolled.inspection.quantities import Behaviour, behaviour, bounded_by, quantities
from unrolled.inspection.verdict import Finding, in_words, of_behaviours, of_gradients, of_radii
from unrolled.layers.recurrent import Recurrent

SCHEMA = "unrolled inspection 1"
"""The form of the document; the number grows where what was there changes its meaning or goes away."""
LOSSES = 16
"""Steps whose losses are followed back, evenly spread, unless some are named."""
FACTORS = 128
"""Steps whose factors are computed, evenly spread."""
LIKELY = 5
"""Predictions shown a step."""


@dataclass(frozen=True)
class Subject:
    """What is to be examined: a network's recurrence at work on one sequence."""

    layer: Recurrent
    x: Tensor
    """What the lowest layer reads, (1, T, D)."""
    steps: Sequence[str]
    """What stands at each step: a token, a time, a frame's number."""
    loss: Loss
    """What the outputs cost; see :data:`unrolled.inspection.gradients.Loss`."""
    predict: Callable[[Tensor], Tensor] | None = None
    """From the outputs, (1, T, size), to a probability for each class at each step, (T, V)."""
    classes: Sequence[str] = ()
    """What a class is called."""
    wanted: Sequence[int | None] = ()
    """The class that was right at each step, where it is known."""


@dataclass(frozen=True)
class Examined:
    """What was seen."""

    document: dict[str, Any]
    """All of it but the values over time, JSON-able."""
    recorded: dict[str, Tensor]
    """Every quantity over time, (T, units), by layer, direction and name."""
    findings: list[Finding]

    @property
    def verdict(self) -> str:
        """In one line."""
        return in_words(self.findings)


def examine(subject: Subject, times: Sequence[int] = ()) -> Examined:
    """Look at everything. ``times`` are the steps whose losses are followed back, evenly spread where left out.

    Raises:
        UsageError: a step lies outside of the sequence.
    """
    layer, x = subject.layer.eval(), subject.x.detach()
    count = x.shape[1]
    begin = {name: value.detach() for name, value in layer.initial_state(1).items()}
    seen = quantities(layer, x)
    functions = bounded_by(layer.cell)
    behaviours = {place: behaviour(values[0], functions.get(place.rsplit(".", 1)[1])) for place, values in seen.items()}
    times = list(times) or spread(count, LOSSES)
    reached = gradients_through_time(layer, x, times, subject.loss) if count else {}
    factors, direct = dict[str, Any](), dict[str, Any]()
    radii, plain_ones = dict[str, float](), dict[str, float]()  # in a gated cell large ones are no fault
    looked = spread(count, FACTORS)
    for index in range(layer.num_layers):
        for direction in layer.directions:
            place = f"{index}.{direction}"
            weights = {name: value.detach() for name, value in layer.cell_parameters(index, direction).items()}
            steps = steps_of(layer, x, seen, index, direction, begin)
            before = {name: value[looked] for name, value in steps.before.items()}
            factors[place] = {"times": looked, "norms": step_factors(layer.cell, weights, steps.inputs[looked], before)}
            for state, kept in direct_path(layer.cell, weights, steps).items():
                direct[f"{place}.{state}"] = {
                    "mean": kept.double().mean(-1),
                    "time_constants": time_constants(kept),
                }
            own = {f"{place}.{name}": radius for name, radius in spectral_radii(layer.cell, weights).items()}
            radii |= own
            plain_ones |= {} if any(name.startswith(f"{place}.") for name in direct) else own
    findings = [*of_behaviours(behaviours), *of_gradients(reached), *of_radii(plain_ones)]
    document = {
        "schema": SCHEMA,
        "cell": {"name": layer.cell.name, "text": layer.cell.text(), "latex": layer.cell.latex()},
        "steps": list(subject.steps),
        "quantities": {place: _told(one) for place, one in behaviours.items()},
        "predictions": _predictions(subject, x),
        "gradients": {place: _reach(one, times) for place, one in reached.items()},
        "factors": factors,
        "direct_path": direct,
        "spectral_radii": radii,
        "verdict": {"says": in_words(findings), "findings": [one.row() for one in findings]},
    }
    return Examined(plain(document), {place: values[0] for place, values in seen.items()}, findings)


def spread(count: int, most: int) -> list[int]:
    """At most so many whole numbers below ``count``, evenly spread, the last among them."""
    if count <= most:
        return list(range(count))
    return [round((place + 1) * count / most) - 1 for place in range(most)]


def plain(value: Any) -> Any:
    """Tensors as lists; numbers that JSON cannot write (NaN, infinite ones) as None."""
    if isinstance(value, Tensor):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _told(one: Behaviour) -> dict[str, Any]:
    return {
        "function": one.function,
        "mean": one.mean,
        "deviation": one.deviation,
        "low": one.low,
        "high": one.high,
        "still": one.still,
        "dead": one.dead,
    }


def _reach(one: Reached, times: Sequence[int]) -> dict[str, Any]:
    return {"times": list(times), "by_lag": one.by_lag, "horizon": one.horizon}


def _predictions(subject: Subject, x: Tensor) -> list[dict[str, Any]]:
    """The likeliest classes at each step, and how surprising the right one was, in nats."""
    if subject.predict is None or not x.shape[1]:
        return []
    with torch.no_grad():
        chances = subject.predict(subject.layer(x).outputs)
    values, places = chances.topk(min(LIKELY, chances.shape[1]), -1)
    rows = []
    for step, (shares, classes) in enumerate(zip(values.tolist(), places.tolist(), strict=True)):
        row: dict[str, Any] = {"top": [[subject.classes[c], p] for c, p in zip(classes, shares, strict=True)]}
        right = subject.wanted[step] if subject.wanted else None
        if right is not None:
            row |= {"right": subject.classes[right], "surprisal": -math.log(max(float(chances[step, right]), 1e-300))}
        rows.append(row)
    return rows
