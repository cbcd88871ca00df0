"""Toy tasks of time: measure the delay between spikes, give spikes at a delay, give a periodic function."""

import math

import torch
from torch import Generator

from unrolled.data.toys.toy import Batch, Toy, all_long

SHORTEST, LONGEST = 5, 15
"""Steps from one spike to the next."""


def _measure(count: int, steps: int, generator: Generator) -> Batch:
    x = torch.zeros(count, steps, 1)
    targets, counts = torch.zeros(count, steps, 1), torch.zeros(count, steps, dtype=torch.bool)
    for row in range(count):
        at = int(torch.randint(SHORTEST, (), generator=generator))
        x[row, at] = 1.0
        while True:
            delay = int(torch.randint(SHORTEST, LONGEST + 1, (), generator=generator))
            at += delay
            if at >= steps:
                break
            x[row, at], targets[row, at], counts[row, at] = 1.0, (delay - SHORTEST) / (LONGEST - SHORTEST), True
    return Batch(x, targets, counts, all_long(count, steps))


def _give(count: int, steps: int, generator: Generator) -> Batch:
    delays = torch.randint(SHORTEST, LONGEST + 1, (count, 1), generator=generator)
    times = torch.arange(steps).unsqueeze(0)
    targets = ((times > 0) & (times % delays == 0)).float().unsqueeze(-1)
    x = ((delays - SHORTEST) / (LONGEST - SHORTEST)).unsqueeze(-1).expand(count, steps, 1).clone()
    return Batch(x, targets, torch.ones(count, steps, dtype=torch.bool), all_long(count, steps))


def _periodic(count: int, steps: int, generator: Generator) -> Batch:
    periods = torch.randint(SHORTEST, LONGEST + 1, (count, 1), generator=generator)
    times = torch.arange(float(steps)).unsqueeze(0)
    targets = torch.cos(2 * math.pi * times / periods).unsqueeze(-1)
    x = ((periods - SHORTEST) / (LONGEST - SHORTEST)).unsqueeze(-1).expand(count, steps, 1).clone()
    return Batch(x, targets, torch.ones(count, steps, dtype=torch.bool), all_long(count, steps))


_SOURCE = (
    "Gers, Schraudolph & Schmidhuber 2002, Learning precise timing with LSTM recurrent networks, JMLR 3:115, section"
)
_DELAYS = LONGEST - SHORTEST + 1
_VARIANCE = (_DELAYS**2 - 1) / 12 / (LONGEST - SHORTEST) ** 2

SPIKES = (
    Toy(
        "spikes-measure",
        f"at each spike how long ago the last one was, {SHORTEST} to {LONGEST} steps, as a share of the range",
        f"{_SOURCE} 4.1",
        "number",
        1,
        1,
        _measure,
        "mean squared error",
        lambda steps: _VARIANCE,
        (0.5 / (LONGEST - SHORTEST)) ** 2,
        shortest=3 * LONGEST,
    ),
    Toy(
        "spikes-give",
        f"a spike every so many steps, {SHORTEST} to {LONGEST}, as the input says",
        f"{_SOURCE} 4.2",
        "events",
        1,
        1,
        _give,
        "accuracy",
        lambda steps: 0.0,
        0.95,
        shortest=2 * LONGEST,
    ),
    Toy(
        "periodic",
        f"a cosine with a period of {SHORTEST} to {LONGEST} steps, as the input says",
        f"{_SOURCE} 4.3",
        "number",
        1,
        1,
        _periodic,
        "mean squared error",
        lambda steps: 0.5,
        0.01,
        shortest=2 * LONGEST,
    ),
)
