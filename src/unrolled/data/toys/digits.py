"""Toy tasks of pictures read dot by dot: which digit it was. They are made from the path of the MNIST file."""

import math
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Generator, Tensor

from unrolled.data.toys.toy import Batch, Toy, all_long, last_step
from unrolled.errors import UsageError

SIDE, DIGITS = 28, 10
_SEED = 92
"""Of the order of the dots, the same for everybody."""


def digits(path: str | Path, permuted: bool = False, part: Literal["train", "test"] = "train") -> Toy:
    """Sequential MNIST, or permuted: a picture's dots one after the other, the digit asked at the last.

    A length of 784 reads the pictures as they are, 28 x 28; 196 and 49 their means over squares of 2 and of 4 dots,
    which are far easier. A batch draws pictures with replacement.

    Args:
        path: ``mnist.npz`` with ``x_train``, ``y_train``, ``x_test``, ``y_test``: pictures (N, 28, 28) of 0 to 255.
        permuted: The dots come in an order drawn once, so that neighbours stand far apart.
        part: Which pictures are drawn: 60,000 to learn from, or 10,000 to test on.

    Raises:
        UsageError: there is no such file, or it holds something else; a length that is none of the three.
    """
    pictures, classes = _read(Path(path), part)

    def make(count: int, steps: int, generator: Generator) -> Batch:
        side = math.isqrt(steps)
        if side * side != steps or SIDE % side or side < SIDE // 4:
            raise UsageError(f"a picture is read in 784, 196 or 49 steps, and {steps} are asked for.")
        chosen = torch.randint(len(pictures), (count,), generator=generator)
        dots = pictures[chosen].float().div(255.0)  # (N, 28, 28)
        x = torch.nn.functional.avg_pool2d(dots.unsqueeze(1), SIDE // side).flatten(1)  # (N, T)
        if permuted:
            x = x[:, torch.randperm(steps, generator=Generator().manual_seed(_SEED))]
        targets = torch.zeros(count, steps, dtype=torch.long)
        targets[:, -1] = classes[chosen]
        return Batch(x.unsqueeze(-1), targets, last_step(count, steps), all_long(count, steps))

    order = "in an order drawn once" if permuted else "row by row"
    return Toy(
        "permuted-mnist" if permuted else "sequential-mnist",
        f"which digit a picture shows, its dots read one by one, {order}",
        "Le, Jaitly & Hinton 2015, arXiv:1504.00941, section 4.2",
        "class",
        1,
        DIGITS,
        make,
        "accuracy",
        lambda steps: 0.1,
        0.97,
        shortest=49,
    )


def _read(path: Path, part: str) -> tuple[Tensor, Tensor]:
    """Pictures (N, 28, 28) and classes (N,)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            pictures, classes = (torch.from_numpy(file[f"{name}_{part}"]) for name in "xy")
    except OSError as error:
        raise UsageError(f"cannot read the pictures {path}: {error.strerror or error}.") from None
    except (ValueError, KeyError, TypeError, BadZipFile):
        raise UsageError(f"{path} is no file of pictures: it wants x_{part} and y_{part} in an npz.") from None
    if pictures.shape[1:] != (SIDE, SIDE) or pictures.shape[:1] != classes.shape:
        seen = f"{tuple(pictures.shape)} and {tuple(classes.shape)}"
        raise UsageError(f"{path} holds pictures and classes of shapes {seen}; (N, 28, 28) and (N,) are wanted.")
    return pictures, classes.long()
