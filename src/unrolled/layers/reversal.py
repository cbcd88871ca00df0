"""Ragged sequences read backwards: each row's valid steps in reverse order, its padding left where it is."""

import torch
from torch import Tensor


def reversed_in_time(values: Tensor, lengths: Tensor | None = None) -> Tensor:
    """``values`` (N, T, ...) with the first ``lengths`` steps (N,) of each row reversed; done twice, it is itself."""
    if lengths is None:
        return values.flip(1)
    steps = torch.arange(values.shape[1], device=values.device)
    ends = lengths.to(values.device, torch.int64).unsqueeze(1)  # (N, 1)
    index = torch.where(steps < ends, ends - 1 - steps, steps)  # (N, T)
    return values[torch.arange(values.shape[0], device=values.device).unsqueeze(1), index]


def reset_reversed_in_time(reset: Tensor, lengths: Tensor | None = None) -> Tensor:
    """The marks (N, T) that part a row at the same places when it is read backwards.

    A mark before step t parts t-1 from t; read backwards, that is before step t-1.
    """
    if lengths is not None:
        steps = torch.arange(reset.shape[1], device=reset.device)
        ends = lengths.to(reset.device, torch.int64).unsqueeze(1)  # (N, 1)
        reset = reset & (steps < ends)  # a mark in the padding parts nothing
    between = torch.cat([reset[:, 1:], torch.zeros_like(reset[:, :1])], 1)
    return reversed_in_time(between, lengths)
