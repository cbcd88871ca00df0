"""Between texts and token ids for classes: words are cut from punctuation, and what is unknown has an id."""

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, Literal, Self

import torch
from torch import Tensor

from unrolled.data.units import UNKNOWN
from unrolled.data.vocabulary import Vocabulary

WORD = re.compile(r"\w+?(?=n't\b)|n't\b|'(?:s|re|ve|ll|d|m)\b|\w+|[^\w\s]", re.IGNORECASE)
"""Words, signs one by one, and English endings by themselves, as word vectors have them: do n't, it 's."""
AT_MOST = 50_000
"""Words in a vocabulary where no size is given."""


class Coder:
    """Turns texts into ids, (S,); the id of what it does not know is ``unknown``.

    Args:
        vocabulary: Its tokens.
        lower: Whether texts are read as lower case.
    """

    def __init__(self, vocabulary: Vocabulary, lower: bool) -> None:
        self.vocabulary, self.lower = vocabulary, lower
        self.unit = vocabulary.unit
        self._places = {token: place for place, token in enumerate(vocabulary.tokens)}
        self.unknown = self._places[UNKNOWN] if self.unit == "word" else vocabulary.size
        self.size = max(vocabulary.size, self.unknown + 1)

    @classmethod
    def learn(
        cls,
        texts: Sequence[str],
        unit: Literal["char", "word", "bpe"],
        size: int | None,
        lower: bool,
        known: Collection[str] = (),
    ) -> Self:
        """The coder of texts.

        Words are those that come twice, the most frequent first, and behind them those of ``known``, which have a
        meaning from elsewhere.

        Raises:
            UsageError: the unit cannot have such a size, or the texts hold nothing to learn from.
        """
        if lower:
            texts = [text.lower() for text in texts]
        if unit != "word":
            return cls(Vocabulary.train(texts, unit, size), lower)
        counts = Counter(chain.from_iterable(WORD.findall(text) for text in texts))
        known = dict.fromkeys(known)
        often = sorted((word for word in counts if counts[word] > 1 or word in known), key=lambda word: -counts[word])
        kept = list(dict.fromkeys([*often, *known]))[: (size or AT_MOST) - 2] or list(counts)
        return cls(Vocabulary.train(" ".join(kept), "word", len(kept) + 2), lower)

    def encode(self, text: str) -> Tensor:
        """The ids of a text, int64 (S,)."""
        if self.unit == "bpe":
            return self.vocabulary.encode(text.lower() if self.lower else text)
        return torch.tensor([self._places.get(token, self.unknown) for token in self.cut(text)], dtype=torch.int64)

    def cut(self, text: str) -> list[str]:
        """The words or characters of a text."""
        text = text.lower() if self.lower else text
        return WORD.findall(text) if self.unit == "word" else list(text)

    def shown(self, text: str) -> list[str]:
        """What each id of a text stands for there."""
        if self.unit != "bpe":
            return self.cut(text)
        return [self.vocabulary.decode([one]) for one in self.encode(text).tolist()]

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_json` takes."""
        return {"lower": self.lower, "tokens": json.loads(self.vocabulary.to_json())}

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Self:
        """The coder that :meth:`to_json` described."""
        return cls(Vocabulary.from_json(json.dumps(written["tokens"])), bool(written["lower"]))
