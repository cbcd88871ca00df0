"""Figures of translations against computations that share no line with them."""

from functools import lru_cache

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.edits import edit_distance
from unrolled.tasks.written import written_figures


def by_recursion(one: str, other: str) -> int:
    """Levenshtein's definition, as it is written down."""

    @lru_cache(None)
    def distance(left: int, right: int) -> int:
        if not left or not right:
            return left + right
        same = one[left - 1] == other[right - 1]
        whole = (distance(left - 1, right) + 1, distance(left, right - 1) + 1)
        return min(*whole, distance(left - 1, right - 1) + (not same))

    return distance(len(one), len(other))


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_edits_are_the_definition(one: str, other: str) -> None:
    assert edit_distance(one, other) == by_recursion(one, other) == edit_distance(other, one)


def test_error_rate_is_edits_over_length() -> None:
    """HH AH0 L OW1 for HH EH0 L OW1 is one of four, and nothing for AH0 one of one."""
    figures = written_figures(["HH AH0 L OW1", ""], [["HH EH0 L OW1"], ["AH0"]], str.split, False)
    assert figures["token_error_rate"] == 2 / 5
    assert figures["exact_match"] == 0


def test_the_nearest_of_several_references_counts() -> None:
    figures = written_figures(["a b c", "d"], [["x y", "a b c d"], ["d"]], str.split, False)
    assert figures["token_error_rate"] == 1 / 5
    assert figures["exact_match"] == 0.5


def test_bleu_and_chrf_are_those_of_sacrebleu() -> None:
    mine, theirs = ["The dog sees a ball.", "two men walk"], ["the dog sees the ball.", "two men are walking"]
    figures = written_figures(mine, [[one] for one in theirs], str.split, True)
    assert figures["bleu"] == pytest.approx(sacrebleu.corpus_bleu(mine, [theirs], lowercase=True).score)
    assert figures["chrf"] == pytest.approx(sacrebleu.corpus_chrf([one.lower() for one in mine], [theirs]).score)
    assert "case:lc" in figures["bleu_signature"]
    assert "tok:13a" in figures["bleu_signature"]
    assert figures["chrf_signature"].startswith("nrefs:1|case:lc")
    assert written_figures(mine, [[one] for one in theirs], str.split, False)["bleu"] != figures["bleu"]
