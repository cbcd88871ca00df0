"""The backend torch inside autograd: modes, frozen inputs, second derivatives, memory, and as an operator."""

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.cases import Case, gradients, parts, weights_like
from engine.torch_cases import KNOWN, LENGTHS, assert_near, by_loop, plain
from laws import assert_same
from unrolled.cells.library import LIBRARY
from unrolled.engine import backends
from unrolled.engine.operator import traced


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", KNOWN)
def test_without_gradients(name: str, mode: Callable[[], AbstractContextManager[None]]) -> None:
    case = plain(KNOWN[name])
    free = {key: value.clone().requires_grad_() for key, value in case.parameters.items()}
    with mode():
        found = parts(case.but(parameters=free).scan())
    assert not any(value.requires_grad for value in found.values())
    assert_same(found, parts(case.scan()))


@pytest.mark.parametrize("which", ["parameters", "x", "state"])
@pytest.mark.parametrize("name", KNOWN)
def test_some_inputs_alone(name: str, which: str) -> None:
    case = plain(KNOWN[name])
    everything = gradients(case)
    free: dict[str, Tensor] = {}

    def freed(kind: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if kind != which:
            return dict(values)
        prefix = "state " if kind == "state" else ""
        given = {key: value.clone().requires_grad_() for key, value in values.items()}
        free.update({f"{prefix}{key}": value for key, value in given.items()})
        return given

    one = case.but(
        parameters=freed("parameters", case.parameters),
        x=freed("x", {"x": case.x})["x"],
        state=freed("state", case.state or {}),
    )
    loss = torch.stack([(value * weights_like(value)).sum() for value in parts(one.scan()).values()]).sum()
    found = torch.autograd.grad(loss, list(free.values()), allow_unused=True, materialize_grads=True)
    assert_near(dict(zip(free, found, strict=True)), {key: everything[key] for key in free})


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_projection_alone(steps: int, create_graph: bool) -> None:
    """One step's c does not depend on it."""
    gradient = {}
    for backend in ("torch", "loop"):
        case = plain(LIBRARY["lstm_projected"], backend=backend, steps=steps)
        matrix = case.parameters["P"].clone().requires_grad_()
        result = case.but(parameters={**case.parameters, "P": matrix}).scan()
        loss = result.outputs.square().sum() + result.state["c"].square().sum()
        (gradient[backend],) = torch.autograd.grad(loss, [matrix], create_graph=create_graph)
    assert_near({"P": gradient["torch"]}, {"P": gradient["loop"]})


@pytest.mark.parametrize("lengths", ["dense", "ragged"])
@pytest.mark.parametrize("name", KNOWN)
def test_gradients_of_gradients_are_the_loops(name: str, lengths: str) -> None:
    def second(case: Case) -> dict[str, Tensor]:
        free = {key: value.clone().requires_grad_() for key, value in case.parameters.items()}
        x = case.x.clone().requires_grad_()
        state = {key: value.clone().requires_grad_() for key, value in (case.state or {}).items()}
        result = parts(case.but(parameters=free, x=x, state=state).scan())
        wanted = {**free, "x": x, **{f"state {key}": value for key, value in state.items()}}
        leaves, how = list(wanted.values()), {"allow_unused": True, "materialize_grads": True}
        loss = torch.stack([(value * weights_like(value)).sin().sum() for value in result.values()]).sum()
        first = torch.autograd.grad(loss, leaves, create_graph=True, **how)
        found = torch.autograd.grad(sum(value.square().sum() for value in first), leaves, **how)
        return dict(zip(wanted, found, strict=True))

    case = LENGTHS[lengths](plain(KNOWN[name], steps=4))
    assert_near(second(case), second(by_loop(case)))


def test_backward_twice_and_what_is_kept_between() -> None:
    case = plain(LIBRARY["lstm"])
    kept: list[weakref.ref[Any]] = []

    def keep(value: Tensor) -> Any:
        holder = type("Holder", (), {"value": value.detach()})()
        kept.append(weakref.ref(holder))
        return holder

    x = case.x.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda holder: holder.value):
        loss = case.but(x=x).scan().outputs.square().sum()
    first = torch.autograd.grad(loss, [x], retain_graph=True)
    held = sum(one() is not None for one in kept)
    second = torch.autograd.grad(loss, [x])
    assert_same({"x": first[0]}, {"x": second[0]})
    assert held > 10
    assert not any(one() for one in kept)  # though the loss lives
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, [x])


@pytest.mark.parametrize("name", KNOWN)
def test_outputs_changed_in_place_spoil_no_gradient(name: str) -> None:
    def gradient(backend: str, change: bool) -> Tensor:
        x = case.x.clone().requires_grad_()
        outputs = case.but(x=x, backend=backend).scan().outputs
        outputs = outputs.mul_(2.0) if change else outputs * 2.0
        return torch.autograd.grad(outputs.sum(), [x])[0]

    case = plain(KNOWN[name])
    assert_near({"x": gradient("torch", True)}, {"x": gradient("loop", False)})


def test_by_a_checkpoint_of_torch() -> None:
    case = plain(LIBRARY["lstm"])
    x, y = (case.x.clone().requires_grad_() for _ in range(2))
    case.but(x=x).scan().outputs.square().sum().backward()
    again = torch.utils.checkpoint.checkpoint(lambda z: case.but(x=z).scan().outputs, y, use_reentrant=False)
    again.square().sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert_same({"x": y.grad}, {"x": x.grad})


def test_as_an_operator() -> None:
    """As torch.compile and torch.export see it."""
    case = LENGTHS["ragged"](plain(LIBRARY["lstm"]))
    found = []
    for run in (backends.compute, traced):
        free = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
        outputs, final, _ = run(case.cell, free, case.x, case.state, case.lengths, None, (), "torch", None)
        loss = outputs.square().sum() + final["c"].square().sum()
        found.append(dict(zip(free, torch.autograd.grad(loss, list(free.values())), strict=True)))
    assert_near(found[1], found[0])
