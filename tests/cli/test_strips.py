"""Strips: blocks for numbers, and colours and blocks under a text."""

import pytest
from rich.text import Text

from unrolled.cli.strips import shaded, strip, under, written


def test_blocks_go_from_one_end_to_the_other() -> None:
    assert strip([0.0, 0.5, 1.0, None, -3.0, 9.0], 0.0, 1.0, 10) == "▁▅█ ▁█"
    assert strip([-1.0, 0.0, 1.0], -1.0, 1.0, 10) == "▁▅█"
    assert strip([2.0, 2.0], 2.0, 2.0, 10) == "▁▁"
    assert strip([], 0.0, 1.0, 10) == ""


def test_of_more_numbers_than_columns_several_share_one() -> None:
    assert strip([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, None, None], 0.0, 1.0, 4) == "▁█▅ "


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (["a", "\n", " ", "\x07"], ["a", "⏎", " ", r"\x07"]),
        (["to", "be", "."], ["to ", "be ", ". "]),
        (["to", " be"], ["to", " be"]),
        (["", "a"], ["∅", "a"]),
    ],
)
def test_tokens_stand_in_one_line(tokens: list[str], shown: list[str]) -> None:
    assert written(tokens) == shown


def test_blocks_are_as_wide_as_what_stands_above() -> None:
    lines = list(under(["東", "京", "a"], [0.0, 1.0, None], False, 80, 4))
    assert [str(one) for one in lines] == ["東京a", "▁▁██ "]
    above = lines[0]
    assert isinstance(above, Text)
    assert [str(span.style) for span in above.spans] == [shaded(0.0), shaded(1.0)]


def test_a_long_text_is_broken_and_cut() -> None:
    lines = [str(one) for one in under(list("abcdefg"), [0.0] * 7, False, 2, 2)]
    assert lines == ["ab", "▁▁", "cd", "▁▁", "… and 3 steps more"]


def test_signs_have_their_own_colours() -> None:
    assert shaded(0.0) == "black on rgb(255,255,255)"
    assert shaded(1.0) == "white on rgb(0,114,178)"
    assert shaded(-1.0) == shaded(-5.0) == "black on rgb(213,94,0)"
    assert [str(one) for one in under(list("ab"), [-1.0, 1.0], True, 9, 1)][1] == "▁█"
