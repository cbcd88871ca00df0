"""Label sets: JSON of sequences whose steps are lists of labels (the notes that sound), to recordings."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unrolled.data.folders import SPLITS
from unrolled.data.reading import read_text
from unrolled.errors import UsageError
from unrolled.tasks.frames.recordings import Form, Labels, Recording, Recordings


def read_label_sets(path: str | Path) -> dict[str, Recordings]:
    """The parts of a JSON file: by name (train, valid, test) where it is an object, else one, called ``all``.

    A part is a list of sequences, a sequence a list of steps, a step a list of labels: whole numbers or texts.

    Raises:
        UsageError: it is no JSON, or anything in it is none of these; the message says where.
    """
    text, name = read_text(path), Path(path).name
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{name} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    if isinstance(content, list):
        return {"all": _part(content, name, fingerprint)}
    if not isinstance(content, dict):
        raise UsageError(f"{name}: a list of sequences is wanted, or an object with train, valid and test.")
    parts = {}
    for part, usual in SPLITS.items():
        found = next((one for one in usual if one in content), None)
        if found is not None:
            parts[part] = _part(content[found], f"{name} ({found})", fingerprint)
    if not parts:
        raise UsageError(f"{name} has {', '.join(content) or 'nothing'}; train, valid and test are wanted.")
    return parts


def _part(content: Any, name: str, fingerprint: str) -> Recordings:
    if not isinstance(content, list) or not content:
        raise UsageError(f"{name}: a list of sequences is wanted, and there is {_seen(content)}.")
    sequences = [
        Recording(str(number), None, label_steps(one, f"{name}, sequence {number}"))
        for number, one in enumerate(content, 1)
    ]
    return Recordings(name, fingerprint, sequences, Form(own=True), ())


def label_steps(steps: Any, where: str) -> Labels:
    """The label sets of one sequence, each label once. Raises UsageError for what is no list of lists of labels."""
    if not isinstance(steps, Sequence) or isinstance(steps, str) or not len(steps):
        raise UsageError(f"{where}: a list of steps is wanted, and there is {_seen(steps)}.")
    read: Labels = []
    for number, step in enumerate(steps, 1):
        if not isinstance(step, Sequence) or isinstance(step, str):
            raise UsageError(f"{where}, step {number}: a list of labels is wanted, and there is {_seen(step)}.")
        for label in step:
            if isinstance(label, bool) or not isinstance(label, int | str):
                raise UsageError(f"{where}, step {number}: a label is a whole number or a text, and is {_seen(label)}.")
        read.append(tuple(dict.fromkeys(map(str, step))))
    return read


def _seen(value: Any) -> str:
    return "nothing" if value in ([], {}, "", None) else f"{json.dumps(value, default=str)[:40]}"
