"""The document of an examination: whole, JSON-able, and each part what its own function gives."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import SCHEMA, Examined, Subject, examine, plain, spread
from unrolled.inspection.gradients import gradients_through_time
from unrolled.inspection.jacobian import spectral_radii
from unrolled.layers.recurrent import Recurrent

T, D, H, V = 12, 3, 5, 4


def subject(cell: str | Cell = "lstm", steps: int = T, **options: object) -> Subject:
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


def test_steps_that_are_asked_for_are_told_by_themselves() -> None:
    one = subject()
    document = examine(one, at=[4, -1]).document
    whole = gradients_through_time(one.layer, one.x, [4, T - 1], one.loss)
    for place, reached in whole.items():
        told = document["gradients"][place]["at"]
        assert [row["step"] for row in told] == [4, T - 1]
        assert [row["norms"] for row in told] == plain(reached.norms)
    assert examine(one).document["gradients"]["0.forward.c"]["by_lag"] == document["gradients"]["0.forward.c"]["by_lag"]
    with pytest.raises(UsageError, match="there are 12 steps, from 0 to 11, and step 12 is asked for"):
        examine(one, at=[T])


def test_a_sequence_goes_on_from_its_state() -> None:
    """The second half from where the first ended is seen as in the whole."""
    one = subject(num_layers=2)
    half = T // 2
    middle = one.layer(one.x[:, :half]).state
    later = replace(one, x=one.x[:, half:], steps=one.steps[half:], wanted=(), state=middle)
    whole, part = examine(one), examine(later)
    for place, values in part.recorded.items():
        torch.testing.assert_close(values, whole.recorded[place][half:])
    assert part.document["factors"]["1.forward"]["norms"] == pytest.approx(
        whole.document["factors"]["1.forward"]["norms"][half:]
    )
    ends = [dict(seen.document["predictions"][-1]["top"]) for seen in (part, whole)]
    assert ends[0] == pytest.approx(ends[1])


def test_only_steps_with_a_loss_worth_it_are_followed_back() -> None:
    assert examine(replace(subject(), times=[3, 7])).document["gradients"]["0.forward.h"]["times"] == [3, 7]


def test_factors_of_a_reverse_layer_stand_at_their_steps() -> None:
    one = subject(bidirectional=True)
    told = examine(one).document
    weights = one.layer.cell_parameters(0, "reverse")
    alone = Recurrent("lstm", D, H).double()
    for name, value in alone.cell_parameters().items():
        value.data.copy_(weights[name].data)
    backwards = examine(Subject(alone, one.x.flip(1), one.steps, one.loss)).document
    assert told["factors"]["0.reverse"]["norms"] == pytest.approx(backwards["factors"]["0.forward"]["norms"][::-1])
    assert told["direct_path"]["0.reverse.c"]["mean"] == pytest.approx(
        backwards["direct_path"]["0.forward.c"]["mean"][::-1]
    )


def test_quantities_over_time_are_means_of_the_units() -> None:
    examined = examine(subject())
    told = examined.document["quantities"]
    assert told["0.forward.f"]["over_time"] == pytest.approx(examined.recorded["0.forward.f"].mean(-1).tolist())
    assert told["0.forward.c"]["over_time"] == pytest.approx(examined.recorded["0.forward.c"].abs().mean(-1).tolist())


def test_json_holds_the_values_where_they_are_asked_for() -> None:
    examined = examine(subject())
    assert json.loads(examined.to_json()) == examined.document
    recorded = json.loads(examined.to_json(values=True))["recorded"]
    assert recorded.keys() == examined.recorded.keys()
    torch.testing.assert_close(
        torch.tensor(recorded["0.forward.c"]), examined.recorded["0.forward.c"].float(), rtol=1e-5, atol=1e-7
    )


def test_a_training_that_went_wild_is_in_the_verdict() -> None:
    rows = [{"train": loss, "rate": 0.1} for loss in (3.0, 9.0, 8.0, 9.0, 7.0)]
    assert "rate too high" in examine(subject(), training=rows).verdict


@pytest.mark.parametrize("name", [name for name, cell in LIBRARY.items() if not cell.sizes])
def test_every_cell_can_be_examined(name: str) -> None:
    document = examine(subject(name, num_layers=2), at=[-1]).document
    json.dumps(document, allow_nan=False)
    assert set(document["gradients"]) == {
        f"{layer}.forward.{state}" for layer in "01" for state in LIBRARY[name].states
    }


def test_a_cell_without_a_state_has_no_memory_to_look_at() -> None:
    examined = examine(subject(Cell("linear", "y = W @ x + b")))
    assert (examined.document["gradients"], examined.document["factors"]) == ({}, {})
    assert len(examined.recorded["0.forward.y"]) == T
