"""The figures of what is written (translations, captions): BLEU and chrF by sacreBLEU, exact matches, edits."""

from collections.abc import Callable, Sequence
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from unrolled.tasks.edits import edit_distance


def written_figures(
    written: Sequence[str],
    references: Sequence[Sequence[str]],
    words: Callable[[str], list[str]],
    lower: bool,
) -> dict[str, Any]:
    """How near what was written is to its references.

    BLEU (Papineni et al. 2002) and chrF (Popović 2015) over the corpus, from 0 to 100, each with the signature that
    says how it was computed (Post 2018); the share that is a reference word for word; and the token
    error rate: edits to the nearest reference, over the references' lengths.

    Args:
        written: One text each.
        references: For each at least one.
        words: Cuts a text into what edits are counted in.
        lower: Case does not count.
    """
    most = max(map(len, references))
    streams = [[one[place] if place < len(one) else None for one in references] for place in range(most)]
    figures: dict[str, Any] = {}
    for name, metric in (("bleu", BLEU(lowercase=lower)), ("chrf", CHRF(lowercase=lower))):
        figures[name] = metric.corpus_score(list(written), streams).score  # pyright: ignore[reportArgumentType]
        figures[f"{name}_signature"] = metric.get_signature().format()
    edits, length, matches = 0, 0, 0
    for one, wanted in zip(written, references, strict=True):
        mine = words(one)
        distances = [(edit_distance(mine, words(its)), len(words(its))) for its in wanted]
        nearest = min(distances)
        edits, length = edits + nearest[0], length + nearest[1]
        matches += nearest[0] == 0
    return figures | {"exact_match": matches / len(written), "token_error_rate": edits / max(length, 1)}
