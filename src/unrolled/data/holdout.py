"""Holding out: which examples validate, where nobody says it."""

from collections.abc import Hashable, Sequence

import torch

from unrolled.errors import UsageError


def hold_out(groups: Sequence[Hashable], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Places of examples to learn from and to validate on, each in order.

    Args:
        groups: For each example what it is like (its label): each kind gives the same share. All ``None``: one kind.
        fraction: The share to validate on; a kind of one example is learned from.
        seed: Chooses them.

    Raises:
        UsageError: nothing would be left on one side.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"the validation fraction lies between 0 and 1, and is {fraction}; try 0.1.")
    generator = torch.Generator().manual_seed(seed)
    kinds: dict[Hashable, list[int]] = {}
    for place in torch.randperm(len(groups), generator=generator).tolist():
        kinds.setdefault(groups[place], []).append(place)
    held: list[int] = []
    owed = 0.0
    for places in kinds.values():  # what rounding takes from one kind, the next gives
        owed += fraction * len(places)
        take = min(round(owed), len(places) - 1)
        owed -= take
        held += places[:take]
    if len(kinds) == len(groups) > 1:
        many = f"each of the {len(groups)} examples is of a class of its own"
        raise UsageError(f"{many}; several of each are needed.")
    if not held:
        raise UsageError(
            f"{len(groups)} example(s) are too few to hold {fraction:g} of them out for validation; give --valid."
        )
    kept = set(held)
    return [place for place in range(len(groups)) if place not in kept], sorted(held)
