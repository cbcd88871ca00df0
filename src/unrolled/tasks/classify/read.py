"""Reading examples from whatever holds them: a table, a .ts or npz file, a folder, values in memory."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data import pictures
from unrolled.data.reading import read_bytes, read_text
from unrolled.data.tables import KINDS as TABLES
from unrolled.data.tables import is_table
from unrolled.errors import UsageError
from unrolled.tasks.classify import sound
from unrolled.tasks.classify.arrays import as_sequences, read_npz
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import (
    KINDS,
    Examples,
    Form,
    check_numbers,
    fingerprint_of,
    labels_of,
)
from unrolled.tasks.classify.tables import read_classify_table
from unrolled.tasks.classify.ts_file import read_ts


def read_examples(
    source: Any, config: ClassifyConfig, form: Form | None = None, answers: bool = True, split: str = ""
) -> Examples | None:
    """The examples that a source holds.

    Args:
        source: A file, a folder, a frame; in memory ``(inputs, labels)``, or inputs where no answers are wanted.
        config: The settings.
        form: What the model reads, where there is a model already.
        answers: Whether classes are needed.
        split: Of an npz file, the part to take.

    Returns:
        None where an npz file has no such split.

    Raises:
        UsageError: something does not fit; the message names file, row and column.
    """
    found = _found(source, config, form, answers, split)
    if found is None:
        return None
    if found.form.kind == "files":
        beside = isinstance(source, str | Path) and is_table(source)
        found = _opened(found, Path(source).parent if beside else Path(), config, form)
    if not len(found):
        raise UsageError(f"{found.name} holds no examples.")
    if form is not None:
        _check_form(found, form)
    elif found.form.kind not in KINDS:
        raise UsageError(f"{found.name} holds nothing that can be classified.")
    return replace(found, folder=Path(source).parent) if isinstance(source, str | Path) else found


def _found(source: Any, config: ClassifyConfig, form: Form | None, answers: bool, split: str) -> Examples | None:
    if is_table(source) or str(source) == "-":
        return read_classify_table(source, config, form, answers)
    if not isinstance(source, str | Path):
        return _in_memory(source, form, answers)
    path = Path(source)
    if path.is_dir():
        return _folder(path, answers)
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending == ".ts":
        return read_ts(source, answers)
    if ending == ".npz":
        return read_npz(source, config.label, answers, split)
    if ending == ".wav" or ending in pictures.ENDINGS:
        if answers:
            raise UsageError(f"{path.name} is one file; a folder with a folder a class, or a table of them, is wanted.")
        return _paths([path], None, str(path.name))
    if ending == ".txt" and form is not None and form.kind == "text" and not answers:
        lines = read_text(source).splitlines()
        return _checked_texts(lines, None, path.name, lambda index: f"{path.name}, line {index + 1}")
    read_bytes(source)  # says so where there is no such file
    known = ", ".join((*TABLES, ".ts", ".npz"))
    raise UsageError(f"{path.name} is nothing known by its name; known are {known}, and folders of wav or pictures.")


def _in_memory(source: Any, form: Form | None, answers: bool) -> Examples:
    labels: list[Any] | None = None
    if answers:
        if not (isinstance(source, tuple) and len(source) == 2):
            raise UsageError("values in memory are given as two sequences: (inputs, labels).")
        source, labels = source[0], list(source[1])
    inputs = list(source)
    if labels is not None and len(labels) != len(inputs):
        raise UsageError(f"there are {len(inputs)} inputs and {len(labels)} labels; one a sequence is wanted.")

    def where(index: int) -> str:
        return f"sequence {index}"

    known = None if labels is None else labels_of(labels, where)
    if not inputs:
        raise UsageError("there are no sequences.")
    if isinstance(inputs[0], str | Path):
        if form is not None and form.kind in ("sound", "pictures"):
            return _paths([Path(one) for one in inputs], known, "the files")
        return _checked_texts([str(one) for one in inputs], known, "the texts", where)
    sequences = as_sequences(inputs, form.width if form else 0)
    kind = "pictures" if form is not None and form.kind == "pictures" else "series"
    sequences, notes = check_numbers(sequences, where)
    widths = {one.shape[1] for one in sequences}
    if len(widths) > 1:
        raise UsageError(
            f"the sequences have {' and '.join(map(str, sorted(widths)))} numbers a step; one count is wanted."
        )
    digest = fingerprint_of([*(one.numpy() for one in sequences), *(known or ())])
    return Examples(Form(kind, widths.pop()), sequences, known, where, "the sequences", digest, notes=notes)


def _checked_texts(texts: list[str], labels: list[str] | None, name: str, where: Any) -> Examples:
    for index, text in enumerate(texts):
        if not text.strip():
            raise UsageError(f"{where(index)}: the text is empty.")
    return Examples(Form("text"), texts, labels, where, name, fingerprint_of([*texts, *(labels or ())]))


def _folder(folder: Path, answers: bool) -> Examples:
    """A folder with a folder for each class; or, where no answers are wanted, one with the files alone."""
    endings = (".wav", *pictures.ENDINGS)
    below = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    places = below if answers or below else [folder]
    files = [
        (file, place.name) for place in places for file in sorted(place.iterdir()) if file.suffix.lower() in endings
    ]
    if not files:
        wanted = "folders, one a class, with wav files or pictures in them"
        raise UsageError(f"{folder} is a folder; what is read of one are {wanted}, and it has none.")
    labels = [label for _, label in files] if answers else None
    return _paths([file for file, _ in files], labels, folder.resolve().name)


def _paths(files: Sequence[Path], labels: list[str] | None, name: str) -> Examples:
    shown = [str(file) for file in files]
    return Examples(Form("files"), shown, labels, lambda index: shown[index], name, "", ids=shown)


def _rows(file: Path) -> Tensor:
    """A picture's rows, (H, W), float32, in shades of grey from 0 (black) to 255."""
    return torch.from_numpy(np.array(pictures.open_picture(file).convert("L"), dtype=np.float32))


def _opened(found: Examples, folder: Path, config: ClassifyConfig, form: Form | None) -> Examples:
    """The sounds or pictures in files, whose names begin at a folder."""
    files = [folder / str(one) for one in found.inputs]
    sounds = [file.suffix.lower() == ".wav" for file in files]
    if any(sounds) and not all(sounds):
        raise UsageError(f"{found.name} names wav files and others; one kind is wanted.")
    digest = fingerprint_of([found.fingerprint, *(read_bytes(file) for file in files), *(found.labels or ())])
    ids = found.ids or [str(one) for one in found.inputs]
    if all(sounds):
        inputs, rate, notes = _heard(files, config, form)
        width, kind = config.mels, "sound"
    else:
        inputs, rate, notes = [_rows(file) for file in files], 0, ()
        width, kind = inputs[0].shape[1], "pictures"
        for file, one in zip(files, inputs, strict=True):
            if one.shape[1] != width:
                raise UsageError(f"{file} is {one.shape[1]} points wide, and {files[0]} {width}; one width is wanted.")
    made = Form(kind, width, rate, found.form.columns)
    return replace(found, form=made, inputs=inputs, fingerprint=digest, ids=ids, notes=(*found.notes, *notes))


def _heard(
    files: Sequence[Path], config: ClassifyConfig, form: Form | None
) -> tuple[list[Tensor], int, tuple[str, ...]]:
    """Log-mel frames of wav files, all read at one rate; and that."""
    waves = [sound.read_wav(file) for file in files]
    rates = sorted({rate for _, rate in waves})
    wanted = form.rate if form is not None else config.sample_rate or min(rates[0], sound.USUAL)
    notes = ()
    if rates != [wanted]:
        notes = (f"sounds of {', '.join(f'{rate:,}' for rate in rates)} samples a second are read at {wanted:,}",)
    frames = [sound.log_mel(sound.at_rate(wave, rate, wanted), wanted, config.mels) for wave, rate in waves]
    return frames, wanted, notes


def _check_form(found: Examples, form: Form) -> None:
    """Raise UsageError where data are not of the kind that a model reads."""
    kinds = {found.form.kind, form.kind}
    if len(kinds) > 1 and kinds != {"series", "pictures"}:
        raise UsageError(f"{found.name} holds {found.form.kind}, and the model reads {form.kind}.")
    if found.form.width != form.width:
        raise UsageError(f"{found.name} has {found.form.width} numbers a step, and the model reads {form.width}.")
