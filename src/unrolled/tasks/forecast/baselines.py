"""What a sensible person tries first: the last value again, and the value a season ago."""

import numpy as np


def naive(values: np.ndarray, horizon: int, season: int = 1) -> np.ndarray:
    """The last season of values (T,) over and over, (horizon,): with season 1, the last value.

    A missing value stands as the one before it; where less than a season is known, the last value is said.
    """
    there = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    known = values[there]
    if len(known) < season:
        season = 1
    return known[len(known) - season + np.arange(horizon) % season]


def baselines(season: int) -> dict[str, int]:
    """The baselines' names, and the season of each."""
    return {"naive": 1} | ({"seasonal naive": season} if season > 1 else {})
