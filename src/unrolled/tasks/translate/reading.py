"""Reading the pairs of a training: which files, what is left out, what validates."""

import hashlib
from pathlib import Path

from unrolled.data.holdout import hold_out
from unrolled.data.parallel import Pair, Pairs, Sides, read_pairs, splits_of
from unrolled.data.splits import Splits
from unrolled.errors import UsageError
from unrolled.tasks.estimator import Sources
from unrolled.tasks.translate.config import TranslateConfig


def sides_of(config: TranslateConfig) -> Sides:
    """How the two sides are told apart."""
    return Sides(config.source, config.target, config.header)


def read_splits(sources: Sources, config: TranslateConfig) -> Splits[list[Pair]]:
    """The pairs in their splits; of the training part only those with something on both sides."""
    if sources.train is None:
        raise UsageError("there is nothing to learn from: give the pairs to train on.")
    sides = sides_of(config)
    if isinstance(sources.train, str | Path) and Path(sources.train).is_dir():
        found = splits_of(Path(sources.train), sides)
        sources = Sources(found["train"], sources.valid or found.get("valid"), sources.test or found.get("test"))
    parts = [None if one is None else read_pairs(one, sides) for one in sources]
    assert parts[0] is not None
    train, notes = _without_empty(parts[0])
    notes = [*parts[0].notes, *notes]
    valid = parts[1].pairs if parts[1] else None
    if valid is None:
        kept, held = hold_out([None] * len(train), config.validation_fraction, config.seed)
        train, valid = [train[place] for place in kept], [train[place] for place in held]
        share = f"{config.validation_fraction:.0%} of the pairs"
        notes.append(f"validation: {share}, chosen by seed {config.seed} (--valid names others)")
    digest = hashlib.sha256("".join(one.fingerprint for one in parts if one).encode()).hexdigest()
    return Splits(parts[0].name, train, valid, parts[2].pairs if parts[2] else None, digest, tuple(notes))


def _without_empty(read: Pairs) -> tuple[list[Pair], list[str]]:
    """The pairs with something on both sides, and a word on the others."""
    empty = [place for place, pair in enumerate(read.pairs, 1) if not (pair.source and pair.target)]
    if len(empty) == len(read.pairs):
        raise UsageError(f"{read.name}: no pair has something on both sides.")
    note = f"left out: {len(empty):,} pair(s) with an empty side, the first is number {empty[0]}" if empty else ""
    return [pair for pair in read.pairs if pair.source and pair.target], [note] if note else []
