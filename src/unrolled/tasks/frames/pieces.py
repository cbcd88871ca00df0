"""Pieces: what is learned at once of long sequences, and the future that an answer waits for."""

from typing import NamedTuple

import torch
from torch import Tensor


class Piece(NamedTuple):
    """Steps of a sequence that are learned at once."""

    sequence: int
    start: int
    steps: int

    def moved(self, length: int) -> tuple[int, int]:
        """Where it begins and ends this time, in a sequence of so many steps.

        A piece of a longer sequence moves by up to half its steps, drawn by torch: so that a step is not always as far
        from the beginning, where the state is fresh.
        """
        if self.steps == length:
            return 0, length
        half = self.steps // 2
        start = self.start + int(torch.randint(-half, half + 1, ()))
        start = min(max(start, 0), length - self.steps)
        return start, start + self.steps


def pieces(lengths: list[int], window: int | None) -> list[Piece]:
    """Every sequence in pieces of at most ``window`` steps, all of one size; the last two may share some."""
    cut = []
    for number, length in enumerate(lengths):
        steps = min(length, window or length)
        starts = range(0, length, steps)
        cut += [Piece(number, min(start, length - steps), steps) for start in starts]
    return cut


def at_tempo(read: Tensor, said: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """A piece that goes faster or slower by up to a share, drawn by torch: some steps are left out, or come twice.

    What is read may be longer than what is said of it: the future that the last answers wait for stays as it is.
    """
    if not share:
        return read, said
    steps = len(said)
    count = max(1, round(steps * (1.0 + share * (2.0 * float(torch.rand(())) - 1.0))))
    seen = torch.linspace(0, steps - 1, count).round().long()
    return torch.cat([read[:steps][seen], read[steps:]]), said[seen]


def with_future(features: Tensor, start: int, stop: int, late: int) -> Tensor:
    """Steps of (T, D) from ``start`` to before ``stop``, and ``late`` more; behind the end they are missing (NaN)."""
    if not late:
        return features[start:stop]
    piece = features[start : stop + late].float()
    missing = piece.new_full((stop + late - start - len(piece), piece.shape[1]), torch.nan)
    return torch.cat([piece, missing])
