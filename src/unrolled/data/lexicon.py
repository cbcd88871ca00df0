"""A lexicon: for each word of one language its likeliest word in the other, learned from pairs of sentences."""

from collections.abc import Sequence

import numpy as np

ROUNDS, PAIRS_AT_MOST = 5, 50_000
NOTHING = ""
"""Stands before every source, for words that come from none of its words."""


def learn_lexicon(sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> dict[str, str]:
    """The likeliest translation of each word, by IBM model 1.

    Five rounds of expectation maximisation from the uniform table, with an empty word in every source (Brown et al.
    1993, section 4.1), over the first 50,000 pairs.

    Args:
        sources: The words of each sentence.
        targets: The words of its translation.
    """
    sources, targets = sources[:PAIRS_AT_MOST], targets[:PAIRS_AT_MOST]
    words, others = _numbered([[NOTHING], *sources]), _numbered(targets)
    here, there, group, groups = [], [], [], 0
    for source, target in zip(sources, targets, strict=True):
        if not target:
            continue
        ids = np.array([0, *(words[one] for one in source)])
        wanted = np.array([others[one] for one in target])
        here.append(np.tile(ids, len(wanted)))
        there.append(np.repeat(wanted, len(ids)))
        group.append(groups + np.repeat(np.arange(len(wanted)), len(ids)))
        groups += len(wanted)
    if not here:
        return {}
    cells, cell = np.unique(
        np.concatenate(here).astype(np.int64) * len(others) + np.concatenate(there), return_inverse=True
    )
    rows, place = cells // len(others), np.concatenate(group)
    table = np.full(len(cells), 1.0 / len(others))
    for _ in range(ROUNDS):
        shares = table[cell]
        shares /= np.bincount(place, shares, groups)[place]
        counts = np.bincount(cell, shares, len(cells))
        table = counts / np.bincount(rows, counts, len(words))[rows]
    order = np.lexsort((cells, -table, rows))  # by source word, the likeliest first
    firsts = order[np.unique(rows[order], return_index=True)[1]]
    names, other_names = list(words), list(others)
    best = {names[int(rows[one])]: other_names[int(cells[one] % len(others))] for one in firsts}
    best.pop(NOTHING, None)
    return best


def _numbered(sentences: Sequence[Sequence[str]]) -> dict[str, int]:
    words: dict[str, int] = {}
    for sentence in sentences:
        for word in sentence:
            words.setdefault(word, len(words))
    return words
