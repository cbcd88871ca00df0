"""Texts as ids: how words are cut, what is unknown, and the way to JSON and back."""

import pytest

from unrolled.tasks.classify.words import Coder

TEXTS = ["It's a film, isn't it?", "A film! don't go.", "it's fine"]


def test_words_are_cut_as_word_vectors_have_them() -> None:
    coder = Coder.learn(TEXTS, "word", None, lower=True)
    assert coder.cut(TEXTS[0]) == ["it", "'s", "a", "film", ",", "is", "n't", "it", "?"]
    assert coder.cut("l'homme s'en va") == ["l", "'", "homme", "s", "'", "en", "va"]
    assert coder.cut("I'LL don't") == ["i", "'ll", "do", "n't"]


def test_words_that_come_once_are_unknown_unless_they_have_a_vector() -> None:
    coder = Coder.learn(TEXTS, "word", None, lower=True)
    assert coder.encode("film zebra fine").tolist().count(coder.unknown) == 2
    known = Coder.learn(TEXTS, "word", None, lower=True, known=["zebra", "fine"])
    assert coder.unknown not in known.encode("film zebra fine").tolist()
    small = Coder.learn(TEXTS, "word", 4, lower=True, known=["zebra"])
    assert small.size == 4


@pytest.mark.parametrize("unit", ["char", "word", "bpe"])
def test_json_gives_the_same_ids_back(unit: str) -> None:
    coder = Coder.learn(TEXTS, unit, None, lower=False)  # pyright: ignore[reportArgumentType]
    again = Coder.from_json(coder.to_json())
    for text in [*TEXTS, "Ünknown ☃ signs"]:
        ids = coder.encode(text)
        assert ids.tolist() == again.encode(text).tolist()
        assert 0 <= int(ids.min()) <= int(ids.max()) < coder.size
    assert (again.size, again.unknown, again.lower) == (coder.size, coder.unknown, False)


def test_a_character_that_was_never_met_has_an_id_of_its_own() -> None:
    coder = Coder.learn(["abc"], "char", None, lower=True)
    assert coder.encode("cBx").tolist() == [2, 1, 3]
    assert coder.size == 4
