"""What a network did, to colour its picture by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Key = tuple[bool, int, str, str]
"""Whether it is the decoder's, the layer from 0 on, the direction, the quantity's name."""
BULK = 0.97
"""The share of numbers that colours tell apart; where a state begins far out, the rest would be one colour."""
Series = Sequence[Sequence[float]]
"""A few units' values at each step."""


@dataclass(frozen=True)
class Run:
    """A run of as many steps as the picture has; of everything the same few units at each step."""

    inputs: Series
    outputs: Series
    quantities: Mapping[Key, Series]
    """In the order in which a direction takes its steps; a state also before the first one."""
    says: str
    """Whose run this is."""
    tokens: Sequence[str] = field(default=())
    """What stands at each step."""
    predicted: Sequence[str] = field(default=())
    """What the network says at each step."""

    @cached_property
    def reach(self) -> float:
        """The number that the strongest colour means: all but a few lie within it."""
        largest = self._largest
        return (largest[int(BULK * (len(largest) - 1))] or largest[-1] or 1.0) if largest else 1.0

    @property
    def is_cut(self) -> bool:
        """Whether some numbers lie beyond the reach."""
        return bool(self._largest) and self._largest[-1] > self.reach

    @cached_property
    def _largest(self) -> list[float]:
        series = (self.inputs, self.outputs, *self.quantities.values())
        return sorted(abs(one) for group in series for step in group for one in step)

    @property
    def units(self) -> int:
        """How many units are shown of the quantity that shows most."""
        series = (self.inputs, self.outputs, *self.quantities.values())
        return max((len(step) for group in series for step in group), default=0)
