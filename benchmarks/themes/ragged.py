"""Ragged batches: lengths in our layer against torch.nn with a PackedSequence, packing and unpacking in the time."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.cases import MODES, Case, Problem
from benchmarks.contender import Answer, Contender
from benchmarks.gate import GRADIENTS, OUTPUTS, SMALL, GateRed, complaints, run_tests, truth
from benchmarks.machine import describe
from benchmarks.options import Options
from benchmarks.peers import ours
from benchmarks.peers.torch_nn import gradients_by_our_names, module_of
from benchmarks.progress import Progress
from benchmarks.report import Report, Table, milliseconds, ratio
from benchmarks.timing import interleave

CELLS = ("lstm", "gru_reset_after")
SHAPE = (1000, 32, 128, 128)
QUICK_SHAPE = (200, 16, 64, 64)
OURS, PACKED, DENSE = "unrolled, lengths", "torch.nn, PackedSequence", "unrolled, dense"


def draw_lengths(case: Case, seed: int) -> Tensor:
    """Uniform in 1..T, (N,)."""
    return torch.randint(1, case.T + 1, (case.N,), generator=torch.Generator().manual_seed(seed))


def run(options: Options) -> Report:
    """Gate, measure, sum up."""
    cells = [cell for cell in CELLS if cell in options.cells]
    for cell in cells:
        for mode in MODES:
            _check(cell, mode, options.seed)
    gate = f"{2 * len(cells) * len(MODES)} ragged runs equal the plain loop in double precision"
    report = Report("ragged", describe(options.threads, options.seed), f"{gate}; {run_tests(options.skip_tests)}")
    progress = Progress(len(cells) * len(MODES))
    for cell in cells:
        case = Case(cell, *(QUICK_SHAPE if options.quick else SHAPE))
        for mode in MODES:
            row = _measure(case, mode, options)
            report.rows.append(row)
            progress.step(f"{case.name} {mode}: peer / ours {ratio(row['ratio'])}")
    report.tables.append(_table(report.rows))
    return report


def contenders(problem: Problem, mode: str, lengths: Tensor) -> list[Contender]:
    """Ours ragged, torch.nn packed, ours dense."""
    ragged = ours.contender(OURS, problem, mode, lengths)
    return [ragged, _packed(problem, mode, lengths), ours.contender(DENSE, problem, mode)]


def _packed(problem: Problem, mode: str, lengths: Tensor) -> Contender:
    module, steps = module_of(problem.layer), problem.case.T

    def forward(x: Tensor) -> Tensor:
        packed, _ = module(pack_padded_sequence(x, lengths, enforce_sorted=False))
        return pad_packed_sequence(packed, total_length=steps)[0]  # (T, N, H)

    x, dy = problem.x_by_time.clone(), problem.dy_by_time
    if mode == "infer":

        @torch.inference_mode()
        def infer() -> Tensor:
            return forward(x)

        return Contender(PACKED, infer, lambda outputs: Answer(outputs.transpose(0, 1)))
    leaves = (x.requires_grad_(), *module.parameters())

    def train() -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs = forward(x)
        return outputs, torch.autograd.grad(outputs, leaves, dy)

    def answer(result: tuple[Tensor, tuple[Tensor, ...]]) -> Answer:
        outputs, (dx, *gradients) = result
        named = gradients_by_our_names(problem.case.cell, gradients)
        return Answer(outputs.detach().transpose(0, 1), {"x": dx.transpose(0, 1), **named})

    return Contender(PACKED, train, answer)


def _check(cell: str, mode: str, seed: int) -> None:
    case = Case(cell, *SMALL)
    problem, lengths = Problem(case, seed), draw_lengths(case, seed)
    expected = truth(problem, mode, lengths)
    wrong = [
        line
        for one in contenders(problem, mode, lengths)
        if one.name != DENSE
        for line in complaints(f"{cell}, {mode}, {one.name}", one.answer(one.run()), expected, OUTPUTS, GRADIENTS)
    ]
    if wrong:
        raise GateRed("\n".join(wrong))


def _measure(case: Case, mode: str, options: Options) -> dict[str, Any]:
    lengths = draw_lengths(case, options.seed)
    ready = contenders(Problem(case, options.seed), mode, lengths)
    for one in ready:
        one.run()
    measured = interleave(ready, options.rounds)
    valid, steps = int(lengths.sum()), case.N * case.T
    return {
        **vars(case),
        "mode": mode,
        "valid_steps": valid,
        "steps": steps,
        "ratio": measured[PACKED].median / measured[OURS].median,
        "valid_step_over_dense_step": measured[OURS].median / valid / (measured[DENSE].median / steps),
        "seconds": {name: vars(one) for name, one in measured.items()},
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    header = ("cell", "T", "N", "D", "H", "mode", "valid steps", "ours ms", "PackedSequence ms", "peer / ours")
    header += ("ours dense ms", "time per valid step / per dense step")
    lines = [
        [row["cell"], *(str(row[size]) for size in "TNDH"), row["mode"], f"{row['valid_steps'] / row['steps']:.0%}"]
        + [milliseconds(row["seconds"][name]["median"]) for name in (OURS, PACKED)]
        + [ratio(row["ratio"]), milliseconds(row["seconds"][DENSE]["median"])]
        + [ratio(row["valid_step_over_dense_step"])]
        for row in rows
    ]
    return Table("Every row", header, lines)
