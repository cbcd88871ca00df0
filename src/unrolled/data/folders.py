"""Folders that hold a data set in parts: which file is for training, which validates, which tests, by their names."""

import re
from collections.abc import Sequence
from pathlib import Path

from unrolled.errors import UsageError

SPLITS = {"train": ("train",), "valid": ("valid", "validation", "val", "dev"), "test": ("test",)}
"""What each split may be called."""


def find_splits(folder: Path, endings: Sequence[str], only: bool = True) -> dict[str, Path]:
    """The file of each split that is there, in the order train, valid, test.

    A split is the file that is called as it is (``train.csv``, ``dev.csv.gz``); where there is none, the one file that
    has its word in the name, as ``wiki.train.tokens`` and ``en_ewt-ud-dev.conllu`` have. Folders are splits where two
    of them are called so, ``train`` and ``test``: one alone may be a class of trains.

    Args:
        folder: Where to look.
        endings: How files end that may be called just as a split is, in small letters; ``.gz`` may follow. ``/`` is how
            folders end.
        only: Files that end otherwise are not looked at at all, and of two the one whose ending comes first is taken.
            Else `train` and `valid` may be parts of words, too.

    Raises:
        UsageError: the folder cannot be listed, or two files could be one split.
    """
    try:
        there = [one for one in folder.iterdir() if not one.name.startswith(".")]
    except OSError as error:
        raise UsageError(f"{folder} cannot be listed: {error.strerror}; a readable folder is needed.") from error
    names = sorted(one.name for one in there if not one.is_dir())
    if only:
        names = [name for name in names if _plain(name).endswith(tuple(endings))]
    if "/" in endings:
        called = {word for words in SPLITS.values() for word in words}
        below = sorted(one.name for one in there if one.is_dir() and one.name in called)
        names = below if len(below) > 1 else names
    found: dict[str, str] = {}

    def is_the_name(name: str, split: str) -> bool:
        return _plain(name) in {f"{word}{ending.rstrip('/')}" for word in SPLITS[split] for ending in endings}

    def has_the_word(name: str, split: str) -> bool:
        """So `val` is not found in `interval.txt`, nor `test` in `latest.txt`."""
        whole = set(re.findall(r"[a-z]+", name.lower()))
        return bool(whole & set(SPLITS[split])) or (not only and split != "test" and split in name.lower())

    for matches in (is_the_name, has_the_word):
        for split in SPLITS:
            free = [name for name in names if name not in found.values()]
            near = _of_first_ending([name for name in free if matches(name, split)], endings if only else ())
            if split not in found and len(near) > 1:
                raise UsageError(
                    f"{folder} has {len(near)} files that could be the {split} split: {listed(near)}; "
                    "leave one of them there."
                )
            if split not in found and near:
                found[split] = near[0]
    return {split: folder / found[split] for split in SPLITS if split in found}


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names for a message; of more than ``most`` the first."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _of_first_ending(names: Sequence[str], endings: Sequence[str]) -> Sequence[str]:
    """Those of the names that end as none before it, in the order of endings: tables, and not the text beside them."""
    for ending in endings:
        found = [name for name in names if _plain(name).endswith(ending)]
        if found:
            return found
    return names


def _plain(name: str) -> str:
    return name.lower().removesuffix(".gz")
