"""One step of a stream at batch 1: how long until its output is there, in the middle and at the 99th percentile."""

import time
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.cases import Case, Problem
from benchmarks.contender import relative_error
from benchmarks.gate import OUTPUTS, GateRed, run_tests, truth
from benchmarks.machine import describe
from benchmarks.options import Options
from benchmarks.peers.table import OURS, PEERS, missing
from benchmarks.peers.torch_nn import GATES, module_of
from benchmarks.progress import Progress
from benchmarks.report import Report, Table, microseconds, ratio
from benchmarks.timing import no_collection, wait_until_quiet

CELLS = ("lstm", "gru_reset_after", "gru", "elman")
HIDDEN = (64, 128, 256)
STEPS = 64
"""Different inputs, taken in a circle."""
CALLS, BLOCK, WARM = 2000, 100, 10
"""Timed calls of each; so many in a row before the next one's turn; so many uncounted ones before each block."""
QUICK_CALLS = 400

HANDED = "unrolled, state in and out"

Step = Callable[[int], Any]
"""Takes the number of an input of the circle, keeps the state, returns what the user would."""


def run(options: Options) -> Report:
    """Gate, measure, sum up."""
    cells, hidden = [cell for cell in CELLS if cell in options.cells], HIDDEN[:1] if options.quick else HIDDEN
    checked = sum(_check(cell, options) for cell in cells)
    gate = f"{checked} streams equal the plain loop in double precision; {run_tests(options.skip_tests)}"
    report = Report("step", describe(options.threads, options.seed), gate)
    progress = Progress(len(cells) * len(hidden))
    for cell in cells:
        for size in hidden:
            problem = Problem(Case(cell, STEPS, 1, size, size), options.seed)  # parameters as training leaves them
            with torch.inference_mode():
                streams = streams_of(problem, options.threads)
                times = _interleave(streams, QUICK_CALLS if options.quick else CALLS)
            report.rows.append(_row(cell, size, times))
            progress.step(
                f"{cell} H={size}: {', '.join(f'{n} {microseconds(median(t))} us' for n, t in times.items())}"
            )
    report.tables.append(_table(report.rows))
    if reason := missing("onnxruntime"):
        report.notes.append(f"onnxruntime: {reason}")
    return report


def streams_of(problem: Problem, threads: int) -> dict[str, Step]:
    """Every contender, its state at the start."""
    cell = problem.case.cell
    streams: dict[str, Step] = {OURS: _ours(problem), HANDED: _handed(problem)}
    if not missing("onnxruntime") and cell in PEERS["onnxruntime"].cells:
        streams["onnxruntime"] = _onnx(problem, threads)
    if cell in GATES:
        streams["torch.nn cell"] = _torch_cell(problem)
        streams["torch.nn, T = 1"] = _torch_layer(problem)
    return streams


def _inputs(problem: Problem) -> list[Tensor]:
    return [problem.x[:, t].clone() for t in range(problem.case.T)]  # (1, D) each


def _ours(problem: Problem) -> Step:
    stream, inputs = problem.layer.stream(), _inputs(problem)
    return lambda t: stream(inputs[t])


def _handed(problem: Problem) -> Step:
    """Ours with the state handed in and out at each step."""
    layer, inputs, state = problem.layer, _inputs(problem), problem.layer.initial_state(1)

    def step(t: int) -> Tensor:
        nonlocal state
        outputs, state = layer.step(inputs[t], state)
        return outputs

    return step


def _torch_cell(problem: Problem) -> Step:
    whole, inputs = module_of(problem.layer), _inputs(problem)
    kind = {"lstm": nn.LSTMCell, "gru_reset_after": nn.GRUCell, "elman": nn.RNNCell}[problem.case.cell]
    module = kind(problem.case.D, problem.case.H)
    module.load_state_dict({name.removesuffix("_l0"): value for name, value in whole.state_dict().items()})
    zero = torch.zeros(1, problem.case.H)
    state: Any = (zero, zero) if problem.case.cell == "lstm" else zero

    def step(t: int) -> Tensor:
        nonlocal state
        state = module(inputs[t], state)
        return state[0] if isinstance(state, tuple) else state

    return step


def _torch_layer(problem: Problem) -> Step:
    module, inputs, state = module_of(problem.layer), [one.unsqueeze(0) for one in _inputs(problem)], None

    def step(t: int) -> Tensor:
        nonlocal state
        outputs, state = module(inputs[t], state)
        return outputs[0]

    return step


def _onnx(problem: Problem, threads: int) -> Step:
    onnx_session = import_module("benchmarks.peers.onnx_session")  # imports what may not be installed
    cell, size = problem.case.cell, problem.case.H
    session = onnx_session.session(onnx_session.model(cell, problem.parameters, size, with_state=True), threads)
    inputs = [one.unsqueeze(0).numpy() for one in _inputs(problem)]
    names = onnx_session.states_of(cell)
    states = [torch.zeros(1, 1, size).numpy() for _ in names]
    wanted, fed = ["Y", *(f"Y_{name}" for name in names)], [f"initial_{name}" for name in names]

    def step(t: int) -> Any:
        nonlocal states
        outputs, *states = session.run(wanted, {"X": inputs[t], **dict(zip(fed, states, strict=True))})
        return outputs

    return step


def _check(cell: str, options: Options) -> int:
    """Seven steps of each stream against the loop; returns how many streams there were."""
    problem = Problem(Case(cell, 7, 1, 5, 8), options.seed)
    expected = truth(problem, "infer").outputs[0]  # (T, H)
    with torch.inference_mode():
        streams = streams_of(problem, options.threads)
        for name, step in streams.items():
            outputs = torch.stack([torch.as_tensor(step(t)).reshape(-1).clone() for t in range(7)])
            if not (error := relative_error(outputs, expected)) <= OUTPUTS:
                raise GateRed(f"{cell}, {name}: the stream is {error:.1e} away, and may be {OUTPUTS:.0e}")
    return len(streams)


def _interleave(streams: dict[str, Step], calls: int) -> dict[str, list[float]]:
    """Blocks of calls in turns; the seconds of each call that counts."""
    times: dict[str, list[float]] = {name: [] for name in streams}
    clock = time.perf_counter
    with no_collection():
        for _ in range(calls // BLOCK):
            for name, step in streams.items():
                wait_until_quiet()
                for count in range(WARM + BLOCK):
                    start = clock()
                    step(count % STEPS)
                    taken = clock() - start
                    if count >= WARM:
                        times[name].append(taken)
    return times


def _row(cell: str, hidden: int, times: dict[str, list[float]]) -> dict[str, Any]:
    figures = {
        name: {"median": median(taken), "p99": sorted(taken)[int(0.99 * len(taken))], "samples": len(taken)}
        for name, taken in times.items()
    }
    peers = [name for name in figures if name not in (OURS, HANDED)]
    best = min(peers, key=lambda name: figures[name]["median"], default="")
    found = figures[best]["median"] / figures[OURS]["median"] if best else None
    return {"cell": cell, "H": hidden, "best": best, "ratio": found, "seconds": figures}


def _table(rows: list[dict[str, Any]]) -> Table:
    lines = [
        [row["cell"], str(row["H"]), name, microseconds(one["median"]), microseconds(one["p99"])]
        + [ratio(one["median"] / row["seconds"][OURS]["median"])]
        for row in rows
        for name, one in row["seconds"].items()
    ]
    return Table("Every row", ("cell", "H", "who", "median us", "99th percentile us", "time / ours"), lines)
