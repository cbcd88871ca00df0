"""The course over streams: windows in order, the state carried from each to the next."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unrolled.data.streams import Streams
from unrolled.state import State
from unrolled.training.config import StreamConfig
from unrolled.training.course import Lesson, device_of
from unrolled.training.surprise import surprise
from unrolled.training.truncated import Carry, read_window
from unrolled.wirings.many_to_many import ManyToMany


class StreamCourse:
    """Teaches a network what comes next in its streams.

    Args:
        network: What to train.
        streams: The training text.
        validate: Gives the validation loss, nats a token.
        config: The settings.
    """

    def __init__(
        self, network: ManyToMany, streams: Streams, validate: Callable[[], float], config: StreamConfig
    ) -> None:
        self.network, self.streams, self.config = network, streams, config
        self.validate = validate
        self.carry: Carry | None = None

    def __len__(self) -> int:
        return len(self.streams)

    def lesson(self, ready: Any, epoch: int, index: int) -> Lesson:  # noqa: ARG002 (every pass is alike)
        """See :class:`unrolled.training.course.Course`."""
        device = device_of(self.network)
        inputs, targets = (ids.to(device) for ids in self.streams[index])  # (N, k1)
        carry = self._with_fresh_rows(self.carry) if index and self.carry is not None else None
        outputs, self.carry = read_window(ready, inputs, carry, self.config.bptt or self.config.window)
        return Lesson(surprise(outputs.flatten(0, 1), targets.flatten()), targets.numel())

    def _with_fresh_rows(self, carry: Carry) -> Carry:
        """The carry with a few rows put back to the start of a state.

        A network that only ever reads on from a carried state may settle where it never came from a fresh one, and then
        fail wherever a text begins.
        """
        if not self.config.fresh or carry.state is None:
            return carry
        batch = carry.state.batch_size
        chosen = torch.rand(batch) < self.config.fresh
        start = self.network.recurrent.initial_state(batch)
        return Carry(carry.state.reset(chosen, start), carry.inputs)

    def content(self) -> dict[str, Any]:
        """The carried state and inputs."""
        if self.carry is None:
            return {}
        state = self.carry.state
        return {"state": None if state is None else dict(state), "inputs": self.carry.inputs}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what :meth:`content` gave."""
        if not content:
            self.carry = None
            return
        device = device_of(self.network)
        state: dict[str, Tensor] | None = content["state"]
        inputs: Tensor | None = content["inputs"]
        self.carry = Carry(
            None if state is None else State(state).to(device), None if inputs is None else inputs.to(device)
        )
