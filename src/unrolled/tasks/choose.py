"""Choosing what is looked into: data as they are given or in a file, one sequence of several, one recurrence."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unrolled.errors import UsageError, did_you_mean

FILE_NAME = re.compile(
    r"\S+\.(txt|csv|tsv|json|jsonl|ndjson|parquet|npz|npy|ts|wav|png|jpe?g|conllu?p?|bmp|gif|mp4|avi|mkv)(\.gz)?", re.I
)
"""What no text is meant by that is given as it is."""


def given_as_it_is(data: Any) -> bool:
    """Whether data are a text itself, and not the name of a file, ``-`` or values.

    Raises:
        UsageError: it is the name of a file that does not exist.
    """
    if not isinstance(data, str) or data == "-":
        return False
    if not data.strip():
        return True
    try:
        if Path(data).exists():
            return False
    except OSError:  # too long for a name
        return True
    if FILE_NAME.fullmatch(data):
        raise UsageError(f"there is no file {data}; what is meant as a text does not look like a file's name.")
    return True


def chosen(row: int | str, count: int, ids: Sequence[Any] | None, name: str) -> int:
    """The place of a sequence that is named by its number, from 1, or by its id.

    Args:
        row: Number or id; ids come first.
        count: How many sequences there are.
        ids: What the data call each, where they do.
        name: The data, for messages.

    Raises:
        UsageError: there is no such sequence.
    """
    named = [] if ids is None or None in ids else [str(one) for one in ids]
    if isinstance(row, str) and row in named:
        return named.index(row)
    if isinstance(row, int) or row.isdecimal():
        if 1 <= int(row) <= count:
            return int(row) - 1
        raise UsageError(f"{name} holds {count:,} sequence(s), and number {row} is asked for.")
    if named:
        raise UsageError(f"{name} holds no sequence '{row}'.{did_you_mean(row, named)}")
    raise UsageError(f"the sequences of {name} have no ids; name one by its number, 1 to {count:,}, not '{row}'.")


def part_of(part: str | None, known: Sequence[str]) -> str:
    """The recurrence that is asked for, or the first. Raises UsageError where there is none of that name."""
    if part is None:
        return known[0]
    if part not in known:
        have = f"it has {', '.join(known)}"
        raise UsageError(f"the network has no part '{part}' to look into; {have}.{did_you_mean(part, known)}")
    return part


def with_steps(count: int, what: str) -> None:
    """Raise UsageError where a sequence has no step."""
    if not count:
        raise UsageError(f"{what} has no step; there is nothing to look at.")
