"""Patterns in a text, drawn by hand beneath it."""

from pathlib import Path

import numpy as np
import pytest

from unrolled.errors import UsageError
from unrolled.inspection.patterns import PATTERNS, matches, named, over_pieces, read_numbers

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


def test_characters_are_pieces() -> None:
    text = "Ab “é”.\n"
    for name in ("quotes", "upper", "position"):
        np.testing.assert_array_equal(over_pieces(named(name), list(text)), PATTERNS[name].find(text))


def test_words_have_their_last_character_s_state_and_any_character_s_mark() -> None:
    words = ["é", "“Hi", "you", "there”", "(so)", "\n", "Go", "Now"]
    assert over_pieces(named("upper"), words).tolist() == [0, 1, 0, 0, 0, 0, 1, 1]
    assert over_pieces(named("quotes"), words).tolist() == [0, 1, 1, 0, 0, 0, 0, 0]
    assert over_pieces(named("after-blank"), words).tolist() == [0, 1, 1, 1, 1, 1, 1, 1]


def test_parts_of_words_bring_their_blanks() -> None:
    parts = ["The", " un", "rolled", "", " Net"]
    assert over_pieces(named("upper"), parts).tolist() == [1, 0, 0, 0, 1]
    assert over_pieces(named("position"), parts).tolist() == [2, 5, 11, 12, 15]


def test_no_pieces_and_empty_ones() -> None:
    assert over_pieces(named("upper"), []).shape == (0,)
    assert over_pieces(named("upper"), ["", ""]).tolist() == [0, 0]


def test_numbers_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0\n1\n0.5\n", encoding="utf-8")
    np.save(tmp_path / "a.npy", np.array([True, False]))
    assert read_numbers(tmp_path / "a.txt").tolist() == [0, 1, 0.5]
    assert read_numbers(tmp_path / "a.npy").tolist() == [1, 0]


@pytest.mark.parametrize("content", ["one\n", "1\nnan\n", np.zeros((2, 2)), np.array(["a"]), None])
def test_files_that_hold_no_numbers_are_refused(content: object, tmp_path: Path) -> None:
    path = tmp_path / ("a.npy" if isinstance(content, np.ndarray) else "a.txt")
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif content is not None:
        path.write_text(str(content), encoding="utf-8")
    with pytest.raises(UsageError, match="a.npy|a.txt"):
        read_numbers(path)
