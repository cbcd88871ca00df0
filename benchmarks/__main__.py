"""``python -m benchmarks THEME``: measure, print the tables, write both result files."""

import datetime
import sys
from importlib import import_module

import torch

from benchmarks.gate import GateRed
from benchmarks.machine import use_cores
from benchmarks.options import Options, read
from benchmarks.progress import say
from benchmarks.report import paths


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 a red gate, 2 wrong use."""
    options = read(arguments)
    if complaint := _prepare(options):
        say(complaint)
        return 2
    try:
        report = import_module(f"benchmarks.themes.{options.theme}").run(options)
    except GateRed as red:
        say(f"the gate is red, so there are no figures:\n{red}")
        return 1
    print(report.text())
    for path in report.write(options.out):
        say(f"wrote {path}")
    return 0


def _prepare(options: Options) -> str:
    """Bind the process to its cores; returns what stands in the way, or nothing."""
    date = datetime.date.today().isoformat()
    there = [path for path in paths(options.out, options.theme, date) if path.exists()]
    if there and not options.force:
        return f"{there[0]} is there already; --force writes over it, --out goes elsewhere."
    try:
        use_cores(options.threads)
    except ValueError as error:
        return str(error)
    torch.set_num_threads(options.threads)
    return ""


if __name__ == "__main__":
    sys.exit(main())
