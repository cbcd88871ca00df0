"""Row by row: what follows a recurrence, on each row alone, so that no number depends on a row's neighbours.

A matrix product of torch rounds by how many rows it has, and a sum by how many steps, padding included. The engine's
results are the same whatever a row stands beside; this keeps them so.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def apart(of: Callable[[Tensor], Tensor], values: Tensor, lengths: Tensor | None) -> list[Tensor]:
    """``of`` each row's valid steps, (1, T_n, ...), one after the other."""
    return [of(row) for row in rows_alone(values, lengths)]


def rows_alone(values: Tensor, lengths: Tensor | None) -> list[Tensor]:
    """Each row's valid steps, (1, T_n, ...), in memory of its own: a product rounds by how its numbers are aligned."""
    steps = [values.shape[1]] * len(values) if lengths is None else lengths.tolist()
    rows = (values[row : row + 1, :count] for row, count in enumerate(steps))
    return [row.clone(memory_format=torch.contiguous_format) for row in rows]


def side_by_side(rows: list[Tensor], steps: int) -> Tensor:
    """Rows (1, T_n, ...) as one batch (N, T, ...), zeros behind each."""
    whole = rows[0].new_zeros((len(rows), steps, *rows[0].shape[2:]))
    for place, row in enumerate(rows):
        whole[place, : row.shape[1]] = row[0]
    return whole


def valid_steps(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Which steps of (N, T, ...) lie within a row's length, (N, T)."""
    count, steps = values.shape[:2]
    if lengths is None:
        return torch.ones(count, steps, dtype=torch.bool, device=values.device)
    return torch.arange(steps, device=values.device) < lengths.to(values.device).unsqueeze(1)
