"""Arrays: an npz file, or arrays by name in memory, to recordings."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.recordings import Form, Labels, Recording, Recordings, as_tensor, finite

FEATURES, ANSWERS = ("x", "features", "frames", "inputs"), ("y", "labels", "label", "targets", "target")
NAMES, IDS = ("classes", "names"), ("id", "ids")
KNOWN = "x (N, T, ...) or (all steps, ...) with lengths or offsets, y for each step, perhaps classes (names), id"


def read_arrays(source: Any, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """The sequences in arrays.

    ``x`` is (N, T, ...), with ``lengths`` (N,) where some are shorter; or (all steps, ...) one sequence behind the
    other, with ``lengths`` or ``offsets`` (N + 1,); or (T, D), one sequence. ``y`` has a label (a whole number or a
    text) for each step, 0 or 1 for each label (multilabel), or numbers. ``classes`` names whole-number labels, ``id``
    names sequences. Steps of more than one dimension (pictures) are read row by row as one vector.

    Raises:
        UsageError: an array is missing, of a wrong shape or kind, or holds what cannot be used.
    """
    arrays, name, fingerprint = _opened(source)
    notes: list[str] = []
    columns = {} if form is None else form.columns
    x_name = _chosen(arrays, columns.get("x", config.features), FEATURES, "features", name)
    x, lengths = arrays[x_name], _lengths(arrays, name)
    if x.dtype.kind not in "uifb" or x.ndim < 2:
        raise UsageError(f"{name}: array '{x_name}' is {x.dtype}{list(x.shape)}; numbers (N, T, ...) are wanted.")
    starts, counts, whole = _places(x, lengths, x_name, name)
    if whole.ndim > 2:
        notes.append(f"steps of {' x '.join(map(str, whole.shape[1:]))} numbers are read as {whole[0].size} in a row")
    whole = whole.reshape(len(whole), -1)
    width = whole.shape[1]
    labels_name = columns.get("label", config.label) or next((one for one in ANSWERS if one in arrays), None)
    found = Form(tuple(map(str, range(width))), {"x": x_name, "label": labels_name or ANSWERS[0]})
    if form is not None and width != len(form.features):
        raise UsageError(f"{name}: a step of '{x_name}' has {width} numbers, and the model reads {len(form.features)}.")
    if answers and labels_name not in arrays:
        raise UsageError(f"{name} has no array '{labels_name or 'y'}' of answers (--label); it has {_listed(arrays)}.")
    used = np.concatenate([np.arange(one, one + count) for one, count in zip(starts, counts, strict=True)])
    ids = _ids(arrays, len(counts), name)

    def place(row: int) -> str:
        sequence = int(np.searchsorted(np.cumsum(counts), row, side="right"))
        return f"step {row - int(np.cumsum(counts)[sequence] - counts[sequence]) + 1} of sequence '{ids[sequence]}'"

    kept = whole[used]
    if kept.dtype.kind == "f":
        with np.errstate(over="ignore"):
            kept = kept.astype(np.float32)
        finite(kept, f"{name} ({x_name})", found.features, place, config.missing == "refuse")
    features = as_tensor(kept)
    known = None
    if answers and labels_name is not None:
        flat = _flat(arrays[labels_name], x, counts, used, labels_name, name)
        known = _answers(flat, config, arrays, labels_name, name, place)
    sequences, begin = [], 0
    for number, count in zip(ids, counts.tolist(), strict=True):
        part = slice(begin, begin + count)
        sequences.append(Recording(number, features[part], None if known is None else known[part]))
        begin += count
    return Recordings(name, fingerprint, sequences, found, tuple(notes))


def _opened(source: Any) -> tuple[dict[str, np.ndarray], str, str]:
    if isinstance(source, Mapping):
        arrays = {str(name): np.asarray(value) for name, value in source.items()}
        digest = hashlib.sha256()
        for name, value in arrays.items():
            _no_objects(name, value, "the arrays")
            digest.update(f"{name} {value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        return arrays, "the arrays", digest.hexdigest()
    raw, name = read_bytes(source), Path(source).name
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as opened:
            arrays = {}
            for key in opened.files:
                try:
                    arrays[key] = opened[key]
                except ValueError as error:
                    if "pickle" in str(error):
                        _no_objects(key, None, name)
                    raise
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{name} is no sound npz file ({str(error).splitlines()[0] if str(error) else 'cut'})."
        ) from None
    return arrays, name, hashlib.sha256(raw).hexdigest()


def _no_objects(key: str, value: np.ndarray | None, name: str) -> None:
    if value is None or value.dtype == object:
        raise UsageError(
            f"{name}: array '{key}' holds Python objects, which only pickle reads, and pickle runs code; "
            "store sequences one behind the other with an array 'lengths'."
        )


def _chosen(arrays: Mapping[str, np.ndarray], given: str | None, usual: tuple[str, ...], what: str, name: str) -> str:
    found = given or next((one for one in usual if one in arrays), None)
    if found is None or found not in arrays:
        asked = f"no array '{given}'" if given else f"no array of {what}"
        raise UsageError(f"{name} has {asked} (--{what}); it has {_listed(arrays)}; wanted: {KNOWN}.")
    return found


def _lengths(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray | None:
    if "lengths" in arrays:
        lengths = arrays["lengths"]
    elif "offsets" in arrays and arrays["offsets"].ndim == 1:
        lengths = np.diff(arrays["offsets"])
    else:
        return None
    if lengths.ndim != 1 or lengths.dtype.kind not in "ui":
        raise UsageError(f"{name}: lengths (or offsets) are whole numbers in a row, and are {lengths.dtype}.")
    if not lengths.size or (lengths < 1).any():
        raise UsageError(f"{name}: sequence {int((lengths < 1).argmax()) + 1} has no steps, by its length.")
    return lengths.astype(np.int64)


def _places(
    x: np.ndarray, lengths: np.ndarray | None, x_name: str, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each sequence begins in all steps, how many it has, and all steps (R, ...)."""
    if not x.size:
        raise UsageError(f"{name}: array '{x_name}' is empty.")
    if lengths is None:
        count, steps, whole = (1, len(x), x) if x.ndim == 2 else (*x.shape[:2], x.reshape(-1, *x.shape[2:]))
        return np.arange(count) * steps, np.full(count, steps), whole
    if lengths.sum() == len(x):
        return np.cumsum(lengths) - lengths, lengths, x
    if x.ndim > 2 and len(lengths) == len(x) and lengths.max() <= x.shape[1]:
        return np.arange(len(x)) * x.shape[1], lengths, x.reshape(-1, *x.shape[2:])
    seen = f"{len(lengths)} lengths with {int(lengths.sum())} steps in all"
    raise UsageError(f"{name}: '{x_name}' is {list(x.shape)}, and there are {seen}; neither form fits ({KNOWN}).")


def _ids(arrays: Mapping[str, np.ndarray], count: int, name: str) -> list[str]:
    found = next((one for one in IDS if one in arrays), None)
    if found is None:
        return [str(number + 1) for number in range(count)]
    ids = [str(one) for one in arrays[found].ravel().tolist()]
    if len(ids) != count:
        raise UsageError(f"{name}: '{found}' has {len(ids)} names, and there are {count} sequences.")
    twice = next((one for place, one in enumerate(ids) if one in ids[:place]), None)
    if twice is not None:
        raise UsageError(f"{name}: two sequences have the id '{twice}'.")
    return ids


def _flat(
    y: np.ndarray, x: np.ndarray, counts: np.ndarray, used: np.ndarray, y_name: str | None, name: str
) -> np.ndarray:
    """The answers of all steps that are used, (R,) or (R, L)."""
    together = int(counts.sum())
    steps = x.shape[:2] if len(counts) > 1 or x.ndim > 2 else x.shape[:1]
    if y.ndim >= 2 and y.shape[:2] == steps and len(steps) == 2 and len(y) == len(counts):
        return y.reshape(-1, *y.shape[2:])[used]
    if len(y) == together and len(x) == together:
        return y
    wanted = f"{list(x.shape[:2])} or [{together}]"
    raise UsageError(f"{name}: '{y_name}' is {list(y.shape)}, and has not one answer a step; wanted is {wanted}.")


def _answers(
    flat: np.ndarray, config: FramesConfig, arrays: Mapping[str, np.ndarray], y_name: Any, name: str, place: Any
) -> Labels | torch.Tensor:
    where = f"{name} ({y_name})"
    names = next(([str(one) for one in arrays[key].tolist()] for key in NAMES if key in arrays), None)
    if config.regression:
        if flat.dtype.kind not in "uifb":
            raise UsageError(f"{where} holds {flat.dtype}, and --regression wants numbers.")
        numbers = flat.reshape(len(flat), -1).astype(np.float32)
        finite(numbers, where, [f"{y_name}[{column}]" for column in range(numbers.shape[1])], place, True)
        return torch.from_numpy(numbers)
    if config.multilabel:
        if flat.ndim != 2 or not np.isin(flat, (0, 1)).all():
            raise UsageError(f"{where} is {flat.dtype}{list(flat.shape)}; --multilabel wants a 0 or 1 for each label.")
        names = names or [str(one) for one in range(flat.shape[1])]
        if len(names) != flat.shape[1]:
            raise UsageError(f"{name}: there are {len(names)} classes, and '{y_name}' has {flat.shape[1]} labels.")
        return [tuple(names[one] for one in np.flatnonzero(row)) for row in flat]
    if flat.ndim > 1 and flat.shape[1:] != (1,):
        raise UsageError(f"{where} has {flat[0].size} values a step; --multilabel or --regression takes more than one.")
    flat = flat.reshape(-1)
    if flat.dtype.kind == "f" and (flat != np.round(flat)).any():
        row = int((flat != np.round(flat)).argmax())
        raise UsageError(f"{where}: {place(row)} has {flat[row]} for a label; --regression predicts numbers.")
    if flat.dtype.kind not in "uifUb":
        raise UsageError(f"{where} holds {flat.dtype}; labels are whole numbers or texts.")
    if flat.dtype.kind == "U":
        empty = flat == ""
        if empty.any():
            raise UsageError(f"{where}: {place(int(empty.argmax()))} has no label.")
        return [(str(one),) for one in flat.tolist()]
    whole = flat.astype(np.int64)
    if names is not None and ((whole < 0) | (whole >= len(names))).any():
        row = int(((whole < 0) | (whole >= len(names))).argmax())
        raise UsageError(f"{where}: {place(row)} has the label {whole[row]}, and classes name 0 to {len(names) - 1}.")
    return [(names[one] if names else str(one),) for one in whole.tolist()]


def _listed(arrays: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name}{list(value.shape)}" for name, value in arrays.items()) or "no arrays"
