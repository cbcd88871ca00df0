"""Dynamic time warping: how far series are apart when time may run a little faster or slower in one of them."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
PAIRS = 16_384
"""Pairs of series that are computed side by side; so many numbers stay near the processor."""


def cells_of(steps: int, band: int) -> int:
    """How many pairs of steps are looked at for one pair of series."""
    return sum(min(steps, place + band + 1) - max(0, place - band) for place in range(steps))


def warped_distances(queries: Array, known: Array, band: int) -> Array:
    """The distance of each query to each known series, (Q, N).

    The least sum of squared distances of steps over all paths from both beginnings to both ends that go a step on in
    one series or in both, and stay within ``band`` steps of the diagonal (Sakoe & Chiba 1978); channels warp together.

    Args:
        queries: (Q, T, D), float32.
        known: (N, T, D), float32, of as many steps.
        band: 0 is the squared Euclidean distance.
    """
    side = max(1, PAIRS // len(known))
    squares = np.einsum("ntd,ntd->tn", known, known)
    parts = [_distances(queries[start : start + side], known, squares, band) for start in range(0, len(queries), side)]
    return np.concatenate(parts)


def _distances(queries: Array, known: Array, squares: Array, band: int) -> Array:
    steps = known.shape[1]
    by_step = np.ascontiguousarray(known.transpose(1, 2, 0))  # (T, D, N)
    never = np.full((len(queries), len(known)), np.inf, dtype=np.float32)
    before: dict[int, Array] = {-1: np.zeros_like(never)}
    for place in range(steps):
        row = queries[:, place]  # (Q, D)
        own = np.einsum("qd,qd->q", row, row)[:, None]
        now: dict[int, Array] = {}
        for other in range(max(0, place - band), min(steps, place + band + 1)):
            cost = np.maximum(own + squares[other] - 2 * (row @ by_step[other]), 0)  # (Q, N)
            least = np.minimum(before.get(other, never), before.get(other - 1, never))
            now[other] = cost + np.minimum(least, now.get(other - 1, never), out=least)
        before = now
    return before[steps - 1]
