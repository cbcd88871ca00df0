"""Writing: token after token from a network, given out as text as soon as it is whole."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from unrolled.data.vocabulary import Vocabulary
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.sampling import Sampling


@torch.inference_mode()
def write_on(network: ManyToMany, ids: Tensor, sampling: Sampling, generator: Generator) -> Iterator[int]:
    """Tokens that follow ``ids`` (S,), without end."""
    device = next(network.parameters()).device
    seen = set(ids.tolist())
    outputs, state, _ = network(ids.unsqueeze(0).to(device))
    while True:
        chosen = sampling.choose(outputs[0, -1].cpu(), seen, generator)
        yield chosen
        seen.add(chosen)
        outputs, state, _ = network(torch.tensor([[chosen]], device=device), state)


class Written:
    """Turns ids into text, holding back what may be the beginning of the stop text."""

    def __init__(self, vocabulary: Vocabulary, stop: str | None) -> None:
        self.vocabulary, self.stop = vocabulary, stop or ""

    def take(self, ids: Iterator[int], prompt: str, length: int) -> Iterator[str]:
        """The text of at most ``length`` ids that follow a prompt, up to the stop text."""
        decoder = self.vocabulary.decode_stream()
        for one in self.vocabulary.encode(prompt).tolist() if prompt else ():
            decoder.push(one)
        held = ""
        for _ in range(length):
            held += decoder.push(next(ids))
            if self.stop and self.stop in held:
                yield held[: held.index(self.stop)]
                return
            safe = len(held) - self._possible_start(held)
            if safe:
                yield held[:safe]
                held = held[safe:]
        held += decoder.finish()
        if self.stop:
            held = held.partition(self.stop)[0]
        if held:
            yield held

    def _possible_start(self, text: str) -> int:
        """How many characters at the end of ``text`` may begin the stop text."""
        longest = min(len(text), len(self.stop) - 1)
        return next((size for size in range(longest, 0, -1) if self.stop.startswith(text[-size:])), 0)
