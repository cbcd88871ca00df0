"""Search, clamp and comparison of a model of each task, on what it reads."""

from pathlib import Path

import pytest
import torch

from tasks.contract import trained
from tasks.samples import CASES
from tasks.test_inspect import looked_at
from unrolled.inspection.clamp import Hold, effect
from unrolled.inspection.compare import compare
from unrolled.inspection.units import search, values_of, windows

ONE_EACH = {case.kind.TASK: name for name, case in reversed(CASES.items())}


@pytest.mark.parametrize("name", ONE_EACH.values(), ids=ONE_EACH)
def test_units_of_every_task(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    model = trained(case, tmp_path)
    for part in model.PARTS:
        subject = model.subject(looked_at(name), part=part)
        layer, steps = subject.layer, len(subject.steps)
        where = f"0.forward.{layer.cell.states[0]}"
        values = values_of(windows(layer, subject.x, subject.state), where)
        assert len(values) == steps
        if steps > 1:
            (best,) = search(lambda: windows(layer, subject.x, subject.state), values[:, 1], 1)  # noqa: B023 (called here)
            assert abs(best.correlation) == pytest.approx(1.0, abs=1e-4)
        found = effect(subject, [Hold(where, 5.0, [0])])
        assert not torch.equal(found.outputs, found.outputs_held)
        assert found.row()["largest_change_of_an_output"] > 0
        itself = compare(subject, subject)
        assert torch.equal(*itself.losses)
        assert itself.agree in (None, 1.0)
