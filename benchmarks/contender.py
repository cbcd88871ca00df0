"""A contender: one way to compute a problem, to be run, timed and checked; and the reason why one is left out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


class LeftOut(Exception):
    """Why a peer is not measured in a row; it goes into the report."""


@dataclass(frozen=True)
class Answer:
    """What a run gave, in our layout and by our names."""

    outputs: Tensor
    """(N, T, H)."""
    gradients: dict[str, Tensor] = field(default_factory=dict)
    """Of the parameters by the equations' names, and of ``x``; empty for inference."""


@dataclass(frozen=True)
class Contender:
    """One way to compute a problem, ready to run."""

    name: str
    run: Callable[[], Any]
    """Computes once and returns when all is done."""
    answer: Callable[[Any], Answer]
    """Turns what ``run`` returned into an Answer; never timed."""
    elapsed: Callable[[], float] | None = None
    """Runs once and says how many seconds it took: for a contender in another process, which looks at its own clock."""


@dataclass(frozen=True)
class Setting:
    """What holds for a whole run."""

    threads: int = 1
    seed: int = 1


def relative_error(actual: Tensor, expected: Tensor, least: float = 0.0) -> float:
    """|actual - expected| / max(|expected|, least), Euclidean norms in double; infinite where one is not finite."""
    actual, expected = actual.detach().double(), expected.detach().double()
    if actual.shape != expected.shape or not bool(actual.isfinite().all()):
        return float("inf")
    norm, distance = max(float(expected.norm()), least), float((actual - expected).norm())
    return distance / norm if norm else distance


def errors(actual: Answer, expected: Answer) -> dict[str, float]:
    """The relative error of the outputs and of each gradient, by name; a gradient that is missing counts infinite.

    A gradient may vanish by symmetry (that of sLSTM's b_i does: a shift of all input gates cancels in c / n), and what
    is left of it is rounding. So a gradient is measured by no less than a hundredth of all gradients' norm together.
    """
    found = {"outputs": relative_error(actual.outputs, expected.outputs)}
    least = 0.01 * sum(float(one.double().norm()) ** 2 for one in expected.gradients.values()) ** 0.5
    for name, gradient in expected.gradients.items():
        theirs = actual.gradients.get(name)
        found[f"d{name}"] = float("inf") if theirs is None else relative_error(theirs, gradient, least)
    return found
