"""Pooling: a whole sequence's outputs as one vector. The last valid step, their mean, their maximum, or attention."""

import torch
from torch import Tensor, nn

from unrolled.errors import UsageError, did_you_mean
from unrolled.wirings.apart import valid_steps

POOLINGS = ("last", "mean", "max", "attention")


class Pooling(nn.Module):
    """Outputs (N, T, size) and lengths to one vector a row, (N, size); zeros for a row without steps.

    Args:
        kind: ``last`` takes the last valid step (of a reverse direction the first, where it ends), ``mean`` and ``max``
            are over valid steps, ``attention`` is a mean weighted by softmax(v @ tanh(W @ y)) over them (Lin et al.
            2017, arXiv:1703.03130, eq. 5 to 7, one hop).
        size: The numbers of one step.
        directions: 2 where the second half of them comes from a reverse direction.
    """

    def __init__(self, kind: str, size: int, directions: int = 1) -> None:
        super().__init__()
        if kind not in POOLINGS:
            raise UsageError(
                f"there is no pooling '{kind}'; choose from {', '.join(POOLINGS)}.{did_you_mean(kind, POOLINGS)}"
            )
        self.kind, self.directions = kind, directions
        if kind == "attention":
            self.inner, self.outer = nn.Linear(size, size), nn.Linear(size, 1, bias=False)

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Tensor:
        if not values.shape[1]:
            return values.new_zeros(values.shape[0], values.shape[2])
        valid = valid_steps(values, lengths).unsqueeze(-1)  # (N, T, 1)
        if self.kind == "last":
            return self._last(values, valid)
        if self.kind == "mean":
            return torch.where(valid, values, 0).sum(1) / valid.sum(1).clamp(min=1)
        if self.kind == "max":
            highest = values.masked_fill(~valid, -torch.inf).amax(1)
            return torch.where(valid.any(1), highest, 0)
        weights = self.weights(values, valid)
        return (weights * values).sum(1)

    def so_far(self, values: Tensor) -> Tensor:
        """At each step the vector of the sequence that ends there, (N, T, size), in one direction.

        Raises:
            UsageError: there are two directions: what reads backwards begins at the sequence's end.
        """
        if self.directions > 1:
            raise UsageError("a bidirectional layer says nothing of a sequence before it has read all of it.")
        if self.kind == "last" or not values.shape[1]:
            return values
        if self.kind == "mean":
            return values.cumsum(1) / torch.arange(1, values.shape[1] + 1, device=values.device).unsqueeze(-1)
        if self.kind == "max":
            return values.cummax(1).values
        scores = self.outer(torch.tanh(self.inner(values)))  # (N, T, 1)
        shares = torch.exp((scores - scores.amax(1, keepdim=True)).double())  # wide: all that comes first may be small
        return ((shares * values).cumsum(1) / shares.cumsum(1)).to(values)

    def weights(self, values: Tensor, valid: Tensor) -> Tensor:
        """How much each step counts, (N, T, 1); zero past a row's length."""
        scores = self.outer(torch.tanh(self.inner(values)))  # (N, T, 1)
        lowest = torch.finfo(scores.dtype).min  # not -inf: a row without steps would give no number, nor a gradient
        return torch.where(valid, torch.softmax(scores.masked_fill(~valid, lowest), 1), 0)

    def _last(self, values: Tensor, valid: Tensor) -> Tensor:
        count = valid.sum(1)  # (N, 1)
        place = (count - 1).clamp(min=0).unsqueeze(-1).expand(-1, 1, values.shape[2])
        last = torch.where(count > 0, values.gather(1, place).squeeze(1), 0)  # (N, size)
        if self.directions == 1:
            return last
        half = values.shape[2] // 2
        return torch.cat([last[:, :half], torch.where(count > 0, values[:, 0, half:], 0)], -1)
