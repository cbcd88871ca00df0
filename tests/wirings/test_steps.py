"""Linear maps of single steps: torch's numbers, and the same bits beside any other rows."""

import pytest
import torch
from torch import nn

from unrolled.wirings import steps
from unrolled.wirings.steps import SteadyLinear


def pair(size: int, out: int, bias: bool = True) -> tuple[SteadyLinear, nn.Linear]:
    own, theirs = SteadyLinear(size, out, bias), nn.Linear(size, out, bias)
    theirs.load_state_dict(own.state_dict())
    return own.double(), theirs.double()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many numbers the matrix of each run on the engine had."""
    seen: list[int] = []
    scan = steps.scan

    def spied(cell, parameters, x):
        seen.append(parameters["W"].numel())
        return scan(cell, parameters, x)

    monkeypatch.setattr(steps, "scan", spied)
    return seen


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (3, 7), (2, 3, 7), (0, 7)])
def test_numbers_and_gradients_are_those_of_torch(
    bias: bool, shape: tuple[int, ...], runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_LARGE", 1)
    own, theirs = pair(7, 5, bias)
    x = torch.randn(shape, dtype=torch.float64)
    weights = torch.randn((*shape[:-1], 5), dtype=torch.float64)
    found = []
    for map_ in (own, theirs):
        given = x.clone().requires_grad_()
        outputs = map_(given)
        (outputs * weights).sum().backward()
        found.append((outputs, given.grad, *(one.grad for one in map_.parameters())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    assert bool(runs) == (0 not in shape)


def test_a_row_has_the_same_bits_beside_any_others(runs: list[int]) -> None:
    own = SteadyLinear(37, 11).eval()
    x = torch.randn(9, 37)
    whole = own(x)
    for first, last in ((0, 1), (3, 5), (2, 9)):
        assert torch.equal(own(x[first:last]), whole[first:last])
        assert torch.equal(own(x[None, first:last]), whole[None, first:last])
    assert runs


@pytest.mark.parametrize(("size", "engine"), [(512, False), (1024, True)])
def test_in_training_only_large_maps_run_on_the_engine(size: int, engine: bool, runs: list[int]) -> None:
    own = SteadyLinear(512, size)
    own(torch.randn(2, 512))
    assert bool(runs) == engine
    own.eval()(torch.randn(2, 512))
    assert len(runs) == 1 + engine


def test_autocast_is_left_to_torch(runs: list[int]) -> None:
    own = SteadyLinear(8, 8).eval()
    with torch.autocast("cpu", torch.bfloat16):
        assert own(torch.randn(2, 8)).dtype is torch.bfloat16
    assert not runs
