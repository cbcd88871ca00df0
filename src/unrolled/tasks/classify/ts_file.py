"""Series in the ``.ts`` form of sktime and the UCR/UEA archive: a case a line, channels between colons, class last."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError
from unrolled.tasks.classify.examples import Examples, Form, check_numbers, labels_of


def read_ts(source: str | Path, answers: bool) -> Examples:
    """The cases of a ``.ts`` file; ``?`` and ``NaN`` are missing numbers.

    Raises:
        UsageError: the file is no such file, or is damaged; the message names the line.
    """
    raw, name = read_bytes(source), Path(source).name
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no .ts file: byte {error.start} is not UTF-8.") from None
    said, start = _header(lines, name)
    if said.get("timestamps", "false").lower() == "true":
        raise UsageError(f"{name} has time stamps (@timeStamps true); series of equal steps are read, without them.")
    labelled = said.get("classlabel", "false").lower().split()[:1] == ["true"]
    if answers and not labelled:
        raise UsageError(f"{name} has no classes (@classLabel is not true), and they are needed here.")
    cases: list[Tensor] = []
    labels, numbers = [], []
    for number in range(start, len(lines)):
        line = lines[number].strip()
        if not line or line.startswith(("#", "%")):
            continue
        parts = line.split(":")
        if labelled and len(parts) < 2:
            raise UsageError(f"{name}, line {number + 1} does not end with ':' and its class; is the file cut off?")
        label = parts.pop().strip() if labelled else ""
        cases.append(_case(parts, f"{name}, line {number + 1}"))
        labels.append(label)
        numbers.append(number + 1)
        if cases[-1].shape[1] != cases[0].shape[1]:
            seen = f"{cases[-1].shape[1]} channels, and the first case {cases[0].shape[1]}"
            raise UsageError(f"{name}, line {number + 1} has {seen}.")
    if not cases:
        raise UsageError(f"{name} holds no cases behind @data.")

    def where(index: int) -> str:
        return f"{name}, line {numbers[index]}"

    known = labels_of(labels, where) if answers else None
    inputs, notes = check_numbers(cases, where)
    form = Form("series", cases[0].shape[1])
    return Examples(form, inputs, known, where, name, hashlib.sha256(raw).hexdigest(), notes=notes)


def _header(lines: list[str], name: str) -> tuple[dict[str, str], int]:
    """What the lines that begin with @ say, by name in lower case; and the line behind @data."""
    said = {}
    for number, line in enumerate(lines):
        word, _, rest = line.strip().partition(" ")
        if word.lower() == "@data":
            return said, number + 1
        if word.startswith("@"):
            said[word[1:].lower()] = rest.strip()
    raise UsageError(f"{name} is no .ts file: it has no line '@data'.")


def _case(channels: list[str], where: str) -> Tensor:
    """One case, (T, D); channels that end before the longest are missing there."""
    rows = []
    for place, channel in enumerate(channels):
        words = channel.replace("?", "nan").split(",") if channel.strip() else []
        try:
            rows.append(np.array(words, dtype=np.float32))
        except ValueError as error:
            raise UsageError(f"{where}, channel {place + 1}: {error}.") from None
    longest = max((len(row) for row in rows), default=0)
    whole = np.full((longest, len(rows)), np.nan, dtype=np.float32)
    for place, row in enumerate(rows):
        whole[: len(row), place] = row
    return torch.from_numpy(whole)
