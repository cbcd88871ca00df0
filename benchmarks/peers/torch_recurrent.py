"""torchrecurrent: the layers of the library that compute what a cell of ours computes."""

import torch
import torchrecurrent
from torch import Tensor, nn

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, Setting

GATES = {"lstm_peephole": ("_i", "_f", "_g", "_o"), "mgu": ("_f", "_h"), "indrnn": ("",)}
"""The order in which it stacks the gates."""
OWN = {"lstm_peephole": ("weight_ph", ("p_i", "p_f", "p_o")), "indrnn": ("vector_u", ("u",))}
"""Its parameter beside weights and biases, and ours that stand in it."""


def _module(problem: Problem) -> nn.Module:
    cell, sizes = problem.case.cell, (problem.case.D, problem.case.H)
    if cell == "lstm_peephole":
        module: nn.Module = torchrecurrent.PeepholeLSTM(*sizes)
    elif cell == "mgu":
        module = torchrecurrent.MGU(*sizes)
    else:
        module = torchrecurrent.IndRNN(*sizes, nonlinearity="relu")
    ours, theirs = problem.parameters, dict(module.cells[0].named_parameters())  # pyright: ignore
    stacked = {name: [ours[part] for part in parts] for name, parts in _parts(cell).items()}
    with torch.no_grad():
        for name, parameter in theirs.items():
            parameter.zero_() if name == "bias_hh" else parameter.copy_(torch.cat(stacked[name]))
    return module


def _parts(cell: str) -> dict[str, tuple[str, ...]]:
    """Which of our parameters stand, one behind the other, in each of its own but for the second bias, which is 0."""
    of = {"weight_ih": "W", "bias_ih": "b"} | ({} if cell == "indrnn" else {"weight_hh": "U"})
    parts = {name: tuple(f"{stem}{gate}" for gate in GATES[cell]) for name, stem in of.items()}
    if cell in OWN:
        name, own = OWN[cell]
        parts[name] = own
    return parts


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:  # noqa: ARG001
    module = _module(problem)
    x, dy = problem.x_by_time.clone(), problem.dy_by_time
    if mode == "infer":

        @torch.inference_mode()
        def infer() -> Tensor:
            return module(x)[0]

        return Contender(name, infer, lambda outputs: Answer(outputs.transpose(0, 1)))
    named = dict(module.cells[0].named_parameters())  # pyright: ignore
    leaves = (x.requires_grad_(), *named.values())

    def train() -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs = module(x)[0]
        return outputs, torch.autograd.grad(outputs, leaves, dy)

    def answer(result: tuple[Tensor, tuple[Tensor, ...]]) -> Answer:
        outputs, (dx, *gradients) = result
        whole = dict(zip(named, gradients, strict=True))
        ours = {
            part: block
            for key, parts in _parts(problem.case.cell).items()
            if key in whole
            for part, block in zip(parts, whole[key].chunk(len(parts)), strict=True)
        }
        return Answer(outputs.detach().transpose(0, 1), {"x": dx.transpose(0, 1), **ours})

    return Contender(name, train, answer)
