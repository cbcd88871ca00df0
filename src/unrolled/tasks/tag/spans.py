"""Spans in tags: B-NP I-NP O; where they begin and end by the rules of CoNLL-2000, whatever the scheme.

Tjong Kim Sang & Buchholz 2000, Introduction to the CoNLL-2000 shared task (its program conlleval): a span also begins
where its first tag is no B, since systems write such tags. Letters: B begins, I (M) is inside, E (L) ends, S (U, W)
is a span alone, O is outside.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

SCHEMES = {"BIO": "BIO", "BIOES": "BIOES", "BILOU": "BILOU", "BMES": "BMESO"}
"""Names of schemes, the narrowest first, and their letters."""
_PLAIN = {"M": "I", "L": "E", "U": "S"}


class Span(NamedTuple):
    """Words ``first`` to ``last``, of a kind."""

    first: int
    last: int
    kind: str


def scheme_of(tags: Collection[str]) -> str | None:
    """The name of the scheme by which tags mark spans, or None where they mark none.

    Every tag but O is a letter, a hyphen and a kind; or all are bare letters, B and I among them.
    """
    inside = [tag for tag in tags if tag != "O"]
    if all("-" in tag[1:2] and len(tag) > 2 for tag in inside):
        letters = {tag[0] for tag in inside}
    elif all(len(tag) == 1 for tag in inside) and {"B", "I"} <= set(inside):
        letters = set(inside)
    else:
        return None
    fits = [name for name, known in SCHEMES.items() if letters <= set(known) - {"O"}]
    return fits[0] if fits and letters else None


def scheme_of_rows(rows: Sequence[Sequence[str]]) -> str | None:
    """The scheme of the tags of sentences: as :func:`scheme_of`, and IOB1 is told from BIO.

    In IOB1 (Ramshaw & Marcus 1995, and CoNLL-2003 as it was given out) spans begin with I; a B parts two of a kind.
    """
    scheme = scheme_of({tag for row in rows for tag in row})
    if scheme != "BIO" or not any(tag[0] == "B" for row in rows for tag in row):
        return scheme
    begun = any(True for row in rows for _ in breaks(row, "BIO"))
    return "IOB1" if begun and not any(True for row in rows for _ in breaks(row, "IOB1")) else scheme


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans that a sentence's tags mark, in order."""
    found: list[Span] = []
    first = 0
    pairs = [("O", ""), *map(_parted, tags), ("O", "")]
    for place in range(1, len(pairs)):
        before, now = pairs[place - 1], pairs[place]
        if before[0] != "O" and _ends(before, now):
            found.append(Span(first, place - 2, before[1]))
        if now[0] != "O" and _begins(before, now):
            first = place - 1
    return found


def breaks(tags: Sequence[str], scheme: str | None) -> Iterator[int]:
    """The places of tags that may not stand where they do: an I without its beginning, a B without an end, …"""
    if scheme is None:
        return
    if scheme == "IOB1":
        before = ("O", "")
        for place, tag in enumerate(tags):
            now = _parted(tag)
            if now[0] == "B" and (before[0] == "O" or before[1] != now[1]):
                yield place
            before = now
        return
    closed = scheme != "BIO"  # whether a span says that it ends
    before = ("O", "")
    for place, tag in enumerate(tags):
        now = _parted(tag)
        is_open = before[0] in "BI"
        inside = now[0] in "IE"
        if (inside and not (is_open and before[1] == now[1])) or (closed and is_open and not inside):
            yield place
        before = now


def _parted(tag: str) -> tuple[str, str]:
    """The letter of a tag, as one of BIESO, and its kind."""
    letter, _, kind = tag.partition("-")
    return _PLAIN.get(letter, letter), kind


def _ends(before: tuple[str, str], now: tuple[str, str]) -> bool:
    return before[0] in "ES" or now[0] in "BSO" or before[1] != now[1]


def _begins(before: tuple[str, str], now: tuple[str, str]) -> bool:
    return now[0] in "BS" or before[0] in "ESO" or before[1] != now[1]
