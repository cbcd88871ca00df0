"""Looking into a model of every task: what is recorded is the loop's, gradients are autograd's, predictions its own."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from tasks.contract import trained
from tasks.samples import CASES
from tasks.samples_forecast import wave
from unrolled import inspect
from unrolled.engine.scan import scan
from unrolled.inspection.examine import Subject
from unrolled.layers.recurrent import Recurred, Recurrent
from unrolled.state import State
from unrolled.tasks.estimator import Estimator

LOOKED_AT = {
    "text": "To be, or not to be",
    "tag": "the cat sees a small dog .",
    "tag with a CRF": "the cat sees a small dog .",
    "classify texts": "a dull film , really",
    "translate": "der hund sieht ein rote ball",
    "forecast": [wave(step) for step in range(20)],
}
"""One sequence for a task; of the others the first of the contract's."""


@pytest.fixture(scope="module", params=list(CASES))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Estimator]:
    case = CASES[request.param]
    made = trained(case, tmp_path_factory.mktemp("model"))
    made.network.double()
    return request.param, made


def looked_at(task: str) -> Any:
    return LOOKED_AT.get(task, CASES[task].inputs[:1])


def by_the_loop(layer: Recurrent, x: Tensor, begin: Mapping[str, Tensor]) -> tuple[Recurred, dict[str, list[Tensor]]]:
    """The layers one step after the other by the plain loop; and every state at every step, as autograd sees it."""
    states: dict[str, list[Tensor]] = {}
    recorded: dict[str, Tensor] = {}
    ends = {}
    names = sorted(layer.cell.quantities)
    for index in range(layer.num_layers):
        sides = []
        for direction in layer.directions:
            place, cell = f"{index}.{direction}", layer.cell
            now = {name: begin[f"{place}.{name}"] for name in cell.states}
            steps = range(x.shape[1])
            outputs: dict[int, Tensor] = {}
            seen: dict[str, dict[int, Tensor]] = {name: {} for name in names}
            over: dict[str, dict[int, Tensor]] = {name: {} for name in cell.states}
            for step in reversed(steps) if direction == "reverse" else steps:
                given = dict(layer.cell_parameters(index, direction))
                found = scan(cell, given, x[:, step : step + 1], now, record=names, backend="loop")
                now = {name: value * 1.0 for name, value in found.state.items()}
                outputs[step] = now[cell.output] if cell.output in now else found.outputs[:, 0]
                for name in cell.states:
                    now[name].retain_grad()
                    over[name][step] = now[name]
                for name in names:
                    seen[name][step] = found.recorded[name][:, 0].detach()
            for name in cell.states:
                states[f"{place}.{name}"] = [over[name][step] for step in steps]
                ends[f"{place}.{name}"] = now[name]
            recorded |= {f"{place}.{name}": torch.stack([seen[name][t] for t in steps], 1) for name in names}
            sides.append(torch.stack([outputs[step] for step in steps], 1))
        below = torch.cat(sides, -1)
        x = below + x if layer.residual and index else below
    return Recurred(x, State.of_one_batch(ends), recorded), states


def a_loss(subject: Subject, recurred: Recurred, step: int) -> Tensor:
    if subject.loss is None:
        assert subject.whole_loss is not None
        return subject.whole_loss(recurred)
    assert isinstance(recurred.outputs, Tensor)
    return subject.loss(recurred.outputs)[0, step]


def _slope(value: Tensor) -> Tensor:
    return torch.zeros_like(value)[0] if value.grad is None else value.grad[0]


def test_what_is_recorded_is_the_loops_and_gradients_are_autograds(model: tuple[str, Estimator]) -> None:
    task, one = model
    for part in one.PARTS:
        subject = one.subject(looked_at(task), part=part)
        layer, x = subject.layer, subject.x.double()
        begin = subject.state or layer.initial_state(1)
        begin = {name: value.detach().double() for name, value in begin.items()}
        recurred, states = by_the_loop(layer, x, begin)
        able = list(subject.times) or [x.shape[1] - 1]
        step = able[-1]
        found = inspect(one, looked_at(task), part=part, at=[step] if subject.loss else [])
        for place, values in recurred.recorded.items():
            torch.testing.assert_close(found.recorded[place].double(), values[0], rtol=0, atol=1e-5)
        a_loss(subject, recurred, step).backward()
        slopes = {place: [_slope(value) for value in over] for place, over in states.items()}
        for place, own in slopes.items():
            if place.endswith(".c"):  # h' = o * tanh(c') reads it within its step
                front = place.removesuffix("c")
                gate, cell = recurred.recorded[f"{front}o"][0], recurred.recorded[place][0]
                through = (gate * (1 - cell.tanh() ** 2)).unbind(0)
                own = [c + way * h for c, h, way in zip(own, slopes[f"{front}h"], through, strict=True)]
            wanted = [float(value.norm()) for value in own]
            told = found.document["gradients"][place]
            norms = told["at"][0]["norms"] if subject.loss else told["by_lag"]
            if not subject.loss and "reverse" not in place:
                norms = norms[::-1]
            assert norms == pytest.approx(wanted, abs=1e-6, rel=1e-6), place
        json.dumps(found.document, allow_nan=False)
