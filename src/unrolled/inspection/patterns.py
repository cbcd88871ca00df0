"""Patterns in a text that a unit may follow: where quotes are open, where words and lines begin, any expression."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
    """It is a state of the text, and a step has that behind its last character; else any of its characters counts."""


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


def over_pieces(pattern: Pattern, pieces: Sequence[str]) -> Floats:
    """The pattern at each step of a text that is read in pieces, (T,): characters, words, or parts of words.

    Pieces that are words, none of which begins with a blank, have one between them.
    """
    apart = any(len(one) > 1 for one in pieces) and not any(one[:1].isspace() and len(one) > 1 for one in pieces)
    between = " " if apart and " " not in pieces else ""
    found = pattern.find(between.join(pieces))
    widths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    first = np.cumsum(widths + len(between)) - widths - len(between)
    last = first + np.maximum(widths, 1) - 1
    if not len(found):
        return np.zeros(len(pieces))
    first, last = np.minimum(first, len(found) - 1), np.minimum(last, len(found) - 1)
    if pattern.lasting:
        return found[last]
    sums = np.concatenate([[0.0], np.cumsum(found)])
    return (sums[last + 1] > sums[first]).astype(np.float64)


def read_numbers(path: Path) -> Floats:
    """A number for each step, from a ``.npy`` file or a text file with one a line.

    Raises:
        UsageError: the file is missing, or holds anything else.
    """
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False)
        else:
            found = np.array(path.read_text(encoding="utf-8").split(), np.float64)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"{path} holds no numbers, one a step.") from None
    if found.ndim != 1 or found.dtype.kind not in "biuf" or not np.isfinite(found).all():
        raise UsageError(f"{path} holds an array {found.shape} of {found.dtype}; finite numbers (T,) are wanted.")
    return found.astype(np.float64)
