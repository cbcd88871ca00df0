"""Parameters packed as peers hold them, gates side by side; and gradients taken apart again by the equations' names."""

from collections.abc import Mapping

import torch
from torch import Tensor

Stacks = Mapping[str, tuple[str, ...]]


def pack(parameters: Mapping[str, Tensor], stacks: Stacks) -> dict[str, Tensor]:
    """Matrices transposed to (in, out) and set side by side, vectors one behind the other."""
    return {
        name: torch.cat([_turned(parameters[part]) for part in parts], -1).contiguous()
        for name, parts in stacks.items()
    }


def unpack(packed: Mapping[str, Tensor], stacks: Stacks) -> dict[str, Tensor]:
    """The reverse of :func:`pack`."""
    return {
        part: _turned(block)
        for name, parts in stacks.items()
        for part, block in zip(parts, packed[name].chunk(len(parts), -1), strict=True)
    }


def _turned(value: Tensor) -> Tensor:
    return value.transpose(0, 1) if value.dim() == 2 else value
