"""The loss of tokens: the mean of how surprising each was, in nats."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import cross_entropy

_LARGE = 1 << 22
"""Scores from which memory is what the loss takes its time with: 16 MB, past the caches."""
_ROWS = 64
"""Steps whose scores are worked on at once."""


def surprise(scores: Tensor, targets: Tensor) -> Tensor:
    """The mean cross-entropy of ``scores`` (M, V) and the tokens ``targets`` (M,) that came.

    Many scores on a CPU are used up: the backward pass writes their gradient over them, instead of writing as much
    again twice (the logarithms of all chances, and their gradient). Nothing may read them behind it.
    """
    if not scores.is_cpu or scores.dtype != torch.float32 or scores.numel() < _LARGE:
        return cross_entropy(scores, targets)
    return _Surprise.apply(scores, targets)  # pyright: ignore[reportReturnType] (torch gives it no type)


class _Surprise(torch.autograd.Function):
    """Cross-entropy whose gradient takes its scores' place."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, targets: Tensor) -> Tensor:
        total = torch.cat([rows.logsumexp(1) for rows in scores.split(_ROWS)])  # (M,)
        ctx.scores, ctx.targets, ctx.total = scores.detach(), targets, total
        return (total - scores.gather(1, targets.unsqueeze(1)).squeeze(1)).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        scores, targets = ctx.scores, ctx.targets
        ctx.scores = None  # a second backward pass would read what this one wrote: it fails instead
        for rows, total in zip(scores.split(_ROWS), ctx.total.split(_ROWS), strict=True):
            rows.sub_(total.unsqueeze(1)).exp_()
        scores[torch.arange(len(targets)), targets] -= 1.0
        return scores.mul_(gradient / len(targets)), None
