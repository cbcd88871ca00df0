"""A layer that goes on step by step and keeps its state: for whoever has one step at a time and wants it soon."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from unrolled.engine.stream import Held
from unrolled.errors import UsageError
from unrolled.state import State

Holding = tuple[Held, Callable[[], Mapping[str, Tensor]]]
"""A layer's stream, and how to ask for its weights."""


class Steps(Protocol):
    """What of a layer a stream needs."""

    @property
    def state_names(self) -> Sequence[Sequence[str]]:
        """Of each layer its states' names, as the whole State has them."""
        ...

    def initial_state(self, batch_size: int) -> State: ...

    def step(self, x: Tensor, state: Mapping[str, Tensor] | None = None) -> tuple[Tensor, State]: ...

    def hold(self, x: Tensor, state: Mapping[str, Tensor]) -> "list[Holding]":
        """Each layer's stream from a state on; nothing where steps must be general."""
        ...


class LayerStream:
    """A layer over a stream: ``y = stream(x)`` is one step, without gradients; the state stays inside.

    Between two steps nothing is looked up or handed over that can stay where it is. Weights that change are noticed.
    One thread at a time may use it.
    """

    def __init__(self, layer: Steps, batch_size: int, state: Mapping[str, Tensor] | None) -> None:
        self._layer = layer
        begin = layer.initial_state(batch_size) if state is None else State(state)
        self._state = begin.detach().map(Tensor.clone)
        self._held: list[Holding] = []
        if self._state.batch_size != batch_size and self._state:
            raise UsageError(f"the stream has {batch_size} rows, and the state {self._state.batch_size}.")

    def __call__(self, x: Tensor) -> Tensor:
        """One step: x (N, D) gives the output (N, size). Raises UsageError where x does not fit."""
        x = x if x.is_contiguous() else x.contiguous()
        return self._through(x) if self._takes(x) else self._begin(x)

    @property
    def state(self) -> State:
        """The state so far, a copy: to keep, to save, to begin another stream from."""
        if not self._held:
            return self._state.map(Tensor.clone)
        places = zip(self._layer.state_names, self._held, strict=True)
        return State(
            {name: value for names, (held, _) in places for name, value in zip(names, held.states(), strict=True)}
        )

    def reset(self, mask: Tensor | None = None) -> None:
        """Return to the layer's start: all rows, or those where ``mask`` (N,) is true."""
        state = self.state
        start = self._layer.initial_state(state.batch_size).detach()
        self._state, self._held = start if mask is None else state.reset(mask, start), []

    def _takes(self, x: Tensor) -> bool:
        return bool(self._held) and all(
            held.takes(weights(), None if number else x) for number, (held, weights) in enumerate(self._held)
        )

    def _through(self, x: Tensor) -> Tensor:
        for held, _ in self._held:
            x = held.step(x)
        return x

    def _begin(self, x: Tensor) -> Tensor:
        """The first step, or the first after something has changed; every step where steps must be general."""
        state = self._state = self.state
        self._held = []
        with torch.no_grad():
            self._held = self._layer.hold(x, state)
            if self._held:
                return self._through(x)
            outputs, self._state = self._layer.step(x, state)
        return outputs
