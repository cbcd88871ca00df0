"""Toy tasks of long memory: latch, adding, copy, temporal order, a lag without noise, parity, reverse."""

import math

import torch
from torch import Generator, Tensor

from unrolled.data.toys.toy import Batch, Toy, all_long, last_step, symbols

LETTERS, COPIED = 8, 10
"""Copy memory: how many symbols there are, and how many are to be kept."""


def _latch(count: int, steps: int, generator: Generator) -> Batch:
    bits = torch.randint(2, (count,), generator=generator)
    x = torch.randn(count, steps, 1, generator=generator) * 0.2
    x[:, 0, 0] += 2.0 * bits - 1.0
    targets = torch.zeros(count, steps, dtype=torch.long)
    targets[:, -1] = bits
    return Batch(x, targets, last_step(count, steps), all_long(count, steps))


def _adding(count: int, steps: int, generator: Generator) -> Batch:
    values = torch.rand(count, steps, generator=generator)
    half = steps // 2
    first = torch.randint(half, (count,), generator=generator)
    second = half + torch.randint(steps - half, (count,), generator=generator)
    marks = torch.zeros(count, steps)
    rows = torch.arange(count)
    marks[rows, first] = marks[rows, second] = 1.0
    targets = torch.zeros(count, steps, 1)
    targets[:, -1, 0] = values[rows, first] + values[rows, second]
    return Batch(torch.stack([values, marks], -1), targets, last_step(count, steps), all_long(count, steps))


def _copy(count: int, steps: int, generator: Generator) -> Batch:
    blank, now = LETTERS, LETTERS + 1
    kept = torch.randint(LETTERS, (count, COPIED), generator=generator)
    ids = torch.full((count, steps), blank)
    ids[:, :COPIED], ids[:, -COPIED - 1] = kept, now
    targets = torch.full((count, steps), blank)
    targets[:, -COPIED:] = kept
    return Batch(symbols(ids, LETTERS + 2), targets, torch.ones(count, steps, dtype=torch.bool), all_long(count, steps))


def _order(relevant: int) -> Toy:
    noise, begin, end = 4, 6, 7  # symbols 0 and 1 tell, 2 to 5 are noise

    def make(count: int, steps: int, generator: Generator) -> Batch:
        ids = 2 + torch.randint(noise, (count, steps), generator=generator)
        ids[:, 0], ids[:, -1] = begin, end
        told = torch.randint(2, (count, relevant), generator=generator)
        bounds = [1 + (steps - 2) * place // relevant for place in range(relevant + 1)]
        for place, (low, high) in enumerate(zip(bounds, bounds[1:], strict=False)):
            at = torch.randint(low, high, (count,), generator=generator)
            ids[torch.arange(count), at] = told[:, place]
        targets = torch.zeros(count, steps, dtype=torch.long)
        targets[:, -1] = (told * 2 ** torch.arange(relevant)).sum(1)
        return Batch(symbols(ids, 8), targets, last_step(count, steps), all_long(count, steps))

    return Toy(
        f"temporal-order-{relevant}",
        f"which of 2 symbols stood at each of {relevant} places unknown, among noise: one of {2**relevant} classes",
        "Hochreiter & Schmidhuber 1997, Long short-term memory, section 5.6 (there one place a fixed stretch)",
        "class",
        8,
        2**relevant,
        make,
        "accuracy",
        lambda steps: 2.0**-relevant,
        0.99,
        {"LSTM, 3 places, about 100 steps": "31,390 sequences (Hochreiter & Schmidhuber 1997, table 9)"},
        shortest=relevant + 2,
    )


def _lag(count: int, steps: int, generator: Generator) -> Batch:
    which = torch.randint(2, (count,), generator=generator)
    ids = (1 + torch.arange(steps)).repeat(count, 1).clamp(min=2)
    ids[:, 0] = which
    ids = torch.where(ids > 1, 2 + (ids - 2) % 50, ids)
    targets = torch.zeros(count, steps, dtype=torch.long)
    targets[:, -1] = which
    return Batch(symbols(ids, 52), targets, last_step(count, steps), all_long(count, steps))


def _parity(count: int, steps: int, generator: Generator) -> Batch:
    bits = torch.randint(2, (count, steps), generator=generator)
    return Batch(
        bits.unsqueeze(-1).float(),
        bits.cumsum(1) % 2,
        torch.ones(count, steps, dtype=torch.bool),
        all_long(count, steps),
    )


def _reverse(count: int, steps: int, generator: Generator) -> Batch:
    half = steps // 2
    said = torch.randint(LETTERS, (count, half), generator=generator)
    ids = torch.full((count, 2 * half), LETTERS)
    ids[:, :half] = said
    targets = torch.zeros(count, 2 * half, dtype=torch.long)
    targets[:, half:] = said.flip(1)
    counts = torch.zeros(count, 2 * half, dtype=torch.bool)
    counts[:, half:] = True
    return Batch(symbols(ids, LETTERS + 1), targets, counts, all_long(count, 2 * half))


def _sines(count: int, steps: int, generator: Generator) -> Batch:
    periods = 8.0 + 24.0 * torch.rand(count, 3, 1, generator=generator)
    phases = 2 * math.pi * torch.rand(count, 3, 1, generator=generator)
    times: Tensor = torch.arange(steps + 1.0)
    values = torch.sin(2 * math.pi * times / periods + phases).sum(1, keepdim=True).transpose(1, 2)  # (N, T + 1, 1)
    everywhere = torch.ones(count, steps, dtype=torch.bool)
    return Batch(values[:, :-1], values[:, 1:], everywhere, all_long(count, steps))


LONG = (
    Toy(
        "latch",
        "whether the first step was high or low, asked at the last, noise between",
        "Bengio, Simard & Frasconi 1994, Learning long-term dependencies with gradient descent is difficult, section 3",
        "class",
        1,
        2,
        _latch,
        "accuracy",
        lambda steps: 0.5,
        0.99,
        shortest=2,
    ),
    Toy(
        "adding",
        "the sum of the two marked numbers, one in each half, asked at the last step",
        "Hochreiter & Schmidhuber 1997, section 5.4; this form: Arjovsky et al. 2016, arXiv:1511.06464, section 5.2",
        "number",
        2,
        1,
        _adding,
        "mean squared error",
        lambda steps: 1 / 6,
        0.01,
        {
            "LSTM, 600 steps": "0.164, not learned (Bai et al. 2018, arXiv:1803.01271, table 1)",
            "GRU, 600 steps": "5.3e-5 (same)",
        },
        shortest=2,
    ),
    Toy(
        "copy",
        f"{COPIED} symbols of {LETTERS}, to be written again at the end, blanks between",
        "Hochreiter & Schmidhuber 1997; this form: Arjovsky et al. 2016, arXiv:1511.06464, section 5.1",
        "class",
        LETTERS + 2,
        LETTERS + 1,
        _copy,
        "nats",
        lambda steps: COPIED * math.log(LETTERS) / steps,
        1e-3,
        {"LSTM, 1000 blanks": "0.0204, that of no memory (Bai et al. 2018, arXiv:1803.01271, table 1)"},
        shortest=2 * COPIED + 1,
    ),
    _order(2),
    _order(3),
    _order(4),
    Toy(
        "lag",
        "which of two symbols stood first, asked at the last step; all between is the same every time",
        "Hochreiter & Schmidhuber 1997, section 5.2, task 2a",
        "class",
        52,
        2,
        _lag,
        "accuracy",
        lambda steps: 0.5,
        0.99,
        {"LSTM, 100 steps": "18 of 18 trials, about 5,040 sequences (Hochreiter & Schmidhuber 1997, table 2)"},
        shortest=2,
    ),
    Toy(
        "parity",
        "at each step whether the ones so far are odd",
        "a state of one bit; Hochreiter & Schmidhuber 1997, section 5, on what guessing solves",
        "class",
        1,
        2,
        _parity,
        "accuracy",
        lambda steps: 0.5**steps,
        0.99,
    ),
    Toy(
        "reverse",
        f"symbols of {LETTERS}, then the same backwards",
        "Sutskever, Vinyals & Le 2014, arXiv:1409.3215, section 3.3, on reversing; one vector must hold them all",
        "class",
        LETTERS + 1,
        LETTERS,
        _reverse,
        "accuracy",
        lambda steps: float(LETTERS) ** -(steps // 2),
        0.99,
        shortest=2,
    ),
    Toy(
        "sines",
        "the next value of a sum of three sines of unknown periods and phases",
        "a forecast whose error a straight guess bounds: that of repeating the last value",
        "number",
        1,
        1,
        _sines,
        "mean squared error",
        lambda steps: _repeated(),
        0.01,
    ),
)


def _repeated() -> float:
    """The mean squared error of repeating the last value: 3 E[1 - cos(2 pi / period)], periods from 8 to 32."""
    periods = torch.linspace(8.0, 32.0, 100_001, dtype=torch.float64)
    return float(3.0 * (1.0 - torch.cos(2 * math.pi / periods)).mean())
