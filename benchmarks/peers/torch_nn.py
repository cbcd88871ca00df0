"""torch.nn.LSTM, GRU and RNN, eager and under torch.compile; time comes first in memory, as they like it best."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, Setting
from benchmarks.limits import compile_by_running
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.torch_weights import to_torch

GATES = {"lstm": ("_i", "_f", "_g", "_o"), "gru_reset_after": ("_r", "_z", "_h"), "elman": ("",)}
"""The order in which torch.nn stacks the gates."""


def module_of(layer: Recurrent) -> nn.LSTM | nn.GRU | nn.RNN:
    """The torch.nn module that computes what a layer computes, time first."""
    module = to_torch(layer)
    module.batch_first = False
    return module


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:  # noqa: ARG001
    module, make = module_of(problem.layer), _infer if mode == "infer" else _train
    if variant != "compiled":
        return make(name, problem, module, list(module.parameters()))
    contender = make(name, problem, torch.compile(module), list(module.parameters()))
    compile_by_running(contender.run)
    return contender


def _infer(name: str, problem: Problem, module: Callable[[Tensor], Any], parameters: list[Tensor]) -> Contender:  # noqa: ARG001
    x = problem.x_by_time

    @torch.inference_mode()
    def infer() -> Tensor:
        return module(x)[0]

    return Contender(name, infer, lambda outputs: Answer(outputs.transpose(0, 1)))


def _train(name: str, problem: Problem, module: Callable[[Tensor], Any], parameters: list[Tensor]) -> Contender:
    x, dy = problem.x_by_time.clone().requires_grad_(), problem.dy_by_time
    leaves = (x, *parameters)

    def train() -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs = module(x)[0]
        return outputs, torch.autograd.grad(outputs, leaves, dy)

    def answer(result: tuple[Tensor, tuple[Tensor, ...]]) -> Answer:
        outputs, (dx, *gradients) = result
        named = gradients_by_our_names(problem.case.cell, gradients)
        return Answer(outputs.detach().transpose(0, 1), {"x": dx.transpose(0, 1), **named})

    return Contender(name, train, answer)


def gradients_by_our_names(cell: str, gradients: list[Tensor]) -> dict[str, Tensor]:
    """The gradients of weight_ih, weight_hh, bias_ih and bias_hh, taken apart by gates."""
    gates = GATES[cell]
    w, u, b, second = (value.chunk(len(gates)) for value in gradients)
    named = {}
    for index, gate in enumerate(gates):
        named |= {f"W{gate}": w[index], f"U{gate}": u[index], f"b{gate}": b[index]}
    return named | ({"c_h": second[2]} if cell == "gru_reset_after" else {})
