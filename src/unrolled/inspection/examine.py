"""One examination of a network over one sequence: everything that is to be seen, as one document of plain values."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.inspection.gradients import Loss, Reached, WholeLoss, gradients_of_whole, gradients_through_time
from unrolled.inspection.jacobian import direct_path, spectral_radii, step_factors, steps_of, time_constants
from unrolled.inspection.quantities import BOUNDS, Behaviour, behaviour, bounded_by, quantities
from unrolled.inspection.verdict import Finding, in_words, of_behaviours, of_gradients, of_radii, of_training
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
    loss: Loss | None
    """What the outputs cost step by step; None where the sequence as a whole has one loss."""
    predict: Callable[[Tensor], Tensor] | None = None
    """From the outputs, (1, T, size), to a probability for each class at each step, (T, V)."""
    classes: Sequence[str] = ()
    """What a class is called."""
    wanted: Sequence[int | None] = ()
    """The class that was right at each step, where it is known."""
    whole_loss: WholeLoss | None = None
    """What the sequence costs, in place of ``loss``."""
    state: Mapping[str, Tensor] | None = None
    """What the sequence begins from, one row; the layers' own start where it is left out."""
    tell: Callable[[Tensor], list[dict[str, Any]]] | None = None
    """In place of ``predict``: from the outputs to a row of :attr:`Examined.document`'s predictions for each step."""
    attention: Callable[[Tensor], Tensor] | None = None
    """From the outputs to how much each thing that is looked at counts at each step, (T, S)."""
    looked_at: Sequence[str] = ()
    """What these things are called."""
    times: Sequence[int] = ()
    """The steps that have a loss worth following back; all where left out."""
    everywhere: bool = False
    """Whether a loss reads the outputs of many steps, as behind a mean over time, and not of its own step alone."""
    about: Mapping[str, str] = field(default_factory=dict)
    """Words on it for the document: ``task``, ``part`` (which recurrence), ``loss`` (what is followed back)."""


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

    def to_json(self, values: bool = False) -> str:
        """The document as JSON; with ``values`` also ``recorded``, every quantity over time, six digits a number."""
        more = {"recorded": {place: _rounded(one) for place, one in self.recorded.items()}} if values else {}
        return json.dumps(self.document | more, ensure_ascii=False, allow_nan=False)


def examine(
    subject: Subject,
    times: Sequence[int] = (),
    at: Sequence[int] = (),
    training: Sequence[Mapping[str, Any]] = (),
) -> Examined:
    """Look at everything.

    Args:
        subject: What is looked at.
        times: The steps whose losses are followed back; some, evenly spread, where left out.
        at: Steps whose gradients are told one by one too; -1 is the last.
        training: The rows of the network's training, for the verdict.

    Raises:
        UsageError: a step lies outside of the sequence, or has no loss of its own.
    """
    layer, x = subject.layer.eval(), subject.x.detach()
    state = layer.initial_state(1) if subject.state is None else subject.state
    begin = {name: value.detach() for name, value in state.items()}
    seen = quantities(layer, x, begin)
    functions = bounded_by(layer.cell)
    behaviours = {place: behaviour(values[0], functions.get(place.rsplit(".", 1)[1])) for place, values in seen.items()}
    times, reached, chosen = _followed(subject, x, begin, times, at)
    factors, direct, radii, plain_ones = _factors(layer, x, seen, begin)
    findings = [
        *of_behaviours(behaviours),
        *of_gradients(reached, subject.everywhere),
        *of_radii(plain_ones),
        *of_training(training),
    ]
    outputs = _outputs(layer, x, begin)
    document = {
        "schema": SCHEMA,
        "about": dict(subject.about),
        "cell": {"name": layer.cell.name, "text": layer.cell.text(), "latex": layer.cell.latex()},
        "layers": {"units": list(layer.hidden_sizes), "directions": list(layer.directions)},
        "steps": list(subject.steps),
        "quantities": {place: _told(one, seen[place][0]) for place, one in behaviours.items()},
        "predictions": _predictions(subject, outputs),
        "attention": _attention(subject, outputs),
        "gradients": {place: _reach(one, times, chosen.get(place, {})) for place, one in reached.items()},
        "factors": factors,
        "direct_path": direct,
        "spectral_radii": radii,
        "verdict": {"says": in_words(findings), "findings": [one.row() for one in findings]},
    }
    return Examined(plain(document), {place: values[0].cpu() for place, values in seen.items()}, findings)


def _followed(
    subject: Subject, x: Tensor, begin: Mapping[str, Tensor], times: Sequence[int], at: Sequence[int]
) -> tuple[list[int], dict[str, Reached], dict[str, dict[int, Tensor]]]:
    """The steps whose losses are followed back; the gradients of all of them, and of the steps that are asked for."""
    layer, count = subject.layer, x.shape[1]
    asked = [_within(step, count) for step in at]
    if subject.loss is None:
        if asked:
            raise UsageError("the sequence has one loss, at its end; no step has one of its own to be followed back.")
        assert subject.whole_loss is not None
        return [count - 1] if count else [], gradients_of_whole(layer, x, subject.whole_loss, begin), {}
    able = list(subject.times) or list(range(count))
    times = list(times) or [able[place] for place in spread(len(able), LOSSES)]
    if not times:
        return [], {}, {}
    reached = gradients_through_time(layer, x, times, subject.loss, begin)
    one_by_one = gradients_through_time(layer, x, asked, subject.loss, begin) if asked else {}
    chosen = {place: dict(zip(asked, one.norms, strict=True)) for place, one in one_by_one.items()}
    return times, reached, chosen


def _within(step: int, count: int) -> int:
    if not -count <= step < count:
        raise UsageError(f"there are {count} steps, from 0 to {count - 1}, and step {step} is asked for.")
    return step % count


def _factors(
    layer: Recurrent, x: Tensor, seen: Mapping[str, Tensor], begin: Mapping[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, float], dict[str, float]]:
    """Factors of single steps, direct paths, spectral radii; and those radii that no direct path goes past."""
    factors, direct = dict[str, Any](), dict[str, Any]()
    radii, plain_ones = dict[str, float](), dict[str, float]()  # in a gated cell large ones are no fault
    looked = spread(x.shape[1], FACTORS)
    for index in range(layer.num_layers if layer.cell.states else 0):
        for direction in layer.directions:
            place = f"{index}.{direction}"
            weights = {name: value.detach() for name, value in layer.cell_parameters(index, direction).items()}
            steps = steps_of(layer, x, seen, index, direction, begin)
            before = {name: value[looked] for name, value in steps.before.items()}
            norms = step_factors(layer.cell, weights, steps.inputs[looked], before)
            backwards = direction == "reverse"  # whose steps are in the order in which it goes
            own_times = [x.shape[1] - 1 - step for step in reversed(looked)] if backwards else looked
            factors[place] = {"times": own_times, "norms": norms.flip(0) if backwards else norms}
            for state, kept in direct_path(layer.cell, weights, steps).items():
                mean = kept.double().mean(-1)
                direct[f"{place}.{state}"] = {
                    "mean": mean.flip(0) if backwards else mean,
                    "time_constants": time_constants(kept),
                }
            own = {f"{place}.{name}": radius for name, radius in spectral_radii(layer.cell, weights).items()}
            radii |= own
            plain_ones |= {} if any(name.startswith(f"{place}.") for name in direct) else own
    return factors, direct, radii, plain_ones


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


def _told(one: Behaviour, values: Tensor) -> dict[str, Any]:
    gate = one.function is not None and BOUNDS[one.function][0] == 0.0
    return {
        "function": one.function,
        "mean": one.mean,
        "deviation": one.deviation,
        "low": one.low,
        "high": one.high,
        "still": one.still,
        "dead": one.dead,
        "over_time": (values if gate else values.abs()).double().mean(-1),
    }


def _reach(one: Reached, times: Sequence[int], at: Mapping[int, Tensor]) -> dict[str, Any]:
    told = [{"step": step, "norms": norms} for step, norms in at.items()]
    return {"times": list(times), "by_lag": one.by_lag, "horizon": one.horizon, "at": told}


def _outputs(layer: Recurrent, x: Tensor, begin: Mapping[str, Tensor]) -> Tensor:
    with torch.no_grad():
        outputs = layer(x, begin).outputs
    assert isinstance(outputs, Tensor)
    return outputs


def _predictions(subject: Subject, outputs: Tensor) -> list[dict[str, Any]]:
    """What is said at each step: the likeliest classes, and how surprising the right one was, in nats."""
    if not outputs.shape[1]:
        return []
    with torch.no_grad():
        if subject.tell is not None:
            return subject.tell(outputs)
        if subject.predict is None:
            return []
        return of_chances(subject.predict(outputs), subject.classes, subject.wanted)


def told(subject: Subject) -> list[str]:
    """What the network says at each step, in a word: the likeliest class, or numbers; empty where it says nothing."""
    state = subject.layer.initial_state(1) if subject.state is None else subject.state
    rows = _predictions(subject, _outputs(subject.layer.eval(), subject.x, state))
    return [_in_a_word(row) for row in rows] or [""] * subject.x.shape[1]


def _in_a_word(row: Mapping[str, Any]) -> str:
    if "top" in row:
        return str(row["top"][0][0])
    return ", ".join(f"{value:.4g}" for value in row.get("said", {}).values())


def of_chances(chances: Tensor, classes: Sequence[str], wanted: Sequence[int | None] = ()) -> list[dict[str, Any]]:
    """Rows of predictions from the chances of classes, (T, V), and the right class at each step, where it is known."""
    values, places = chances.topk(min(LIKELY, chances.shape[1]), -1)
    rows = []
    for step, (shares, likely) in enumerate(zip(values.tolist(), places.tolist(), strict=True)):
        row: dict[str, Any] = {"top": [[classes[c], p] for c, p in zip(likely, shares, strict=True)]}
        right = wanted[step] if wanted else None
        if right is not None:
            row |= {"right": classes[right], "surprisal": -math.log(max(float(chances[step, right]), 1e-300))}
        rows.append(row)
    return rows


def _rounded(values: Tensor) -> list[list[float | None]]:
    return [[None if one is None else float(f"{one:.6g}") for one in row] for row in plain(values)]


def _attention(subject: Subject, outputs: Tensor) -> dict[str, Any] | None:
    if subject.attention is None or not outputs.shape[1]:
        return None
    with torch.no_grad():
        return {"over": list(subject.looked_at), "weights": subject.attention(outputs)}
