"""Pictures read dot by dot: the dots, their order and the digits are those of the file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from unrolled.data.toys.digits import digits
from unrolled.errors import UsageError


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Five pictures to learn from, each of one shade that tells its digit, but for a dot; two to test on."""
    x = np.stack([np.full((28, 28), 20 * digit, np.uint8) for digit in range(5)])
    x[:, 0, 1] = 255
    y = np.arange(5, dtype=np.uint8)
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x[:2] + 1, y_test=y[:2] + 7)
    return path


def test_dots_come_row_by_row_and_the_digit_is_asked_at_the_last(mnist: Path) -> None:
    toy = digits(mnist)
    batch = toy.batch(40, 784, 3)
    assert batch.x.shape == (40, 784, 1)
    assert batch.counts.nonzero()[:, 1].unique().tolist() == [783]
    wanted = batch.targets[:, -1]
    assert sorted(wanted.unique().tolist()) == [0, 1, 2, 3, 4]
    torch.testing.assert_close(batch.x[:, 5, 0], 20 * wanted / 255)
    assert (batch.x[:, 1, 0] == 1.0).all()
    assert digits(mnist, part="test").batch(30, 784, 1).targets[:, -1].unique().tolist() == [7, 8]


def test_smaller_pictures_are_means_of_squares(mnist: Path) -> None:
    batch = digits(mnist).batch(20, 196, 3)
    shade = 20 * batch.targets[:, -1] / 255
    torch.testing.assert_close(batch.x[:, 0, 0], (3 * shade + 1) / 4)
    torch.testing.assert_close(batch.x[:, 1, 0], shade)
    with pytest.raises(UsageError, match="784, 196 or 49 steps, and 100"):
        digits(mnist).batch(1, 100, 1)


def test_permuted_dots_are_the_same_dots_in_one_order(mnist: Path) -> None:
    plain, other = digits(mnist).batch(10, 784, 3), digits(mnist, permuted=True).batch(10, 784, 3)
    assert not torch.equal(plain.x, other.x)
    torch.testing.assert_close(plain.x.sort(1).values, other.x.sort(1).values)
    at = (digits(mnist, permuted=True).batch(10, 784, 4).x == 1.0).nonzero()[:, 1].unique()
    assert len(at) == 1, "the bright dot comes at one step in every batch"
    assert at.tolist() == (other.x == 1.0).nonzero()[:, 1].unique().tolist()


def test_files_that_are_something_else(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the pictures .*nothing.npz"):
        digits(tmp_path / "nothing.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UsageError, match="wants x_train and y_train"):
        digits(tmp_path / "other.npz")
    np.savez(tmp_path / "flat.npz", x_train=np.zeros((3, 784)), y_train=np.zeros(3))
    with pytest.raises(UsageError, match=r"\(3, 784\) and \(3,\)"):
        digits(tmp_path / "flat.npz")
    (tmp_path / "text.npz").write_text("no pictures")
    with pytest.raises(UsageError, match="no file of pictures"):
        digits(tmp_path / "text.npz")


def test_the_real_pictures(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("mnist") / "mnist.npz"
    batch = digits(path, part="test").batch(200, 49, 1)
    assert len(batch.targets[:, -1].unique()) == 10
    assert 0.1 < float(batch.x.mean()) < 0.17  # the mean shade of MNIST is 0.13
