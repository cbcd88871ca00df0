"""The report of an experiment: one JSON document, and the figure beside it."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unrolled.lab.experiment import Run
from unrolled.lab.runs import Plan
from unrolled.model_folder import write_whole
from unrolled.tasks.fit import machine, versions

SCHEMA = "unrolled lab 1"


def report(plan: Plan, runs: Sequence[Run]) -> dict[str, Any]:
    """All that is known of an experiment that was run, JSON-able (:data:`SCHEMA`)."""
    one = plan.experiment
    table, verdict = one.table(runs), one.judge(runs)
    return {
        "schema": SCHEMA,
        "id": one.id,
        "claim": one.claim,
        "source": one.source,
        "measures": one.measures,
        "quick": plan.quick,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine("cpu"),
        "versions": versions(),
        "seeds": list(range(1, plan.seeds + 1)),
        "left_out": plan.left_out,
        "minutes": round(sum(run.seconds for run in runs) / 60, 2),
        "verdict": verdict._asdict(),
        "table": {"columns": list(table.columns), "rows": [list(row) for row in table.rows]},
        "runs": [run._asdict() for run in runs],
    }


def write_report(document: dict[str, Any], plan: Plan, runs: Sequence[Run], folder: Path) -> list[Path]:
    """Write the document and the figure; returns the files."""
    stem = stem_of(plan)
    figure = plan.experiment.draw(runs)
    count = len(document["seeds"])
    how = f"{count} seed{'s' * (count > 1)}, {document['date']}{', quick form' * plan.quick}"
    figure.suptitle(f"{plan.experiment.id}: {plan.experiment.claim}\n({how})", fontsize=11, wrap=True)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    files = [folder / f"{stem}.json", folder / f"{stem}.png"]
    write_whole(files[0], (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    write_whole(files[1], picture.getvalue())
    return files


def stem_of(plan: Plan) -> str:
    """What the files of an experiment are called: ``L2``, ``L2-quick``."""
    return f"{plan.experiment.id}{'-quick' * plan.quick}"
