"""The loss of tokens: equal to torch's cross-entropy, in less memory."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.training.surprise import surprise


def scores_and_targets(rows: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    scores = 5.0 * torch.randn(rows, classes, generator=generator)
    return scores, torch.randint(classes, (rows,), generator=generator)


@pytest.mark.parametrize(("rows", "classes"), [(5, 7), (131, 40_000)])
def test_the_loss_and_its_gradient_are_those_of_float64(rows: int, classes: int) -> None:
    scores, targets = scores_and_targets(rows, classes)
    exact = scores.double().requires_grad_()
    wanted = 3.0 * cross_entropy(exact, targets)
    wanted.backward()
    leaf = scores.requires_grad_()
    loss = 3.0 * surprise(leaf * 1.0, targets)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-6)
    assert leaf.grad is not None
    assert exact.grad is not None
    torch.testing.assert_close(leaf.grad.double(), exact.grad, rtol=1e-4, atol=1e-9)


def test_many_scores_give_their_place_to_their_gradient() -> None:
    values, targets = scores_and_targets(131, 40_000)
    scores = values.requires_grad_() * 1.0
    places: list[int] = []
    scores.register_hook(lambda gradient: places.append(gradient.data_ptr()))
    surprise(scores, targets).backward()
    assert places == [scores.data_ptr()]


def test_a_second_backward_pass_is_refused() -> None:
    values, targets = scores_and_targets(131, 40_000)
    loss = surprise(values.requires_grad_() * 1.0, targets)
    loss.backward(retain_graph=True)
    with pytest.raises(AttributeError):
        loss.backward()
