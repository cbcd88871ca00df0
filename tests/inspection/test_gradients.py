"""Gradients through time against autograd over a loop written by hand, in float64."""

import pytest
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.inspection import gradients
from unrolled.inspection.gradients import Reached, gradients_of_whole, gradients_through_time
from unrolled.layers.recurrent import Recurred, Recurrent

T, D, H = 9, 3, 4
TIMES = [8, 5, 0]


def sequence(seed: int = 1) -> Tensor:
    return torch.randn(1, T, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def network(cell: str = "lstm", **options: object) -> Recurrent:
    torch.manual_seed(3)
    return Recurrent(cell, D, H, **options).double()


def squares(outputs: Tensor) -> Tensor:
    return outputs.square().sum(-1)


def lstm_states(layer: Recurrent, x: Tensor) -> tuple[list[Tensor], dict[str, list[Tensor]]]:
    """The outputs and states of one LSTM layer over x (1, T, D), by the equations of the lecture."""
    p = layer.cell_parameters()
    h = c = torch.zeros(1, H, dtype=torch.float64)
    states: dict[str, list[Tensor]] = {"h": [], "c": []}
    for step in x.unbind(1):
        i, f, o = (torch.sigmoid(step @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T + p[f"b_{k}"]) for k in "ifo")
        g = torch.tanh(step @ p["W_g"].T + h @ p["U_g"].T + p["b_g"])
        c = f * c + i * g
        c.retain_grad()
        h = o * torch.tanh(c)
        h.retain_grad()
        states["h"].append(h)
        states["c"].append(c)
    return states["h"], states


@pytest.mark.parametrize("time", TIMES)
def test_the_norms_are_those_of_autograd(time: int) -> None:
    layer, x = network(), sequence()
    outputs, states = lstm_states(layer, x)
    outputs[time].square().sum().backward()
    found = gradients_through_time(layer, x, TIMES, squares)
    for name, over_time in states.items():
        wanted = torch.stack([torch.zeros(()) if s.grad is None else s.grad.norm() for s in over_time]).double()
        torch.testing.assert_close(found[f"0.forward.{name}"].norms[TIMES.index(time)], wanted, rtol=1e-10, atol=1e-12)


def test_means_by_lag() -> None:
    found = gradients_through_time(network(), sequence(), TIMES, squares)["0.forward.c"]
    by_lag = [
        [float(found.norms[row, time - lag]) for row, time in enumerate(TIMES) if time >= lag] for lag in range(T)
    ]
    wanted = torch.tensor([sum(one) / len(one) for one in by_lag], dtype=torch.float64)
    torch.testing.assert_close(found.by_lag, wanted)


def test_a_reverse_layer_looks_ahead() -> None:
    found = gradients_through_time(network(bidirectional=True), sequence(), [4], squares)
    assert not found["0.reverse.h"].norms[0, :4].any()
    assert found["0.reverse.h"].norms[0, 4:].all()
    torch.testing.assert_close(found["0.reverse.h"].by_lag[:5], found["0.reverse.h"].norms[0, 4:])
    assert found["0.reverse.h"].by_lag[5:].isnan().all()
    assert found["0.forward.h"].norms[0, :5].all()
    assert not found["0.forward.h"].norms[0, 5:].any()


def test_every_layer_of_a_stack_and_a_state_to_begin_from() -> None:
    layer, x = network("gru", num_layers=2), sequence()
    whole = gradients_through_time(layer, x, [8], squares)
    assert list(whole) == ["0.forward.h", "1.forward.h"]
    with torch.no_grad():
        state = layer(x[:, :4]).state
    later = gradients_through_time(layer, x[:, 4:], [4], squares, state)
    for name, one in later.items():
        torch.testing.assert_close(one.norms, whole[name].norms[:, 4:])


def test_parameters_keep_their_gradients() -> None:
    layer = network()
    gradients_through_time(layer, sequence(), [8], squares)
    assert all(one.grad is None for one in layer.parameters())


@pytest.mark.parametrize(
    ("means", "horizon"), [([1.0, 0.5, 0.02, 0.009, 0.001], 3), ([1.0, 0.001, 0.5], None), ([0.0, 0.0], None)]
)
def test_the_horizon(means: list[float], horizon: int | None) -> None:
    assert Reached(torch.zeros(0, 0), torch.tensor([*means, torch.nan])).horizon == horizon


def test_what_does_not_fit_is_named() -> None:
    layer, x = network(), sequence()
    with pytest.raises(UsageError, match=r"from 0 to 8, and 9"):
        gradients_through_time(layer, x, [9], squares)
    with pytest.raises(UsageError, match="one sequence"):
        gradients_through_time(layer, x.repeat(2, 1, 1), [8], squares)
    with pytest.raises(UsageError, match=r"is \(1, 9\), and is \(1,\)"):
        gradients_through_time(layer, x, [8], lambda outputs: outputs.sum((1, 2)))


def test_a_few_copies_at_once_give_the_same_as_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gradients_through_time(network(), sequence(), TIMES, squares)
    monkeypatch.setattr(gradients, "TOGETHER", T * H * 2)  # two copies at once
    parts = gradients_through_time(network(), sequence(), TIMES, squares)
    for place, one in whole.items():
        torch.testing.assert_close(parts[place].norms, one.norms, rtol=1e-12, atol=0)
        torch.testing.assert_close(parts[place].by_lag, one.by_lag, rtol=1e-12, atol=0, equal_nan=True)


def test_the_gradient_of_a_whole_sequence_is_that_of_autograd() -> None:
    layer, x = network(), sequence()
    outputs, states = lstm_states(layer, x)
    (torch.stack(outputs).square().sum() + states["c"][-1].sum()).backward()

    def loss(recurred: Recurred) -> Tensor:
        assert isinstance(recurred.outputs, Tensor)
        return recurred.outputs.square().sum() + recurred.state["0.forward.c"].sum()

    found = gradients_of_whole(layer, x, loss)
    for name, over_time in states.items():
        wanted = torch.stack([state.grad.norm() for state in over_time if state.grad is not None]).double()
        torch.testing.assert_close(found[f"0.forward.{name}"].norms[0], wanted, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(found[f"0.forward.{name}"].by_lag, wanted.flip(0), rtol=1e-10, atol=1e-12)


def test_lags_of_a_whole_sequence_begin_where_each_direction_ends() -> None:
    def loss(recurred: Recurred) -> Tensor:
        assert isinstance(recurred.outputs, Tensor)
        return recurred.outputs.square().sum()

    for place, one in gradients_of_whole(network(bidirectional=True), sequence(), loss).items():
        wanted = one.norms[0] if "reverse" in place else one.norms[0].flip(0)
        torch.testing.assert_close(one.by_lag, wanted, rtol=0, atol=0)
