"""Strips: numbers over time as one line of blocks, and a text with a block and a colour under each token."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's, which the colour-blind can tell apart: for what is above zero, and below."""
SIGNS = {"\n": "⏎", "\t": "⇥", "\r": "␍", "": "∅"}


def strip(values: Sequence[float | None], low: float, high: float, width: int) -> str:
    """Blocks for numbers between two ends, at most ``width``; of more numbers several share one by their mean."""
    reach = high - low
    blocks = []
    for value in _squeezed(values, width):
        share = 0.0 if value is None or reach <= 0 else min(max((value - low) / reach, 0.0), 1.0)
        blocks.append(" " if value is None else BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)])
    return "".join(blocks)


def _squeezed(values: Sequence[float | None], width: int) -> list[float | None]:
    count = len(values)
    if count <= width:
        return list(values)
    found: list[float | None] = []
    for place in range(width):
        some = [v for v in values[place * count // width : (place + 1) * count // width] if v is not None]
        found.append(sum(some) / len(some) if some else None)
    return found


def written(tokens: Sequence[str]) -> list[str]:
    """Tokens as they stand in one line: line ends and the like as signs, words with a blank behind them."""
    shown = [SIGNS.get(one, one if one.isprintable() else repr(one)[1:-1]) for one in tokens]
    apart = any(len(one) > 1 for one in tokens) and not any(one[:1].isspace() for one in tokens)
    return [f"{one} " for one in shown] if apart else shown


def shaded(share: float) -> str:
    """The style for a share from -1 to 1: from white to blue above zero, to orange below."""
    end, weight = (BLUE if share >= 0 else ORANGE), min(abs(share), 1.0)
    red, green, blue = (round(255 + (one - 255) * weight) for one in end)
    ink = "white" if share > 0.6 else "black"
    return f"{ink} on rgb({red},{green},{blue})"


def under(
    tokens: Sequence[str], shares: Sequence[float | None], signed: bool, width: int, lines: int
) -> Iterator[Text | str]:
    """A text in lines with its numbers below: each token in its colour, and blocks as wide as it.

    Args:
        tokens: The text.
        shares: A number from 0 to 1 for each token, from -1 if ``signed``; None where there is none.
        signed: Whether blocks begin at -1.
        width: Columns of a line.
        lines: Lines of text at most; how much is left out is said behind them.
    """
    low = -1.0 if signed else 0.0
    shown = written(tokens)
    place = 0
    for _ in range(lines):
        above, below, used = Text(), "", 0
        while place < len(shown) and (not used or used + cell_len(shown[place]) <= width):
            token, share = shown[place], shares[place]
            above.append(token, None if share is None else shaded(share))
            below += strip([share], low, 1.0, 1) * cell_len(token)
            used += cell_len(token)
            place += 1
        if used:
            yield above
            yield below
    if place < len(shown):
        yield f"… and {len(shown) - place:,} steps more"
