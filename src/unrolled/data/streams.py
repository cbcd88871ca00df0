"""Contiguous streams: a long sequence of ids in rows, cut into windows, for carried state and truncated BPTT."""

from collections.abc import Iterator

from torch import Tensor

from unrolled.errors import UsageError


class Streams:
    """The ids of a text as N contiguous rows, read from left to right in windows of T steps.

    Row n holds the tokens n * R to (n + 1) * R - 1 of the text, with R = S // N, so the state a row ends one window
    with is the state it starts the next one with. In one epoch every token but the first of each row is a target
    exactly once. The `dropped` = S - N * R tokens left over at the end are fewer than N.

    ids: (S,); batch: N; window: T. Raises `UsageError` where a row would be shorter than one window and its last
    target.
    """

    def __init__(self, ids: Tensor, batch: int, window: int) -> None:
        if ids.ndim != 1:
            raise UsageError(f"streams are cut from one sequence of ids (S,), but got the shape {tuple(ids.shape)}.")
        if batch < 1 or window < 1:
            raise UsageError(f"--batch and --window must be at least 1, but are {batch} and {window}.")
        length = len(ids) // batch
        if length < window + 1:
            raise UsageError(_too_short(len(ids), batch, window))
        self.window = window
        self.rows = ids[: batch * length].reshape(batch, length)  # (N, R)
        self.dropped = len(ids) - batch * length
        self._starts = range(0, length - 1, window)

    def __len__(self) -> int:
        """Return the number of windows in an epoch: the ceiling of (R - 1) / T."""
        return len(self._starts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return window `index`: inputs (N, t) and targets (N, t), one token later; both are views of `rows`.

        t is T, or less in the last window, which is also number -1. Raises `IndexError` past the end.
        """
        start = self._starts[index]
        stop = min(start + self.window, self.rows.shape[1] - 1)
        return self.rows[:, start:stop], self.rows[:, start + 1 : stop + 1]  # (N, t) each

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the windows of one epoch, from left to right."""
        return (self[index] for index in range(len(self)))


def _too_short(tokens: int, batch: int, window: int) -> str:
    """Say how many tokens are there and needed, and which smaller batch or window would do."""
    ways = []
    if tokens >= window + 1:
        ways.append(f"--batch {tokens // (window + 1)}")
    if tokens // batch >= 2:
        ways.append(f"--window {tokens // batch - 1}")
    if not ways and tokens >= 2:
        ways.append(f"--batch 1 --window {tokens - 1}")
    what = f"use at most {' or '.join(ways)}, or a longer text" if ways else "a longer text is needed"
    return (
        f"the text has {tokens:,} tokens, but --batch {batch} rows of --window {window} steps need at least "
        f"{batch * (window + 1):,} (a row is a window and one more target): {what}."
    )
