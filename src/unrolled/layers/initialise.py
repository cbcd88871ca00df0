"""How parameters begin: orthogonal recurrent and Glorot input matrices, zero vectors; or what a cell says."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from unrolled.equations.cell import Cell, ParameterShape
from unrolled.errors import UsageError, did_you_mean


def _orthogonal(matrix: Tensor) -> None:
    for block in matrix if matrix.dim() == 3 else (matrix,):
        nn.init.orthogonal_(block)


def _glorot(matrix: Tensor) -> None:
    for block in matrix if matrix.dim() == 3 else (matrix,):
        nn.init.xavier_uniform_(block)


def _identity(matrix: Tensor) -> None:
    for block in matrix if matrix.dim() == 3 else (matrix,):
        nn.init.eye_(block)


def _normal(values: Tensor) -> None:
    nn.init.normal_(values, std=1.0 / math.sqrt(values.shape[-1]))


def _uniform(values: Tensor) -> None:
    nn.init.uniform_(values, 0.0, 1.0)


SCHEMES: dict[str, Callable[[Tensor], None]] = {
    "orthogonal": _orthogonal,
    "glorot": _glorot,
    "identity": _identity,
    "normal": _normal,
    "uniform": _uniform,
}
"""orthogonal: Saxe et al. 2014; glorot: Glorot & Bengio 2010, uniform; identity: Le et al. 2015; normal: standard
deviation 1 / sqrt(columns); uniform: 0 to 1. Matrices in blocks are treated block by block."""


@torch.no_grad()
def initialise(
    cell: Cell, shapes: Mapping[str, ParameterShape], parameters: Mapping[str, Tensor], chrono: float | None = None
) -> None:
    """Fill a cell's parameters in place.

    Args:
        cell: Says by ``initial`` how a parameter begins, and by ``remembers`` which biases hold its memory.
        shapes: What ``cell.parameters`` gives.
        parameters: The tensors to fill.
        chrono: The longest dependency to expect, in steps: biases are then drawn as log(uniform(1, chrono - 1)), with
            the sign that makes the cell remember (Tallec & Ollivier 2018, Can recurrent neural networks warp time?,
            eq. 16).

    Raises:
        UsageError: an unknown scheme, a matrix scheme for a vector, or chrono for a cell that says no memory biases.
    """
    for name, parameter in parameters.items():
        shape = shapes[name]
        is_matrix = len(shape.shape) > 1
        default = ("orthogonal" if shape.recurrent else "glorot") if is_matrix else 0.0
        how = cell.initial.get(name, default)
        if not isinstance(how, str):
            parameter.fill_(how)
        elif how not in SCHEMES:
            near = did_you_mean(how, SCHEMES)
            raise UsageError(f"initial '{name}': there is no scheme '{how}'.{near} There are: {', '.join(SCHEMES)}.")
        elif not is_matrix and how not in ("normal", "uniform"):
            raise UsageError(f"initial '{name}': the scheme '{how}' is for matrices, and '{name}' is a vector.")
        else:
            SCHEMES[how](parameter)
    if chrono is not None:
        _chrono(cell, parameters, chrono)


def _chrono(cell: Cell, parameters: Mapping[str, Tensor], longest: float) -> None:
    if not cell.remembers:
        raise UsageError(
            f"chrono initialisation wants a cell that says which biases remember, and {cell.name} says none."
        )
    if longest < 3:
        raise UsageError(f"chrono is the longest dependency in steps, at least 3, and is {longest}.")
    first = parameters[next(iter(cell.remembers))]
    drawn = torch.empty_like(first).uniform_(1.0, longest - 1.0).log_()
    for name, sign in cell.remembers.items():
        parameters[name].copy_(sign * drawn)
