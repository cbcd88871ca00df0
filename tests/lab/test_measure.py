"""The gradient by lag is that of a loop by hand, and decay, growth and horizon are those of known rows."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from unrolled.data.toys.table import find_toy
from unrolled.lab.measure import SEQUENCES, gradient_by_lag, of_norms, spread
from unrolled.lab.toys import Reader
from unrolled.layers.recurrent import Recurrent

T, H = 12, 3


def test_decay_growth_and_horizon() -> None:
    half = of_norms([3.0 * 0.5**lag for lag in range(30)])
    assert half.factor == pytest.approx(0.5)
    assert half.horizon == 7  # 0.5^6 is above a hundredth, 0.5^7 below
    assert half.share[half.lags.index(4)] == pytest.approx(0.5**4)
    growing = of_norms([1.5**lag for lag in range(30)])
    assert growing.factor == pytest.approx(1.5)
    assert growing.horizon is None
    assert (growing.share[0], growing.share[-1]) == (1.0, pytest.approx(1.5**29))
    back = of_norms([1.0, 0.001, 0.5, 0.001])
    assert back.horizon == 3, "it counts where the gradient stays below"
    assert of_norms([0.0, 0.0]).lags == []
    assert math.isnan(of_norms([math.inf, 1.0]).factor)


def test_the_gradient_is_that_of_a_loop_by_hand() -> None:
    torch.manual_seed(1)
    network, toy = Reader(Recurrent("elman", 1, H), 2), find_toy("latch")
    batch, wanted = toy.batch(SEQUENCES, T, 7), torch.zeros(T, dtype=torch.float64)
    p = {name: value.detach().double() for name, value in network.recurrent.cell_parameters().items()}
    weight, bias = network.readout.weight.detach().double(), network.readout.bias.detach().double()
    for x, targets in zip(batch.x.double(), batch.targets, strict=True):
        h, states = torch.zeros(H, dtype=torch.float64), []
        for step in x:
            h = torch.tanh(p["W"] @ step + p["U"] @ h + p["b"]).requires_grad_()
            h.retain_grad()
            states.append(h)
        cross_entropy(weight @ h + bias, targets[-1]).backward()
        norms = torch.stack([state.grad.norm() for state in reversed(states) if state.grad is not None])
        wanted += norms / norms[0] / SEQUENCES
    found = gradient_by_lag(network, toy, T)
    assert found.lags[-1] == T - 1
    assert found.share == pytest.approx([float(wanted[lag]) for lag in found.lags], rel=1e-9)
    assert next(network.parameters()).dtype is torch.float32, "the network itself stays as it is"


def test_what_seeds_say_together() -> None:
    assert spread([1.0, 3.0]) == "2 ± 1"
    assert spread([0.12345]) == "0.123"
    assert spread([2.0, 2.0]) == "2"
    assert spread([]) == "none"
    assert spread([1.0, math.nan, 3.0, math.inf]) == "2 ± 1 (2 of 4)"
    assert spread([math.nan]) == "none"
