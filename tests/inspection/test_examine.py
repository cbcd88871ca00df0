"""The document of an examination: whole, JSON-able, and each part what its own function gives."""

import json
import math

import pytest
import torch
from torch import Tensor

from unrolled.inspection.examine import SCHEMA, Examined, Subject, examine, plain, spread
from unrolled.inspection.gradients import gradients_through_time
from unrolled.inspection.jacobian import spectral_radii
from unrolled.layers.recurrent import Recurrent

T, D, H, V = 12, 3, 5, 4


def subject(cell: str = "lstm", steps: int = T, **options: object) -> Subject:
    torch.manual_seed(3)
    layer = Recurrent(cell, D, H, **options).double()
    side = torch.nn.Linear(layer.output_size, V).double()
    wanted = [step % V if step else None for step in range(steps)]

    def loss(outputs: Tensor) -> Tensor:
        return outputs.square().sum(-1)

    def predict(outputs: Tensor) -> Tensor:
        return torch.softmax(side(outputs), -1)[0]

    x = torch.randn(1, steps, D, dtype=torch.float64)
    return Subject(layer, x, [f"s{step}" for step in range(steps)], loss, predict, list("abcd"), wanted)


@pytest.fixture(scope="module")
def seen() -> tuple[Subject, Examined]:
    one = subject(num_layers=2, bidirectional=True)
    return one, examine(one)


def test_the_document_is_json_and_complete(seen: tuple[Subject, Examined]) -> None:
    one, examined = seen
    document = json.loads(json.dumps(examined.document, allow_nan=False))
    assert document["schema"] == SCHEMA
    assert document["steps"] == one.steps
    places = {f"{index}.{side}" for index in range(2) for side in ("forward", "reverse")}
    assert set(document["factors"]) == places
    assert set(document["direct_path"]) == {f"{place}.c" for place in places}
    assert set(document["gradients"]) == {f"{place}.{state}" for place in places for state in "ch"}
    assert set(document["quantities"]) == set(examined.recorded)
    assert document["verdict"]["says"] == examined.verdict
    assert "c' = f * c + i * g" in document["cell"]["text"]


def test_parts_are_those_of_their_functions(seen: tuple[Subject, Examined]) -> None:
    one, examined = seen
    whole = gradients_through_time(one.layer, one.x, list(range(T)), one.loss)
    for place, reached in whole.items():
        assert examined.document["gradients"][place]["by_lag"] == plain(reached.by_lag)
        assert examined.document["gradients"][place]["horizon"] == reached.horizon
    radii = spectral_radii(one.layer.cell, one.layer.cell_parameters(1, "reverse"))
    assert examined.document["spectral_radii"]["1.reverse.U_f"] == radii["U_f"]
    outputs, _, recorded = one.layer(one.x, record=["f"])
    torch.testing.assert_close(examined.recorded["1.reverse.f"], recorded["1.reverse.f"][0].detach())
    chances = one.predict(outputs).detach()
    told = examined.document["predictions"][5]
    assert [share for _, share in told["top"]] == pytest.approx(sorted(chances[5].tolist(), reverse=True))
    assert told["right"] == "b"
    assert told["surprisal"] == pytest.approx(-math.log(float(chances[5, 1])))
    assert "right" not in examined.document["predictions"][0]


@pytest.mark.parametrize(("cell", "named"), [("elman", True), ("lstm", False)])
def test_a_spectral_radius_is_a_fault_only_where_nothing_goes_past_it(cell: str, named: bool) -> None:
    one = subject(cell)
    with torch.no_grad():
        for name, value in one.layer.cell_parameters().items():
            if name.startswith("U"):
                value.mul_(3.0 / torch.linalg.eigvals(value).abs().max())
    examined = examine(one)
    assert all(radius == pytest.approx(3.0) for radius in examined.document["spectral_radii"].values())
    assert any(found.where.startswith("0.forward.U") for found in examined.findings) == named


@pytest.mark.parametrize("steps", [0, 1])
def test_short_sequences(steps: int) -> None:
    examined = examine(subject("gru", steps))
    json.dumps(examined.document, allow_nan=False)
    assert len(examined.document["predictions"]) == steps


@pytest.mark.parametrize(("count", "most", "wanted"), [(3, 5, [0, 1, 2]), (10, 5, [1, 3, 5, 7, 9]), (0, 5, [])])
def test_spread(count: int, most: int, wanted: list[int]) -> None:
    assert spread(count, most) == wanted


def test_plain_values() -> None:
    assert plain({"a": torch.tensor([1.0, torch.nan]), "b": (math.inf, 2)}) == {"a": [1.0, None], "b": [None, 2]}
