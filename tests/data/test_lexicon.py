"""The lexicon: IBM model 1 against its equations written out, word by word."""

from collections import defaultdict

from unrolled.data.lexicon import learn_lexicon

SOURCES = [["das", "haus"], ["das", "buch"], ["ein", "buch"], ["ein", "haus", "haus"]]
TARGETS = [["the", "house"], ["the", "book"], ["a", "book"], ["a", "house"]]


def by_hand(sources: list[list[str]], targets: list[list[str]]) -> dict[str, str]:
    others = {word for target in targets for word in target}
    table = defaultdict(lambda: 1 / len(others))
    for _ in range(5):
        counts, totals = defaultdict(float), defaultdict(float)
        for source, target in zip(sources, targets, strict=True):
            for other in target:
                whole = sum(table[word, other] for word in ["", *source])
                for word in ["", *source]:
                    counts[word, other] += table[word, other] / whole
                    totals[word] += table[word, other] / whole
        table = defaultdict(float, {(word, other): count / totals[word] for (word, other), count in counts.items()})
    return {word: max(others, key=lambda other: table[word, other]) for word in {w for s in sources for w in s}}


def test_it_finds_what_stands_for_what() -> None:
    found = learn_lexicon(SOURCES, TARGETS)
    assert found == {"das": "the", "haus": "house", "buch": "book", "ein": "a"}
    assert found == by_hand(SOURCES, TARGETS)


def test_words_without_a_partner_are_left_out() -> None:
    assert learn_lexicon([["a"], ["b"]], [["x"], []]) == {"a": "x"}
    assert learn_lexicon([["a"]], [[]]) == {}
