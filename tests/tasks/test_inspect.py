"""Looking into a model of every task: what is recorded is the loop's, gradients are autograd's, predictions its own."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tasks.contract import trained
from tasks.samples import CASES
from tasks.samples_caption import CAPTIONS
from tasks.samples_forecast import wave
from tasks.samples_frames import TINY as FRAMES
from tasks.samples_frames import drawn, write_csv
from tasks.samples_tag import sentences
from tasks.samples_translate import PAIRS
from unrolled import UsageError, inspect
from unrolled.drawing.net import unroll
from unrolled.drawing.paint import paint
from unrolled.drawing.wiring import plan
from unrolled.engine.scan import scan
from unrolled.inspection.coloured import run_of
from unrolled.inspection.examine import Subject
from unrolled.layers.recurrent import Recurred, Recurrent
from unrolled.state import State
from unrolled.tasks.estimator import Estimator
from unrolled.tasks.frames.model import FramesModel

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


def test_its_run_colours_a_picture(model: tuple[str, Estimator]) -> None:
    """Of any task: the first steps with what stands there and what is said, in the model's wiring."""
    task, own = model
    subject = own.subject(looked_at(task))
    run = run_of(subject, "it", 3)
    layer, steps = subject.layer, len(run.inputs)
    assert steps == min(3, subject.x.shape[1]) == len(run.predicted)
    assert any(run.predicted)
    wiring = "many-to-one" if own.TASK == "classify" else "many-to-many"
    planned = plan(wiring, steps, layer.num_layers, bidirectional=len(layer.directions) == 2)
    assert b"<svg" in paint(unroll(layer.cell, planned, run), "svg")


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


def made(task: str, folder: Path, **settings: Any) -> Any:
    """A model of ten updates."""
    return trained(CASES[task], folder, settings=settings)


def test_a_text_is_as_surprising_as_the_network_says(tmp_path: Path) -> None:
    model = made("text", tmp_path)
    ids = model.vocabulary.encode("We are poor")
    with torch.no_grad():
        scores = model.network(ids.unsqueeze(0)).outputs[0]
    shares = torch.softmax(scores, -1)
    told = inspect(model, "We are poor").document["predictions"]
    for step, row in enumerate(told[:-1]):
        assert row["right"] == "We are poor"[step + 1]
        assert row["surprisal"] == pytest.approx(-math.log(float(shares[step, ids[step + 1]])), rel=1e-5)
        assert [share for _, share in row["top"]] == pytest.approx(shares[step].topk(5).values.tolist(), rel=1e-5)
    assert "right" not in told[-1]


@pytest.mark.parametrize("task", ["tag", "tag with a CRF"])
def test_tags_are_those_that_are_predicted(task: str, tmp_path: Path) -> None:
    model = made(task, tmp_path)
    (said,) = model.predict(["the cat sees a dog ."])
    told = inspect(model, "the cat sees a dog .").document
    assert told["steps"] == said["words"]
    for row, tag, chance in zip(told["predictions"], said["tags"], said["probabilities"], strict=True):
        assert dict(row["top"])[tag] == pytest.approx(chance, rel=1e-4)
        assert "right" not in row
    given = inspect(model, tmp_path / "data" / "train.tsv", row=2).document
    (_, tags), *_ = [sentence for sentence in sentences() if sentence[0] == given["steps"]]
    assert [row["right"] for row in given["predictions"]] == tags


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_classes_are_those_of_the_sequence_that_ends_there(pooling: str, tmp_path: Path) -> None:
    model = made("classify series", tmp_path, bidirectional=False, pooling=pooling)
    series = CASES["classify series"].inputs[0]
    told = inspect(model, series).document["predictions"]
    prefixes = [series[: step + 1] for step in range(len(series))]
    for row, said in zip(told, model.predict(prefixes), strict=True):
        assert dict(row["top"]) == pytest.approx(said["probabilities"], rel=1e-5)


def test_a_network_in_both_directions_says_its_class_at_the_end(tmp_path: Path) -> None:
    model = made("classify series", tmp_path)
    series = CASES["classify series"].inputs[0]
    *before, last = inspect(model, series).document["predictions"]
    assert before == [{}] * (len(series) - 1)
    (said,) = model.predict([series])
    assert dict(last["top"]) == pytest.approx(said["probabilities"], rel=1e-5)
    with pytest.raises(UsageError, match="one loss, at its end"):
        inspect(model, series, at=[0])


def test_a_class_that_the_data_give_is_right(tmp_path: Path) -> None:
    model = made("classify texts", tmp_path)
    told = inspect(model, tmp_path / "data" / "reviews.csv", row=2).document["predictions"][-1]
    assert told["right"] == "bad"
    assert told["surprisal"] == pytest.approx(-math.log(dict(told["top"])["bad"]))


@pytest.mark.parametrize(("direct", "scale"), [(True, "standard"), (False, "mean")])
def test_values_are_those_that_are_forecast(direct: bool, scale: str, tmp_path: Path) -> None:
    model = made("forecast", tmp_path, output="squared", direct=direct, scale=scale)
    values = [wave(step) for step in range(12)]
    told = inspect(model, values).document["predictions"]
    assert len(told) == 11
    for step, row in enumerate(told, 1):
        (wanted,) = model.forecast([values[:step]], horizon=1)
        assert row["said"]["value"] == pytest.approx(float(wanted.told["mean"][0]), rel=1e-4)
        assert row["observed"]["value"] == values[step]


def test_a_value_is_as_surprising_as_its_density(tmp_path: Path) -> None:
    model = made("forecast", tmp_path, output="normal")
    subject = model.subject(LOOKED_AT["forecast"])
    rows = inspect(model, LOOKED_AT["forecast"]).document["predictions"]
    outputs = subject.layer(subject.x).outputs
    assert subject.loss is not None
    losses = subject.loss(outputs)[0].tolist()
    if not model.config.direct:
        assert [row["surprisal"] for row in rows] == pytest.approx(losses, rel=1e-5)
    holes = [10.0, 11.0, math.nan, 12.0]
    told = inspect(model, holes).document["predictions"]
    assert ["surprisal" in row for row in told] == [True, False, True]


@pytest.mark.parametrize("task", ["frames", "frames, both ways"])
def test_labels_are_those_that_are_predicted(task: str, tmp_path: Path) -> None:
    model = made(task, tmp_path)
    late = model.config.lookahead
    features = CASES[task].inputs[0]
    (said,) = model.predict([features])
    told = inspect(model, features).document
    assert told["steps"][len(features) :] == ["after the end"] * late
    for row, chances in zip(told["predictions"][late:], said["probabilities"], strict=True):
        assert dict(row["top"]) == pytest.approx(chances, rel=1e-5)
    given = inspect(model, tmp_path / "data" / "steps.csv", row="clip1").document["predictions"]
    labels = drawn(4, 101)[1]
    assert [row.get("right") for row in given] == [*[None] * late, *labels]


def test_what_is_read_and_said_is_that_of_the_next_step(tmp_path: Path) -> None:
    model = made("frames, label sets", tmp_path)
    piece = CASES["frames, label sets"].inputs[0]
    (said,) = model.predict([piece])
    told = inspect(model, [piece]).document["predictions"]
    assert [sorted(row.get("right", ())) for row in told] == [*(sorted(map(str, one)) for one in piece[1:]), []]
    for row, chances in zip(told, said["probabilities"], strict=True):
        assert dict(row["top"]) == pytest.approx(dict(sorted(chances.items(), key=lambda one: -one[1])[:5]), rel=1e-5)


def test_numbers_are_told_beside_those_observed(tmp_path: Path) -> None:
    write_csv(tmp_path)
    model = FramesModel.fit(tmp_path / "steps.csv", label="tilt", features="lift,turn", regression=True, **FRAMES)
    table = tmp_path / "steps.csv"
    said = list(model.predict(table))[1]["values"]
    told = inspect(model, table, row=2).document["predictions"]
    assert [row["said"] for row in told] == [pytest.approx(one) for one in said]
    observed = drawn(4, 101)[0][:, 2]
    assert [row["observed"]["tilt"] for row in told] == pytest.approx(observed.tolist(), rel=1e-6)
    deviation = float(model.answers.deviations[0])
    away = [(row["said"]["tilt"] - row["observed"]["tilt"]) / deviation for row in told]
    assert [row["loss"] for row in told] == pytest.approx([one**2 for one in away], rel=1e-4)


@pytest.mark.parametrize("feeding", [False, True])
def test_a_translation_is_read_and_looked_up_as_the_network_does(feeding: bool, tmp_path: Path) -> None:
    model = made("translate", tmp_path, input_feeding=feeding)
    source, target = PAIRS[3]
    told = inspect(model, [(source, target)]).document
    ids = model.known.source.encode([source])[0].unsqueeze(0)
    wanted = model.known.target.encode([target])[0]
    inputs = torch.cat([wanted.new_tensor([model.known.target.end]), wanted[:-1]]).unsqueeze(0)
    with torch.no_grad():
        lengths = torch.tensor([ids.shape[1]])
        scores = model.network(ids, lengths, inputs, torch.tensor([len(wanted)]))
        _, weights = model.network.read(model.network.encode(ids, lengths), inputs)
    shares = torch.softmax(scores, -1)
    assert [row["right"] for row in told["predictions"]] == [*target.split(), "⏎"]
    surprisals = [-math.log(float(share[one])) for share, one in zip(shares, wanted, strict=True)]
    assert [row["surprisal"] for row in told["predictions"]] == pytest.approx(surprisals, rel=1e-4)
    assert told["attention"]["over"] == [*source.split(), "⏎"]
    np.testing.assert_allclose(told["attention"]["weights"], weights[0].numpy(), rtol=1e-4, atol=1e-7)
    own = inspect(model, source).document
    translation = next(model.predict([source]))["translation"]
    assert [row["right"] for row in own["predictions"]] == [*translation.split(), "⏎"]


def test_a_caption_that_the_data_give_is_read(tmp_path: Path) -> None:
    model = made("caption", tmp_path)
    told = inspect(model, tmp_path / "data" / "pictures.tsv", row="drawn/pictures4.png").document
    assert [row["right"] for row in told["predictions"]] == [*CAPTIONS[4].split(), "⏎"]
    assert len(told["attention"]["over"]) == model.network.grid**2
    picture = CASES["caption"].inputs[0]
    own = inspect(model, picture).document
    assert [row["right"] for row in own["predictions"]] == [*model.caption(picture).split(), "⏎"]


@pytest.mark.parametrize("task", ["classify texts", "forecast", "tag", "translate", "caption", "frames"])
def test_what_is_not_there_is_said(task: str, tmp_path: Path) -> None:
    model = made(task, tmp_path)
    with pytest.raises(UsageError, match="number 9 is asked for"):
        inspect(model, CASES[task].inputs[:2], row=9)
    with pytest.raises(UsageError, match="no part 'spelling'"):
        inspect(model, CASES[task].inputs[:1], part="spelling")
    with pytest.raises(UsageError, match=r"nowhere\.csv"):
        inspect(model, "nowhere.csv")


def test_the_history_of_a_run_is_read_with_its_model(tmp_path: Path) -> None:
    model = made("text", tmp_path)
    model.save(tmp_path / "saved")
    read = type(model).load(tmp_path / "saved").history
    assert [row["step"] for row in read] == [row["step"] for row in model.history]
    for name in ("train", "rate"):
        assert [row[name] for row in read] == pytest.approx([row[name] for row in model.history], rel=1e-5)
    assert [row["valid"] is None for row in read] == [row["valid"] is None for row in model.history]
    (tmp_path / "saved" / "history.csv").write_text("step,train\n1,one\n", encoding="utf-8")
    with pytest.raises(UsageError, match="history.csv is damaged"):
        type(model).load(tmp_path / "saved")


def test_a_sequence_without_steps_is_refused(tmp_path: Path) -> None:
    model = made("tag", tmp_path)
    with pytest.raises(UsageError, match="the sentence has no step"):
        inspect(model, "")
    with pytest.raises(UsageError, match="one value has no step"):
        inspect(made("forecast", tmp_path), [3.0])
