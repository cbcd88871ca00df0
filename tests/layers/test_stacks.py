"""Layers of a stack side by side, a block of steps behind each other: bit by bit what one after the other gives."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from layers.test_repeat import assert_same, repeated, sequence
from unrolled.cells.library import LIBRARY
from unrolled.engine import together
from unrolled.engine.cpu import chain, team
from unrolled.engine.cpu.chain import run_chain
from unrolled.engine.cpu.execute import Call
from unrolled.layers import recurrent
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
    assert chains[: layers // 2] == [2] * (layers // 2)


@pytest.mark.parametrize(
    ("cell", "size", "layers", "wins"),
    [
        ("elman", 128, 2, True),
        ("elman", 320, 2, True),
        ("elman", 128, 3, True),
        ("gru", 160, 3, True),
        ("mgu", 112, 4, True),
        ("elman", 384, 2, False),
        ("gru", 256, 2, False),
        ("gru_reset_after", 128, 2, False),
        ("lstm", 112, 2, False),
    ],
)
def test_layers_that_two_threads_could_share(cell: str, size: int, layers: int, wins: bool, chains: list[int]) -> None:
    layer, x = stack(cell, layers=layers, size=size), sequence(1, 150, size)
    found = repeated(layer, x)
    assert set(chains) == ({2} if wins else set())
    assert_same(found, layer(x))


def test_sizes_that_differ(chains: list[int]) -> None:
    """One layer of two has weights that its thread's cache does not hold."""
    layer, x = Recurrent("elman", 64, (512, 64), num_layers=2).eval(), sequence(1, STEPS, 64)
    found = repeated(layer, x)
    assert not chains
    assert_same(found, layer(x))


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


# In training


def learned(layer: Recurrent, x: Tensor, state: dict[str, Tensor], ends: bool = True) -> list[Tensor | None]:
    """Outputs, final states, and the gradients of all that has one: of outputs, or of them and the final states."""
    leaves = [x, *state.values(), *layer.parameters()]
    outputs, final, _ = layer(x, state)
    generator = torch.Generator().manual_seed(8)
    loss = (outputs * torch.randn(outputs.shape, generator=generator)).sum()
    for value in final.values() if ends else ():
        loss = loss + (value * torch.randn(value.shape, generator=generator)).sum()
    asked = [leaf for leaf in leaves if leaf.requires_grad]
    return [
        outputs.detach(),
        *(value.detach() for value in final.values()),
        *torch.autograd.grad(loss, asked, allow_unused=True),
    ]


def alone(monkeypatch: pytest.MonkeyPatch, *given: object) -> list[Tensor | None]:
    """What the layers give one after the other."""
    with monkeypatch.context() as patch:
        patch.setattr(recurrent, "run_stack", lambda *_: None)
        return learned(*given)  # pyright: ignore[reportArgumentType]


def assert_all_equal(found: Sequence[Tensor | None], expected: Sequence[Tensor | None]) -> None:
    assert len(found) == len(expected)
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert (one is None) == (other is None), index
        assert one is None or other is None or torch.equal(one, other), index


def begun(layer: Recurrent, gradient: bool = True) -> dict[str, Tensor]:
    """A state to begin from."""
    generator = torch.Generator().manual_seed(5)
    state = {name: torch.rand(value.shape, generator=generator) for name, value in layer.initial_state(1).items()}
    return {name: value.requires_grad_(gradient) for name, value in state.items()}


@pytest.mark.parametrize("cell", sorted(LIBRARY))
@pytest.mark.parametrize("size", [SIZE, SIZE - 3])
def test_training_of_every_cell(cell: str, size: int, chains: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = stack(cell, size=size), sequence(1, STEPS, size).requires_grad_()
    state = begun(layer)
    found = learned(layer, x, state)
    assert_all_equal(found, alone(monkeypatch, layer, x, state))
    if cell in ("lstm", "gru", "gru_reset_after", "lstm_peephole", "mgu") and size == SIZE:
        assert chains == [2, 2], "the layers went one after the other"


@pytest.mark.parametrize("layers", [2, 3, 4])
@pytest.mark.parametrize("steps", [64, 65, 403])
def test_training_of_more_layers_than_threads(
    layers: int, steps: int, chains: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "_WORTH", 0)
    layer, x = stack(layers=layers), sequence(1, steps, SIZE).requires_grad_()
    state = begun(layer)
    found = learned(layer, x, state, ends=False)
    assert chains == 2 * [2] * (layers // 2)
    assert_all_equal(found, alone(monkeypatch, layer, x, state, False))


@pytest.mark.parametrize(
    ("cell", "size", "layers", "wins"),
    [
        ("elman", 320, 2, True),
        ("gru", 128, 3, True),
        ("lstm", 128, 2, True),
        ("lstm", 96, 3, True),
        ("lstm_peephole", 128, 4, True),
        ("elman", 384, 2, False),
        ("lstm", 192, 2, False),
    ],
)
def test_training_of_layers_that_two_threads_could_share(
    cell: str, size: int, layers: int, wins: bool, chains: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = stack(cell, layers=layers, size=size), sequence(1, 150, size).requires_grad_()
    state = begun(layer)
    found = learned(layer, x, state)
    assert chains == (2 * [2] * (layers // 2) if wins else [])
    assert_all_equal(found, alone(monkeypatch, layer, x, state))


@pytest.mark.parametrize("trained", [(0,), (1,), (2,), (0, 2), (1, 2)])
@pytest.mark.parametrize("of_x", [False, True])
def test_only_what_needs_a_gradient_has_one(
    trained: tuple[int, ...], of_x: bool, chains: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = stack("gru", layers=3), sequence(1, STEPS, SIZE).requires_grad_(of_x)
    for number in range(3):
        for name, parameter in layer.one(number, "forward").named_parameters():
            parameter.requires_grad_(number in trained and name != "U_r")
    state = begun(layer, gradient=False)
    found = learned(layer, x, state)
    assert chains[0] == 2
    assert_all_equal(found, alone(monkeypatch, layer, x, state))


def test_gradients_of_gradients(chains: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = stack("gru", size=32).double(), sequence(1, 30, 32).double().requires_grad_()
    monkeypatch.setattr(together, "_WORTH", 0)

    def twice() -> list[Tensor]:
        own = list(layer.parameters())
        outputs, final, _ = layer(x)
        first = torch.autograd.grad(outputs.square().sum() + final["0.forward.h"].sum(), [x, *own], create_graph=True)
        return list(torch.autograd.grad(sum(one.square().sum() for one in first), [x, *own]))

    found = twice()
    assert chains == [2, 2]  # forward, and behind the loop's second derivatives the way back from what they read
    layer.backend = "loop"
    for one, other in zip(found, twice(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def test_a_short_stack_learns_one_after_the_other(chains: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = stack(), sequence(1, 100, SIZE).requires_grad_()
    found = learned(layer, x, begun(layer))
    assert not chains
    assert_all_equal(found, alone(monkeypatch, layer, x, begun(layer)))


def test_a_stack_learns_in_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = stack()
    inputs = [sequence(1, STEPS, SIZE, seed).requires_grad_() for seed in range(4)]
    states = begun(layer, gradient=False)
    expected = [alone(monkeypatch, layer, x, states) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(learned, layer, inputs[index % 4], states) for index in range(40)]
        for index, job in enumerate(jobs):
            assert_all_equal(job.result(), expected[index % 4])
