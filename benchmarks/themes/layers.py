"""Whole sequences through one layer, training and inference: ours against every peer of the same function."""

import time
from collections import defaultdict
from typing import Any

from benchmarks.cases import MODES, Case, Problem
from benchmarks.contender import Contender, LeftOut
from benchmarks.gate import check, check_row, run_tests
from benchmarks.machine import describe
from benchmarks.options import Options
from benchmarks.peak import peak
from benchmarks.peers.table import OURS, build, missing, peers_of
from benchmarks.progress import Progress, say
from benchmarks.report import Report, Table, geometric_mean, milliseconds, ratio
from benchmarks.timing import Measured, interleave

Absent = dict[tuple[str, str, str], str]
"""Why a contender does not run: by cell, mode and name."""


def run(options: Options) -> Report:
    """Gate, measure, sum up."""
    pairs = [
        (cell, mode, name) for cell in options.cells for mode in MODES for name in contenders_of(options, cell, mode)
    ]
    say(f"gate: {len(pairs)} checks against the plain loop in double precision (some compile)")
    absent = check(pairs, options.setting)
    tests = run_tests(options.skip_tests)
    gate = f"{len(pairs) - len(absent)} contenders equal the plain loop in double precision; {tests}"
    report = Report("layers", describe(options.threads, options.seed), gate)
    try:
        _measure(options, absent, report)
    except KeyboardInterrupt:
        report.notes.append(f"stopped by hand after {len(report.rows)} rows")
    _sum_up(options, report, absent)
    return report


def contenders_of(options: Options, cell: str, mode: str) -> list[str]:
    """Ours, and the peers that were asked for."""
    return [OURS, *(name for name in peers_of(cell, mode) if name in options.peers)]


def _measure(options: Options, absent: Absent, report: Report) -> None:
    """Add a row for each cell, shape and mode; each gets its share of the minutes that are left."""
    rows = [(Case(cell, *shape), mode) for cell in options.cells for shape in options.shapes for mode in MODES]
    progress, end = Progress(len(rows)), time.monotonic() + 60 * options.minutes
    for index, (case, mode) in enumerate(rows):
        share = (end - time.monotonic()) / (len(rows) - index)
        row = measure_row(case, mode, options, absent, share)
        report.rows.append(row)
        best = f"{row['best']} {milliseconds(row['seconds'][row['best']]['median'])} ms" if row["best"] else "no peer"
        progress.step(f"{case.name} {mode}: ours {milliseconds(row['seconds'][OURS]['median'])} ms, {best}")


def measure_row(case: Case, mode: str, options: Options, absent: Absent, share: float) -> dict[str, Any]:
    """One row: build and warm up, check at full size, take turns for about ``share`` seconds."""
    start = time.monotonic()
    problem, left_out = Problem(case, options.seed), {}
    ready, answered = [], []
    for name in contenders_of(options, case.cell, mode):
        try:
            if reason := absent.get((case.cell, mode, name)):
                raise LeftOut(reason)
            contender = build(name, problem, mode, options.setting)
            answered.append((contender, contender.answer(contender.run())))
            ready.append(contender)
        except LeftOut as reason:
            left_out[name] = str(reason)
    check_row(answered)
    answered.clear()
    height = peak(options.threads).sample()
    measured = _timed(ready, options.rounds, share - (time.monotonic() - start))
    return _row(case, mode, measured, left_out, height)


def _timed(ready: list[Contender], least: int, seconds: float) -> dict[str, Measured]:
    return interleave(ready, least, max(seconds, 0.0) / len(ready))


def _row(
    case: Case, mode: str, measured: dict[str, Measured], left_out: dict[str, str], height: float
) -> dict[str, Any]:
    ours = measured[OURS].median
    peers = {name: one.median for name, one in measured.items() if name != OURS}
    best = min(peers, key=lambda name: peers[name]) if peers else ""
    return {
        "cell": case.cell,
        "T": case.T,
        "N": case.N,
        "D": case.D,
        "H": case.H,
        "mode": mode,
        "flops": case.flops(mode),
        "gflops": case.flops(mode) / ours / 1e9,
        "peak_gflops": height,
        "best": best,
        "ratio": peers[best] / ours if best else None,
        "seconds": {name: vars(one) for name, one in measured.items()},
        "left_out": left_out,
    }


def _sum_up(options: Options, report: Report, absent: Absent) -> None:
    """The tables and notes of all rows."""
    height = peak(report.machine["threads"]).best if report.rows else 0.0
    sizes = ("T", "N", "D", "H")
    main = [
        [row["cell"], *(str(row[size]) for size in sizes), row["mode"]]
        + [milliseconds(row["seconds"][OURS]["median"])]
        + ([row["best"], milliseconds(row["seconds"][row["best"]]["median"])] if row["best"] else ["none", "-"])
        + [ratio(row["ratio"]) if row["best"] else "-", f"{row['gflops']:.1f}", f"{row['gflops'] / height:.1%}"]
        for row in report.rows
    ]
    header = ("cell", *sizes, "mode", "ours ms", "best peer", "its ms", "peer / ours", "GFLOP/s", "of peak")
    report.tables = [Table("Every row", header, main), *_means(report.rows)]
    lacking = {name: reason for name in options.peers if (reason := missing(name))}
    report.notes += [f"peak of the machine in this run, threads: {report.machine['threads']}: {height:.0f} GFLOP/s"]
    report.notes += [f"{name}: {reason}" for name, reason in lacking.items()]
    report.notes += [
        f"{name}, {cell}, {mode}: {reason}" for (cell, mode, name), reason in absent.items() if name not in lacking
    ]
    report.notes += _left_out(report.rows, absent)


def _means(rows: list[dict[str, Any]]) -> list[Table]:
    """Geometric means of peer / ours: against the best peer of each row, and against each peer."""
    by_cell, by_mode, by_peer = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in rows:
        if not row["best"]:
            continue
        by_cell[row["cell"], row["mode"]].append(row["ratio"])
        by_mode[row["mode"]].append(row["ratio"])
        for name, one in row["seconds"].items():
            if name != OURS:
                by_peer[name, row["mode"]].append(one["median"] / row["seconds"][OURS]["median"])

    def lines(means: dict[Any, list[float]]) -> list[list[str]]:
        return [
            [*(key if isinstance(key, tuple) else (key,)), str(len(all_)), ratio(geometric_mean(all_))]
            for key, all_ in means.items()
        ]

    figure = ("rows", "peer / ours, geometric mean")
    return [
        Table("By mode, against the best peer of each row", ("mode", *figure), lines(by_mode)),
        Table("By cell and mode, against the best peer of each row", ("cell", "mode", *figure), lines(by_cell)),
        Table("By peer", ("peer", "mode", *figure), lines(by_peer)),
    ]


def _left_out(rows: list[dict[str, Any]], absent: Absent) -> list[str]:
    """Who was left out of single rows, and why; once for each reason."""
    where = defaultdict(list)
    for row in rows:
        for name, reason in row["left_out"].items():
            if (row["cell"], row["mode"], name) not in absent:
                where[name, reason].append(f"{row['cell']} T={row['T']} N={row['N']} H={row['H']} {row['mode']}")
    return [f"{name}: {reason} ({len(rows)} rows: {', '.join(rows)})" for (name, reason), rows in where.items()]
