"""Progress on standard error: what was just done, and how long the rest will take."""

import sys
import time


class Progress:
    """Counts the rows of a run."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.start = total, 0, time.monotonic()

    def step(self, text: str) -> None:
        """One more row is done."""
        self.done += 1
        left = (time.monotonic() - self.start) / self.done * (self.total - self.done)
        say(f"[{self.done}/{self.total}, about {_span(left)} left] {text}")


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
