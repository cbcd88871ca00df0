"""Sequences and pictures as arrays: npz files, and values in memory."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError, did_you_mean
from unrolled.tasks.classify.examples import Examples, Form, check_numbers, labels_of

INPUTS = ("x", "inputs", "images", "pictures", "series", "data")
LABELS = ("y", "labels", "label", "classes", "targets", "target")
LENGTHS = ("lengths", "length", "n")


def read_npz(source: str | Path, label: str | None, answers: bool, split: str = "") -> Examples | None:
    """The sequences in an npz file: ``x`` (N, T, D), (N, T) or pictures (N, H, W) of bytes, ``y``, and ``lengths``.

    Args:
        source: The file.
        label: The array with the classes, where its name is not a usual one.
        answers: Whether classes are needed.
        split: ``train``, ``valid`` or ``test`` takes ``x_train``, ``y_train``, …, where there are such.

    Returns:
        None where the file has no such split.

    Raises:
        UsageError: an array is missing or of another shape, or a sequence is empty or holds what is no number.
    """
    raw, name = read_bytes(source), Path(source).name
    arrays = _arrays(raw, name)
    key = _key(arrays, INPUTS, split)
    if key is None:
        if split in ("valid", "test"):
            return None
        raise UsageError(f"{name} holds no array x (or {', '.join(INPUTS[1:])}); it holds {', '.join(arrays)}.")
    values = arrays[key]
    lengths = _of(arrays, LENGTHS, split)

    def where(index: int) -> str:
        return f"{name}, {key}[{index}]"

    sequences, kind = _sequences(values, lengths, name)
    known = None
    if answers:
        given = label if label is None or label in arrays else f"{label}_{split}"
        wanted = _key(arrays, LABELS, split) if given is None else given
        if wanted not in arrays:
            near = did_you_mean(str(label), arrays) if label else ""
            raise UsageError(f"{name} holds no array with classes (y, or --label); it holds {', '.join(arrays)}.{near}")
        answered = arrays[wanted]
        if answered.shape != (len(sequences),):
            shapes = f"{wanted} {answered.shape}, and {key} holds {len(sequences)} sequences"
            raise UsageError(f"{name}: a class a sequence is wanted: {shapes}.")
        known = labels_of(answered.tolist(), where)
    sequences, notes = (sequences, ()) if kind == "pictures" else check_numbers(sequences, where)
    fingerprint = hashlib.sha256(raw).hexdigest()
    return Examples(Form(kind, sequences[0].shape[1]), sequences, known, where, name, fingerprint, notes=notes)


def _arrays(raw: bytes, name: str) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        raise UsageError(f"{name} is no sound npz file: those are zip archives of arrays, as numpy.savez writes them.")
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except ValueError as error:
        if "pickle" in str(error) or "Object" in str(error):
            way = "give an array padded to one length (N, T, D) and 'lengths' (N,)"
            raise UsageError(f"{name} holds pickled objects, which could run code when read; {way}.") from None
        raise UsageError(f"{name} is no sound npz file: {error}.") from None
    except (OSError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise UsageError(f"{name} is no sound npz file: {error}.") from None


def _key(arrays: Mapping[str, np.ndarray], names: Sequence[str], split: str) -> str | None:
    """The first array with one of the names, with the split's behind it, or alone where training is asked for."""
    lower = {key.lower(): key for key in arrays}
    tails = [f"_{split}", ""] if split == "train" else [f"_{split}"] if split else [""]
    return next((lower[name + tail] for tail in tails for name in names if name + tail in lower), None)


def _of(arrays: Mapping[str, np.ndarray], names: Sequence[str], split: str) -> np.ndarray | None:
    key = _key(arrays, names, split)
    return None if key is None else arrays[key]


def _sequences(values: np.ndarray, lengths: np.ndarray | None, name: str) -> tuple[list[Tensor], str]:
    """Sequences (T_n, D), and whether they are pictures."""
    if values.dtype.kind not in "fiub" or not 2 <= values.ndim <= 4 or not values.size:
        seen = f"{values.dtype} {values.shape}"
        raise UsageError(f"{name}: x is numbers (N, T, D), (N, T), or pictures (N, H, W) of bytes, and is {seen}.")
    pictures = values.dtype == np.uint8 and values.ndim >= 3
    if lengths is None and values.ndim == 4 and not pictures:
        raise UsageError(f"{name}: pictures (N, H, W, C) are bytes (uint8), and x {values.shape} is {values.dtype}.")
    if lengths is not None and (lengths.ndim != 1 or lengths.dtype.kind not in "iu" or len(lengths) != len(values)):
        if lengths.ndim == 1 and lengths.dtype.kind in "iu" and int(lengths.sum()) == len(values):
            flat = torch.from_numpy(values.astype(np.float32)).reshape(len(values), -1)
            return list(flat.split(lengths.tolist())), "series"
        raise UsageError(f"{name}: lengths are whole numbers, one a sequence, and are {lengths.dtype} {lengths.shape}.")
    whole = torch.from_numpy(values.astype(np.float32)).reshape(*values.shape[:2], -1)  # (N, T, D)
    if lengths is None:
        return list(whole), "pictures" if pictures else "series"
    if int(lengths.min()) < 0 or int(lengths.max()) > whole.shape[1]:
        raise UsageError(f"{name}: lengths go from 0 to {whole.shape[1]}, and there is one of {int(lengths.max())}.")
    return [row[:count] for row, count in zip(whole, lengths.tolist(), strict=True)], "series"


def as_sequences(values: Sequence[Any], width: int) -> list[Tensor]:
    """Values in memory, (T, D), (T,) or pictures (H, W, C), as sequences (T, D).

    Raises:
        UsageError: one is no array of numbers, or another count of numbers a step than the model's.
    """
    sequences = []
    for index, one in enumerate(values):
        try:
            plain = torch.as_tensor(np.asarray(one, dtype=np.float32))
        except (TypeError, ValueError):
            raise UsageError(f"sequence {index}: numbers (T, D) are wanted, and this is {one!r:.60}.") from None
        plain = plain.reshape(len(plain), -1) if plain.dim() else plain.reshape(1, 1)
        if width and len(plain) and plain.shape[1] != width:
            raise UsageError(f"sequence {index} has {plain.shape[1]} numbers a step, and the model reads {width}.")
        sequences.append(plain)
    return sequences
