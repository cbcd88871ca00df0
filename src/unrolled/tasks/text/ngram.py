"""The baseline of the text task: an interpolated n-gram model that counts as it reads, beside the network."""

import math
from typing import Any

import numpy as np

from unrolled.data.vocabulary import Vocabulary

ORDERS = {"char": 5, "word": 3, "bpe": 3}
"""Tokens of the longest n-gram, by unit."""
READ_BEFORE = 2_000_000
"""Tokens of the training text, its last, that the model reads before."""


def beside(vocabulary: Vocabulary, text: str, before: str = "") -> dict[str, dict[str, Any]]:
    """The baseline's figures on a text, by its name; ``before`` is what it has read before."""
    order = ORDERS[vocabulary.unit]
    known = vocabulary.encode(before).numpy()[-READ_BEFORE:] if before else np.empty(0, np.int64)
    ids = vocabulary.encode(text).numpy()
    nats = float(surprisals(np.concatenate([known, ids]), vocabulary.size, order)[len(known) :].sum())
    a_token, a_character = nats / len(ids), nats / len(text)
    figures = {
        "nats_per_character": a_character,
        "bits_per_character": a_character / math.log(2),
        "nats_per_token": a_token,
        "bits_per_token": a_token / math.log(2),
        "perplexity": math.exp(a_token),
    }
    return {f"{order}-gram of the {'training text' if before else 'text as it reads it'}": figures}


def surprisals(ids: np.ndarray, size: int, order: int) -> np.ndarray:
    """-log p of every token (S,), by what stands before it in ``ids`` (S,) alone.

    Witten & Bell 1991, method C, interpolated (Chen & Goodman 1998, section 2.3):
    p_k(w | c) = (count(c w) + kinds(c) p_(k-1)(w | c')) / (count(c) + kinds(c)), where kinds(c) are the different
    tokens seen behind the k - 1 tokens c, c' is c without its first, and p_0 = 1 / ``size``.
    """
    chances, context = np.full(len(ids), 1.0 / size), np.zeros(len(ids), np.int64)
    once = np.ones(len(ids), np.int64)
    for _ in range(order):
        grams, contexts = _Groups(context * size + ids), _Groups(context)
        with_token, seen = grams.before(once), contexts.before(once)
        kinds = contexts.before((with_token == 0).astype(np.int64))
        chances = np.where(seen > 0, (with_token + kinds * chances) / np.maximum(seen + kinds, 1), chances)
        context = np.concatenate([[grams.count], grams.number[:-1]])  # the n-gram that ends before each token
    return -np.log(chances)


class _Groups:
    """Places of equal keys (S,): their group's number, and sums inside it."""

    def __init__(self, keys: np.ndarray) -> None:
        self.order = np.argsort(keys, kind="stable")
        ordered = keys[self.order]
        self.first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        number = np.cumsum(self.first) - 1
        self.count, self.number = int(number[-1]) + 1, np.empty_like(keys)
        self.number[self.order] = number

    def before(self, weights: np.ndarray) -> np.ndarray:
        """For each place the sum of the weights at earlier places of its group."""
        ordered = weights[self.order]
        running = np.cumsum(ordered) - ordered
        sums = np.empty_like(running)
        sums[self.order] = running - running[self.first][self.number[self.order]]
        return sums
