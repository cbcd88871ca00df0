"""The errors a user can meet: each is one line that says what was asked, what was seen, and what would work."""

from collections.abc import Iterable
from difflib import get_close_matches


class UnrolledError(Exception):
    """Something went wrong while doing what was asked; the command line ends with exit code 1."""

    exit_code = 1


class UsageError(UnrolledError):
    """What was asked cannot be done as asked (wrong option, file, equation); the command line ends with exit code 2."""

    exit_code = 2


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'lstm'?`` for the nearest known name, or an empty string where nothing is near."""
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""
