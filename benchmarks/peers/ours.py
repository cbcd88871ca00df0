"""Ours: the layer ``unrolled.Recurrent`` on whatever backend it chooses."""

import torch
from torch import Tensor

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, Setting


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:  # noqa: ARG001
    return contender(name, problem, mode)


def contender(name: str, problem: Problem, mode: str, lengths: Tensor | None = None) -> Contender:
    """Our layer on a problem, over whole rows or up to their lengths (N,)."""
    layer = problem.layer
    if mode == "infer":

        @torch.inference_mode()
        def infer() -> Tensor:
            return layer(problem.x, lengths=lengths).outputs

        return Contender(name, infer, Answer)
    parameters = layer.cell_parameters()
    x = problem.x.clone().requires_grad_()
    leaves = (x, *parameters.values())

    def train() -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs = layer(x, lengths=lengths).outputs
        return outputs, torch.autograd.grad(outputs, leaves, problem.dy)

    def answer(result: tuple[Tensor, tuple[Tensor, ...]]) -> Answer:
        outputs, gradients = result
        return Answer(outputs.detach(), dict(zip(("x", *parameters), gradients, strict=True)))

    return Contender(name, train, answer)
