"""The factors of single steps against whole Jacobians, and the direct path against the gates."""

import pytest
import torch
from torch import Tensor

from unrolled.cells.library import LIBRARY
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell
from unrolled.inspection.jacobian import (
    Steps,
    direct_path,
    spectral_radii,
    step_factors,
    steps_of,
    time_constants,
)
from unrolled.inspection.quantities import quantities
from unrolled.layers.recurrent import Recurrent

T, D, H = 7, 3, 4


def sequence(size: int = D) -> Tensor:
    return torch.randn(1, T, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def network(cell: str | Cell = "lstm", size: int = D, **options: object) -> Recurrent:
    torch.manual_seed(3)
    return Recurrent(cell, size, H, **options).double()


def steps(layer: Recurrent, x: Tensor, index: int = 0, direction: str = "forward") -> Steps:
    return steps_of(layer, x, quantities(layer, x), index, direction, layer.initial_state(1))


def parameters(layer: Recurrent, index: int = 0, direction: str = "forward") -> dict[str, Tensor]:
    return {name: value.detach() for name, value in layer.cell_parameters(index, direction).items()}


def whole_factor(cell: Cell, weights: dict[str, Tensor], x: Tensor, before: dict[str, Tensor]) -> float:
    """The largest singular value of the whole Jacobian of one step, by autograd, column by column."""
    names, sizes = list(before), [one.numel() for one in before.values()]

    def step(joined: Tensor) -> Tensor:
        state = {name: part.unsqueeze(0) for name, part in zip(names, joined.split(sizes), strict=True)}
        after = scan(cell, weights, x.view(1, 1, -1), state, backend="loop").state
        return torch.cat([after[name][0] for name in names])

    joined = torch.cat([one.flatten() for one in before.values()])
    return float(torch.linalg.svdvals(torch.autograd.functional.jacobian(step, joined))[0])


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru", "lstm_peephole", "mgu", "indrnn"])
def test_factors_are_the_largest_singular_values(cell: str) -> None:
    size = H if cell == "indrnn" else D
    layer, x = network(cell, size), sequence(size)
    seen, weights = steps(layer, x), parameters(layer)
    found = step_factors(layer.cell, weights, seen.inputs, seen.before)
    for t in range(T):
        before = {name: value[t] for name, value in seen.before.items()}
        assert float(found[t]) == pytest.approx(whole_factor(layer.cell, weights, seen.inputs[t], before), rel=1e-6)


def test_a_state_of_more_numbers_than_rounds() -> None:
    torch.manual_seed(5)
    layer = Recurrent("lstm", D, 50).double()  # 100 numbers
    seen, weights = steps(layer, sequence()), parameters(layer)
    found = step_factors(layer.cell, weights, seen.inputs, seen.before)
    for t in (0, T - 1):
        before = {name: value[t] for name, value in seen.before.items()}
        assert float(found[t]) == pytest.approx(whole_factor(layer.cell, weights, seen.inputs[t], before), rel=1e-4)


@pytest.mark.parametrize("options", [{}, {"residual": True}])
def test_the_steps_of_upper_and_reverse_layers(options: dict) -> None:
    layer = network("gru", 2 * H, num_layers=3, bidirectional=True, **options)
    x = sequence(2 * H)
    for index in range(3):
        for direction in ("forward", "reverse"):
            seen = steps(layer, x, index, direction)
            weights = parameters(layer, index, direction)
            again = scan(layer.cell, weights, seen.inputs.unsqueeze(1), seen.before).state
            torch.testing.assert_close(again["h"], seen.values["h"])


def test_what_an_lstm_and_a_gru_keep_are_their_gates() -> None:
    for cell, state, gate in (("lstm", "c", "f"), ("lstm_peephole", "c", "f"), ("gru", "h", "z")):
        layer, x = network(cell), sequence()
        seen = steps(layer, x)
        found = direct_path(layer.cell, parameters(layer), seen)
        assert list(found) == [state]
        torch.testing.assert_close(found[state], seen.values[gate], rtol=1e-12, atol=1e-12)


def test_the_direct_path_is_the_gradient_with_all_gates_held() -> None:
    """Claim L3: from the last c to the first the gradient meets only the forget gates."""
    layer, x = network("lstm"), sequence()
    seen = steps(layer, x)
    kept = direct_path(layer.cell, parameters(layer), seen)["c"]
    first = seen.before["c"][0].clone().requires_grad_()
    c = first
    for f, i, g in zip(*(seen.values[name] for name in "fig"), strict=True):
        c = f * c + i * g
    (wanted,) = torch.autograd.grad(c.sum(), first)
    torch.testing.assert_close(kept.prod(0), wanted, rtol=1e-10, atol=0)


def test_cells_without_a_direct_path_and_with_another_one() -> None:
    plain = network("elman")
    assert direct_path(plain.cell, parameters(plain), steps(plain, sequence())) == {}
    leaky = Cell("leaky", "h' = (1 - a) * h + a * tanh(W @ x + U @ h + b)", constants={"a": 0.25})
    layer = network(leaky)
    found = direct_path(layer.cell, parameters(layer), steps(layer, sequence()))
    torch.testing.assert_close(found["h"], torch.full((T, H), 0.75, dtype=torch.float64))


@pytest.mark.parametrize("cell", sorted(LIBRARY))
def test_every_cell_has_factors(cell: str) -> None:
    sizes = dict.fromkeys(LIBRARY[cell].program.named_sizes, H)
    layer, x = network(cell, H, sizes=sizes), sequence(H)
    seen = steps(layer, x)
    assert step_factors(layer.cell, parameters(layer), seen.inputs, seen.before).isfinite().all()
    for kept in direct_path(layer.cell, parameters(layer), seen).values():
        assert kept.shape[0] == T


def test_spectral_radii_of_known_matrices() -> None:
    cell = LIBRARY["elman"]
    weights = {"W": torch.zeros(2, 1), "U": torch.tensor([[0.0, -3.0], [3.0, 0.0]]), "b": torch.zeros(2)}
    names = [name for name, one in cell.program.parameters.items() if one.recurrent]
    found = spectral_radii(cell, {**weights, names[0]: weights["U"]})
    assert found == {names[0]: pytest.approx(3.0)}


def test_time_constants() -> None:
    kept = torch.tensor([[0.9, 0.5, 1.0], [0.9, 0.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(time_constants(kept), torch.tensor([10.0, 4 / 3, torch.inf], dtype=torch.float64))
