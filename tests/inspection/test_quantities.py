"""Quantities over time against the equations by hand, and what is said of how they behave."""

import pytest
import torch
from torch import Tensor

from unrolled.cells.library import LIBRARY
from unrolled.equations.observe import opened, probed
from unrolled.inspection.quantities import behaviour, bounded_by, quantities
from unrolled.layers.recurrent import Recurrent

N, T, D, H = 2, 6, 3, 5


def sequences(size: int = D) -> Tensor:
    return torch.randn(N, T, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cell", sorted(LIBRARY))
def test_what_is_rewritten_computes_the_same(cell: str) -> None:
    sizes = dict.fromkeys(LIBRARY[cell].program.named_sizes, 4)
    layer, x = Recurrent(cell, H, H, sizes=sizes).double(), sequences(H)
    for rewrite in (opened, probed):
        other = Recurrent(rewrite(LIBRARY[cell]).cell, H, H, sizes=sizes).double()
        other.load_state_dict(layer.state_dict())
        torch.testing.assert_close(other(x).outputs, layer(x).outputs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_every_quantity_is_there_and_right(options: dict) -> None:
    layer, x = Recurrent("lstm", D, H, **options).double(), sequences()
    found, recorded = quantities(layer, x), layer(x, record=["i", "f", "o", "g", "c", "h"]).recorded
    names = [f"{name}{end}" for name in "ifog" for end in ("", "_pre")] + ["c", "h"]
    places = [f"{place}.{side}" for place in range(layer.num_layers) for side in layer.directions]
    assert set(found) == {f"{place}.{name}" for place in places for name in names}
    for name, values in recorded.items():
        torch.testing.assert_close(found[name], values.detach())
    for place in places:
        for name, function in (("i", torch.sigmoid), ("f", torch.sigmoid), ("o", torch.sigmoid), ("g", torch.tanh)):
            torch.testing.assert_close(function(found[f"{place}.{name}_pre"]), found[f"{place}.{name}"])
    p = layer.cell_parameters()
    first = x[:, 0] @ p["W_f"].T + p["b_f"]
    torch.testing.assert_close(found["0.forward.f_pre"][:, 0], first.detach())


def test_lengths_and_states() -> None:
    layer, x = Recurrent("gru", D, H).double(), sequences()
    with torch.no_grad():
        state = layer(x).state
    found = quantities(layer, x, state, torch.tensor([6, 2]))
    wanted = layer(x, state, torch.tensor([6, 2]), record=["z"]).recorded
    torch.testing.assert_close(found["0.forward.z"], wanted["0.forward.z"].detach())
    assert not found["0.forward.z"][1, 2:].any()


def test_which_function_bounds_what() -> None:
    assert bounded_by(LIBRARY["lstm"]) == {"i": "sigmoid", "f": "sigmoid", "o": "sigmoid", "g": "tanh"}


def test_behaviour_of_planted_units() -> None:
    moving = torch.linspace(0.2, 0.8, 10)
    values = torch.stack([moving, torch.full((10,), 0.95), torch.zeros(10), torch.full((10,), 0.5)], 1)
    seen = behaviour(values, "sigmoid")
    assert (seen.low, seen.high, seen.saturated) == (0.25, 0.25, 0.5)
    assert seen.still == [1, 2, 3]
    assert seen.dead == [2]
    torch.testing.assert_close(seen.mean, values.double().mean(0))
    torch.testing.assert_close(seen.deviation, values.double().std(0, correction=0))


@pytest.mark.parametrize("end", [-1.0, 1.0])
def test_a_tanh_unit_at_its_end_is_dead(end: float) -> None:
    values = torch.stack([torch.linspace(-0.5, 0.5, 8), torch.full((8,), end)], 1)
    seen = behaviour(values, "tanh")
    assert seen.dead == seen.still == [1]
    assert seen.saturated == 0.5


def test_what_has_no_bounds_has_no_saturation() -> None:
    seen = behaviour(torch.tensor([[0.0, 3.0], [0.0, 9.0]]))
    assert seen.saturated is None
    assert seen.dead == [0]


def test_one_step_and_none() -> None:
    assert behaviour(torch.full((1, 3), 0.5), "sigmoid").still == []
    assert behaviour(torch.zeros(0, 3), "sigmoid").saturated is None
