"""The gate before every figure: each contender against the plain loop in double precision, and the engine's tests."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.cases import Case, Problem
from benchmarks.contender import Answer, Contender, LeftOut, Setting, errors
from benchmarks.peers.table import OURS, build
from benchmarks.progress import say
from unrolled.engine.scan import scan

OUTPUTS, GRADIENTS = 1e-5, 1e-4
"""The most that single precision may be away from the loop in double, relative and norm-wise (docs: numbers that must
hold)."""
WHOLE_OUTPUTS, WHOLE_GRADIENTS = 1e-3, 1e-2
"""The most that a contender may be away from ours at full size, both in single precision: roundings of thousands of
steps grow, a mix-up is larger by far."""
SMALL = (7, 3, 5, 8)
"""T, N, D, H of the check."""


class GateRed(Exception):
    """A check or a test failed; no figure leaves the house."""


def truth(problem: Problem, mode: str, lengths: Tensor | None = None) -> Answer:
    """The plain loop in double precision."""
    parameters = {name: value.double().requires_grad_() for name, value in problem.parameters.items()}
    x = problem.x.double().requires_grad_()
    outputs = scan(problem.layer.cell, parameters, x, lengths=lengths, backend="loop").outputs
    if mode == "infer":
        return Answer(outputs.detach())
    gradients = torch.autograd.grad(outputs, (x, *parameters.values()), problem.dy.double())
    return Answer(outputs.detach(), dict(zip(("x", *parameters), gradients, strict=True)))


def complaints(name: str, actual: Answer, expected: Answer, outputs: float, gradients: float) -> list[str]:
    """What is too far away, one line each."""
    return [
        f"{name}: {what} is {error:.1e} away, and may be {limit:.0e}"
        for what, error in errors(actual, expected).items()
        if not error <= (limit := outputs if what == "outputs" else gradients)
    ]


def check_pair(cell: str, name: str, mode: str, setting: Setting) -> list[str]:
    """Compare one contender with the loop at a small size. LeftOut passes through where it does not run here."""
    problem = Problem(Case(cell, *SMALL), setting.seed)
    contender = build(name, problem, mode, setting)
    answer = contender.answer(contender.run())
    return complaints(f"{cell}, {mode}, {name}", answer, truth(problem, mode), OUTPUTS, GRADIENTS)


def check(pairs: Iterable[tuple[str, str, str]], setting: Setting) -> dict[tuple[str, str, str], str]:
    """Check every (cell, mode, contender); returns those that do not run here, with the reason.

    Raises:
        GateRed: something is wrong; all of it is named.
    """
    absent, wrong = {}, []
    for cell, mode, name in pairs:
        try:
            wrong += check_pair(cell, name, mode, setting)
        except LeftOut as reason:
            if name == OURS:
                raise
            absent[cell, mode, name] = str(reason)
    if wrong:
        raise GateRed("\n".join(wrong))
    return absent


def check_row(contenders: list[tuple[Contender, Answer]]) -> None:
    """At full size: every answer against the first, which is ours. Raises GateRed."""
    (_, ours), *others = contenders
    wrong = [
        line
        for contender, answer in others
        for line in complaints(contender.name, answer, ours, WHOLE_OUTPUTS, WHOLE_GRADIENTS)
    ]
    if wrong:
        raise GateRed("\n".join(wrong))


def run_tests(skip: bool) -> str:
    """The engine's tests, unless they are skipped; returns what the report says of them. Raises GateRed."""
    if skip:
        return "tests/engine was not run (--skip-tests)"
    say("gate: tests/engine")
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "pytest", "-q", "tests/engine", "-x"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GateRed(f"tests/engine is red:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return "tests/engine green"
