"""Planted faults are named, each with its figure, and a sound network is not blamed."""

import math

import pytest
import torch

from unrolled.inspection.gradients import Reached, gradients_through_time
from unrolled.inspection.jacobian import spectral_radii
from unrolled.inspection.quantities import behaviour, bounded_by, quantities
from unrolled.inspection.verdict import Finding, in_words, of_behaviours, of_gradients, of_radii, of_training
from unrolled.layers.recurrent import Recurrent

T, D, H = 40, 4, 16


def network(cell: str = "lstm", **options: object) -> Recurrent:
    torch.manual_seed(3)
    return Recurrent(cell, D, H, **options)


def findings(layer: Recurrent) -> list[Finding]:
    """The whole verdict on one layer over a random sequence."""
    torch.manual_seed(4)
    x = torch.randn(1, T, D)
    functions = bounded_by(layer.cell)
    seen = {
        place: behaviour(values[0], functions.get(place.split(".")[2]))
        for place, values in quantities(layer, x).items()
    }
    reached = gradients_through_time(layer, x, [T - 1, T - 10], lambda outputs: outputs.square().sum(-1))
    radii = {f"0.forward.{name}": one for name, one in spectral_radii(layer.cell, layer.cell_parameters()).items()}
    return [*of_behaviours(seen), *of_gradients(reached), *of_radii(radii)]


def test_a_sound_network_is_healthy() -> None:
    layer = network(chrono=T)
    assert in_words(findings(layer)) == "healthy"


def test_a_saturated_forget_gate_is_named() -> None:
    layer = network(chrono=T)
    with torch.no_grad():
        layer.cell_parameters()["b_f"].fill_(12.0)
    (found,) = [one for one in findings(layer) if one.kind == "saturated"]
    assert found.where == "0.forward.f"
    assert found.figure == pytest.approx(1.0)
    assert "0% near its lower end, 100% near its upper end" in found.says


def test_a_dead_unit_is_named() -> None:
    layer = network(chrono=T)
    with torch.no_grad():
        layer.cell_parameters()["b_o"][5] = -200.0  # its output gate never opens
    found = {one.where: one for one in findings(layer) if one.kind == "dead"}
    assert "0.forward.h" in found
    assert found["0.forward.h"].says == "1 of 16 units of 0.forward.h never move: 5"
    assert found["0.forward.h"].figure == 1 / 16


def test_a_spectral_radius_of_three_is_named() -> None:
    layer = network("elman")
    with torch.no_grad():
        (name,) = spectral_radii(layer.cell, layer.cell_parameters())
        matrix = layer.cell_parameters()[name]
        matrix.mul_(3.0 / torch.linalg.eigvals(matrix).abs().max())
    radius = [one for one in findings(layer) if one.kind == "exploding" and one.where == f"0.forward.{name}"]
    assert radius[0].figure == pytest.approx(3.0, rel=1e-4)


def test_a_gradient_that_grows_is_named() -> None:
    layer = network("elman")
    with torch.no_grad():
        (name,) = spectral_radii(layer.cell, layer.cell_parameters())
        layer.cell_parameters()[name].copy_(1.2 * torch.eye(H))
        for other, value in layer.cell_parameters().items():
            if other != name:
                value.mul_(1e-6)  # small states: tanh is straight there
    (found,) = [one for one in findings(layer) if one.kind == "exploding"]
    assert found.where == "0.forward.h"
    assert "steps away from the loss" in found.says


def test_a_gradient_that_vanishes_is_named() -> None:
    layer = network("elman")
    with torch.no_grad():
        (name,) = spectral_radii(layer.cell, layer.cell_parameters())
        layer.cell_parameters()[name].copy_(0.5 * torch.eye(H))
    (found,) = findings(layer)
    assert found.kind == "vanishing"
    assert 1 <= found.figure <= 7  # 0.5 ** 7 is below 1%
    assert "chrono" in found.remedy


def reached(*by_lag: float) -> Reached:
    return Reached(torch.tensor([by_lag]), torch.tensor(by_lag))


def test_a_layers_memory_is_that_of_its_longest_state() -> None:
    short, long = reached(*(0.1**lag for lag in range(40))), reached(*(0.8**lag for lag in range(40)))
    assert of_gradients({"0.forward.h": short, "0.forward.c": long}) == []
    (found,) = of_gradients({"0.forward.h": short, "1.forward.c": long})
    assert (found.kind, found.where) == ("vanishing", "0.forward.h")


def test_what_gathers_up_does_not_explode() -> None:
    gathered = reached(*(1.0 + lag for lag in range(40)))
    assert [one.kind for one in of_gradients({"0.forward.h": gathered})] == ["exploding"]
    assert of_gradients({"0.forward.h": gathered}, everywhere=True) == []
    grown = reached(*(1.5**lag for lag in range(40)))
    assert [one.kind for one in of_gradients({"0.forward.h": grown}, everywhere=True)] == ["exploding"]


@pytest.mark.parametrize(
    ("losses", "named"),
    [
        ((3.0, 2.0, 1.5, 1.4), False),
        ((3.0, 9.0, 8.0, 9.0, 3.0), True),
        ((3.0, 2.0, 9.0, 2.0, 1.0), False),  # once is no fault
        ((-1.0, 0.5, 0.6, 0.9), True),
        ((3.0, 2.0, math.nan), True),
        ((3.0, 3.3, 3.2, 3.4), False),
        ((3.0,), False),
        ((), False),
    ],
)
def test_a_rate_that_was_too_high_is_named(losses: tuple[float, ...], named: bool) -> None:
    found = of_training([{"train": loss, "rate": 0.02, "valid": None} for loss in losses])
    assert [one.kind for one in found] == ["rate"] * named
    assert all(one.remedy == "a smaller rate (--rate 0.002)" for one in found)
    assert in_words(found) == ("rate too high" if named else "healthy")
