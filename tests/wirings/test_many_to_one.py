"""Many-to-one: a row's output is its own, bit by bit, whatever stands beside and behind it."""

import pytest
import torch
from torch import nn

from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.many_to_one import ManyToOne
from unrolled.wirings.pooling import POOLINGS
from unrolled.wirings.vectors import Standardised


@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_row_alone_is_the_row_beside_others(kind: str, bidirectional: bool) -> None:
    torch.manual_seed(1)
    recurrent = Recurrent("gru", 5, 24, bidirectional=bidirectional)
    network = ManyToOne(Standardised(5), recurrent, kind, nn.Linear(recurrent.output_size, 7)).eval()
    lengths = [1, 9, 0, 30, 4, 4]
    batch = torch.randn(6, 30, 5)
    with torch.no_grad():
        together = network(batch, torch.tensor(lengths))
        for row, length in enumerate(lengths):
            assert torch.equal(network(batch[row : row + 1, :length]), together[row : row + 1])
        network.train()
        torch.testing.assert_close(network(batch, torch.tensor(lengths)), together)


def test_standardised_numbers_have_mean_zero_and_deviation_one() -> None:
    torch.manual_seed(2)
    sequences = [torch.randn(length, 3) * torch.tensor([2.0, 100.0, 0.0]) + 7 for length in (4, 50, 9)]
    sequences[1][3, 0] = float("nan")
    side = Standardised(3)
    side.learn(sequences)
    steps = torch.cat([side(one.unsqueeze(0))[0] for one in sequences])
    assert steps[7, 0] == 0  # what is missing stands as the mean
    there = torch.cat([steps[:7], steps[8:]])
    torch.testing.assert_close(there.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(there.std(0, correction=0)[:2], torch.ones(2), atol=1e-4, rtol=0)
    assert not there[:, 2].any()
