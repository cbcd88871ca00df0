"""Interleaved timing: contenders take turns, one call each, round after round; what counts are medians."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles

from benchmarks.contender import Contender

REST = 0.01
"""Seconds slept at a time between turns: more than a tick (4 ms), at which Linux counts what a running thread used."""
IDLE = 0.1
"""Quiet is a process that has used less than this share of a processor during one rest."""
PATIENCE = 0.2
"""Seconds after which a turn begins whether it is quiet or not."""
SHORT = 0.05
"""Calls below so many seconds are preceded by one that does not count: it wakes threads and fills caches."""
LONG = 5.0
"""A call above so many seconds is timed once."""
FAR = 10.0
"""A contender so many times slower than the fastest is timed in three rounds only."""
FAR_AND_LONG = 1.0
"""And once, where a call takes more than so many seconds."""
BUDGET = 1.5
"""Seconds that a contender may take for its rounds, beyond the least number of them."""


@dataclass(frozen=True)
class Measured:
    """The times of one contender in seconds."""

    median: float
    low: float
    """The first quartile."""
    high: float
    """The third quartile."""
    samples: int


def summary(times: Sequence[float]) -> Measured:
    """Median and quartiles."""
    if len(times) == 1:
        return Measured(times[0], times[0], times[0], 1)
    low, _, high = quantiles(times, n=4, method="inclusive")
    return Measured(median(times), low, high, len(times))


@contextmanager
def no_collection() -> Iterator[None]:
    """Garbage is collected before, and not during."""
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def one_call(contender: Contender, clock: Callable[[], float] = time.perf_counter) -> float:
    """Run once; the seconds it took."""
    if contender.elapsed is not None:
        return contender.elapsed()
    start = clock()
    contender.run()
    return clock() - start


def wait_until_quiet(
    worked: Callable[[], float] = time.process_time, rest: Callable[[float], None] = time.sleep
) -> None:
    """Sleep until no thread of this process works: pools go on spinning behind their last call, some for 40 ms."""
    for _ in range(round(PATIENCE / REST)):
        before = worked()
        rest(REST)
        if worked() - before < IDLE * REST:
            return


def rounds_for(first: float, fastest: float, least: int, seconds: float) -> int:
    """In how many rounds a contender takes part whose warmed call took ``first`` seconds."""
    far = first > FAR * fastest
    if first > (FAR_AND_LONG if far else LONG):
        return 1
    if far:
        return min(3, least)
    turn = first * (2 if first < SHORT else 1)
    return max(least, min(int(seconds / turn), 100))


def interleave(
    contenders: Sequence[Contender],
    least: int,
    seconds: float = BUDGET,
    clock: Callable[[], float] = time.perf_counter,
    rest: Callable[[], None] = wait_until_quiet,
) -> dict[str, Measured]:
    """Time contenders that have been warmed up.

    Args:
        contenders: Each with a name of its own.
        least: Rounds in which each takes part, but for those that are slow beyond interest (see :func:`rounds_for`).
        seconds: About how long the calls of each may take where that allows more rounds; never above BUDGET.
        clock: Seconds that only grow.
        rest: Is called before each turn.
    """
    times: dict[str, list[float]] = {one.name: [] for one in contenders}
    order, shuffle = list(contenders), Random(1).shuffle
    with no_collection():
        first = {one.name: one_call(one, clock) for one in contenders}
        fastest = min(first.values(), default=0.0)
        rounds = {name: rounds_for(taken, fastest, least, min(seconds, BUDGET)) for name, taken in first.items()}
        for turn in range(max(rounds.values(), default=0)):
            shuffle(order)  # nobody always comes behind the same other one
            for one in order:
                if turn >= rounds[one.name]:
                    continue
                if rounds[one.name] == 1:
                    times[one.name].append(first[one.name])
                    continue
                rest()
                if first[one.name] < SHORT:
                    one_call(one, clock)
                times[one.name].append(one_call(one, clock))
    return {name: summary(taken) for name, taken in times.items()}
