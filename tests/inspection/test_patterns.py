"""Patterns in a text, drawn by hand beneath it."""

import numpy as np
import pytest

from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError
from unrolled.inspection.patterns import PATTERNS, matches, named, over_tokens

DRAWN = {
    "quotes": ('a "bc" “d” ” "e\n\n"f" g "\nh', "..###..##....###.##....###"),
    "brackets": ("a (b [c) d] e) f} {", "..###########.....#"),
    "after-blank": ("a b  c\nd", "..#.##.#"),
    "line-start": ("ab\n\nc\n", "#..##."),
    "upper": ("aBc DÉ", ".#..##"),
    "digit": ("a12 b3", ".##..#"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_pattern_is_as_drawn(name: str) -> None:
    text, drawn = DRAWN[name]
    assert "".join("#" if one else "." for one in PATTERNS[name].find(text)) == drawn


def test_position_in_line() -> None:
    assert PATTERNS["position"].find("ab\n\ncde").tolist() == [0, 1, 2, 0, 0, 1, 2]


@pytest.mark.parametrize("name", PATTERNS)
def test_an_empty_text_has_none(name: str) -> None:
    assert PATTERNS[name].find("").shape == (0,)


def test_what_an_expression_finds() -> None:
    assert matches(r"^b.").find("ab\nbcd").tolist() == [0, 0, 0, 1, 1, 0]
    with pytest.raises(UsageError, match="no regular expression"):
        matches("(")


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match="there is no pattern 'quote'; choose from quotes.*Did you mean 'quotes'"):
        named("quote")


def test_characters_are_tokens() -> None:
    text = "Ab “é”.\n"
    vocabulary = Vocabulary.train([text], "char")
    for name in ("quotes", "upper", "position"):
        np.testing.assert_array_equal(over_tokens(named(name), text, vocabulary), PATTERNS[name].find(text))


def test_words_have_their_last_character_s_state_and_any_character_s_mark() -> None:
    text = "é “Hi you there” (so)\nGo Now\n" * 2
    vocabulary = Vocabulary.train([text], "word")
    _, starts, ends = vocabulary.encode_with_offsets(text)
    words = [text.encode()[start:end].decode() for start, end in zip(starts, ends, strict=True)]
    quotes = over_tokens(named("quotes"), text, vocabulary)
    upper = over_tokens(named("upper"), text, vocabulary)
    assert [word for word, one in zip(words, upper, strict=True) if one] == ["“Hi", "Go", "Now"] * 2
    assert {word for word, one in zip(words, quotes, strict=True) if one} == {"“Hi", "you"}
    assert over_tokens(named("upper"), "", vocabulary).shape == (0,)
