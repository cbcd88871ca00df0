"""Sources: whatever a user brings to recordings, and one source to parts to learn from and to validate on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unrolled.data.holdout import hold_out
from unrolled.data.splits import Splits
from unrolled.data.tables import KINDS, is_table, read_table
from unrolled.errors import UsageError
from unrolled.tasks.estimator import Sources
from unrolled.tasks.frames.arrays import read_arrays
from unrolled.tasks.frames.clips import lists_videos, read_folder, read_listed, read_single
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.label_sets import label_steps, read_label_sets
from unrolled.tasks.frames.recordings import Form, Recording, Recordings
from unrolled.tasks.frames.tables import read_long
from unrolled.tasks.frames.video import is_video


def read_one(source: Any, config: FramesConfig, form: Form | None = None, answers: bool = True) -> Recordings:
    """The sequences of a file, frame or mapping of arrays; of the form that training found, where it is given.

    Of a file that holds several parts of a data set, those of the test part.
    """
    parts = _parts(source, config, form, answers)
    if len(parts) == 1:
        return next(iter(parts.values()))
    if "test" not in parts:
        raise UsageError(f"{source} holds {', '.join(parts)}; here a file with the sequences of one part is wanted.")
    said = f"{Path(str(source)).name} holds {', '.join(parts)}; taken: test"
    return replace(parts["test"], notes=(said, *parts["test"].notes))


def read_splits(sources: Sources, config: FramesConfig) -> Splits[Recordings]:
    """The data of a training, cut as the sources say, or else by chance."""
    if sources.train is None:
        raise UsageError("name a file to train on: a table, .npz arrays, .json label sets or videos.")
    parts = _parts(sources.train, config, None, True)
    notes: list[str] = []
    train = parts.get("all") or parts.get("train")
    if train is None:
        raise UsageError(f"{sources.train} has no part 'train'; it has {', '.join(parts)}.")
    given = {"valid": sources.valid, "test": sources.test}
    others = {name: parts.get(name) for name in given}
    for name, source in given.items():
        if source is not None:
            others[name] = read_one(source, config, train.form)
    read = [train, *(one for one in others.values() if one is not None)]
    digest = hashlib.sha256("".join(dict.fromkeys(one.fingerprint for one in read)).encode()).hexdigest()
    notes += train.notes
    ready = {name: None if one is None else _ahead(one, config) for name, one in others.items()}
    learn, valid = _ahead(train, config), ready["valid"]
    if valid is None:
        learn, valid, said = _held_out(learn, config)
        notes.append(said)
    name = train.name if "all" in parts else Path(sources.train).name
    return Splits(name, learn, valid, ready["test"], digest, tuple(notes))


def prepared(recordings: Recordings, config: FramesConfig) -> Recordings:
    """Recordings whose answers are known, aligned with what is to be said at each step."""
    return _ahead(recordings.answered(), config)


def from_values(values: Sequence[Any], form: Form, config: FramesConfig) -> Recordings:
    """Sequences in memory: each (T, D) numbers, or T lists of labels where these are what is read."""
    sequences = []
    for number, value in enumerate(values, 1):
        where = f"sequence {number}"
        if form.own:
            sequences.append(Recording(None, None, label_steps(value, where)))
            continue
        try:
            features = torch.as_tensor(np.asarray(value))
        except (TypeError, ValueError):
            raise UsageError(f"{where} is no array of numbers (T, {len(form.features)}).") from None
        features = features.flatten(1) if features.dim() > 2 else features
        if features.dim() != 2 or features.shape[1] != len(form.features) or not len(features):
            raise UsageError(f"{where} is (T, {len(form.features)}) with T at least 1, and is {tuple(features.shape)}.")
        features = features if features.dtype == torch.uint8 else features.float()
        if torch.isinf(features).any():
            raise UsageError(f"{where} holds an infinite number.")
        missing = torch.isnan(features).any(1)
        if config.missing == "refuse" and missing.any():
            step = int(missing.int().argmax()) + 1
            raise UsageError(
                f"{where}, step {step}, holds a missing number (NaN); a model trained with --missing mean takes it."
            )
        sequences.append(Recording(None, features, None))
    return Recordings("the sequences", "", sequences, form)


def _parts(source: Any, config: FramesConfig, form: Form | None, answers: bool) -> dict[str, Recordings]:
    kind = Path(str(source)).suffix.lower() if isinstance(source, str | Path) else ""
    if isinstance(source, Mapping) or kind == ".npz":
        return {"all": read_arrays(source, config, form, answers)}
    if kind == ".json":
        if not config.multilabel:
            raise UsageError(f"{source}: JSON holds sets of labels a step; --multilabel reads it.")
        if form is not None and not form.own:
            raise UsageError(f"{source} holds labels alone, and the model reads {len(form.features)} numbers a step.")
        return read_label_sets(source)
    if is_table(source) or str(source) == "-":
        return {"all": _of_table(source, config, form, answers)}
    if isinstance(source, str | Path):
        return {"all": _of_files(Path(source), config, form, answers)}
    raise UsageError(f"frames are read from a file, a frame or arrays by name, and this is a {type(source).__name__}.")


def _of_table(source: Any, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """Steps, or the videos that are named."""
    table = read_table(source)
    if not lists_videos(table, config, form):
        return read_long(table, config, form, answers)
    return read_listed(table, Path(source).parent if isinstance(source, str | Path) else Path(), config, form, answers)


def _of_files(path: Path, config: FramesConfig, form: Form | None, answers: bool) -> Recordings:
    """A video, or a folder of them."""
    if not path.is_dir() and not is_video(path):
        known = f"{', '.join(KINDS)} tables, .npz arrays, .json label sets, videos and folders of them"
        raise UsageError(f"{path}: frames are read from {known}.")
    if form is not None and "video" not in form.columns:
        raise UsageError(f"{path} is of videos, and the model reads {len(form.features)} numbers a step.")
    return (read_folder if path.is_dir() else read_single)(path, config, form, answers)


def _ahead(recordings: Recordings, config: FramesConfig) -> Recordings:
    """Every step beside the answer it is to give; the last ``ahead`` steps have none."""
    if recordings.form.own and not config.ahead:
        raise UsageError(f"{recordings.name}: labels are read and said at the same step; --ahead 1 predicts the next.")
    return replace(recordings, sequences=[_shifted(one, config.ahead, recordings) for one in recordings.sequences])


def _shifted(one: Recording, ahead: int, recordings: Recordings) -> Recording:
    if len(one) <= ahead:
        raise UsageError(f"{recordings.name}: {one} has {len(one)} step(s), and --ahead {ahead} wants more.")
    return one if not ahead or recordings.form.own else _beside(one, ahead)


def _beside(one: Recording, ahead: int) -> Recording:
    assert one.features is not None
    assert one.answers is not None
    return Recording(one.id, one.features[:-ahead], one.answers[ahead:], one.times[: len(one) - ahead])


def _held_out(whole: Recordings, config: FramesConfig) -> tuple[Recordings, Recordings, str]:
    """Some sequences to validate on, by chance; where the share is less than one sequence, the end of each."""
    fraction, every = config.validation_fraction, whole.sequences
    if fraction * len(every) >= 1:
        kept, held = hold_out([None] * len(every), fraction, config.seed)
        parts = [every[one] for one in kept], [every[one] for one in held]
        said = f"validation: {len(held)} of {len(every)} sequences, drawn by seed {config.seed}"
    else:
        parts = _ends(every, fraction, 1 + config.ahead)
        share, steps = f"the last {fraction:g} of each sequence", sum(map(len, parts[1]))
        said = f"validation: {share} ({steps:,} of {whole.steps:,} steps), as they are few (--valid gives others)"
    if not parts[1] or not parts[0]:
        raise UsageError(
            f"{whole.name}: {whole.steps} steps are too few to hold some out for validation; give --valid."
        )
    return replace(whole, sequences=parts[0]), replace(whole, sequences=parts[1]), said


def _ends(every: Sequence[Recording], fraction: float, least: int) -> tuple[list[Recording], list[Recording]]:
    """Sequences without their ends, and the ends; those too short for two parts of ``least`` steps are not cut."""
    cuts = [len(one) - max(least, round(fraction * len(one))) for one in every]
    short = [one for one, at in zip(every, cuts, strict=True) if at < least]
    cut = [(one.cut(0, at), one.cut(at, len(one))) for one, at in zip(every, cuts, strict=True) if at >= least]
    return [*(first for first, _ in cut), *short], [last for _, last in cut]
