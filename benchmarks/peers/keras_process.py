"""Keras in a process of its own for each backend: a backend is chosen before the first import, once for a process.

The processes live as long as the run. They take their turns like every other contender and time their own calls, so the
pipe between us costs them nothing.
"""

import multiprocessing
import os
from functools import cache, partial
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import torch

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, LeftOut, Setting
from benchmarks.packing import pack, unpack

STACKS = {
    "lstm": {"W": ("W_i", "W_f", "W_g", "W_o"), "U": ("U_i", "U_f", "U_g", "U_o"), "b": ("b_i", "b_f", "b_g", "b_o")},
    "gru": {"W": ("W_z", "W_r", "W_h"), "U": ("U_z", "U_r", "U_h"), "b": ("b_z", "b_r", "b_h")},
    "elman": {"W": ("W",), "U": ("U",), "b": ("b",)},
}
STACKS["gru_reset_after"] = STACKS["gru"]
"""Keras' kernel, recurrent kernel and bias: our gates in its order."""


class Worker:
    """The other process: asked for one thing at a time."""

    def __init__(self, backend: str, threads: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        spawn.Process(target=_begin, args=(backend, threads, theirs), daemon=True).start()
        theirs.close()

    def ask(self, *request: Any) -> Any:
        """The answer; LeftOut where the other side failed."""
        try:
            self.pipe.send(request)
            worked, answer = self.pipe.recv()
        except (EOFError, ConnectionError):
            raise LeftOut("its process ended") from None
        if not worked:
            raise LeftOut(answer)
        return answer


def _begin(backend: str, threads: int, pipe: Connection) -> None:
    """The first thing that the other process does: choose the backend, and only then import Keras."""
    os.environ["KERAS_BACKEND"] = backend
    torch.set_num_threads(threads)
    import_module("benchmarks.keras_worker").serve(pipe)


@cache
def worker(backend: str, threads: int) -> Worker:
    """The one process of a backend."""
    return Worker(backend, threads)


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:
    cell, other = problem.case.cell, worker(variant, setting.threads)
    packed = {key: value.clone() for key, value in pack(problem.parameters, STACKS[cell]).items()}
    if cell == "gru_reset_after":  # two rows: the input's bias and the recurrence's, where ours has but one gate of it
        second = torch.zeros_like(packed["b"])
        second[2 * problem.case.H :] = problem.parameters["c_h"]
        packed["b"] = torch.stack([packed["b"], second])
    weights = [packed[key].numpy() for key in ("W", "U", "b")]
    arrays = (weights, problem.x.numpy(), problem.dy.numpy())
    number = other.ask("build", cell, mode, *arrays)
    return Contender(
        name,
        partial(other.ask, "run", number),
        partial(_answer, cell, problem.case.H, other, number),
        partial(other.ask, "time", number),
    )


def _answer(cell: str, hidden: int, other: Worker, number: int, result: Any) -> Answer:  # noqa: ARG001
    outputs, gradients = other.ask("answer", number)
    if gradients is None:
        return Answer(torch.from_numpy(outputs))
    dx, w, u, b = (torch.from_numpy(one) for one in gradients)
    named = unpack({"W": w, "U": u, "b": b[0] if b.dim() == 2 else b}, STACKS[cell])
    if cell == "gru_reset_after":
        named["c_h"] = b[1, 2 * hidden :]
    return Answer(torch.from_numpy(outputs), {"x": dx, **named})
