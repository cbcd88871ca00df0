"""What a network says of sentences: the tags, how sure it is of each, and the best sequences of them."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from unrolled.data.batches import by_length
from unrolled.tasks.tag.lexicon import Lexicon
from unrolled.tasks.tag.network import TagNetwork
from unrolled.training.course import device_of
from unrolled.wirings.crf import Crf

POOL = 64
"""Batches that are sorted by length together, and answered before the next are read."""


@torch.inference_mode()
def answer(
    network: TagNetwork, lexicon: Lexicon, rows: Sequence[Sequence[str]], batch: int, n_best: int = 0
) -> Iterator[dict[str, Any]]:
    """A row for each sentence, in order: words, tags, the probability of each tag; with ``n_best`` whole sequences.

    No number depends on the sentences beside, nor on ``batch``.
    """
    network.eval()
    device = device_of(network)
    crf = None if network.crf is None else deepcopy(network.crf).cpu().double()
    for start in range(0, len(rows), batch * POOL):
        pool = rows[start : start + batch * POOL]
        answers: dict[int, dict[str, Any]] = {}
        full = [place for place, words in enumerate(pool) if words]
        for places in by_length([len(pool[place]) for place in full], batch):
            chosen = [full[place] for place in places]
            scores = network(lexicon.read([pool[place] for place in chosen]).to(device)).cpu().double()  # (N, T, K)
            for place, one in zip(chosen, scores, strict=True):
                words = pool[place]
                answers[place] = {"words": list(words), **_of_scores(one[: len(words)], crf, lexicon, n_best)}
        empty = {"words": [], "tags": [], "probabilities": []} | ({"n_best": []} if n_best else {})
        yield from (answers.get(place, dict(empty)) for place in range(len(pool)))


def _of_scores(scores: Tensor, crf: Crf | None, lexicon: Lexicon, n_best: int) -> dict[str, Any]:
    """The answer to one sentence, from its scores (T, K)."""
    if crf is None:
        highest = torch.softmax(scores, -1).max(-1)
        tags, chances = highest.indices, highest.values
        return {"tags": _named(tags, lexicon), "probabilities": chances.tolist()}
    alone = scores.unsqueeze(0)
    paths = crf.best(alone, count=max(1, n_best))
    tags = paths.tags[0, 0]
    chances = crf.marginals(alone)[0].gather(1, tags.unsqueeze(1)).squeeze(1)  # (T,)
    said = {"tags": _named(tags, lexicon), "probabilities": chances.tolist()}
    if not n_best:
        return said
    there = torch.isfinite(paths.scores[0])
    whole = torch.exp(paths.scores[0][there] - crf.log_partition(alone)).tolist()
    best = zip(paths.tags[0][there], whole, strict=True)
    return said | {"n_best": [{"tags": _named(one, lexicon), "probability": chance} for one, chance in best]}


def _named(tags: Tensor, lexicon: Lexicon) -> list[str]:
    return [lexicon.tags[one] for one in tags.tolist()]
