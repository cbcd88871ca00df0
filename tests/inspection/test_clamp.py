"""Held units against a plain loop in NumPy, float64; what is held at what it is changes nothing."""

import numpy as np
import pytest
import torch
from torch import Tensor

from inspection.planted import PLANTED, UNIT, one_hot, quote_reader
from unrolled.cells.library import LIBRARY
from unrolled.equations.observe import held
from unrolled.errors import UsageError
from unrolled.inspection.clamp import Hold, divergences, effect, run_held
from unrolled.inspection.examine import Subject
from unrolled.inspection.quantities import quantities
from unrolled.layers.recurrent import Recurrent

T, D, H = 9, 3, 4


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def numpy_lstm(layer: Recurrent, x: np.ndarray, holds: list[Hold], index: int = 0, reverse: bool = False) -> np.ndarray:
    """h over time, (T, H), of one layer and direction of an LSTM with holds, a step at a time."""
    side = "reverse" if reverse else "forward"
    p = {name: value.detach().numpy() for name, value in layer.cell_parameters(index, side).items()}
    h = c = np.zeros(H)
    outputs = np.zeros((len(x), H))

    def hold(name: str, value: np.ndarray, step: int) -> np.ndarray:
        value = value.copy()
        for one in holds:
            if one.where == f"{index}.{side}.{name}" and one.begin <= step < (len(x) if one.end is None else one.end):
                value[slice(None) if one.units is None else list(one.units)] = one.value
        return value

    for step in range(len(x))[:: -1 if reverse else 1]:
        gates = {}
        for gate, function in (("i", sigmoid), ("f", sigmoid), ("o", sigmoid), ("g", np.tanh)):
            before = p[f"W_{gate}"] @ x[step] + p[f"U_{gate}"] @ h + p[f"b_{gate}"]
            gates[gate] = hold(gate, function(hold(f"{gate}_pre", before, step)), step)
        c = hold("c", gates["f"] * c + gates["i"] * gates["g"], step)
        h = hold("h", gates["o"] * np.tanh(c), step)
        outputs[step] = h
    return outputs


HOLDS = {
    "a unit of c": [Hold("0.forward.c", 0.7, [2])],
    "a whole gate": [Hold("0.forward.f", 1.0)],
    "h for a while": [Hold("0.forward.h", -0.5, [0, 3], begin=2, end=6)],
    "a pre-activation": [Hold("0.forward.i_pre", -2.0, [1])],
    "two at once": [Hold("0.forward.i", 0.0, begin=4), Hold("0.forward.o", 0.3, [1]), Hold("0.forward.o", 0.9, [2])],
}


@pytest.mark.parametrize("holds", HOLDS.values(), ids=HOLDS)
def test_held_as_the_plain_loop_says(holds: list[Hold]) -> None:
    layer, x = Recurrent("lstm", D, H).double(), torch.randn(1, T, D, dtype=torch.float64)
    found = run_held(layer, x, holds).outputs[0].detach().numpy()
    np.testing.assert_allclose(found, numpy_lstm(layer, x[0].numpy(), holds), rtol=1e-12, atol=1e-12)
    assert np.abs(found - numpy_lstm(layer, x[0].numpy(), [])).max() > 1e-3


def test_only_the_layer_and_direction_that_is_named_is_held() -> None:
    layer = Recurrent("lstm", D, H, 2, bidirectional=True).double()
    x = torch.randn(1, T, D, dtype=torch.float64)
    holds = [Hold("1.reverse.c", 2.0, [1], begin=3, end=5)]
    with torch.no_grad():
        found, before = run_held(layer, x, holds, record=["h"]), layer(x, record=["h"]).recorded
    below = torch.cat([before["0.forward.h"], before["0.reverse.h"]], -1)[0].numpy()
    for name in ("0.forward.h", "0.reverse.h", "1.forward.h"):
        torch.testing.assert_close(found.recorded[name], before[name], rtol=1e-12, atol=1e-12)
    wanted = numpy_lstm(layer, below, holds, index=1, reverse=True)
    np.testing.assert_allclose(found.recorded["1.reverse.h"][0], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cell", sorted(LIBRARY))
def test_every_quantity_of_every_cell_can_be_held(cell: str) -> None:
    sizes = dict.fromkeys(LIBRARY[cell].program.named_sizes, 4)
    layer = Recurrent(cell, H, H, sizes=sizes, backend="loop").double()
    x = torch.randn(2, 4, H, dtype=torch.float64)
    plain = layer(x).outputs
    other = Recurrent(held(LIBRARY[cell], LIBRARY[cell].quantities).cell, H, H, sizes=sizes, backend="loop")
    other.double().load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(x).outputs, plain, rtol=1e-12, atol=1e-12)
    for name in LIBRARY[cell].quantities:
        found = run_held(layer, x, [Hold(f"0.forward.{name}", 0.25, begin=1, end=3)], record=[name]).recorded
        value = found[f"0.forward.{name}"]
        assert torch.all(value[:, 1:3] == 0.25)
        assert not torch.any(value[:, 0] == 0.25)


def planted_subject(cell: str) -> tuple[Subject, Recurrent, Tensor]:
    """A network that says of each step whether quotes are open, by the planted unit alone."""
    layer, vocabulary = quote_reader(PLANTED, cell)
    x = one_hot(PLANTED, vocabulary)
    wanted = [int(one) for one in torch.cumsum(x[0, :, int(vocabulary.encode("“"))], 0)]
    closed = torch.cumsum(x[0, :, int(vocabulary.encode("”"))], 0)
    wanted = [one - int(other) for one, other in zip(wanted, closed, strict=True)]

    def predict(outputs: Tensor) -> Tensor:
        inside = outputs[0, :, UNIT].clamp(0.001, 0.999)
        return torch.stack([1 - inside, inside], -1)

    def loss(outputs: Tensor) -> Tensor:
        chances = predict(outputs)
        return -chances[torch.arange(len(wanted)), wanted].log().unsqueeze(0)

    return Subject(layer, x, list(PLANTED), loss, predict, ["out", "in"], wanted), layer, x


def test_clamping_the_planted_unit_removes_what_it_does() -> None:
    subject, _, _ = planted_subject("elman_sigmoid")
    inside = torch.tensor([bool(one) for one in subject.wanted])
    found = effect(subject, [Hold("0.forward.h", 0.0, [UNIT])], most=int(inside.sum()))
    assert float(found.losses.max()) < 0.01
    assert torch.all(found.losses_held[inside] > 6.9)  # -log 0.001
    torch.testing.assert_close(found.losses_held[~inside], found.losses[~inside], rtol=0, atol=1e-3)
    assert not found.outputs_held[:, UNIT].any()
    assert [one.step for one in found.steps] == inside.nonzero().flatten().tolist()
    assert all(one.top == ("in", pytest.approx(0.999)) for one in found.steps)
    assert all(one.top_held == ("out", pytest.approx(0.999)) for one in found.steps)
    assert found.row()["loss_held"] == pytest.approx(float(found.losses_held.mean()))
    assert found.row()["largest_change_of_an_output"] == pytest.approx(1.0, abs=1e-3)


def test_held_at_what_it_is_changes_nothing() -> None:
    subject, layer, x = planted_subject("lstm")
    gate = quantities(layer, x)["0.forward.f"][0, 5]
    holds = [Hold("0.forward.f", float(value), [unit], 5, 6) for unit, value in enumerate(gate)]
    found = effect(subject, holds)
    torch.testing.assert_close(found.outputs_held, found.outputs, rtol=1e-12, atol=1e-12)
    assert float(found.divergences.max()) < 1e-9


def test_divergences_are_scipys() -> None:
    from scipy.stats import entropy

    one, other = (torch.softmax(torch.randn(5, 4, dtype=torch.float64), -1) for _ in range(2))
    np.testing.assert_allclose(divergences(one, other), entropy(one.numpy().T, other.numpy().T), rtol=1e-9)


@pytest.mark.parametrize(
    ("hold", "says"),
    [
        (Hold("0.forward.q", 0.0), r"there is no '0.forward.q' here; there are 0.forward.i_pre"),
        (Hold("1.forward.f", 0.0), "there is no '1.forward.f'"),
        (Hold("0.forward.f", 0.0, [4]), "0.forward.f has the units 0 to 3, and 4 is to be held"),
        (Hold("0.forward.f", 0.0, begin=3, end=10), "steps go from 0 to 9, and 3 to 10"),
        (Hold("0.forward.f", 0.0, begin=3, end=3), "3 to 3 are to be held"),
    ],
)
def test_what_cannot_be_held_is_refused(hold: Hold, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run_held(Recurrent("lstm", D, H), torch.randn(1, T, D), [hold])
