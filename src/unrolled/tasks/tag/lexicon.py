"""What is learned from tagged sentences beside the weights: words, characters, tags, and each word's usual tag."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from unrolled.data.batches import padded
from unrolled.tasks.estimator import KnowledgeError
from unrolled.tasks.tag.sentences import Sentence
from unrolled.wirings.words import Words

UNKNOWN = "<unk>"
LONGEST = 30
"""Characters that are read of a word; of a longer one its beginning and its end, half each."""


class Lexicon:
    """Words in lower case with ids from 1 (0 is unknown), characters likewise, tags with ids from 0.

    Attributes:
        usual: For every word of the training data, as it is written, its most frequent tag.
        most: The most frequent tag of all.
    """

    def __init__(self, words: Sequence[str], characters: Sequence[str], tags: Sequence[str], usual: dict[str, str]):
        self.words, self.characters, self.tags, self.usual = tuple(words), tuple(characters), tuple(tags), usual
        self._id_of_word = {word: place for place, word in enumerate(words, 1)}
        self._id_of_character = {character: place for place, character in enumerate(characters, 1)}
        self._id_of_tag = {tag: place for place, tag in enumerate(tags)}
        self._spelled: dict[str, Tensor] = {}

    @classmethod
    def learn(cls, rows: Sequence[Sentence], least: int, more: Iterable[str] = ()) -> Self:
        """The lexicon of tagged sentences: words that come ``least`` times, characters that come twice, all tags.

        All by falling count, equal counts in their order; behind the words come ``more``.
        """
        words = Counter(word.lower() for row in rows for word in row.words)
        characters = Counter(character for row in rows for word in row.words for character in word)
        tags = Counter(tag for row in rows for tag in row.tags)
        pairs = Counter(pair for row in rows for pair in zip(row.words, row.tags, strict=True))
        usual: dict[str, str] = {}
        for (word, tag), _ in sorted(pairs.items(), key=lambda one: (-one[1], one[0])):
            usual.setdefault(word, tag)
        known = dict.fromkeys([*_ranked(words, least), *(word.lower() for word in more)])
        return cls(list(known), _ranked(characters, 2), _ranked(tags, 1), usual)

    @property
    def most(self) -> str:
        """The most frequent tag of all."""
        return self.tags[0]

    def counts(self, rows: Sequence[Sentence]) -> Tensor:
        """How often each id comes in sentences, (V,)."""
        ids = torch.tensor([self._id_of_word.get(word.lower(), 0) for row in rows for word in row.words])
        return torch.bincount(ids, minlength=len(self.words) + 1).float()

    def rows_of(self, words: Iterable[str]) -> dict[int, int]:
        """For ids of the table, which of ``words`` has its vector; of words alike in lower case the first."""
        found: dict[int, int] = {}
        for place, word in enumerate(words):
            if word.lower() in self._id_of_word:
                found.setdefault(self._id_of_word[word.lower()], place)
        return found

    def tag_ids(self, row: Sentence) -> Tensor:
        """The ids of a sentence's tags, (T,); -1 for a tag that is not known."""
        return torch.tensor([self._id_of_tag.get(tag, -1) for tag in row.tags])

    def read(self, rows: Sequence[Sequence[str]]) -> Words:
        """Sentences side by side, each distinct word spelled once."""
        distinct: dict[str, int] = {}
        places = [torch.tensor([distinct.setdefault(word, len(distinct)) for word in row]) for row in rows]
        ids = [torch.tensor([self._id_of_word.get(word.lower(), 0) for word in row]) for row in rows]
        side_by_side, lengths = padded(ids)
        spelled, spelled_lengths = padded([self._spell(word) for word in distinct])
        return Words(side_by_side, lengths, padded(places)[0], spelled, spelled_lengths)

    def _spell(self, word: str) -> Tensor:
        """The ids of a word's characters, (C,)."""
        known = self._spelled.get(word)
        if known is None:
            read = word if len(word) <= LONGEST else word[: LONGEST // 2] + word[-LONGEST // 2 :]
            known = torch.tensor([self._id_of_character.get(character, 0) for character in read], dtype=torch.long)
            self._spelled[word] = known
        return known

    def guess(self, words: Sequence[str]) -> list[str]:
        """The baseline: each word's most frequent tag; of a word never seen, the most frequent of all."""
        return [self.usual.get(word, self.most) for word in words]

    def to_json(self) -> str:
        """All of it; :meth:`from_json` opens it."""
        content = {"words": self.words, "characters": "".join(self.characters), "tags": self.tags, "usual": self.usual}
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote. Raises KnowledgeError for anything else."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise KnowledgeError(f"it is no JSON ({error})") from None
        wanted = {"words": list, "characters": str, "tags": list, "usual": dict}
        for name, kind in wanted.items():
            value: Any = content.get(name) if isinstance(content, dict) else None
            if not isinstance(value, kind) or not all(isinstance(one, str) for one in value):
                raise KnowledgeError(f"its '{name}' is no {kind.__name__} of strings")
        if not content["tags"]:
            raise KnowledgeError("it holds no tags")
        return cls(content["words"], content["characters"], content["tags"], content["usual"])


def _ranked(counts: Counter[str], least: int) -> list[str]:
    return sorted((one for one, count in counts.items() if count >= least), key=lambda one: (-counts[one], one))
