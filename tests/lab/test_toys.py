"""A toy is taught by the trainer: by the seed alone, until it is solved; networks are made as large as is asked."""

import pytest
import torch
from torch import Tensor, nn

from unrolled.data.toys.table import find_toy
from unrolled.lab.toys import Reader, hidden_for, like_torch, numbers, teach
from unrolled.layers.recurrent import Recurrent

HOW = {"batch": 8, "rate": 1e-2, "steps": 12, "seed": 1, "validations": 3}


def reader(toy: str = "latch", cell: str = "elman", seed: int = 1) -> Reader:
    torch.manual_seed(seed)
    one = find_toy(toy)
    return Reader(Recurrent(cell, one.inputs, 8), one.outputs)


def test_the_seed_repeats_a_run_and_tests_are_the_same_for_all() -> None:
    toy = find_toy("adding")
    one, same, other = (teach(reader("adding"), toy, 10, HOW | {"seed": seed}) for seed in (1, 1, 2))
    assert (one.score, [row[0] for row in one.curve], one.steps) == (same.score, [4, 8, 12], 12)
    assert one.score != other.score
    assert one.solved is None
    assert one.diverged == ""


def test_it_ends_when_the_toy_is_solved_unless_it_is_to_go_on() -> None:
    how = HOW | {"steps": 120, "validations": 12, "batch": 32}
    early = teach(reader(), find_toy("latch"), 3, how)
    assert early.solved is not None
    assert early.steps == early.solved < 120
    assert early.score >= 0.99
    whole = teach(reader(), find_toy("latch"), 3, how, until_solved=False)
    assert (whole.solved, whole.steps, len(whole.curve)) == (early.solved, 120, 12)


class Breaking(nn.Module):
    """Gives numbers that end after so many batches."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.count = nn.Parameter(torch.ones(1, 2)), 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        return x @ self.weight * (torch.nan if self.count == 3 else 1.0)


def test_where_numbers_end_it_is_said() -> None:
    found = teach(Breaking(), find_toy("latch"), 5, HOW)
    assert "step 3" in found.diverged
    assert found.steps == 2


def test_sequences_of_different_lengths_are_read_by_their_lengths() -> None:
    seen = []
    network = reader("an-bn-cn", "gru")
    network.recurrent.register_forward_hook(
        lambda module, args, kwargs, output: seen.append(kwargs["lengths"]), with_kwargs=True
    )
    teach(network, find_toy("an-bn-cn"), 13, HOW | {"steps": 1, "validations": 1})
    assert all(lengths is not None and len(set(lengths.tolist())) > 1 for lengths in seen)


def test_a_start_as_torch_has_it() -> None:
    layer = Recurrent("lstm", 3, 25)
    like_torch(layer)
    for name, value in layer.cell_parameters().items():
        assert 0.15 < float(value.detach().abs().max()) <= 0.2, name


@pytest.mark.parametrize(("cell", "layers"), [("lstm", 1), ("gru_reset_after", 3), ("elman", 2)])
def test_as_many_parameters_as_are_asked_for(cell: str, layers: int) -> None:
    for wanted in (500, 20_000):
        hidden = hidden_for(wanted, cell, 7, layers)
        counts = [
            sum(one.numel() for one in Recurrent(cell, 7, units, layers).parameters())
            for units in (hidden - 1, hidden, hidden + 1)
        ]
        assert counts[1] == numbers(cell, 7, hidden, layers)
        assert abs(counts[1] - wanted) == min(abs(count - wanted) for count in counts)
