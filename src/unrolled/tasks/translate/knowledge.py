"""What a translation model knows beside its weights: both vocabularies, a lexicon, how targets outgrow sources."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from unrolled.data.lexicon import learn_lexicon
from unrolled.data.parallel import Pair
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError
from unrolled.tasks.estimator import KnowledgeError
from unrolled.tasks.side import Side
from unrolled.tasks.translate.config import TranslateConfig


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
            source = target = Side.learn(sides[0] + sides[1], config.unit, config)
        else:
            source, target = (Side.learn(side, unit, config) for side, unit in zip(sides, config.units, strict=True))
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
