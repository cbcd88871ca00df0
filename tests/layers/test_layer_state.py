"""The state that a layer hands out and takes: step by step, window by window, learned, saved, reordered and reset."""

from pathlib import Path

import pytest
import torch

from laws import assert_same
from layers.by_hand import batch, perturbed, some_state
from tolerance import assert_close
from unrolled.layers.recurrent import Recurrent
from unrolled.state import State


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", ["elman", "unit", "lstm", "gru", "slstm", "sru", "lstm_output_fed_back"])
def test_step_by_step_equals_forward_bit_by_bit(name: str, rows: int) -> None:
    layer, x = perturbed(Recurrent(name, 5, 7, 3, residual=True)), batch(rows)
    whole, last, _ = layer(x)
    outputs, state = layer.step(x[:, 0])
    steps = [outputs]
    for t in range(1, 9):
        outputs, state = layer.step(x[:, t], state)
        assert outputs.shape == (rows, 7)
        steps.append(outputs)
    assert_same({"outputs": torch.stack(steps, 1), **state}, {"outputs": whole, **last})


def test_windows_with_carried_state_equal_one_run_and_a_saved_state_goes_on(tmp_path: Path) -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2)), batch(steps=12)
    whole, last, _ = layer(x)
    first, state, _ = layer(x[:, :5])
    state.save(tmp_path / "state.safetensors")
    second, state, _ = layer(x[:, 5:], State.load(tmp_path / "state.safetensors"))
    assert_same({"outputs": torch.cat([first, second], 1), **state}, {"outputs": whole, **last})


def test_the_state_is_named_by_layer_direction_and_quantity() -> None:
    layer = Recurrent("lstm", 5, [7, 4], 2, bidirectional=True)
    names = [f"{i}.{way}.{name}" for i in (0, 1) for way in ("forward", "reverse") for name in ("c", "h")]
    state = layer(batch()).state
    assert list(state) == names
    assert list(layer.initial_state(3)) == names
    assert [tuple(value.shape) for value in state.values()] == [(3, 7)] * 4 + [(3, 4)] * 4
    assert [tuple(value.shape) for value in layer.initial_state(3).values()] == [(3, 7)] * 4 + [(3, 4)] * 4


def test_the_initial_state_is_the_start_of_the_cell() -> None:
    layer, x = perturbed(Recurrent("slstm", 5, 7, 2)), batch()
    start = layer.initial_state(3)
    assert not start["0.forward.c"].any()
    assert_same({"outputs": layer(x, start).outputs}, {"outputs": layer(x).outputs})


def test_a_reordered_state_goes_on_in_the_new_order() -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2)).double(), batch().double()
    state, beams = layer(x).state, torch.tensor([2, 0, 0])
    apart, together = layer(x[beams], state.reorder(beams)).outputs, layer(x, state).outputs
    assert_close(apart, together[beams], "loop, other batch")
    assert not torch.equal(apart, layer(x[beams], state).outputs)


def test_a_reset_row_begins_again() -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2, learn_initial_state=True)), batch()
    state = layer(x).state
    fresh = state.reset(torch.tensor([True, False, False]), layer.initial_state(3))
    outputs = layer(x, fresh).outputs
    assert torch.equal(outputs[0], layer(x).outputs[0])
    assert torch.equal(outputs[1:], layer(x, state).outputs[1:])


def test_a_detached_state_carries_no_gradient() -> None:
    layer, x = perturbed(Recurrent("gru", 5, 7, 2)), batch().requires_grad_()
    state = layer(x).state
    for carried, arrives in ((state, True), (state.detach(), False)):
        (gradient,) = torch.autograd.grad(
            layer(x.detach(), carried).outputs.sum(), [x], allow_unused=True, materialize_grads=True, retain_graph=True
        )
        assert bool(gradient.any()) == arrives


# Learned initial states


def test_a_learned_initial_state_is_where_every_run_and_every_reset_begins() -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2, learn_initial_state=True)), batch()
    start = layer.initial_state(3)
    for index in (0, 1):
        own = layer.cell_parameters(index)
        assert torch.equal(start[f"{index}.forward.h"], own["h_0"].expand(3, 7))
        assert torch.equal(start[f"{index}.forward.c"], own["c_0"].expand(3, 7))
        assert own["h_0"].any()
    expected = {"outputs": layer(x).outputs}
    assert_same({"outputs": layer(x, start.detach()).outputs}, expected)
    reset = torch.zeros(3, 9, dtype=torch.bool)
    reset[:, 0] = True
    elsewhere = some_state(layer)
    assert_same({"outputs": layer(x, elsewhere, reset=reset).outputs}, expected)
    assert not torch.equal(layer(x, elsewhere).outputs, expected["outputs"])


def test_it_begins_at_the_start_of_the_cell() -> None:
    layer = Recurrent("slstm", 5, 7, learn_initial_state=True)
    plain = Recurrent("slstm", 5, 7)
    assert_same(layer.initial_state(2), plain.initial_state(2))
    assert {name for name in layer.cell_parameters() if name.endswith("_0")} == {"m_0", "c_0", "n_0", "h_0"}
    assert sum(value.numel() for value in layer.parameters()) == sum(v.numel() for v in plain.parameters()) + 4 * 7


def test_its_gradient_is_that_of_the_state_over_all_rows_and_resets() -> None:
    layer, x = perturbed(Recurrent("gru", 5, 7, learn_initial_state=True)).double(), batch().double()
    own = layer.cell_parameters()["h_0"]

    def gradient_of(wanted: torch.Tensor, *given: object, **more: object) -> torch.Tensor:
        (found,) = torch.autograd.grad(layer(x, *given, **more).outputs.pow(2).sum(), [wanted])
        return found

    state = layer.initial_state(3).map(lambda value: value.detach().clone().requires_grad_())
    assert_close(gradient_of(own), gradient_of(state["0.forward.h"], state).sum(0), "derived, autograd")
    middle = torch.zeros(3, 9, dtype=torch.bool)
    middle[:, 4] = True
    two_runs = layer(x[:, :4]).outputs.pow(2).sum() + layer(x[:, 4:]).outputs.pow(2).sum()
    (expected,) = torch.autograd.grad(two_runs, [own])
    assert_close(gradient_of(own, reset=middle), expected, "derived, autograd")
