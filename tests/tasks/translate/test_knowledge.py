"""What a model knows: sentences to ids and back, limits, the baseline, its JSON."""

import json
from typing import Any

import pytest
import torch

from unrolled.data.parallel import Pair
from unrolled.errors import UsageError
from unrolled.tasks.estimator import KnowledgeError
from unrolled.tasks.translate.config import TranslateConfig
from unrolled.tasks.translate.knowledge import Knowledge

SENTENCES = {"Ein Hund.": "A dog.", "Ein großer Mann.": "A tall man.", "Ein Mann.": "A man.", "Ein Hund": "A dog"}
PAIRS = [Pair(*both) for both in (*SENTENCES.items(), ("Mann.", "man."), ("großer", "tall"))]


def known(**settings: Any) -> Knowledge:
    return Knowledge.learn(PAIRS, TranslateConfig(**settings))


@pytest.mark.parametrize("unit", ["char", "word", "bpe"])
def test_a_sentence_comes_back(unit: str) -> None:
    sizes = {} if unit == "char" else {"vocabulary": 300}
    side = known(unit=unit, **sizes).source
    sentences = ["Ein Mann.", "", "Ein großer Hund."] if unit != "word" else ["Ein Mann.", "", "Ein großer Mann."]
    coded = side.encode(sentences)
    assert [side.decode(ids.tolist()) for ids in coded] == sentences
    assert all(ids[-1] == side.end and side.end not in ids[:-1] for ids in coded)
    assert all(torch.equal(side.encode([one])[0], ids) for one, ids in zip(sentences, coded, strict=True))
    assert side.encode([]) == []


def test_lower_case_on_both_sides() -> None:
    side = known(unit="char", lower=True).target
    assert side.decode(side.encode(["A DOG."])[0].tolist()) == "a dog."


def test_a_character_never_seen_is_read_as_a_strange_one() -> None:
    side = known(unit="char").source
    assert side.decode(side.encode(["Ein Qnd."])[0].tolist()) == "Ein \ufffdnd."


def test_a_line_end_within_a_sentence_ends_nothing() -> None:
    side = known(unit="char").source
    assert len(side.encode(["Ein\nHund."])) == 1


def test_units_may_differ_and_joint_vocabularies_may_not() -> None:
    both = known(unit="char", target_unit="word", vocabulary=20)
    assert (both.source.vocabulary.unit, both.target.vocabulary.unit) == ("char", "word")
    joint = known(unit="char", joint=True)
    assert joint.source is joint.target
    with pytest.raises(UsageError, match="one vocabulary has one unit, and char and word are asked for"):
        known(unit="char", target_unit="word", joint=True)


def test_a_translation_ends_where_no_training_target_was_longer() -> None:
    found = known(unit="word", vocabulary=20)
    lengths = [(len(pair.source.split()) + 1, len(pair.target.split()) + 1) for pair in PAIRS]
    assert found.stretch == max(target / source for source, target in lengths)
    assert found.limit(torch.zeros(10), 100) == 11
    assert found.limit(torch.zeros(10), 7) == 7


def test_the_baseline_puts_word_for_word_and_copies_what_it_does_not_know() -> None:
    assert known(vocabulary=300).word_by_word("Ein Mann in Rot.") == "A man in Rot ."
    assert known(unit="word", vocabulary=30).word_by_word("Ein Mann.") == "A man."


@pytest.mark.parametrize("settings", [{"unit": "char"}, {"unit": "char", "joint": True}])
def test_json_gives_it_back(settings: dict[str, Any]) -> None:
    one = known(**settings)
    other = Knowledge.from_json(one.to_json(), False)
    assert other.to_json() == one.to_json()
    assert (other.source is other.target) == (one.source is one.target)


@pytest.mark.parametrize("change", [{"source": None}, {"stretch": "long"}, {"target": {"model": 3}}, {"lexicon": 4}])
def test_damaged_json_is_refused(change: dict[str, Any]) -> None:
    written = json.loads(known(unit="char").to_json()) | change
    with pytest.raises(KnowledgeError):
        Knowledge.from_json(json.dumps(written), False)
    with pytest.raises(KnowledgeError, match="no two vocabularies"):
        Knowledge.from_json("[", False)
