"""All toy tasks by name."""

from unrolled.data.toys.grammars import GRAMMARS
from unrolled.data.toys.long import LONG
from unrolled.data.toys.spikes import SPIKES
from unrolled.data.toys.toy import Toy
from unrolled.errors import UsageError, did_you_mean

TOYS: dict[str, Toy] = {one.name: one for one in (*LONG, *GRAMMARS, *SPIKES)}


def find_toy(name: str) -> Toy:
    """The toy task of that name. Raises UsageError that lists what there is."""
    if name not in TOYS:
        raise UsageError(f"there is no toy task '{name}'; there are {', '.join(TOYS)}.{did_you_mean(name, TOYS)}")
    return TOYS[name]
