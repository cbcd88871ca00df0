"""What a caption model knows beside its weights: the captions' vocabulary, and how long they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from unrolled.data.units import UNKNOWN
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError
from unrolled.tasks.caption.config import CaptionConfig
from unrolled.tasks.estimator import KnowledgeError
from unrolled.tasks.side import Side


@dataclass(frozen=True)
class Knowledge:
    """What the captions of the training part say."""

    side: Side
    longest: int
    """The most tokens of a caption, its end included; none that is written is longer."""

    @classmethod
    def learn(cls, captions: Sequence[str], config: CaptionConfig) -> Self:
        """What these captions say."""
        side = Side.learn(captions, config.unit, config)
        return cls(side, max(map(len, side.encode(captions))))

    @property
    def never(self) -> list[int]:
        """Tokens that are not written: with words, what stands for those that the vocabulary lacks."""
        vocabulary = self.side.vocabulary
        return [vocabulary.tokens.index(UNKNOWN)] if vocabulary.unit == "word" else []

    def to_json(self) -> str:
        """As it stands in ``vocabulary.json``."""
        vocabulary = json.loads(self.side.vocabulary.to_json())
        return json.dumps({"captions": vocabulary, "longest": self.longest}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, lower: bool) -> Self:
        """What :meth:`to_json` wrote. Raises KnowledgeError for anything else."""
        try:
            written = json.loads(text)
            vocabulary, longest = written["captions"], int(written["longest"])
        except (ValueError, KeyError, TypeError) as error:
            raise KnowledgeError(f"it holds no vocabulary of captions ({error!r}).") from None
        try:
            return cls(Side(Vocabulary.from_json(json.dumps(vocabulary)), lower), longest)
        except UsageError as error:
            raise KnowledgeError(str(error)) from None
