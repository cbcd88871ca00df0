"""Two models on one input: by hand where they differ, a model beside itself, alignment against its definition."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch import Tensor

from inspection.test_clamp import planted_subject
from unrolled.errors import UsageError
from unrolled.inspection.clamp import Hold, run_held
from unrolled.inspection.compare import alignment, compare
from unrolled.inspection.examine import Subject


def broken_subject() -> Subject:
    """The planted network with its unit's way of keeping itself cut: it is up at the opening mark alone."""
    subject, layer, _ = planted_subject("elman_sigmoid")
    with torch.no_grad():
        layer.cell_parameters()["U"].zero_()
    return subject


def test_a_model_beside_itself() -> None:
    subject, layer, x = planted_subject("lstm")
    found = compare(subject, subject)
    assert found.agree == 1.0
    assert torch.equal(*found.losses)
    names = [f"0.forward.{gate}{end}" for gate in "ifgo" for end in ("", "_pre")] + ["0.forward.c", "0.forward.h"]
    assert {one.where for one in found.quantities} == set(names)
    for one in found.quantities:
        assert one.alike == pytest.approx(1.0)
        assert one.difference == 0.0
        assert one.means[0] == one.means[1]
        assert one.saturated[0] == one.saturated[1]
    recorded = layer(x, record=["f"]).recorded["0.forward.f"].detach()
    (gate,) = [one for one in found.quantities if one.where == "0.forward.f"]
    assert gate.means[0] == pytest.approx(float(recorded.mean()))
    assert gate.saturated[0] == pytest.approx(float(((recorded < 0.1) | (recorded > 0.9)).double().mean()))


def test_where_two_models_differ() -> None:
    good, bad = planted_subject("elman_sigmoid")[0], broken_subject()
    found = compare(good, bad, most=3)
    inside = [step for step, one in enumerate(good.wanted) if one]
    marks = [step for step, one in enumerate(good.steps) if one == "“"]
    wrong = [step for step in inside if step not in marks]
    assert found.agree == pytest.approx(1 - len(wrong) / len(good.steps))
    assert [one.step for one in found.steps] == wrong[:3]
    for one in found.steps:
        assert one.at == good.steps[one.step]
        assert one.losses[0] == pytest.approx(float(found.losses[0][one.step]))
        assert one.losses[1] > 6.0 > 0.01 > one.losses[0]
        assert (one.tops[0][0], one.tops[1][0]) == ("in", "out")
    row = json.loads(json.dumps(found.row()))
    assert row["losses"][0] == pytest.approx(float(found.losses[0].mean()))
    assert len(row["losses_by_step"][1]) == len(good.steps)
    assert row["steps"][0]["tops"][1][0] == "out"


def test_a_held_run_is_the_comparison_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    one, layer, x = planted_subject("elman_sigmoid")
    other, again, _ = planted_subject("elman_sigmoid")
    holds = [Hold("0.forward.h", 0.0, [2])]
    wanted = run_held(layer, x, holds).outputs
    monkeypatch.setattr(again, "forward", lambda x, state=None: run_held(layer, x, holds, state))
    found = compare(one, other)
    assert torch.equal(found.losses[1], one.loss(wanted)[0])


def test_different_quantities_and_sizes() -> None:
    found = compare(planted_subject("lstm")[0], planted_subject("elman_sigmoid")[0])
    assert [one.where for one in found.quantities] == ["0.forward.h"]
    assert found.quantities[0].difference is not None


def test_different_steps_are_refused() -> None:
    subject, *_ = planted_subject("lstm")
    other = dataclasses.replace(subject, steps=["?", *subject.steps[1:]])
    with pytest.raises(UsageError, match="read the same steps"):
        compare(subject, other)


def test_one_loss_for_a_sequence() -> None:
    subject, *_ = planted_subject("lstm")
    whole = dataclasses.replace(subject, loss=None, predict=None, whole_loss=lambda found: found.outputs.sum())
    found = compare(whole, whole)
    assert found.agree is None
    assert found.steps == []
    assert tuple(found.losses[0].shape) == (1,)


def test_alignment_is_that_of_its_definition() -> None:
    torch.manual_seed(0)
    one, other = torch.randn(12, 3, dtype=torch.float64), torch.randn(12, 5, dtype=torch.float64)

    def centred(values: Tensor) -> np.ndarray:
        kernel = values.numpy() @ values.numpy().T
        middle = np.eye(12) - 1 / 12
        return middle @ kernel @ middle

    k, l = centred(one), centred(other)  # noqa: E741 (the paper's letters)
    wanted = np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))
    assert alignment(one, other) == pytest.approx(wanted)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    assert alignment(one, one @ torch.from_numpy(rotation)) == pytest.approx(1.0)
    assert alignment(one, torch.ones(12, 2)) == 0.0
