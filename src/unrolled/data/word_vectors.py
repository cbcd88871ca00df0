"""Word vectors from a text file in GloVe's form: a word a line, and its numbers behind it."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError


class WordVectors(NamedTuple):
    """Words and a vector for each."""

    words: list[str]
    vectors: Tensor
    """(words, D), float32."""
    fingerprint: str
    """sha256 (hex) of the file."""


def read_word_vectors(path: str | Path) -> WordVectors:
    """The words of a file with their vectors; ``.gz`` is unpacked.

    A first line of two whole numbers (how many words, how many numbers), as word2vec and fastText write it, is passed
    over. A word that comes again keeps its first vector.

    Raises:
        UsageError: the file is missing, empty or damaged; the message names the first bad line.
    """
    raw, name = read_bytes(path), Path(path).name
    try:
        lines = raw.decode("utf-8").splitlines() if b"\r" in raw else raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}, line {line} is not UTF-8; word vectors are a text file in GloVe's form.") from None
    first = lines[0].split()
    start = 1 if len(first) == 2 and all(word.isdecimal() for word in first) else 0
    rows: dict[str, np.ndarray] = {}
    width = 0
    for number in range(start, len(lines)):
        line = lines[number].rstrip()
        if not line:
            continue
        word, *numbers = line.split(" ")
        width = width or len(numbers)
        try:
            row = np.array(numbers, dtype=np.float32)
        except ValueError as error:
            raise UsageError(f"{name}, line {number + 1} is no word with its numbers: {error}.") from None
        if not width:
            raise UsageError(f"{name}, line {number + 1} holds no word with numbers behind it, as 'film 0.2 -1.3'.")
        if len(row) != width:
            raise UsageError(f"{name}, line {number + 1} has {len(row)} numbers behind its word, the first {width}.")
        if not np.isfinite(row).all():
            raise UsageError(f"{name}, line {number + 1}: a number of {word!r} is not finite.")
        rows.setdefault(word, row)
    if not rows:
        raise UsageError(f"{name} holds no word vectors.")
    vectors = torch.from_numpy(np.stack(list(rows.values())))
    return WordVectors(list(rows), vectors, hashlib.sha256(raw).hexdigest())
