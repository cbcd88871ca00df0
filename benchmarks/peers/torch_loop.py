"""A loop written by hand in torch: the input's products hoisted, one step after another; its step also compiled."""

from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, Setting
from benchmarks.limits import compile_by_running
from benchmarks.packing import pack, unpack
from benchmarks.steps import RECIPES, Step


def layer_norm(a: Tensor) -> Tensor:
    return functional.layer_norm(a, a.shape[-1:])


FUNCTIONS = SimpleNamespace(
    add_product=torch.addmm,
    exp=torch.exp,
    layer_norm=layer_norm,
    log_sigmoid=functional.logsigmoid,
    maximum=torch.maximum,
    relu=torch.relu,
    sigmoid=torch.sigmoid,
    split=partial(torch.chunk, dim=-1),
    tanh=torch.tanh,
)


@cache
def compiled_step(cell: str) -> Step:
    """The cell's step under torch.compile, for any sizes: one compilation serves the whole grid."""
    torch._dynamo.config.fail_on_recompile_limit_hit = True  # rather than run the step uncompiled, silently
    return torch.compile(RECIPES[cell].step, dynamic=True)


def forward(cell: str, step: Step, p: dict[str, Tensor], x: Tensor, hidden: int) -> Tensor:
    """x (T, N, D) -> outputs (T, N, H)."""
    recipe = RECIPES[cell]
    states: tuple[Any, ...] = tuple(x.new_full((x.shape[1], hidden), start) for start in recipe.starts)
    outputs = []
    for now in zip(*[one.unbind(0) for one in recipe.hoist(FUNCTIONS, p, x)], strict=True):
        states = step(FUNCTIONS, p, states, now)
        outputs.append(states[0])
    return torch.stack(outputs)  # (T, N, H)


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:  # noqa: ARG001
    cell = problem.case.cell
    if variant != "compiled":
        return _contender(name, problem, mode, RECIPES[cell].step)
    contender = _contender(name, problem, mode, compiled_step(cell))
    compile_by_running(contender.run)
    return contender


def _contender(name: str, problem: Problem, mode: str, step: Step) -> Contender:
    cell, stacks = problem.case.cell, RECIPES[problem.case.cell].stacks
    p = pack(problem.parameters, stacks)
    x, dy = problem.x_by_time.clone(), problem.dy_by_time
    if mode == "infer":

        @torch.inference_mode()
        def infer() -> Tensor:
            return forward(cell, step, p, x, problem.case.H)

        return Contender(name, infer, lambda outputs: Answer(outputs.transpose(0, 1)))
    leaves = [one.requires_grad_() for one in (x, *p.values())]

    def train() -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs = forward(cell, step, p, x, problem.case.H)
        return outputs, torch.autograd.grad(outputs, leaves, dy)

    def answer(result: tuple[Tensor, tuple[Tensor, ...]]) -> Answer:
        outputs, (dx, *gradients) = result
        named = unpack(dict(zip(p, gradients, strict=True)), stacks)
        return Answer(outputs.detach().transpose(0, 1), {"x": dx.transpose(0, 1), **named})

    return Contender(name, train, answer)
