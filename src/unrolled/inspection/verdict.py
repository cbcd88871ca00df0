"""The verdict: what is wrong inside a network, if anything is, each with its figure and what to try."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from unrolled.inspection.gradients import Reached
from unrolled.inspection.quantities import Behaviour

Kind = Literal["vanishing", "exploding", "saturated", "dead", "rate"]
SATURATED = 0.9
"""The share of steps and units near an end of the range from which a quantity hardly answers to its input any more."""
SHORT = 10
"""A memory horizon of no more steps is a plain recurrent network's (Bengio, Simard & Frasconi 1994)."""
GROWTH = 10.0
"""How many times its size at the loss a gradient may reach on its way back."""
RADIUS = 2.0
"""The spectral radius of a recurrent matrix from which even a gate that is half open lets a change grow."""

CLIPPED = 0.9
"""The share of updates from which nearly all are clipped."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    where: str
    """Layer, direction and quantity: ``"0.forward.f"``."""
    figure: float
    says: str
    """The figure in a sentence."""
    remedy: str

    def row(self) -> dict[str, object]:
        """The finding as JSON-able names and values."""
        return asdict(self)


def of_behaviours(behaviours: Mapping[str, Behaviour]) -> list[Finding]:
    """Saturated quantities and dead units."""
    found = []
    for where, one in behaviours.items():
        units = len(one.mean)
        if one.saturated is not None and one.saturated >= SATURATED:
            assert one.low is not None
            assert one.high is not None
            ends = f"{one.low:.0%} near its lower end, {one.high:.0%} near its upper end"
            remedy = "a smaller rate, layer norm (--layer-norm), or smaller initial weights; look at the inputs' scale"
            found.append(
                Finding("saturated", where, one.saturated, f"{one.function} of {where} is saturated: {ends}", remedy)
            )
        elif one.dead:
            shown = ", ".join(map(str, one.dead[:8])) + (", ..." if len(one.dead) > 8 else "")
            says = f"{len(one.dead)} of {units} units of {where} never move: {shown}"
            remedy = "a smaller rate, other initial weights, or fewer units"
            found.append(Finding("dead", where, len(one.dead) / units, says, remedy))
    return found


def of_gradients(reached: Mapping[str, Reached]) -> list[Finding]:
    """Gradients that vanish within few steps, or grow on their way back."""
    found = []
    for where, one in reached.items():
        lags = one.by_lag[~one.by_lag.isnan()]
        if len(lags) < 2 or not float(lags[0]):
            continue
        growth = float(lags.max() / lags[0])
        if growth >= GROWTH:
            says = (
                f"the gradient at {where} is {growth:.3g} times as large {int(lags.argmax())} steps away from the loss "
                "as at it"
            )
            remedy = f"clip the gradient (--clip {_clip(growth)}), a smaller rate, orthogonal recurrent weights"
            found.append(Finding("exploding", where, growth, says, remedy))
        elif one.horizon is not None and one.horizon <= SHORT:
            says = f"the gradient at {where} falls to 1% within {one.horizon} steps"
            remedy = (
                "a gated cell, chrono initialisation for the memory that is wanted (--chrono STEPS), or orthogonal "
                "recurrent weights"
            )
            found.append(Finding("vanishing", where, float(one.horizon), says, remedy))
    return found


def of_radii(radii: Mapping[str, float]) -> list[Finding]:
    """Recurrent matrices that blow up whatever passes through them again and again."""
    remedy = "clip the gradient (--clip 1), a smaller rate, or orthogonal recurrent weights"
    return [
        Finding("exploding", where, radius, f"the spectral radius of {where} is {radius:.2f}", remedy)
        for where, radius in radii.items()
        if radius >= RADIUS
    ]


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
            remedy = f"clip the gradient (--clip {_clip(figure)}), a smaller rate, orthogonal recurrent weights"
            found.append(Finding("exploding", where, figure, says, remedy))
    horizons = {name.partition("/")[2]: figure for name, figure in late.items() if name.startswith("horizon/")}
    sight = max((figure for name, figure in late.items() if name.startswith("sight/")), default=0.0)
    if horizons and max(horizons.values()) <= SHORT < sight / 2:
        where = max(horizons, key=lambda name: horizons[name])
        says = (
            f"the gradient at {where} falls to 1% within {horizons[where]:.0f} steps, and no other one reaches farther"
        )
        remedy = "a gated cell (--cell lstm), chrono initialisation (--chrono STEPS), or orthogonal recurrent weights"
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
    if ratios and max(ratios) >= 1.0:
        rates = [row["rate"] for row in rows if row.get("rate") is not None]
        says = f"an update was {max(ratios):.3g} times as large as the weights it changed"
        remedy = f"a smaller rate (--rate {max(rates) / 10:.2g})" if rates else "a smaller rate (--rate)"
        found.append(Finding("rate", "updates", max(ratios), says, remedy))
    return found


def in_a_line(findings: Sequence[Finding]) -> str:
    """What is wrong, the first figure and its remedy; empty where all is healthy."""
    if not findings:
        return ""
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{in_words(findings)}: {first.says}{more}; try {first.remedy}"


def in_words(findings: Iterable[Finding]) -> str:
    """The verdict in one line: ``healthy``, or what is wrong."""
    kinds = dict.fromkeys("rate too high" if one.kind == "rate" else one.kind for one in findings)
    return ", ".join(kinds) or "healthy"


def _clip(growth: float) -> str:
    """A bound on the gradient's norm: the more it grows the tighter."""
    return "1" if growth < 100 else "0.25"
