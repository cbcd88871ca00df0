"""Figures of tags: handmade cases, scikit-learn, and an evaluator of spans written in another way."""

import random

import pytest
from sklearn.metrics import f1_score

from unrolled.tasks.tag.metrics import macro_f1, span_figures, tag_figures
from unrolled.tasks.tag.sentences import Sentence, Sentences
from unrolled.tasks.tag.spans import breaks, scheme_of, scheme_of_rows, spans_of

CASES = [
    ("B-X I-X O B-Y", [(0, 1, "X"), (3, 3, "Y")]),
    ("B-X B-X I-X", [(0, 0, "X"), (1, 2, "X")]),
    ("I-X I-X O I-Y", [(0, 1, "X"), (3, 3, "Y")]),  # no beginning: a span all the same
    ("B-X I-Y I-Y", [(0, 0, "X"), (1, 2, "Y")]),  # another kind: another span
    ("O O", []),
    ("", []),
    ("S-X B-X E-X O S-Y", [(0, 0, "X"), (1, 2, "X"), (4, 4, "Y")]),
    ("B-X I-X E-X I-X", [(0, 2, "X"), (3, 3, "X")]),
    ("U-X B-X L-X", [(0, 0, "X"), (1, 2, "X")]),
    ("B M E S", [(0, 2, ""), (3, 3, "")]),
    ("B-x-y I-x-y", [(0, 1, "x-y")]),
    ("E-X E-X", [(0, 0, "X"), (1, 1, "X")]),
]


@pytest.mark.parametrize(("tags", "spans"), CASES)
def test_spans_begin_and_end_where_conlleval_says(tags: str, spans: list) -> None:
    assert [tuple(one) for one in spans_of(tags.split())] == spans


def evaluated(tags: list[str]) -> set[tuple[int, int, str]]:
    """Spans of BIO and BIOES tags by another way: each word says to which span it belongs."""
    owner: list[tuple[int, str] | None] = []
    for place, tag in enumerate(tags):
        letter, kind = tag[0], tag[2:]
        last = owner[-1] if owner else None
        if letter == "O":
            owner.append(None)
        elif letter in "IE" and last is not None and last[1] == kind and tags[place - 1][0] in "BI":
            owner.append(last)
        else:
            owner.append((place, kind))
    members: dict[tuple[int, str], list[int]] = {}
    for place, one in enumerate(owner):
        if one is not None:
            members.setdefault(one, []).append(place)
    return {(places[0], places[-1], kind) for (_, kind), places in members.items()}


@pytest.mark.parametrize("letters", ["BI", "BIES"])
def test_an_evaluator_written_in_another_way_agrees(letters: str) -> None:
    chance = random.Random(5)
    known = ["O", *(f"{letter}-{kind}" for letter in letters for kind in ("X", "Y"))]

    def draw() -> list[list[str]]:
        return [chance.choices(known, k=length) for length in lengths]

    lengths = [chance.randrange(1, 12) for _ in range(200)]
    right, given = draw(), draw()
    given = [one if chance.random() < 0.4 else other for one, other in zip(right, given, strict=True)]
    there = {(row, *span) for row, tags in enumerate(right) for span in evaluated(tags)}
    answered = {(row, *span) for row, tags in enumerate(given) for span in evaluated(tags)}
    precision, recall = len(there & answered) / len(answered), len(there & answered) / len(there)
    figures = span_figures(right, given)
    assert figures["span_precision"] == pytest.approx(precision)
    assert figures["span_recall"] == pytest.approx(recall)
    assert figures["span_f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert 0.2 < recall < 0.9


def test_spans_by_hand() -> None:
    right, given = [["B-X", "I-X", "O", "B-Y"]], [["B-X", "I-X", "B-Y", "I-Y"]]
    assert span_figures(right, given) == {"span_precision": 0.5, "span_recall": 0.5, "span_f1": 0.5}
    assert span_figures(right, [["O"] * 4]) == {"span_precision": 0.0, "span_recall": 0.0, "span_f1": 0.0}


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-X I-X O", "BIO"),
        ("I-X O", "BIO"),
        ("B I O", "BIO"),
        ("B-X E-X S-Y O I-X", "BIOES"),
        ("B-X L-X U-Y O", "BILOU"),
        ("B-X M-X E-X S-X", "BMES"),
        ("NOUN VERB O", None),
        ("O", None),
        ("B-X I-X Q-X", None),
        ("-LRB- NN", None),
        ("A B C", None),
        ("B- I-X", None),
    ],
)
def test_a_scheme_is_known_by_its_tags(tags: str, scheme: str | None) -> None:
    assert scheme_of(set(tags.split())) == scheme


@pytest.mark.parametrize(
    ("rows", "scheme"),
    [
        (["I-X I-X O", "I-X B-X I-X", "B-X"], "BIO"),  # the last begins with a B that parts nothing
        (["I-X I-X O", "I-X B-X I-X"], "IOB1"),
        (["I-X I-Y O", "I-Y B-Y"], "IOB1"),
        (["I-X B-Y"], "BIO"),
        (["B-X I-X O"], "BIO"),
        (["I-X I-X O"], "BIO"),
        (["B-X E-X"], "BIOES"),
        (["A B"], None),
    ],
)
def test_iob1_is_known_by_where_its_tags_stand(rows: list[str], scheme: str | None) -> None:
    assert scheme_of_rows([row.split() for row in rows]) == scheme


def test_no_tag_of_iob1_breaks_it() -> None:
    rows = [Sentence(("a", "b", "c"), ("I-X", "B-X", "I-X"))]
    figures = tag_figures(rows, [["I-X", "B-X", "I-X"]], {"a"})
    assert (figures["span_f1"], figures["scheme_breaks"]) == (1.0, 0)
    assert Sentences("some", rows, "").said() == []
    assert tag_figures(rows, [["B-X", "I-X", "I-X"]], {"a"})["scheme_breaks"] == 1


@pytest.mark.parametrize(
    ("tags", "scheme", "places"),
    [
        ("B-X I-X O B-Y I-Y", "BIO", []),
        ("I-X I-X O I-Y", "BIO", [0, 3]),
        ("B-X I-Y", "BIO", [1]),
        ("B-X B-X", "BIO", []),
        ("S-X B-X I-X E-X O", "BIOES", []),
        ("B-X O", "BIOES", [1]),
        ("B-X S-X E-X", "BIOES", [1, 2]),
        ("U-X L-X", "BILOU", [1]),
        ("I-X", None, []),
        ("I-X B-X I-Y O I-X", "IOB1", []),
        ("B-X I-X B-Y O B-Y", "IOB1", [0, 2, 4]),
    ],
)
def test_breaks_of_a_scheme_are_found(tags: str, scheme: str | None, places: list[int]) -> None:
    assert list(breaks(tags.split(), scheme)) == places


def test_macro_f1_is_that_of_scikit_learn() -> None:
    chance = random.Random(2)
    right, given = chance.choices("ABCD", k=80), chance.choices("BCDE", k=80)
    assert macro_f1(right, given) == pytest.approx(f1_score(right, given, average="macro", zero_division=0))


def test_the_figures_of_tags() -> None:
    rows = [Sentence(("the", "cat"), ("D", "N")), Sentence(("runs", "Ida"), ("V", "N"))]
    figures = tag_figures(rows, [["D", "V"], ["V", "N"]], {"the", "cat", "runs"})
    counts = {"words": 4, "unknown_words": 1, "sentences": 2}
    assert figures == {"accuracy": 0.75, "macro_f1": pytest.approx(7 / 9), "unknown_accuracy": 1.0} | counts
    assert "unknown_accuracy" not in tag_figures(rows, [["D", "V"], ["V", "N"]], {"the", "cat", "runs", "Ida"})
    chunks = [Sentence(("a", "b"), ("B-X", "I-X"))]
    figures = tag_figures(chunks, [["O", "I-X"]], {"a", "b"})
    assert (figures["span_f1"], figures["scheme_breaks"]) == (0.0, 1)
