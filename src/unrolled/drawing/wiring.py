"""Which steps of an unrolled net read an input, give an output, or read what was given before: the wirings as plans."""

from dataclasses import dataclass

from unrolled.errors import UsageError, did_you_mean

WIRINGS = ("one-to-one", "one-to-many", "many-to-one", "many-to-many", "encoder-decoder")
MOST_STEPS, MOST_LAYERS = 100, 20
"""More of them fit no canvas."""


@dataclass(frozen=True)
class Column:
    """One step of the picture."""

    step: int
    """From 1 on; the decoder's steps begin again."""
    reads: bool = True
    """Whether an input stands below."""
    gives: bool = True
    """Whether an output stands above."""
    fed: bool = False
    """Whether the input is the output before."""
    decodes: bool = False
    """Whether it belongs to a decoder, which has weights of its own."""


@dataclass(frozen=True)
class Plan:
    """What is drawn: the steps, the layers, the directions, and the step that is opened, if one is."""

    wiring: str
    columns: tuple[Column, ...]
    layers: int = 1
    directions: tuple[str, ...] = ("forward",)
    opened: int | None = None

    @property
    def recurs(self) -> bool:
        """Whether a state is carried from step to step."""
        return self.wiring != "one-to-one"


def plan(
    wiring: str = "many-to-many",
    steps: int | None = None,
    layers: int = 1,
    *,
    bidirectional: bool = False,
    inside: bool = False,
) -> Plan:
    """The plan of a wiring.

    Args:
        wiring: One of :data:`WIRINGS`.
        steps: Steps of the net, or of encoder and decoder each; left out, as many as suit a slide.
        layers: L, stacked.
        bidirectional: Whether a second cell a layer reads from the end.
        inside: Whether the step in the middle, in the lowest layer, is opened.

    Raises:
        UsageError: there is no such wiring, or steps, layers or directions do not fit it.
    """
    if wiring not in WIRINGS:
        raise UsageError(
            f"there is no wiring '{wiring}'; there are {', '.join(WIRINGS)}.{did_you_mean(wiring, WIRINGS)}"
        )
    if steps is None:
        steps = 1 if wiring == "one-to-one" else 3 if inside or wiring == "encoder-decoder" else 4
    if not 1 <= steps <= MOST_STEPS:
        raise UsageError(f"a picture has 1 to {MOST_STEPS} steps, and {steps} are asked for.")
    if not 1 <= layers <= MOST_LAYERS:
        raise UsageError(f"a picture has 1 to {MOST_LAYERS} layers, and {layers} are asked for.")
    if wiring == "one-to-one" and steps > 1:
        raise UsageError(f"one-to-one has one step, and {steps} are asked for; several steps: --wiring many-to-many.")
    if bidirectional and wiring not in ("many-to-one", "many-to-many"):
        reason = {
            "one-to-one": "it has one step",
            "one-to-many": "each output is the next input, and a second cell would read from the end",
            "encoder-decoder": "its decoder writes from the beginning",
        }[wiring]
        raise UsageError(f"{wiring} has no second direction: {reason}; many-to-one and many-to-many have.")
    columns = _columns(wiring, steps)
    directions = ("forward", "reverse") if bidirectional else ("forward",)
    return Plan(wiring, tuple(columns), layers, directions, steps // 2 if inside else None)


def _columns(wiring: str, steps: int) -> list[Column]:
    numbers = range(1, steps + 1)
    if wiring == "one-to-many":
        return [Column(step, fed=step > 1) for step in numbers]
    if wiring == "many-to-one":
        return [Column(step, gives=step == steps) for step in numbers]
    if wiring == "encoder-decoder":
        encoder = [Column(step, gives=False) for step in numbers]
        return encoder + [Column(step, fed=True, decodes=True) for step in numbers]
    return [Column(step) for step in numbers]
