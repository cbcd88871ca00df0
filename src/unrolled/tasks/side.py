"""Side: sentences of one kind as token ids, there and back; what a decoder writes, and what an encoder may read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from unrolled.data.vocabulary import Vocabulary
from unrolled.tasks.writing_config import WritingConfig

END, STRANGE = "\n", "\ufffd"
"""What ends a sentence (and stands before its first token), and what a character is read as that was never seen."""


@dataclass(frozen=True)
class Side:
    """Sentences of one kind (a language, captions): their vocabulary, and how they are read."""

    vocabulary: Vocabulary
    lower: bool

    @classmethod
    def learn(cls, sentences: Sequence[str], unit: Literal["char", "word", "bpe"], config: WritingConfig) -> Self:
        """The side that these sentences have, cut into such units."""
        text = _joined(sentences, unit, config.lower)
        size = None if unit == "char" else config.vocabulary
        return cls(Vocabulary.train(text + STRANGE if unit == "char" else text, unit, size), config.lower)

    @property
    def end(self) -> int:
        """The token that ends a sentence."""
        return int(self.vocabulary.encode(END))

    def encode(self, sentences: Sequence[str]) -> list[Tensor]:
        """The ids of each sentence, (S_n,), the end token last."""
        if not sentences:
            return []
        text = _joined(sentences, self.vocabulary.unit, self.lower)
        if self.vocabulary.unit == "char":
            known = set(self.vocabulary.tokens)
            text = text.translate({ord(one): STRANGE for one in set(text) - known})
        ids = self.vocabulary.encode(text)
        ends = torch.nonzero(ids == self.end).flatten() + 1
        return list(ids.tensor_split(ends[:-1]))

    def decode(self, ids: Sequence[int]) -> str:
        """The sentence of these ids."""
        return self.vocabulary.decode(ids).strip()

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """What each id stands for, to be shown; the end as a sign."""
        return [self.vocabulary.decode([one]).strip(" ").replace(END, "⏎") or "␣" for one in ids]

    def words(self, sentence: str) -> list[str]:
        """What errors are counted in: characters where the unit is one, and what stands between blanks elsewhere."""
        sentence = sentence.lower() if self.lower else sentence
        return list(sentence) if self.vocabulary.unit == "char" else sentence.split()

    def parts(self, sentence: str) -> list[str]:
        """What the lexicon knows: as ``words``, but words and signs apart where the unit is byte pairs."""
        if self.vocabulary.unit != "bpe":
            return self.words(sentence)
        return re.findall(r"\w+|[^\w\s]", sentence.lower() if self.lower else sentence)


def _joined(sentences: Sequence[str], unit: str, lower: bool) -> str:
    """Sentences as one text, an end behind each; for byte pairs a blank before: a first word is as any other."""
    before = " " if unit == "bpe" else ""
    text = "".join(f"{before}{' '.join(sentence.split(END))}{END}" for sentence in sentences)
    return text.lower() if lower else text
