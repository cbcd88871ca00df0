"""Input sides for sequences of numbers."""

import torch
from torch import Tensor, nn


class Standardised(nn.Module):
    """Each number less its mean, over its standard deviation, as training data have them: (N, T, D) to (N, T, D).

    What never varies in them is only shifted. A number that is missing (NaN) stands as its mean.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.output_size = size
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def learn(self, sequences: list[Tensor]) -> None:
        """Take mean and deviation from sequences (T_n, D)."""
        steps = torch.cat(sequences).double()  # (all steps, D)
        there = ~steps.isnan()
        count = there.sum(0).clamp(min=1)
        mean = torch.where(there, steps, 0).sum(0) / count
        variance = torch.where(there, (steps - mean) ** 2, 0).sum(0) / count
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(variance > 0, variance.sqrt(), 1))

    def forward(self, values: Tensor) -> Tensor:
        return torch.nan_to_num((values - self.mean) / self.deviation, nan=0.0)  # (N, T, D)
