"""What a layer refuses: one line that says what was asked, what was seen, and what would work."""

from collections.abc import Callable

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from layers.by_hand import batch
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent

LENGTHS = torch.tensor([3, 9, 1])

MADE: dict[str, tuple[Callable[[], object], str]] = {
    "unknown cell": (lambda: Recurrent("lsmt", 5, 7), "no cell 'lsmt', .* Did you mean 'lstm'"),
    "no layer": (lambda: Recurrent("gru", 5, 7, 0), "at least one layer, and num_layers is 0"),
    "too few hidden sizes": (
        lambda: Recurrent("gru", 5, [7, 4], 3),
        r"3 layers want 3 hidden sizes, and 2 are given: \(7, 4\)",
    ),
    "no units": (lambda: Recurrent("gru", 5, 0), "the hidden size is a whole number from 1 on, and is 0"),
    "no inputs": (lambda: Recurrent("gru", 0, 7), "the input size is a whole number from 1 on, and is 0"),
    "all is dropped": (lambda: Recurrent("gru", 5, 7, dropout=1.0), "a share from 0 to below 1, and is 1.0"),
    "less than nothing is dropped": (lambda: Recurrent("gru", 5, 7, dropout=-0.1), "and is -0.1"),
    "residual mismatch": (
        lambda: Recurrent("gru", 5, [7, 4], 2, residual=True),
        "residual: layer 1 takes 7 numbers and gives 4",
    ),
    "residual mismatch, both directions": (
        lambda: Recurrent("gru", 5, [7, 4], 2, residual=True, bidirectional=True),
        "layer 1 takes 14 numbers and gives 8",
    ),
    "missing size": (lambda: Recurrent("lstm_projected", 5, 7), "wants the size 'projection': give projection=UNITS"),
    "unknown size": (
        lambda: Recurrent("lstm_projected", 5, 7, sizes={"projektion": 3}),
        "no size 'projektion'. Did you mean 'projection'",
    ),
    "heads that do not divide": (
        lambda: Recurrent(LIBRARY["slstm"].replaced("blocks", heads=2), 5, 7),
        "2 heads do not divide a size of 7",
    ),
    "unknown backend": (
        lambda: Recurrent("gru", 5, 7, backend="cuda"),
        "no backend 'cuda' here; choose from auto, loop",
    ),
    "a parameter called like a method": (
        lambda: Recurrent(Cell("mine", "h' = tanh(half @ x + U @ h)"), 5, 7),
        "cell mine: torch modules use the name 'half' themselves; call the parameter otherwise",
    ),
    "a parameter called like a field": (
        lambda: Recurrent(Cell("mine", "h' = tanh(W @ x + U @ h + training)"), 5, 7),
        "use the name 'training' themselves",
    ),
    "unknown layer": (
        lambda: Recurrent("gru", 5, 7, 2).cell_parameters(2),
        "no layer 2, direction 'forward'; there are layers 0 to 1, directions forward",
    ),
    "unknown direction": (
        lambda: Recurrent("gru", 5, 7, bidirectional=True).cell_parameters(0, "backward"),
        "no layer 0, direction 'backward'; there are layers 0 to 0, directions forward, reverse",
    ),
    "the direction that is not there": (
        lambda: Recurrent("gru", 5, 7).cell_parameters(0, "reverse"),
        "no layer 0, direction 'reverse'",
    ),
}


@pytest.mark.parametrize("what", MADE)
def test_a_layer_that_cannot_be(what: str) -> None:
    make, message = MADE[what]
    with pytest.raises(UsageError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


RUN: dict[str, tuple[Callable[[Recurrent], object], str]] = {
    "wrong D": (lambda layer: layer(torch.zeros(3, 9, 4)), r"x is \(N, T, 5\), and has shape \(3, 9, 4\)"),
    "no batch": (lambda layer: layer(torch.zeros(9, 5)), r"x is \(N, T, 5\), and has shape \(9, 5\)"),
    "whole numbers": (lambda layer: layer(batch().long()), "of a float dtype, .* of torch.int64"),
    "another dtype": (lambda layer: layer(batch().double()), "is torch.float32, and x torch.float64"),
    "a cell's own names": (
        lambda layer: layer(batch(), {"c": torch.zeros(3, 7), "h": torch.zeros(3, 7)}),
        "holds 0.forward.c, 0.forward.h, 1.forward.c, 1.forward.h, and c, h is given",
    ),
    "the state of a lower stack": (
        lambda layer: layer(batch(), Recurrent("lstm", 5, 7).initial_state(3)),
        "and 0.forward.c, 0.forward.h is given",
    ),
    "the state of a higher stack": (
        lambda layer: layer(batch(), Recurrent("lstm", 5, 7, 3).initial_state(3)),
        "2.forward.c, 2.forward.h is given",
    ),
    "an empty state": (lambda layer: layer(batch(), {}), "and nothing is given"),
    "the state of another batch": (
        lambda layer: layer(batch(), layer.initial_state(2)),
        r"the state [ch] has shape \(2, 7\); \(3, 7\) is wanted",
    ),
    "the state of another cell": (lambda layer: layer(batch(), Recurrent("gru", 5, 7, 2).initial_state(3)), "is given"),
    "a length too long": (lambda layer: layer(batch(), lengths=LENGTHS + 1), "between 0 and T = 9, .* from 2 to 10"),
    "a length below zero": (lambda layer: layer(batch(), lengths=LENGTHS - 2), "from -1 to 7"),
    "lengths of another batch": (
        lambda layer: layer(batch(), lengths=LENGTHS[:2]),
        r"lengths has shape \(2,\); \(3,\) is wanted",
    ),
    "halves of a length": (lambda layer: layer(batch(), lengths=LENGTHS / 2), "whole numbers, and are torch.float32"),
    "reset of another shape": (
        lambda layer: layer(batch(), reset=torch.zeros(3, dtype=torch.bool)),
        r"reset has shape \(3,\); \(3, 9\) is wanted",
    ),
    "unknown record": (
        lambda layer: layer(batch(), record=("forget",)),
        "cell lstm has no quantity 'forget' to record",
    ),
    "lengths twice": (
        lambda layer: layer(pack_padded_sequence(batch(), LENGTHS, True, False), lengths=LENGTHS),
        "a PackedSequence brings its lengths; leave lengths out",
    ),
    "a step of a sequence": (lambda layer: layer.step(batch()), r"one step takes \(N, 5\), and is given \(3, 9, 5\)"),
    "a step of another width": (lambda layer: layer.step(torch.zeros(3, 4)), r"x is \(N, T, 5\), .* \(3, 1, 4\)"),
    "a step backwards": (
        lambda _: Recurrent("lstm", 5, 7, bidirectional=True).step(torch.zeros(3, 5)),
        "a bidirectional layer reads the future, and cannot go step by step",
    ),
}


@pytest.mark.parametrize("what", RUN)
def test_a_run_that_does_not_fit(what: str) -> None:
    run, message = RUN[what]
    with pytest.raises(UsageError, match=message) as caught:
        run(Recurrent("lstm", 5, 7, 2))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", ["a length too long", "reset of another shape", "halves of a length"])
def test_both_directions_refuse_the_same(what: str) -> None:
    run, message = RUN[what]
    with pytest.raises(UsageError, match=message):
        run(Recurrent("lstm", 5, 7, bidirectional=True))
