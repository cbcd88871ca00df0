"""All experiments by id."""

from unrolled.errors import UsageError, did_you_mean
from unrolled.lab.claims.activations import ACTIVATIONS
from unrolled.lab.claims.bottleneck import BOTTLENECK
from unrolled.lab.claims.bridges import BRIDGES
from unrolled.lab.claims.depth import DEPTH
from unrolled.lab.claims.fading import FADING
from unrolled.lab.claims.gates import GATES
from unrolled.lab.claims.latch import LATCH
from unrolled.lab.claims.peepholes import PEEPHOLES
from unrolled.lab.claims.units import UNITS
from unrolled.lab.claims.windows import WINDOWS
from unrolled.lab.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    one.id: one
    for one in (
        LATCH,
        BRIDGES,
        GATES,
        FADING,
        ACTIVATIONS,
        PEEPHOLES,
        UNITS,
        DEPTH,
        WINDOWS,
        BOTTLENECK,
    )
}


def find_experiments(name: str) -> list[Experiment]:
    """The experiment of that id, or all of them. Raises UsageError that lists what there is."""
    if name.lower() == "all":
        return list(EXPERIMENTS.values())
    if name.upper() not in EXPERIMENTS:
        known = f"{', '.join(EXPERIMENTS)}, all"
        raise UsageError(f"there is no experiment '{name}'; there are {known}.{did_you_mean(name, EXPERIMENTS)}")
    return [EXPERIMENTS[name.upper()]]
