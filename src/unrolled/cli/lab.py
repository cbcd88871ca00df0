"""``unrolled lab``: what lectures claim of recurrent networks, each claim run as an experiment."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from unrolled.cli.watch import Watch, clock

if TYPE_CHECKING:
    from unrolled.lab.experiment import Experiment
    from unrolled.lab.runs import Plan

HELD = {True: "held here", False: "did not hold here", None: "cannot be told by so small a form"}
WIDTH = 140
"""Columns of a table that goes into a file or a pipe."""


def lab(
    name: Annotated[
        str | None, typer.Argument(metavar="[CLAIM]", help="L1 to L10, or all; without it the claims are listed.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Runs of each setting. Default: as the claim says.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small form: the direction, in seconds; no figures to quote.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="The data folder, for settings on real data; left out without it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for JSON, figures and finished runs.")] = Path("runs/lab"),
    force: Annotated[bool, typer.Option("--force", help="Make runs again that the folder holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run a claim of the lectures as an experiment, and see whether it holds here.

    A run that is finished is kept in the folder: the same command goes on where it was stopped. It ends with exit code
    1 where something that is well known (L1, L2, L3, L10) is not even seen in its direction.
    """
    if name is None:
        _list(as_json)
        return
    from unrolled.errors import UnrolledError
    from unrolled.lab.runs import Plan
    from unrolled.lab.table import find_experiments

    missed, reports = [], []
    with Watch() as watch:
        for experiment in find_experiments(name):
            count = seeds or experiment.seeds[quick]
            plan = Plan(experiment, quick, count, data)
            if not plan.settings and name.lower() == "all":
                print(f"{experiment.id}: left out, it reads {', '.join(plan.left_out)} (--data)", file=sys.stderr)
                continue
            document, files = _run(plan, out, force, watch)
            reports.append(document)
            if not as_json:
                _print(document)
            print(f"{experiment.id}: {' and '.join(map(str, files))}", file=sys.stderr)
            if experiment.robust and not document["verdict"]["expected"]:
                missed.append(experiment.id)
    if as_json:
        print(json.dumps(reports if len(reports) != 1 else reports[0], ensure_ascii=False))
    if missed:
        raise UnrolledError(f"{', '.join(missed)}: what is well known was not seen, not even in its direction.")


def _run(plan: "Plan", out: Path, force: bool, watch: Watch) -> tuple[dict[str, Any], list[Path]]:
    from unrolled.lab.report import report, stem_of, write_report
    from unrolled.lab.runs import Kept, make_runs

    path = out / f"{stem_of(plan)}.runs.jsonl"
    if force:
        path.unlink(missing_ok=True)
    runs = make_runs(plan, Kept(path), _showing(plan.experiment, watch))
    document = report(plan, runs)
    return document, write_report(document, plan, runs, out)


def _showing(experiment: "Experiment", watch: Watch) -> Callable[[str, float, float], None]:
    told = set[str]()

    def show(what: str, share: float, left: float) -> None:
        watch.show(experiment.id, share, f"{what}  {clock(left)} left" if left else what)
        if what not in told and not watch.console.is_terminal:
            watch.console.print(f"{what}{f', about {clock(left)} left' if left else ''}", markup=False)
        told.add(what)

    return show


def _list(as_json: bool) -> None:
    from unrolled.lab.table import EXPERIMENTS

    if as_json:
        rows = [{"id": one.id, "claim": one.claim, "source": one.source} for one in EXPERIMENTS.values()]
        print(json.dumps(rows, ensure_ascii=False))
        return
    for one in EXPERIMENTS.values():
        print(f"{one.id:4} {one.claim}\n     {one.measures}")
    print("Run one with: unrolled lab L1 --quick", file=sys.stderr)


def _print(document: dict[str, Any]) -> None:
    """The table and the verdict."""
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
    count = len(document["seeds"])
    how = f"{count} seed{'s' * (count > 1)}, {document['minutes']:g} minutes{', quick form' * document['quick']}"
    shown = Table(*document["table"]["columns"], title=f"{document['id']}: {document['claim']}", caption=how)
    for row in document["table"]["rows"]:
        shown.add_row(*row)
    console.print(shown, markup=False)
    if document["left_out"]:
        print(f"left out, for want of data (--data): {', '.join(document['left_out'])}")
    verdict = document["verdict"]
    print(f"{document['id']} {HELD[verdict['held']]}: {verdict['says']}.")
