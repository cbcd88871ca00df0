"""The verdict on a run: what its updates say, and the looks into the network while it was trained."""

from collections.abc import Mapping, Sequence
from typing import Any

from unrolled.inspection.verdict import GROWTH, SATURATED, Finding, in_words

GONE = 5
"""Steps within which a gradient has to be gone for a run to be blamed: short memory may be all that data ask for."""
CLIPPED = 0.9
"""The share of updates from which nearly all are clipped."""
SAME = 1.0
"""An update that is as large as the weights that it changes leaves nothing of what was learned."""


def of_looks(late: Mapping[str, float]) -> list[Finding]:
    """What looks into a network in training say, by the names of :meth:`unrolled.training.pulse.Pulse.look`.

    A gradient vanishes where that of the longest-lived state does; a network keeps what it needs in one of them.
    """
    found = []
    for name, figure in late.items():
        kind, _, where = name.partition("/")
        if kind == "saturated" and figure >= SATURATED:
            says = f"{figure:.0%} of the values of {where} are near their ends"
            found.append(Finding("saturated", where, figure, says, "a smaller rate, or layer norm (--layer-norm)"))
        elif kind == "growth" and figure >= GROWTH:
            says = f"the gradient at {where} grows {figure:.3g} times on its way back"
            remedy = "a tighter clip (--clip), a smaller rate, or orthogonal recurrent weights"
            found.append(Finding("exploding", where, figure, says, remedy))
    horizons = {name.partition("/")[2]: figure for name, figure in late.items() if name.startswith("horizon/")}
    sight = max((figure for name, figure in late.items() if name.startswith("sight/")), default=0.0)
    if horizons and max(horizons.values()) <= GONE < sight / 2:
        where = max(horizons, key=lambda name: horizons[name])
        says = f"the gradient at {where}, which reaches farthest, falls to 1% within {horizons[where]:.0f} steps"
        remedy = "a gated cell, chrono initialisation (--chrono STEPS), or orthogonal recurrent weights"
        found.append(Finding("vanishing", where, horizons[where], says, remedy))
    return found


def of_updates(rows: Sequence[Mapping[str, Any]], clip: float) -> list[Finding]:
    """What the updates of a run say, by the rows of its history: gradients far above the clip, updates out of scale."""
    found = []
    late = rows[len(rows) // 2 :]
    clipped = [row["clipped"] for row in late if row.get("clipped") is not None]
    norms = sorted(row["gradient_norm"] for row in late if row.get("gradient_norm") is not None)
    if clipped and norms:
        share, norm = sum(clipped) / len(clipped), norms[len(norms) // 2]
        if share >= CLIPPED and norm >= GROWTH * clip:
            says = f"{share:.0%} of the gradients were clipped, from a norm of {norm:.3g} to {clip:g}"
            remedy = "a smaller rate, orthogonal recurrent weights, or a gated cell"
            found.append(Finding("exploding", "gradient", norm, says, remedy))
    ratios = [row["update_ratio"] for row in rows if row.get("update_ratio") is not None]
    if ratios and max(ratios) >= SAME:
        rate = max((row["rate"] for row in rows if row.get("rate") is not None), default=0.0)
        says = f"an update was {max(ratios):.3g} times as large as the weights it changed"
        found.append(Finding("rate", "updates", max(ratios), says, f"a smaller rate (--rate {rate / 10:.2g})"))
    return found


def in_a_line(findings: Sequence[Finding]) -> str:
    """What is wrong, the first figure and its remedy; empty where all is healthy."""
    if not findings:
        return ""
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{in_words(findings)}: {first.says}{more}; try {first.remedy}"
