"""From tables to the parts that a model is trained, validated and tested on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unrolled.data.splits import Splits
from unrolled.errors import UsageError
from unrolled.tasks.estimator import Sources
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.frequency import Frequency
from unrolled.tasks.forecast.reader import Columns, Found, read_series
from unrolled.tasks.forecast.series import Series, continued, hold_out_last


@dataclass(frozen=True)
class Part:
    """Series of one part, and what was found out of all."""

    series: list[Series]
    frequency: Frequency
    columns: Columns
    resolved: dict[str, Any] = field(default_factory=dict)
    """Settings that depend on the data: horizon, season, context, scale."""

    def __len__(self) -> int:
        return len(self.series)

    def __getitem__(self, places: slice) -> "Part":
        """The part with some of its series."""
        return replace(self, series=self.series[places])


def read_parts(sources: Sources, config: ForecastConfig) -> Splits[Part]:
    """See :meth:`unrolled.tasks.forecast.model.ForecastModel.fit` for the sources.

    Raises:
        UsageError: a table does not fit, or is too short to hold out what is to be validated and tested on.
    """
    if sources.train is None:
        raise UsageError("name a table of series to train on: a CSV, TSV, JSONL or Parquet file, or a frame.")
    if sources.test is not None and config.test_steps:
        raise UsageError("test_steps are cut from the training data, and a test file is given; leave one out.")
    found = read_series(sources.train, config)
    resolved = _resolved(found, config)
    horizon = resolved["horizon"]
    if config.scale is None and resolved["scale"] == "standard":
        found.notes.append("scale: standard, as some values are below zero (--scale names another)")
    notes, digests = list(found.notes), [found.fingerprint]
    more: dict[str, list[Series]] = {}
    known = found.series
    if sources.valid is None:
        parts = hold_out_last(known, config.valid_steps or horizon, config.validation_fraction, config.test_steps or 0)
        train, valid, test = parts.train, parts.valid, parts.test
        share = f"last {config.valid_steps or horizon} steps"
        if config.validation_fraction is not None:
            share = f"last {config.validation_fraction:g} of the time"
        notes.append(f"validation: the {share} of each series" + (", before the test" if test else ""))
        if test:
            notes.append(f"test: the last {config.test_steps} steps of each series")
        if parts.short:
            notes.append(f"{len(parts.short)} series too short to validate on, only learned from ({parts.short[0]})")
    else:
        if config.test_steps:
            raise UsageError("test_steps are cut from the training data, and a validation file is given; give --test.")
        train, valid, test = known, [], None
    for name in ("valid", "test"):
        source = getattr(sources, name)
        if source is not None:
            other = read_series(source, config, found.columns, found.frequency)
            digests.append(other.fingerprint)
            more[name] = continued([*known, *more.get("valid", ())], other.series, _time_of(found.frequency), horizon)
    valid, test = more.get("valid", valid), more.get("test", test)
    fingerprint = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def part(series: Sequence[Series]) -> Part:
        return Part(list(series), found.frequency, found.columns, resolved)

    return Splits(found.name, part(train), part(valid), None if test is None else part(test), fingerprint, tuple(notes))


def read_to_use(source: Any, config: ForecastConfig, columns: Columns, frequency: Frequency) -> list[Series]:
    """The series of a table for a model that knows its columns."""
    return read_series(source, config, columns, frequency).series


def _resolved(found: Found, config: ForecastConfig) -> dict[str, Any]:
    """Horizon, season, context and scale, where they are left to the data."""
    season = config.season or found.frequency.season
    horizon = config.horizon or (season if season > 1 else 12)
    longest = max(len(one) for one in found.series)
    usual = max(2 * season, 2 * horizon, 24)
    below = config.output != "negative_binomial" and any(np.nanmin(one.values) < 0 for one in found.series)
    scale = config.scale or ("standard" if below else "mean")  # a mean near zero is no measure of size
    context = config.context or min(usual, max(2, longest // 2))
    return {"season": season, "horizon": horizon, "context": context, "scale": scale}


def _time_of(frequency: Frequency) -> Any:
    return lambda series, step: int(frequency.times(series.start, np.array([step]))[0])
