"""The bridge: from where an encoder ends to where a decoder begins."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from unrolled.errors import UsageError, did_you_mean
from unrolled.layers.recurrent import Recurrent
from unrolled.state import State
from unrolled.wirings.steps import SteadyLinear

BRIDGES = ("zero", "last", "learned")


class Encoder(Protocol):
    """Reads a source in one go, without layers and directions."""

    output_size: int
    """E, the numbers of what a decoder looks back at."""

    @property
    def ends(self) -> Mapping[str, int]:
        """Names and sizes of what its State holds."""
        ...

    def __call__(self, inputs: Tensor, /) -> tuple[Tensor, State]:
        """What a decoder looks back at, (N, S, E), and the State behind it."""
        ...


class Bridge(nn.Module):
    """The encoder's final State to the decoder's first one, layer by layer (the last one serves those above it).

    An encoder without layers serves every state of the decoder with all that it ends in.

    Args:
        kind: ``zero``: the decoder begins from its own start. ``last``: from the state in which the encoder's forward
            direction ends. ``learned``: each state is tanh(W @ s + b) of the layer's state of that name, both
            directions side by side (Bahdanau et al. 2015, arXiv:1409.0473, appendix A.2.2, which reads one direction).
        encoder: Where the state comes from.
        decoder: Where it goes.

    Raises:
        UsageError: there is no such kind, or the layers have states of different names or sizes.
    """

    def __init__(self, kind: str, encoder: Recurrent | Encoder, decoder: Recurrent) -> None:
        super().__init__()
        if kind not in BRIDGES:
            raise UsageError(
                f"there is no bridge '{kind}'; choose from {', '.join(BRIDGES)}.{did_you_mean(kind, BRIDGES)}"
            )
        self.kind = kind
        ends, starts = _sizes(encoder) if isinstance(encoder, Recurrent) else encoder.ends, _sizes(decoder)
        self.sources: dict[str, list[str]] = {}
        self.maps = nn.ModuleDict()
        if kind == "zero":
            return
        for place, size in starts.items():
            self.sources[place] = _below(place, encoder, kind) if isinstance(encoder, Recurrent) else list(ends)
            given = [ends.get(one) for one in self.sources[place]]
            if None in given or (kind == "last" and given != [size]):
                have = ", ".join(f"{one} ({units})" for one, units in ends.items())
                raise UsageError(f"bridge {kind}: the decoder's state {place} ({size}) has no match among {have}.")
            if kind == "learned":
                self.maps[place.replace(".", "_")] = SteadyLinear(sum(one for one in given if one), size)

    def forward(self, state: State) -> State | None:
        """The decoder's first state for the rows of ``state``; None for its own start."""
        if self.kind == "zero":
            return None
        return State({place: self._one(place, state) for place in self.sources})

    def _one(self, place: str, state: State) -> Tensor:
        values = torch.cat([state[name] for name in self.sources[place]], -1)  # (N, units)
        if self.kind == "last":
            return values
        return torch.tanh(self.maps[place.replace(".", "_")](values))


def _below(place: str, encoder: Recurrent, kind: str) -> list[str]:
    """The encoder's states that serve one of the decoder's."""
    layer, _, name = place.split(".", 2)
    directions = encoder.directions if kind == "learned" else encoder.directions[:1]
    return [f"{min(int(layer), encoder.num_layers - 1)}.{direction}.{name}" for direction in directions]


def _sizes(layers: Recurrent) -> dict[str, int]:
    return {name: value.shape[1] for name, value in layers.initial_state(1).items()}
