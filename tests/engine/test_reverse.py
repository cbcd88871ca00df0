"""The derived backward pass gives what autograd gives through the loop, for every cell."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from engine.cases import CELLS, Case, gradients, make_case, ragged, weights_like
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.reverse import reverse
from unrolled.engine.run import prepare
from unrolled.equations.cell import Cell


def derived(case: Case, quantities: tuple[str, ...] | None = None) -> dict[str, Tensor]:
    """What ``engine.cases.gradients`` gives, by the derived equations; ``quantities`` are those that a loss sees."""
    seen = case.cell.quantities if quantities is None else quantities
    given = {**case.parameters, **case.noise}
    run = prepare(case.cell, given, case.x, case.state, case.lengths, case.reset, seen)
    arriving = {name: weights_like(case.x.new_empty(*case.x.shape[:2], run.units[name])) for name in seen}
    outputs = weights_like(case.x.new_empty(*case.x.shape[:2], run.units[case.cell.output]))
    arriving[case.cell.output] = arriving.get(case.cell.output, 0) + outputs
    final = {name: weights_like(value) for name, value in run.state.items()}
    parameters, d_x, d_state = reverse(run, arriving, final)
    if case.state is not None:
        return {**parameters, "x": d_x, **{f"state {name}": d_state[name] for name in case.state}}
    for name, gradient in d_state.items():
        start = case.cell.program.starts[name]
        if isinstance(start, str):  # the run began from the learned vector itself
            parameters[start] = parameters[start] + gradient.sum(0)
    return {**parameters, "x": d_x}


def assert_agree(mine: Mapping[str, Tensor], autograd: Mapping[str, Tensor]) -> None:
    assert list(mine) == list(autograd)
    for name, gradient in autograd.items():
        assert_close(mine[name], gradient, "derived, autograd")


KINDS = {
    "dense": lambda case: case,
    "dense, from the start": lambda case: case.but(state=None),
    "ragged, with resets": ragged,
    "ragged, with resets, from the start": lambda case: ragged(case).but(state=None),
    "of no length": lambda case: case.but(lengths=torch.zeros(case.x.shape[0], dtype=torch.long)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CELLS)
def test_derived_equals_autograd(name: str, kind: str) -> None:
    case = KINDS[kind](make_case(CELLS[name], steps=6))
    assert_agree(derived(case), gradients(case))


@pytest.mark.parametrize("sizes", [{"rows": 1, "steps": 1}, {"rows": 4, "steps": 1}, {"rows": 2, "steps": 63}])
@pytest.mark.parametrize("name", ["gru", "lstm_projected", "slstm_blocks"])
def test_derived_equals_autograd_at_odd_sizes(name: str, sizes: dict[str, int]) -> None:
    case = ragged(make_case(CELLS[name], **sizes))
    assert_agree(derived(case), gradients(case))


@pytest.mark.parametrize("name", ["unit", "sru", "lstm_zoneout"])
def test_a_loss_that_sees_the_outputs_and_final_states_alone(name: str) -> None:
    case = make_case(CELLS[name], steps=6)
    free = {key: value.clone().requires_grad_() for key, value in case.parameters.items()}
    result = case.but(parameters=free).scan()
    seen = (result.outputs, *result.state.values())
    loss = torch.stack([(value * weights_like(value)).sum() for value in seen]).sum()
    autograd = torch.autograd.grad(loss, list(free.values()))
    mine = derived(case, ())
    assert_agree({key: mine[key] for key in free}, dict(zip(free, autograd, strict=True)))


def test_without_a_step_the_final_gradient_is_the_initial_states() -> None:
    case = make_case(LIBRARY["lstm"], steps=0)
    found = derived(case)
    assert found["x"].shape == (3, 0, 5)
    assert not any(found[name].any() for name in case.parameters)
    assert torch.equal(found["state c"], weights_like(found["state c"]))


# A cell that reads what it computed in every way that the grammar has.
TANGLED = Cell(
    "tangled",
    """
    a  = A.T @ x + sqrt(abs(h) + 1) - min(v * c, 2)
    b  = softmax(B @ (a / (1 + exp(-h)))) * gamma
    c' = c + hard_tanh(b) * mean(a) - log(1 + a * a) / 3
    d  = sum(sin(c') - cos(c)) * softplus(a) * silu(b)
    h' = layer_norm(C @ d + D @ h) + max(c', -c) * softsign(d) + 0.1 * h
    """,
    constants={"gamma": 1.5},
    output="d",
)


@pytest.mark.parametrize("kind", KINDS)
def test_derived_equals_autograd_through_every_kind_of_op(kind: str) -> None:
    case = KINDS[kind](make_case(TANGLED, steps=4))
    assert_agree(derived(case), gradients(case))
