"""Choosing the next token from scores: temperature, top-k, top-p, min-p, repetition penalty, or the best."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from unrolled.errors import UsageError


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn. Raises UsageError for a value out of range.

    Attributes:
        temperature: Scores are divided by it; 0 always takes the best token.
        top_k: Only the k best tokens may be drawn (Fan et al. 2018); 0 for all.
        top_p: Only the best tokens that together reach this probability (nucleus, Holtzman et al. 2020).
        min_p: Only tokens with at least this share of the best token's probability (Nguyen et al. 2024).
        repetition_penalty: Above 1, tokens that stand in the text already score less (Keskar et al. 2019, section 4.1).
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        ranges = {
            "temperature": (self.temperature >= 0, "0 or more"),
            "top-k": (self.top_k >= 0, "0 (all) or more"),
            "top-p": (0 < self.top_p <= 1, "above 0 and at most 1"),
            "min-p": (0 <= self.min_p <= 1, "from 0 to 1"),
            "repetition-penalty": (self.repetition_penalty > 0, "above 0"),
        }
        for name, (fits, wanted) in ranges.items():
            if not fits:
                value = getattr(self, name.replace("-", "_"))
                raise UsageError(f"{name} is {wanted}, and is {value}.")

    def choose(self, scores: Tensor, seen: Collection[int], generator: Generator) -> int:
        """Draw one token id from its scores (V,); ``seen`` are the ids in the text so far."""
        if self.repetition_penalty != 1.0 and seen:
            index = torch.tensor(sorted(set(seen)))
            old = scores[index]
            penalised = torch.where(old > 0, old / self.repetition_penalty, old * self.repetition_penalty)
            scores = scores.index_copy(0, index, penalised)
        if self.temperature == 0:
            return int(scores.argmax())
        probabilities = self.allowed(torch.softmax((scores.double() - scores.max()) / self.temperature, -1))
        return int(torch.multinomial(probabilities, 1, generator=generator))

    def allowed(self, probabilities: Tensor) -> Tensor:
        """The probabilities (V,) with those of tokens that may not be drawn put to zero; the best one always may."""
        best_first = probabilities.sort(descending=True, stable=True)
        keep = torch.ones_like(best_first.values, dtype=torch.bool)
        if self.top_k:
            keep[self.top_k :] = False
        if self.top_p < 1:
            keep &= best_first.values.cumsum(-1) - best_first.values < self.top_p
        keep &= best_first.values >= self.min_p * best_first.values[0]
        keep[0] = True
        return torch.zeros_like(probabilities).scatter(0, best_first.indices[keep], best_first.values[keep])
