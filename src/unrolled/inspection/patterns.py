"""Patterns in a text that a unit may follow: where quotes are open, where words and lines begin, any expression."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError, did_you_mean

Floats = NDArray[np.float64]
PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Pattern:
    """What is followed."""

    says: str
    """In a few words."""
    find: Callable[[str], Floats]
    """From a text to a number for each of its characters: 0 or 1, or a count where it is no yes or no."""
    lasting: bool = False
    """It is a state of the text, and a token has that behind its last character; else any of its characters counts."""


def inside_quotes(text: str) -> Floats:
    """1 from an opening quotation mark up to before the closing one; an empty line ends what was left open."""
    found, is_open, before = np.zeros(len(text)), False, ""
    for place, character in enumerate(text):
        if character == '"':
            is_open = not is_open
        elif character in "“”":
            is_open = character == "“"
        elif character == before == "\n":
            is_open = False
        found[place], before = is_open, character
    return found


def inside_brackets(text: str) -> Floats:
    """1 from an opening round, square or curly bracket up to before that which closes it."""
    found, waiting = np.zeros(len(text)), list[str]()
    for place, character in enumerate(text):
        if character in PAIRS.values():
            waiting.append(character)
        elif waiting and PAIRS.get(character) == waiting[-1]:
            waiting.pop()
        found[place] = bool(waiting)
    return found


def position_in_line(text: str) -> Floats:
    """How many characters of its line stand before each character; a line's end is the last of its line."""
    places = np.arange(len(text))
    starts = np.where(_characters(text, lambda one: one == "\n"), places + 1, 0)
    return (places - np.maximum.accumulate(np.concatenate([[0], starts]))[:-1]).astype(np.float64)


def matches(expression: str) -> Pattern:
    """1 at each character of what a regular expression finds. Raises UsageError where it is none."""
    try:
        compiled = re.compile(expression, re.MULTILINE)
    except re.error as error:
        raise UsageError(f"{expression!r} is no regular expression: {error}.") from None

    def find(text: str) -> Floats:
        found = np.zeros(len(text))
        for match in compiled.finditer(text):
            found[match.start() : match.end()] = 1
        return found

    return Pattern(f"what {expression!r} finds", find)


def _characters(text: str, holds: Callable[[str], bool]) -> Floats:
    return np.fromiter(map(holds, text), np.float64, len(text))


def _behind(holds: Callable[[str], bool], at_start: bool) -> Callable[[str], Floats]:
    return lambda text: np.concatenate([[float(at_start)], _characters(text, holds)])[: len(text)]


PATTERNS = {
    "quotes": Pattern("inside quotation marks", inside_quotes, lasting=True),
    "brackets": Pattern("inside brackets", inside_brackets, lasting=True),
    "after-blank": Pattern("a blank stands before it", _behind(str.isspace, at_start=False)),
    "line-start": Pattern("the first character of a line", _behind(lambda one: one == "\n", at_start=True)),
    "position": Pattern("how far it is into its line", position_in_line, lasting=True),
    "upper": Pattern("an upper-case letter", lambda text: _characters(text, str.isupper)),
    "digit": Pattern("a digit", lambda text: _characters(text, str.isdigit)),
}
"""The patterns that have a name."""


def named(name: str) -> Pattern:
    """The pattern of a name. Raises UsageError for another one."""
    if name not in PATTERNS:
        raise UsageError(
            f"there is no pattern '{name}'; choose from {', '.join(PATTERNS)}.{did_you_mean(name, PATTERNS)}"
        )
    return PATTERNS[name]


def over_tokens(pattern: Pattern, text: str, vocabulary: Vocabulary) -> Floats:
    """The pattern at each token of a text, (S,)."""
    found = pattern.find(text)
    _, starts, ends = vocabulary.encode_with_offsets(text)
    widths = np.fromiter((len(one.encode()) for one in text), np.int64, len(text))
    beginnings = np.cumsum(widths) - widths  # of each character, in bytes
    first = np.searchsorted(beginnings, starts.numpy(), "right") - 1
    last = np.searchsorted(beginnings, ends.numpy() - 1, "right") - 1
    if pattern.lasting or not len(first):
        return found[last]
    sums = np.concatenate([[0.0], np.cumsum(found)])
    return (sums[last + 1] > sums[first]).astype(np.float64)
