"""Tagged sentences as they come: what the task reads from files, and what it knows of where each word stood."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from unrolled.errors import UsageError
from unrolled.tasks.tag.spans import breaks, scheme_of_rows


class Sentence(NamedTuple):
    """The words of a sentence, and their tags where they are known (as many, or none)."""

    words: tuple[str, ...]
    tags: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    """The line of the file that each word stands in; where all are in one line, that one."""

    def line(self, place: int) -> int:
        """The line of a word."""
        return self.lines[min(place, len(self.lines) - 1)] if self.lines else 0


@dataclass(frozen=True)
class Sentences:
    """Sentences of one source."""

    name: str
    rows: Sequence[Sentence]
    fingerprint: str
    """sha256 (hex) of what was read."""
    notes: tuple[str, ...] = ()
    """What was guessed or left out."""

    @property
    def words(self) -> int:
        """How many words there are."""
        return sum(len(row.words) for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: slice) -> "Sentences":
        return replace(self, rows=self.rows[places])

    def at(self, row: int, place: int) -> str:
        """Where a word stands, for a message."""
        line = self.rows[row].line(place)
        return f"{self.name}, line {line}" if line else f"{self.name}, sentence {row + 1}"

    def chosen(self, places: Sequence[int]) -> "Sentences":
        """Some of the sentences."""
        return replace(self, rows=[self.rows[place] for place in places])

    def with_tags(self) -> "Sentences":
        """These, whose words all have their tags. Raises UsageError where there are no tags."""
        if not all(row.tags for row in self.rows):
            raise UsageError(f"{self.name} has words without tags; training and evaluation need a column of tags.")
        return self

    def said(self) -> list[str]:
        """Words on breaks of the scheme of its spans."""
        scheme = scheme_of_rows([row.tags for row in self.rows])
        broken = [(row, place) for row, one in enumerate(self.rows) for place in breaks(one.tags, scheme)]
        if not broken:
            return []
        row, place = broken[0]
        tags = self.rows[row].tags
        before = f"behind '{tags[place - 1]}'" if place else "at the beginning of a sentence"
        count = f"{len(broken):,} tag(s) break the scheme {scheme}"
        return [f"{count}, the first in {self.at(row, place)}: '{tags[place]}' {before}; spans count as conlleval does"]

    def unseen(self, known: Sequence[str]) -> list[str]:
        """Words on tags that training has not seen.

        Raises:
            UsageError: it has seen none of them.
        """
        seen = set(known)
        new = [(row, at) for row, one in enumerate(self.rows) for at, tag in enumerate(one.tags) if tag not in seen]
        if not new:
            return []
        row, place = new[0]
        first = f"{self.at(row, place)}: '{self.rows[row].tags[place]}'"
        if len(new) == self.words:
            listed = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
            raise UsageError(f"{first} is a tag that the model does not know, as all others here; it knows {listed}.")
        kinds = len({self.rows[row].tags[place] for row, place in new})
        count = f"{len(new):,} word(s) of {self.name} have {kinds} tag(s) that training has not seen"
        return [f"{count}; they count as wrong; the first in {first}"]
