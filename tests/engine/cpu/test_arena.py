"""Memory comes back: what a pass let go of serves the next."""

import pytest
import torch

from unrolled.engine.cpu import arena
from unrolled.engine.cpu.arena import Arena, Block


@pytest.mark.parametrize("least", [1, 1 << 19])
@pytest.mark.parametrize("numbers", [1, 100, 1 << 17, (1 << 17) + 1, (1 << 19) + 1, 1 << 20])
def test_memory_that_was_let_go_is_lent_again(numbers: int, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    def counted(size: int) -> Block:
        made.append(size)
        return Block(size)

    monkeypatch.setattr(arena, "Block", counted)
    lender = Arena(least)
    for turn in range(20):
        tensor = lender.tensor(numbers, torch.float32)
        assert tensor.numel() >= numbers
        tensor.fill_(turn)
        del tensor
    assert made == made[:1]
    assert bool(made) == (4 * numbers >= least)
