"""Peak resident memory of training against T: what a step takes beyond input, output and their gradients."""

import inspect
import json
import subprocess
import sys
from math import isqrt
from pathlib import Path
from typing import Any

from benchmarks.gate import check, run_tests
from benchmarks.machine import describe
from benchmarks.memory_probe import CHECKPOINTED, OURS, TORCH
from benchmarks.options import Options
from benchmarks.progress import Progress
from benchmarks.report import Report, Table
from unrolled.layers.recurrent import Recurrent

STEPS = (500, 1000, 2000, 5000, 10000, 20000)
QUICK_STEPS = (500, 1000, 2000)
BATCH, SIZE = 8, 256


def run(options: Options) -> Report:
    """Gate, measure in a fresh process for each figure, sum up."""
    check([("lstm", "train", name) for name in ("unrolled", "torch.nn")], options.setting)
    gate = f"both layers equal the plain loop in double precision; {run_tests(options.skip_tests)}"
    report = Report("memory", describe(options.threads, options.seed), gate)
    variants = [OURS, CHECKPOINTED, TORCH]
    if "checkpoint" not in inspect.signature(Recurrent).parameters:
        variants.remove(CHECKPOINTED)
        report.notes.append(f"{CHECKPOINTED}: Recurrent has no argument `checkpoint` in this version")
    report.notes.append(f"LSTM, N = {BATCH}, D = H = {SIZE}; a checkpoint each sqrt(T) steps, where there are any")
    all_steps = QUICK_STEPS if options.quick else STEPS
    progress = Progress(len(all_steps) * len(variants))
    for steps in all_steps:
        row: dict[str, Any] = {"T": steps, "N": BATCH, "H": SIZE, "bytes": {}, "left_out": {}}
        for variant in variants:
            _probe(variant, steps, options, row)
            progress.step(f"T={steps} {variant}: {row['bytes'].get(variant, row['left_out'].get(variant))}")
        report.rows.append(row)
    report.tables.append(_table(report.rows, variants))
    report.notes += [f"T={row['T']}, {who}: {why}" for row in report.rows for who, why in row["left_out"].items()]
    return report


def _probe(variant: str, steps: int, options: Options, row: dict[str, Any]) -> None:
    numbers = (steps, BATCH, SIZE, isqrt(steps), options.threads, options.seed)
    command = [sys.executable, "-m", "benchmarks.memory_probe", variant, *map(str, numbers)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        row["left_out"][variant] = f"exit code {done.returncode}: {(done.stderr.splitlines() or [''])[-1]}"
    else:
        row["bytes"][variant] = json.loads(done.stdout)


def _table(rows: list[dict[str, Any]], variants: list[str]) -> Table:
    def cell(row: dict[str, Any], variant: str, key: str) -> str:
        return f"{row['bytes'][variant][key] / 2**20:.1f}" if variant in row["bytes"] else "-"

    lines = [
        [str(row["T"]), cell(row, variants[0], "baseline"), *(cell(row, variant, "extra") for variant in variants)]
        for row in rows
    ]
    return Table("MiB beyond the baseline", ("T", f"baseline ({OURS})", *variants), lines)
