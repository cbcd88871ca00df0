"""Figures of tagged sentences: accuracy, macro F1, accuracy on words never seen, spans found."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from unrolled.tasks.tag.sentences import Sentence
from unrolled.tasks.tag.spans import breaks, scheme_of_rows, spans_of

Tags = Sequence[str]


def tag_figures(rows: Sequence[Sentence], given: Sequence[Tags], seen: Collection[str]) -> dict[str, Any]:
    """How well tags were given.

    Args:
        rows: The sentences with their right tags, at least one word.
        given: The tags that were given, sentence by sentence.
        seen: The words of the training data.

    Returns:
        ``accuracy`` a word; ``macro_f1``, the mean over all tags that are right or given somewhere;
        ``unknown_accuracy`` on words never seen in training (left out where there are none); where the right tags mark
        spans, their ``span_precision``, ``span_recall`` and ``span_f1`` as in CoNLL-2000, and ``scheme_breaks``, the
        tags given where the scheme does not allow them; ``words``, ``unknown_words``, ``sentences``.
    """
    right = [tag for row in rows for tag in row.tags]
    answered = [tag for tags in given for tag in tags]
    hits = [one == other for one, other in zip(right, answered, strict=True)]
    new = [
        hit for hit, word in zip(hits, (word for row in rows for word in row.words), strict=True) if word not in seen
    ]
    figures: dict[str, Any] = {"accuracy": sum(hits) / len(hits), "macro_f1": macro_f1(right, answered)}
    if new:
        figures["unknown_accuracy"] = sum(new) / len(new)
    scheme = scheme_of_rows([row.tags for row in rows])
    if scheme is not None:
        figures |= span_figures([row.tags for row in rows], given)
        figures["scheme_breaks"] = sum(1 for tags in given for _ in breaks(tags, scheme))
    return figures | {"words": len(hits), "unknown_words": len(new), "sentences": len(rows)}


def macro_f1(right: Tags, given: Tags) -> float:
    """The mean of each tag's F1, over the tags that are right or given somewhere."""
    hits = Counter(one for one, other in zip(right, given, strict=True) if one == other)
    there = Counter(right) + Counter(given)
    return sum(2 * hits[tag] / count for tag, count in there.items()) / len(there)


def span_figures(right: Sequence[Tags], given: Sequence[Tags]) -> dict[str, float]:
    """Precision, recall and F1 of spans: one is found where first word, last word and kind are all right.

    A share of nothing is 0, as in conlleval.
    """
    found = wanted = hits = 0
    for one, other in zip(right, given, strict=True):
        there, answered = set(spans_of(one)), set(spans_of(other))
        wanted, found, hits = wanted + len(there), found + len(answered), hits + len(there & answered)
    return {
        "span_precision": hits / found if found else 0.0,
        "span_recall": hits / wanted if wanted else 0.0,
        "span_f1": 2 * hits / (found + wanted) if hits else 0.0,
    }
