"""The compiled backend inside autograd: modes, frozen inputs, views, transforms, memory given back, and errors."""

import gc
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from engine.cases import CELLS, Case, gradients, make_case, parts, ragged, weights_like
from engine.test_fused import assert_near, in_double
from laws import assert_same
from unrolled.engine import fused
from unrolled.engine.cpu import directions, execute
from unrolled.engine.cpu.arena import Arena
from unrolled.engine.scan import scan

NAMES = ["lstm", "gru_layer_norm", "cornn", "slstm_blocks", "lstm_learned_start"]


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return ragged(make_case(CELLS[request.param], "cpu", torch.float32))


def loss_of(results: dict[str, Tensor]) -> Tensor:
    return torch.stack([(value * weights_like(value)).sum() for value in results.values()]).sum()


def free(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone().requires_grad_() for name, value in values.items()}


# Modes


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients(case: Case, mode: Callable[[], torch.no_grad], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers, and no tape: the pass that keeps nothing is run."""
    kept = []

    def note(plan: object, inputs: object, keep: bool) -> object:
        kept.append(keep)
        return directions.forward(plan, inputs, keep)  # pyright: ignore[reportArgumentType]

    expected, wanted = parts(case.scan()), gradients(case)
    monkeypatch.setattr(fused, "forward", note)
    with mode():
        found = case.but(parameters=free(case.parameters)).scan()
    assert kept == [False]
    assert not any(value.requires_grad for value in parts(found).values())
    assert_same(parts(found), expected)
    assert_same(gradients(case), wanted)
    assert kept == [False, True]


def test_backward_twice(case: Case) -> None:
    given = free(case.parameters)
    loss = loss_of(parts(case.but(parameters=given).scan()))
    first = torch.autograd.grad(loss, list(given.values()), retain_graph=True, materialize_grads=True)
    second = torch.autograd.grad(loss, list(given.values()), materialize_grads=True)
    assert_same(dict(zip(given, second, strict=True)), dict(zip(given, first, strict=True)))
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, list(given.values()), materialize_grads=True)


def test_a_parameter_changed_before_backward_is_refused(case: Case) -> None:
    given = free(case.parameters)
    loss = loss_of(parts(case.but(parameters=given).scan()))
    with torch.no_grad():
        for value in given.values():
            value.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


# Who wants a gradient


@pytest.mark.parametrize("which", ["parameters", "one matrix", "x", "state"])
def test_some_inputs_alone(case: Case, which: str) -> None:
    everything = gradients(case)
    matrix = next(name for name in case.parameters if name[0] in "UR" or (name[0] == "W" and case.cell.name == "cornn"))
    assert case.state is not None
    chosen = {
        "parameters": list(case.parameters),
        "one matrix": [matrix],
        "x": ["x"],
        "state": [f"state {name}" for name in case.state],
    }[which]
    given = {**case.parameters, "x": case.x, **{f"state {name}": value for name, value in case.state.items()}}
    given |= free({name: given[name] for name in chosen})
    run = case.but(
        parameters={name: given[name] for name in case.parameters},
        x=given["x"],
        state={name: given[f"state {name}"] for name in case.state},
    )
    wanted = [given[name] for name in chosen]
    found = torch.autograd.grad(loss_of(parts(run.scan())), wanted, allow_unused=True, materialize_grads=True)
    assert_same(dict(zip(chosen, found, strict=True)), {name: everything[name] for name in chosen})


@pytest.mark.parametrize("which", ["final state", "outputs", "last output", "one record"])
def test_a_gradient_that_comes_from_one_result_alone(case: Case, which: str) -> None:
    def gradients_of(one: Case) -> dict[str, Tensor]:
        """All in one vector: some vanish by the mathematics, and are rounding alone."""
        given = free(one.parameters)
        result = one.but(parameters=given).scan()
        chosen = {
            "final state": lambda: next(iter(result.state.values())),
            "outputs": lambda: result.outputs,
            "last output": lambda: result.outputs[:, -1],
            "one record": lambda: result.recorded[one.cell.quantities[0]],
        }[which]()
        found = torch.autograd.grad(chosen.sum(), list(given.values()), allow_unused=True, materialize_grads=True)
        return {"all": torch.cat([value.flatten() for value in found])}

    assert_near(gradients_of(case), gradients_of(in_double(case)), "cpu, loop, gradients, float32")


# How tensors lie


def test_views_and_expanded_tensors(case: Case) -> None:
    expected = {**parts(case.scan()), **gradients(case)}
    x = case.x.transpose(0, 1).contiguous().transpose(0, 1)
    parameters = {
        name: value.mT.contiguous().mT if value.dim() > 1 else value for name, value in case.parameters.items()
    }
    crossed = case.but(x=x, parameters=parameters)
    assert not crossed.x.is_contiguous()
    assert_same({**parts(crossed.scan()), **gradients(crossed)}, expected)
    wide = torch.stack([case.x, torch.full_like(case.x, float("nan"))], -1)[..., 0]
    assert wide.stride(-1) == 2
    assert_same(parts(case.but(x=wide).scan()), parts(case.scan()))


def test_one_state_and_one_input_expanded_over_the_rows(case: Case) -> None:
    assert case.state is not None
    rows = case.x.shape[0]
    one = case.but(x=case.x[:1].expand(rows, -1, -1), state={n: v[:1].expand(rows, -1) for n, v in case.state.items()})
    copied = one.but(x=one.x.clone(), state={name: value.clone() for name, value in (one.state or {}).items()})
    assert_same(parts(one.scan()), parts(copied.scan()))
    begun, other = ({name: value[:1].clone().requires_grad_() for name, value in case.state.items()} for _ in range(2))
    for leaf, backend in ((begun, "cpu"), (other, "loop")):
        state = {name: value.expand(rows, -1) for name, value in leaf.items()}
        loss_of(parts(one.but(state=state, backend=backend).scan())).backward()
    for name, value in begun.items():
        wanted = other[name].grad
        assert value.grad is not None
        assert wanted is not None
        assert_near({name: value.grad}, {name: wanted}, "cpu, loop, gradients, float32")


# Transforms, which the loop serves


@pytest.fixture
def dense() -> Case:
    """In double precision, and by whatever ``auto`` takes."""
    return make_case(CELLS["lstm"], "auto")


def outputs_of(case: Case, parameters: dict[str, Tensor], x: Tensor, backend: str = "auto") -> Tensor:
    return scan(case.cell, parameters, x, backend=backend).outputs


def test_gradients_of_each_sample_by_vmap(dense: Case) -> None:
    def loss(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
        return outputs_of(dense, parameters, x.unsqueeze(0)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(dense.parameters, dense.x)
    for row in range(dense.x.shape[0]):
        given = free(dense.parameters)
        outputs_of(dense, given, dense.x[row : row + 1], "cpu").square().sum().backward()
        expected = {name: value.grad for name, value in given.items() if value.grad is not None}
        assert_near({name: value[row] for name, value in each.items()}, expected, "cpu, loop")


def test_models_side_by_side_by_vmap(dense: Case) -> None:
    many = {name: torch.stack([value, 2 * value]) for name, value in dense.parameters.items()}
    both = torch.func.vmap(lambda one: outputs_of(dense, one, dense.x))(many)
    for place in range(2):
        alone = outputs_of(dense, {name: value[place] for name, value in many.items()}, dense.x, "cpu")
        assert_near({"outputs": both[place]}, {"outputs": alone}, "cpu, loop")


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, when it first goes forward
def test_forward_mode(dense: Case) -> None:
    _, tangent = torch.func.jvp(lambda x: outputs_of(dense, dense.parameters, x), (dense.x,), (weights_like(dense.x),))
    with forward_ad.dual_level():
        dual = outputs_of(dense, dense.parameters, forward_ad.make_dual(dense.x, weights_like(dense.x)))
        by_hand = forward_ad.unpack_dual(dual).tangent
    assert by_hand is not None
    step = 1e-6
    ahead, behind = (
        outputs_of(dense, dense.parameters, dense.x + sign * step * weights_like(dense.x), "cpu") for sign in (1, -1)
    )
    assert_same({"tangent": by_hand}, {"tangent": tangent})
    assert_near({"tangent": tangent}, {"tangent": (ahead - behind) / (2 * step)}, "autograd, differences")


# Memory


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where the blocks lie that are lent from now on, by an arena that has none yet."""
    places: list[int] = []

    class Noted(Arena):
        def tensor(self, numbers: int, dtype: torch.dtype) -> Tensor:
            value = super().tensor(numbers, dtype)
            places.append(value.data_ptr())
            return value

    monkeypatch.setattr(execute, "ARENA", Noted(least=1))
    return places


def places_of_a_step(case: Case, lent: list[int]) -> set[int]:
    lent.clear()
    gradients(case)
    gc.collect()
    return set(lent)


def test_blocks_come_back_and_are_used_again(case: Case, lent: list[int]) -> None:
    places = places_of_a_step(case, lent)
    assert len(places) >= 3  # a tape, and what each pass needs for itself
    assert len(lent) >= len(places)
    for _ in range(3):
        assert places_of_a_step(case, lent) <= places


def test_a_tape_that_is_alive_is_not_lent_again(case: Case) -> None:
    given = free(case.parameters)
    result = case.but(parameters=given).scan()
    for _ in range(3):
        gradients(case.but(x=-case.x))
    found = torch.autograd.grad(loss_of(parts(result)), list(given.values()), allow_unused=True, materialize_grads=True)
    expected = gradients(case)
    assert_same(dict(zip(given, found, strict=True)), {name: expected[name] for name in given})


def test_results_are_no_views_of_what_is_lent(case: Case, lent: list[int]) -> None:
    """A final state that someone keeps must not hold a whole tape."""
    for one in (case, case.but(lengths=None)):
        for given in (one.parameters, free(one.parameters)):
            results = parts(one.but(parameters=given).scan())
            assert lent
            assert not {value.untyped_storage().data_ptr() for value in results.values()} & set(lent)
        assert not {value.untyped_storage().data_ptr() for value in gradients(one).values()} & set(lent)


# Errors


class Interrupted(BaseException):
    """As Ctrl-C raises in the middle of something."""


@pytest.mark.parametrize("error", [RuntimeError, Interrupted, KeyboardInterrupt])
def test_an_error_in_a_backward_hook_leaves_the_engine_as_it_was(
    case: Case, error: type[BaseException], lent: list[int]
) -> None:
    expected = gradients(case)
    places = set(lent)
    for place in ("outputs", "x"):
        x = case.x.clone().requires_grad_()
        result = case.but(parameters=free(case.parameters), x=x).scan()

        def strike(_: Tensor) -> None:
            raise error("struck")

        (result.outputs if place == "outputs" else x).register_hook(strike)
        with pytest.raises(error, match="struck"):
            loss_of(parts(result)).backward()
        del result
        gc.collect()
        assert_same(gradients(case), expected)
    assert set(lent) <= places
