"""Runs without gradients, time after time in one shape: bit by bit what a run with gradients gives."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from unrolled.cells.library import LIBRARY
from unrolled.engine.repeat import Repeat
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurred, Recurrent


def sequence(rows: int = 3, steps: int = 5, size: int = 32, seed: int = 3) -> Tensor:
    return torch.randn(rows, steps, size, generator=torch.Generator().manual_seed(seed))


def assert_same(one: Recurred, other: Recurred) -> None:
    assert torch.equal(one.outputs, other.outputs)
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[name], value) for name, value in other.state.items())


def repeated(layer: Recurrent, x: Tensor, *given: object) -> Recurred:
    """The last of four runs without gradients, of which the third and fourth may use what the second worked out."""
    with torch.no_grad():
        return [layer(x, *given) for _ in range(4)][-1]


def is_ready(layer: Recurrent) -> bool:
    return all(any(one.repeat._ready.values()) for one in layer.modules() if hasattr(one, "repeat"))


@pytest.mark.parametrize("cell", sorted(LIBRARY))
@pytest.mark.parametrize("size", [32, 13])
def test_every_cell(cell: str, size: int) -> None:
    sizes = dict.fromkeys(LIBRARY[cell].program.named_sizes, 16)
    layer, x = Recurrent(cell, size, size, sizes=sizes).eval(), sequence(size=size)
    assert_same(repeated(layer, x), layer(x))
    later = layer(sequence(seed=4, size=size)).state
    assert_same(repeated(layer, x, later), layer(x, later))
    if cell in ("lstm", "gru", "gru_reset_after", "elman", "lstm_peephole", "mgu"):
        assert is_ready(layer), "the fast way was not taken"


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"num_layers": 2}, {"learn_initial_state": True}])
def test_every_form_of_layer(options: dict) -> None:
    layer, x = Recurrent("lstm", 32, 32, **options), sequence()
    with torch.no_grad():
        for one in layer.parameters():
            one.add_(0.01)  # learned starts begin at zero
    assert_same(repeated(layer, x), layer(x))
    assert is_ready(layer)


def in_place(layer: Recurrent) -> None:
    with torch.no_grad():
        for one in layer.parameters():
            one.mul_(1.5)


def by_data(layer: Recurrent) -> None:
    for one in layer.parameters():
        one.data.add_(0.25)  # no version counts this


def anew(layer: Recurrent) -> None:
    for one in layer.parameters():
        one.data = one.data * 0.5


def as_double(layer: Recurrent) -> None:
    layer.double()


CHANGES: list[Callable[[Recurrent], None]] = [in_place, by_data, anew, as_double]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("size", [32, 20])
def test_changed_parameters_are_seen(change: Callable[[Recurrent], None], size: int) -> None:
    layer, x = Recurrent("lstm", size, size), sequence(size=size)
    before = repeated(layer, x)
    change(layer)
    x = x.to(next(layer.parameters()).dtype)
    expected = layer(x)
    assert_same(repeated(layer, x), expected)
    assert not torch.equal(expected.outputs.float(), before.outputs)


def test_other_inputs_states_shapes_and_threads() -> None:
    layer = Recurrent("gru", 128, 128)
    wide = sequence(16, 6, 256)
    inputs = [
        sequence(16, 6, 128),
        wide[..., :128],
        wide[..., ::2],
        sequence(6, 16, 128).transpose(0, 1),
        sequence(1, 6, 128).expand(16, 6, 128),
        sequence(2, 3, 128),
    ]
    kept = []
    for threads in (1, 2, 1):
        torch.set_num_threads(threads)
        for x in inputs:
            found = repeated(layer, x)
            assert_same(found, layer(x))
            kept.append((found, found.outputs.clone(), found.state["0.forward.h"].clone()))
    for found, outputs, state in kept:  # results are their own, whatever ran since
        assert torch.equal(found.outputs, outputs)
        assert torch.equal(found.state["0.forward.h"], state)


def test_lengths_resets_and_records_are_seen() -> None:
    layer, x = Recurrent("lstm", 32, 32), sequence()
    repeated(layer, x)
    lengths, reset = torch.tensor([5, 0, 2]), torch.zeros(3, 5, dtype=torch.bool)
    reset[:, 2] = True
    with torch.no_grad():
        for given in ({"lengths": lengths}, {"reset": reset}, {"record": ("h",)}):
            found = layer(x, **given)
            with torch.enable_grad():
                assert_same(found, layer(x, **given))
            assert bool(found.recorded) == ("record" in given)


@pytest.mark.parametrize("size", [32, 20])
def test_modes_and_inference_tensors(size: int) -> None:
    layer, x = Recurrent("lstm", size, size), sequence(size=size)
    expected = layer(x)
    with torch.inference_mode():
        found = [layer(x) for _ in range(4)][-1]
    assert found.outputs.is_inference()
    assert_same(found, expected)
    assert_same(repeated(layer, x), expected)
    with torch.no_grad(), torch.autocast("cpu"):
        assert_same(layer(x), expected)
    with torch.no_grad():
        many = torch.func.vmap(lambda one: layer(one.unsqueeze(0)).outputs.squeeze(0))(x)
    torch.testing.assert_close(many, expected.outputs)


def test_a_wrong_state_is_refused_as_ever() -> None:
    layer, x = Recurrent("lstm", 32, 32), sequence()
    repeated(layer, x)
    with torch.no_grad(), pytest.raises(UsageError, match=r"\(2, 32\); \(3, 32\) is wanted"):
        layer(x, layer.initial_state(2))
    with torch.no_grad(), pytest.raises(UsageError, match="float64"):
        layer(x, {name: value.double() for name, value in layer.initial_state(3).items()})
    with torch.no_grad(), pytest.raises(UsageError, match="float64"):
        layer(x.double())


def test_several_threads_share_a_layer() -> None:
    layer = Recurrent("lstm", 64, 64)
    inputs = [sequence(3, 20, 64, seed) for seed in range(8)]
    expected = [layer(x) for x in inputs]

    def many(index: int) -> list[Recurred]:
        with torch.inference_mode():
            return [layer(inputs[index]) for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        for found, one in zip(pool.map(many, range(8)), expected, strict=True):
            for each in found:
                assert_same(each, one)


def test_copies_and_pickles_begin_with_nothing_kept() -> None:
    layer, x = Recurrent("gru", 32, 32), sequence()
    expected = repeated(layer, x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert not is_ready(other)
        assert_same(repeated(other, x), expected)


def test_a_shape_that_comes_once_leaves_nothing() -> None:
    repeat, layer = Repeat(Recurrent("lstm", 32, 32).cell), Recurrent("lstm", 32, 32)
    with torch.no_grad():
        for steps in (3, 4, 5):
            assert repeat.run(layer.cell_parameters(), sequence(steps=steps), None) is None
    assert not repeat._ready
