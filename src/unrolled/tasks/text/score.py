"""Scoring: how surprising each token of a text is, and the figures made from that."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.vocabulary import Vocabulary
from unrolled.wirings.many_to_many import ManyToMany

LARGEST = 709.0
"""The nats beyond which a perplexity is no double any more: a network that has come to grief is scored all the same."""


@dataclass(frozen=True)
class Score:
    """The surprisal of each token of a text, in nats.

    Every token counts, the first too: it is read as if a line end stood before it, and is as surprising as any token of
    the vocabulary (log V) where the vocabulary has none.
    """

    surprisals: Tensor
    ids: Tensor
    starts: Tensor
    """Where each token begins in the text's UTF-8 bytes."""
    ends: Tensor
    characters: int
    vocabulary: Vocabulary

    @property
    def tokens(self) -> int:
        """The tokens of the text."""
        return self.ids.numel()

    @property
    def nats(self) -> float:
        """The surprisal of the whole text."""
        return float(self.surprisals.sum())

    def figures(self) -> dict[str, Any]:
        """Nats and bits a character and a token, perplexity (of a token), and the counts they are made from."""
        a_token, a_character = self.nats / self.tokens, self.nats / self.characters
        return {
            "nats_per_character": a_character,
            "bits_per_character": a_character / math.log(2),
            "nats_per_token": a_token,
            "bits_per_token": a_token / math.log(2),
            "perplexity": math.exp(min(a_token, LARGEST)),
            "characters": self.characters,
            "tokens": self.tokens,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a token: its text, its surprisal in nats, where it begins and ends in the text's UTF-8 bytes."""
        columns = (self.ids.tolist(), self.surprisals.tolist(), self.starts.tolist(), self.ends.tolist())
        for token, nats, start, end in zip(*columns, strict=True):
            yield {"token": self.vocabulary.decode([token]), "surprisal": nats, "start": start, "end": end}


@torch.inference_mode()
def score_tokens(
    network: ManyToMany,
    ids: Tensor,
    start: int | None,
    vocabulary_size: int,
    window: int,
    report: Callable[[int, int], None] | None,
) -> Tensor:
    """-log p of every token (S,), float64, the state carried over all of them; ``start`` stands before the first."""
    device = next(network.parameters()).device
    before = ids[:-1] if start is None else torch.cat([torch.tensor([start]), ids[:-1]])
    targets = ids[1:] if start is None else ids
    parts, state = [], None
    for begin in range(0, targets.numel(), window):
        inputs = before[begin : begin + window].unsqueeze(0).to(device)  # (1, t)
        outputs, state, _ = network(inputs, state)
        wanted = targets[begin : begin + window].to(device)
        parts.append(cross_entropy(outputs[0].double(), wanted, reduction="none").cpu())  # (t,)
        if report is not None:
            report(min(begin + window, targets.numel()), targets.numel())
    if start is None:
        parts.insert(0, torch.full((1,), math.log(vocabulary_size), dtype=torch.float64))
    return torch.cat(parts)
