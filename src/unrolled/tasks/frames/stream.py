"""A frames model over a stream: one step in, one answer out, equal to the whole sequence's bit for bit."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.tasks.frames.network import FrameNetwork


class FrameStream:
    """Answers for one sequence while it comes in.

    Args:
        network: Causal, and not in training.
        encode: A step as the user has it to features (D,).
        tell: Scores (size,) to a row.
        lookahead: Steps that an answer waits for.
    """

    def __init__(
        self,
        network: FrameNetwork,
        encode: Callable[[Any], Tensor],
        tell: Callable[[Tensor], dict[str, Any]],
        lookahead: int,
    ) -> None:
        if len(network.recurrent.directions) > 1:
            raise UsageError(
                "a bidirectional network reads the future, and cannot go step by step; train a causal one."
            )
        self._network, self._encode, self._tell, self._lookahead = network, encode, tell, lookahead
        self._layers = [network.recurrent.stream(1), network.scores.stream()]
        if network.projection is not None:
            self._layers.insert(0, network.projection.stream())
        self._read = 0
        self._over = False

    def step(self, features: Any) -> dict[str, Any] | None:
        """The answer that this step allows: for the step itself, or for the one ``lookahead`` steps before, if any."""
        if self._over:
            raise UsageError("the stream is finished; begin another with model.stream().")
        answer = self._through(self._encode(features))
        self._read += 1
        return answer if self._read > self._lookahead else None

    def finish(self) -> Iterator[dict[str, Any]]:
        """The answers still waited for, of the last ``lookahead`` steps; nothing can be read behind them."""
        self._over = True
        late = min(self._lookahead, self._read)
        for number in range(self._lookahead):
            answer = self._through(torch.full((self._network.scale.output_size,), torch.nan))
            if self._lookahead - number <= late:
                yield answer

    @torch.inference_mode()
    def _through(self, features: Tensor) -> dict[str, Any]:
        values = self._network.scale(features.unsqueeze(0))  # (1, D)
        for layer in self._layers:
            values = layer(values)
        return self._tell(values[0].cpu())
