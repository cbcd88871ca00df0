"""Streams: a layer step by step, its state inside, equals the layer over the whole sequence bit by bit."""

import pytest
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent

CELLS = ["lstm", "gru", "elman", "indrnn", "janet", "slstm", "mingru"]


def sequence(rows: int = 2, steps: int = 7, size: int = 32, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(rows, steps, size, generator=torch.Generator().manual_seed(3)).to(dtype)


def whole(layer: Recurrent, x: Tensor):
    with torch.no_grad():
        return layer(x)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("size", [32, 13])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_stream_is_the_whole_run(cell: str, size: int, layers: int) -> None:
    layer, x = Recurrent(cell, size, size, layers), sequence(size=size)
    expected = whole(layer, x)
    stream = layer.stream(batch_size=2)
    outputs = [stream(x[:, t]) for t in range(x.shape[1])]
    assert torch.equal(torch.stack(outputs, 1), expected.outputs)
    if cell in ("lstm", "gru", "elman"):
        assert layer.hold(x[:, 0], layer.initial_state(2)), "the fast way was not taken"
    assert stream.state.keys() == expected.state.keys()
    assert all(torch.equal(stream.state[name], value) for name, value in expected.state.items())
    assert not any(value.requires_grad for value in (*outputs, *stream.state.values()))


@pytest.mark.parametrize("options", [{"backend": "loop"}, {"residual": True, "num_layers": 2}])
def test_steps_that_must_be_general_are_the_same(options: dict) -> None:
    layer, x = Recurrent("gru", 32, 32, **options), sequence()
    expected = whole(layer, x)
    stream = layer.stream(2)
    torch.testing.assert_close(torch.stack([stream(x[:, t]) for t in range(7)], 1), expected.outputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", [32, 13])
def test_single_steps_are_the_stream(dtype: torch.dtype, size: int) -> None:
    layer, x = Recurrent("lstm", size, size).to(dtype), sequence(size=size, dtype=dtype)
    stream, state, outputs = layer.stream(2), layer.initial_state(2), []
    with torch.no_grad():
        for t in range(7):
            output, state = layer.step(x[:, t], state)
            outputs.append((stream(x[:, t]), output))
            assert all(value.is_contiguous() for value in (output, *state.values()))
    assert all(torch.equal(one, other) and one.dtype == dtype for one, other in outputs)


def test_a_stream_begins_where_another_stopped_and_its_state_is_a_copy() -> None:
    layer, x = Recurrent("lstm", 32, 32), sequence()
    expected, first = whole(layer, x), layer.stream(2)
    for t in range(3):
        first(x[:, t])
    state = first.state
    second = layer.stream(2, state)
    state["0.forward.h"].zero_()
    first.state["0.forward.c"].zero_()
    for stream in (first, second):
        outputs = [stream(x[:, t]) for t in range(3, 7)]
        assert torch.equal(torch.stack(outputs, 1), expected.outputs[:, 3:])


def test_outputs_are_the_callers_own() -> None:
    layer, x = Recurrent("gru", 32, 32), sequence()
    stream, expected = layer.stream(2), whole(layer, x).outputs
    for t in range(7):
        output = stream(x[:, t])
        assert torch.equal(output, expected[:, t])
        output.zero_()


def test_weights_that_change_are_noticed() -> None:
    layer, x = Recurrent("lstm", 32, 32, 2), sequence()
    stream, other = layer.stream(2), layer.stream(2)
    for t in range(3):
        stream(x[:, t])
    with torch.no_grad():
        layer.cell_parameters(1)["U_i"].mul_(2)
    other = layer.stream(2, stream.state)
    assert torch.equal(stream(x[:, 3]), other(x[:, 3]))
    layer.cell_parameters(0)["b_i"].data = torch.ones(32)
    other = layer.stream(2, stream.state)
    assert torch.equal(stream(x[:, 4]), other(x[:, 4]))


def test_rows_return_to_the_start() -> None:
    layer, x = Recurrent("gru", 32, 32, learn_initial_state=True), sequence()
    torch.nn.init.normal_(layer.cell_parameters()["h_0"])
    expected, stream = whole(layer, x).outputs, layer.stream(2)
    for t in range(4):
        stream(x[:, t])
    stream.reset(torch.tensor([False, True]))
    again = stream(x[:, 0])
    assert torch.equal(again[1], expected[1, 0])
    assert not torch.equal(again[0], expected[0, 0])
    stream.reset()
    assert torch.equal(stream(x[:, 0]), expected[:, 0])


def test_noise_in_training_is_drawn_each_step() -> None:
    from unrolled.cells.library import find_cell
    from unrolled.equations.rewrite import zoneout

    layer, x = Recurrent(zoneout(find_cell("gru"), 0.5), 32, 32), sequence()
    torch.manual_seed(1)
    stream = layer.train().stream(2)
    outputs = torch.stack([stream(x[:, t]) for t in range(7)], 1)
    assert not torch.equal(outputs, whole(layer.eval(), x).outputs)
    calm = layer.stream(2)
    assert torch.equal(torch.stack([calm(x[:, t]) for t in range(7)], 1), whole(layer, x).outputs)


def test_what_does_not_fit_is_said_and_changes_nothing() -> None:
    layer, x = Recurrent("gru", 32, 32), sequence()
    stream, expected = layer.stream(2), whole(layer, x).outputs
    stream(x[:, 0])
    with pytest.raises(UsageError, match="32"):
        stream(torch.zeros(2, 31))
    with pytest.raises(UsageError, match="shape"):
        stream(torch.zeros(3, 32))
    assert torch.equal(stream(x[:, 1]), expected[:, 1])
    with pytest.raises(UsageError, match="bidirectional"):
        Recurrent("gru", 3, 4, bidirectional=True).stream()
    with pytest.raises(UsageError, match="2 rows"):
        layer.stream(2, layer.initial_state(3))
    with pytest.raises(UsageError, match="holds"):
        layer.stream(2, {"h": torch.zeros(2, 32)})
