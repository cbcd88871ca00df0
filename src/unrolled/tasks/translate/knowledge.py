"""What a translation model knows beside its weights: both vocabularies, a lexicon, how targets outgrow sources."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from unrolled.data.lexicon import learn_lexicon
from unrolled.data.parallel import Pair
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError
from unrolled.tasks.estimator import KnowledgeError
from unrolled.tasks.translate.config import TranslateConfig

END, STRANGE = "\n", "\ufffd"
"""What ends a sentence (and stands before its first token), and what a character is read as that was never seen."""


@dataclass(frozen=True)
class Side:
    """One side of the pairs: its vocabulary, and how its sentences are read."""

    vocabulary: Vocabulary
    lower: bool

    @classmethod
    def learn(cls, sentences: Sequence[str], config: TranslateConfig, place: int) -> Self:
        """The side that these sentences have."""
        unit = config.units[place]
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


@dataclass(frozen=True)
class Knowledge:
    """Both sides, and what the pairs of the training part say about them."""

    source: Side
    target: Side
    stretch: float
    """The most tokens of a target for one of its source; a translation ends there."""
    lexicon: dict[str, str]
    """The likeliest target part of each source part, for the baseline."""

    @classmethod
    def learn(cls, pairs: Sequence[Pair], config: TranslateConfig) -> Self:
        """What these pairs say."""
        sides = [[pair.source for pair in pairs], [pair.target for pair in pairs]]
        if config.joint:
            if config.units[0] != config.units[1]:
                raise UsageError(f"joint: one vocabulary has one unit, and {' and '.join(config.units)} are asked for.")
            source = target = Side.learn(sides[0] + sides[1], config, 0)
        else:
            source, target = (Side.learn(side, config, place) for place, side in enumerate(sides))
        lengths = [
            [len(one) for one in side.encode(texts)] for side, texts in zip((source, target), sides, strict=True)
        ]
        stretch = max(long / short for short, long in zip(*lengths, strict=True))
        parts = [[side.parts(text) for text in texts] for side, texts in zip((source, target), sides, strict=True)]
        return cls(source, target, stretch, learn_lexicon(*parts))

    def limit(self, source: Tensor, longest: int) -> int:
        """The most tokens of a translation."""
        return min(longest, math.ceil(self.stretch * len(source)) + 1)

    def word_by_word(self, sentence: str) -> str:
        """Each part of a sentence by the lexicon, in order; one that it lacks stays as it is."""
        between = "" if self.target.vocabulary.unit == "char" else " "
        return between.join(self.lexicon.get(one, one) for one in self.source.parts(sentence))

    def to_json(self) -> str:
        """As it stands in ``vocabulary.json``."""
        joint = self.source is self.target
        sides = {"source": self.source, "target": None if joint else self.target}
        vocabularies = {name: side and json.loads(side.vocabulary.to_json()) for name, side in sides.items()}
        return json.dumps(vocabularies | {"stretch": self.stretch, "lexicon": self.lexicon}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, lower: bool) -> Self:
        """What :meth:`to_json` wrote. Raises KnowledgeError for anything else."""
        try:
            written = json.loads(text)
            vocabularies = [written["source"], written["target"]]
            stretch, lexicon = float(written["stretch"]), dict(written["lexicon"])
        except (ValueError, KeyError, TypeError) as error:
            raise KnowledgeError(f"it holds no two vocabularies with a lexicon ({error!r}).") from None
        try:
            source, target = (one and Vocabulary.from_json(json.dumps(one)) for one in vocabularies)
        except UsageError as error:
            raise KnowledgeError(str(error)) from None
        if source is None:
            raise KnowledgeError("it holds no vocabulary of the source.")
        first = Side(source, lower)
        return cls(first, Side(target, lower) if target is not None else first, stretch, lexicon)


def _joined(sentences: Sequence[str], unit: str, lower: bool) -> str:
    """Sentences as one text, an end behind each; for byte pairs a blank before: a first word is as any other."""
    before = " " if unit == "bpe" else ""
    text = "".join(f"{before}{' '.join(sentence.split(END))}{END}" for sentence in sentences)
    return text.lower() if lower else text
