"""The network of the forecast task: recurrent layers over scaled values, and a head that looks ahead."""

import torch
from torch import Tensor, nn

from unrolled.equations.cell import Cell
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.encode import Encoder
from unrolled.wirings.distributions import Output, find_output
from unrolled.wirings.recurrence import recurrent_layers

INNER = 16
"""Units of the head for each step ahead."""


class Head(nn.Module):
    """What is said of each of K steps ahead: from the state, and from what is known of the step.

    ``out(tanh(read_k(h) + local(a_k))) + skip(a_k)``, the local decoder of Wen et al. 2017 (arXiv:1711.11053, section
    3.3) with one layer, without ``a_k`` where nothing is known of a step; it begins by saying nothing, so that a first
    forecast is the anchor.
    """

    def __init__(self, hidden: int, ahead: int, steps: int, size: int) -> None:
        super().__init__()
        self.steps = steps
        self.read = nn.Linear(hidden, steps * INNER)
        self.local = nn.Linear(ahead, INNER, bias=False) if ahead else None
        self.out = nn.Linear(INNER, size)
        self.skip = nn.Linear(ahead, size, bias=False) if ahead else None
        for matrix in (self.out.weight, self.out.bias, *(() if self.skip is None else (self.skip.weight,))):
            nn.init.zeros_(matrix)

    def forward(self, states: Tensor, ahead: Tensor) -> Tensor:
        """States (..., H) and what is known ahead (..., K, F) to raw numbers (..., K, size)."""
        read = self.read(states).unflatten(-1, (self.steps, INNER))  # (..., K, INNER)
        if self.local is None or self.skip is None:
            return self.out(torch.tanh(read))
        return self.out(torch.tanh(read + self.local(ahead))) + self.skip(ahead)


class ForecastNetwork(nn.Module):
    """Inputs and series to raw numbers for the steps ahead. ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """

    def __init__(self, config: ForecastConfig, cell: Cell, encoder: Encoder) -> None:
        super().__init__()
        self.output: Output = find_output(config.output, config.quantiles)
        self.dropout = nn.Dropout(config.dropout_layers)
        self.stands_for = nn.Embedding(len(encoder.names) + 1, config.embedding) if config.embedding else None
        if self.stands_for is not None:
            nn.init.normal_(self.stands_for.weight, std=0.1)
        self.recurrent = recurrent_layers(config, cell, encoder.size + config.embedding)
        assert config.horizon is not None
        self.widening: Tensor
        self.register_buffer("widening", torch.ones(config.horizon))  # learned behind training: see calibrate.py
        steps = config.horizon if config.direct else 1
        self.head = Head(self.recurrent.output_size, encoder.ahead_size, steps, self.output.size)

    def read(self, inputs: Tensor, which: Tensor) -> Tensor:
        """Inputs (N, T, D) or (N, D) beside the numbers of their series (N,): 0 is a series that was not learned."""
        if self.stands_for is None:
            return inputs
        own = self.stands_for(which)
        own = own.unsqueeze(1).expand(-1, inputs.shape[1], -1) if inputs.dim() == 3 else own
        return torch.cat([inputs, own], -1)

    def forward(self, inputs: Tensor, which: Tensor, lengths: Tensor, places: Tensor, ahead: Tensor) -> Tensor:
        """Raw numbers (N, Q, K, size) at the steps ``places`` (N, Q) of inputs (N, T, D); ahead is (N, Q, K, F)."""
        outputs = self.recurrent(self.read(inputs, which), lengths=lengths).outputs  # (N, T, H)
        assert isinstance(outputs, Tensor)
        chosen = outputs.gather(1, places.unsqueeze(-1).expand(-1, -1, outputs.shape[2]))  # (N, Q, H)
        return self.head(self.dropout(chosen), ahead)
