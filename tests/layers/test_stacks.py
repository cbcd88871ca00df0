"""Layers of a stack side by side, a block of steps behind each other: bit by bit what one after the other gives."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from layers.test_repeat import assert_same, repeated, sequence
from unrolled.cells.library import LIBRARY
from unrolled.engine import together
from unrolled.engine.cpu import chain, team
from unrolled.engine.cpu.chain import run_chain
from unrolled.engine.cpu.execute import Call
from unrolled.layers.recurrent import Recurred, Recurrent

SIZE, STEPS = 64, 403


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passes take two threads, however busy the machine is."""
    monkeypatch.setattr(together, "threads_now", team.threads_there)
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def chains(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls each chain had that was run."""
    seen: list[int] = []

    def spied(calls: list[Call]) -> None:
        seen.append(len(calls))
        run_chain(calls)

    monkeypatch.setattr(together, "run_chain", spied)
    return seen


def stack(cell: str = "lstm", layers: int = 2, size: int = SIZE, **options: object) -> Recurrent:
    sizes = dict.fromkeys(LIBRARY[cell].program.named_sizes, 16)
    return Recurrent(cell, size, size, num_layers=layers, sizes=sizes, **options).eval()


@pytest.mark.parametrize("cell", sorted(LIBRARY))
@pytest.mark.parametrize("size", [SIZE, SIZE - 3])
def test_every_cell(cell: str, size: int, chains: list[int]) -> None:
    layer, x = stack(cell, size=size), sequence(1, 2 * STEPS, size)
    assert_same(repeated(layer, x), layer(x))
    later = layer(sequence(1, 2 * STEPS, size, seed=4)).state
    assert_same(repeated(layer, x, later), layer(x, later))
    if cell in ("lstm", "gru", "gru_reset_after", "lstm_peephole", "mgu") and size == SIZE:
        assert chains, "the layers went one after the other"


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_more_layers_than_threads(layers: int, chains: list[int]) -> None:
    layer, x = stack(layers=layers), sequence(1, STEPS, SIZE)
    assert_same(repeated(layer, x), layer(x))
    assert chains[: -(-layers // 2)] == [2] * (layers // 2) + [1] * (layers % 2)


@pytest.mark.parametrize(
    ("options", "rows", "steps"),
    [
        ({"bidirectional": True}, 1, STEPS),
        ({"residual": True}, 1, STEPS),
        ({"layers": 1}, 1, STEPS),
        ({}, 2, STEPS),
        ({}, 1, 20),
    ],
)
def test_what_goes_one_after_the_other(options: dict, rows: int, steps: int, chains: list[int]) -> None:
    layer, x = stack(**options), sequence(rows, steps, SIZE)
    assert_same(repeated(layer, x), layer(x))
    assert not chains


def test_dropout_between_layers_is_drawn(chains: list[int]) -> None:
    layer, x = stack(dropout=0.5), sequence(1, STEPS, SIZE)
    whole = repeated(layer, x)
    assert chains
    layer.train()
    assert not torch.equal(repeated(layer, x).outputs, whole.outputs)


def test_where_the_team_is_too_small(monkeypatch: pytest.MonkeyPatch, chains: list[int]) -> None:
    layer, x = stack(layers=3), sequence(1, STEPS, SIZE)
    refused = []
    monkeypatch.setattr(chain, "run_jobs", lambda *_: bool(refused.append(1)))
    assert_same(repeated(layer, x), layer(x))
    assert chains
    assert refused


def test_several_threads_share_a_stack() -> None:
    layer = stack()
    inputs = [sequence(1, STEPS, SIZE, seed) for seed in range(4)]
    expected = [layer(x) for x in inputs]

    def many(index: int) -> list[Recurred]:
        with torch.inference_mode():
            return [layer(inputs[index]) for _ in range(30)]

    with ThreadPoolExecutor(4) as pool:
        for found, one in zip(pool.map(many, range(4)), expected, strict=True):
            for each in found:
                assert_same(each, one)


def test_a_layer_of_a_stack_alone_behind_the_whole(chains: list[int]) -> None:
    """A call that was part of a chain waits for nobody when it is run for itself."""
    layer, x = stack(), sequence(1, STEPS, SIZE)
    repeated(layer, x)
    assert chains
    one, values = layer.one(1, "forward"), sequence(1, STEPS, SIZE, seed=9)
    with torch.no_grad():
        found = one.repeat.run(one.named(), values, None)
    assert found is not None
    upper = Recurrent("lstm", SIZE, SIZE)
    upper.load_state_dict({f"layers.0.0.{name}": value for name, value in one.named().items()})
    assert torch.equal(found.outputs, upper(values).outputs)
