"""Many-to-many in step: at every step the network reads one input and gives one output."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from unrolled.layers.recurrent import Recurrent
from unrolled.state import State


class Read(NamedTuple):
    """What a network gives for a window."""

    outputs: Tensor
    """One output a step, (N, T, V)."""
    state: State
    """What to hand to the next window."""
    recorded: dict[str, Tensor]
    """Recorded quantities over time, (N, T, size)."""


class ManyToMany(nn.Module):
    """Input side, recurrence, output side, one after the other at each step."""

    def __init__(self, input_side: nn.Module, recurrent: Recurrent, output_side: nn.Module) -> None:
        super().__init__()
        self.input_side, self.recurrent, self.output_side = input_side, recurrent, output_side

    def forward(
        self,
        inputs: Tensor,
        state: Mapping[str, Tensor] | None = None,
        lengths: Tensor | None = None,
        reset: Tensor | None = None,
        record: Sequence[str] = (),
    ) -> Read:
        """Read a window of inputs (N, T, ...) from ``state`` on; see :class:`unrolled.layers.recurrent.Recurrent`."""
        values, after, recorded = self.recurrent(self.input_side(inputs), state, lengths, reset, record)
        return Read(self.output_side(values), after, recorded)
