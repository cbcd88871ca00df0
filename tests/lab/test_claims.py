"""Every experiment runs whole at a tiny size; its judge says yes and no to runs that were planted."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
import torch

from lab.planted import planted
from unrolled.errors import UsageError
from unrolled.lab.claims.gates import EQUAL, compared
from unrolled.lab.claims.windows import NETS, build
from unrolled.lab.experiment import Bench, Experiment, Run, Setting, name_of
from unrolled.lab.real import run_real, setting_of
from unrolled.lab.report import report, write_report
from unrolled.lab.runs import Kept, Plan, make_runs
from unrolled.lab.table import EXPERIMENTS, find_experiments
from unrolled.layers.recurrent import Recurrent

SMALL = {
    "steps": 3,
    "batch": 4,
    "hidden": 4,
    "longest": 3,
    "pairs": 100,
    "tested": 2,
    "parameters": 900,
    "examples": 30,
}


def tiny(experiment: Experiment) -> Experiment:
    """The quick form with three updates of networks of no use."""

    def grid(quick: bool) -> list[Setting]:
        return [{name: SMALL.get(name, value) for name, value in one.items()} for one in experiment.grid(quick)]

    return Experiment(**{**vars(experiment), "grid": grid})


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_runs_whole(name: str, tmp_path: Path) -> None:
    plan = Plan(tiny(EXPERIMENTS[name]), True, 2 if name == "L6" else 1, None)
    runs = make_runs(plan, Kept(tmp_path / "runs.jsonl"), lambda what, share, left: None)
    again = make_runs(plan, kept := Kept(tmp_path / "runs.jsonl"), lambda what, share, left: None)
    assert [kept.get(run.setting, run.seed) for run in runs] == again
    document = report(plan, runs)
    assert report(plan, again) == document, "what is read from the file is what was made"
    written, picture = write_report(document, plan, runs, tmp_path)
    assert json.loads(written.read_text()) == json.loads(json.dumps(document))
    assert document["id"] == name
    assert document["seeds"] == list(range(1, plan.seeds + 1))
    assert all(len(row) == len(document["table"]["columns"]) for row in document["table"]["rows"])
    assert all(isinstance(cell, str) for row in document["table"]["rows"] for cell in row)
    assert document["verdict"]["says"]
    assert {"processor", "threads"} <= document["machine"].keys()
    pixels = matplotlib.image.imread(picture)
    assert min(pixels.shape[:2]) > 400
    assert float(pixels[..., :3].std()) > 0.03, "the figure is empty"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_full_form(name: str) -> None:
    experiment = EXPERIMENTS[name]
    settings = experiment.grid(False)
    names = [name_of(setting) for setting in settings]
    assert len(set(names)) == len(names) >= len(experiment.grid(True))
    assert not set(names) & {name_of(setting) for setting in experiment.grid(True)}
    assert all(experiment.cost(setting) > 0 for setting in settings)
    assert experiment.seeds[0] >= (10 if name == "L6" else 3)


def test_all_claims_are_there() -> None:
    assert list(EXPERIMENTS) == [f"L{number}" for number in range(1, 11)]
    assert [one.id for one in EXPERIMENTS.values() if one.robust] == ["L1", "L2", "L3", "L10"]
    assert find_experiments("all") == list(EXPERIMENTS.values())
    assert find_experiments("l2") == [EXPERIMENTS["L2"]]
    with pytest.raises(UsageError, match="no experiment 'L11'; there are L1, L2"):
        find_experiments("L11")


def lags_up_to(reach: int, factor: float = 0.5) -> Callable[[Setting, int], dict[str, Any]]:
    """The default start learns lags up to ``reach``, others all; its gradient changes by ``factor`` a step."""

    def result(setting: Setting, _seed: int) -> dict[str, Any]:
        own = setting["start"] == "default"
        seen = {"lags": [0, 9], "share": [1.0, factor**9], "factor": factor, "horizon": 7}
        return {"solved": 30 if not own or setting["lag"] <= reach else None, "before": seen}

    return result


def scores(**by: Mapping[str, float]) -> Callable[[Setting, int], dict[str, Any]]:
    """A score by one part of the setting, a little apart by seed; counted as solved below a hundredth."""
    ((part, values),) = by.items()

    def result(setting: Setting, seed: int) -> dict[str, Any]:
        value = values[setting[part]] * (1 + seed / 1000)
        return {"score": value, "metric": value, "solved": 10 if value < 0.01 else None, "loss": value}

    return result


def whole_by(factor: float, apart: float = 0.0) -> Callable[[Setting, int], dict[str, Any]]:
    found = {"apart": apart, "whole_apart": 0.0, "lags": [10, 40], "product": [1.0, 1.0], "direct": [1.0, 1.0]}
    return lambda setting, seed: found | {"whole": [factor, factor]}


def fading(growth: float, elman: int) -> Callable[[Setting, int], dict[str, Any]]:
    def result(setting: Setting, _seed: int) -> dict[str, Any]:
        seen = {"lags": [0, 9], "share": [1.0, 0.1], "factor": 0.8, "horizon": 80}
        if setting["net"] == "Elman":
            seen["horizon"] = elman
        if setting["net"] == "LSTM, large U":
            seen["share"] = [1.0, growth]
        return {"before": seen}

    return result


def reaching(updates: Mapping[str, int]) -> Callable[[Setting, int], dict[str, Any]]:
    """Losses of 1 after so many updates, at the middle rate only; 2 before."""

    def result(setting: Setting, _seed: int) -> dict[str, Any]:
        last = 1.0 if setting["rate"] == 3e-3 else 1.5
        return {"curve": [[5, 0.1, 2.0], [updates[setting["activation"]], 0.2, last]], "metric": 0.5}

    return result


def by_layers(deeper: float) -> Callable[[Setting, int], dict[str, Any]]:
    def result(setting: Setting, _seed: int) -> dict[str, Any]:
        gain = 0.0 if setting["layers"] < 3 else 0.1 if setting["layers"] == 3 else 0.1 + deeper
        return {"metric": 0.8 * (1 + gain) if setting["task"] == "names" else 2.0 * (1 - gain)}

    return result


def by_length(without: float, looking: float) -> Callable[[Setting, int], dict[str, Any]]:
    def result(setting: Setting, _seed: int) -> dict[str, Any]:
        long = without if setting["attention"] == "none" else looking
        return {"errors": [(1, 0.01), (2, 0.02), (3, long)]}

    return result


FAIR = {"LSTM": 1.0, "GRU": 1.0, "GRU, reset after": 1.0, "Elman": 1.0}
WIDE = {"window MLP": 0.4, "causal CNN": 0.4, "dilated CNN": 0.6, "LSTM, chrono": 0.9}
SOLVING = {"LSTM, chrono": 1e-3, "LSTM": 0.1, "GRU": 0.1, "Elman": 0.16, "Elman, orthogonal": 0.16}

PLANTED = [
    ("L1", lags_up_to(10), True, True),
    ("L1", lags_up_to(5), True, True),
    ("L1", lags_up_to(100), False, True),
    ("L1", lags_up_to(200), False, False),
    ("L1", lags_up_to(0), False, False),
    ("L1", lags_up_to(10, factor=1.0), False, False),
    ("L1", lags_up_to(10, factor=1.4), True, True),
    ("L2", scores(net=SOLVING), True, True),
    ("L2", scores(net=SOLVING | {"LSTM, chrono": 0.05}), False, True),
    ("L2", scores(net=SOLVING | {"LSTM, chrono": 0.12, "GRU": 0.001}), False, False),
    ("L2", scores(net=SOLVING | {"Elman": 1.5e-3}), True, False),
    ("L3", whole_by(7.0), True, True),
    ("L3", whole_by(7.0, apart=10 * EQUAL), False, False),
    ("L4", fading(1e3, 8), True, True),
    ("L4", fading(1e3, 90), False, False),
    ("L4", fading(1.0, 8), True, False),
    ("L5", reaching({"tanh": 10, "sigmoid": 20, "relu": 5}), True, True),
    ("L5", reaching({"tanh": 20, "sigmoid": 20, "relu": 5}), False, True),
    ("L6", scores(cell={"lstm_peephole": 0.1, "lstm": 0.2}), True, True),
    ("L6", scores(cell={"lstm_peephole": 0.2, "lstm": 0.1}), False, True),
    ("L6", scores(cell={"lstm_peephole": 0.1, "lstm": 0.1}), False, True),
    ("L7", scores(unit=FAIR), True, True),
    ("L7", scores(unit=FAIR | {"GRU": 1.04, "GRU, reset after": 0.96, "Elman": 3.0}), True, True),
    ("L7", scores(unit=FAIR | {"GRU": 1.2, "GRU, reset after": 1.2}), False, True),
    ("L7", scores(unit=FAIR | {"GRU": 0.8, "GRU, reset after": 0.8}), False, True),
    ("L8", by_layers(0.001), True, True),
    ("L8", by_layers(-0.05), True, True),
    ("L8", by_layers(0.06), False, True),
    ("L9", scores(net=WIDE), True, True),
    ("L9", scores(net=WIDE | {"dilated CNN": 1.0}), False, True),
    ("L10", by_length(0.4, 0.02), True, True),
    ("L10", by_length(0.03, 0.025), True, False),
    ("L10", by_length(0.02, 0.4), False, False),
]


@pytest.mark.parametrize(("name", "result", "held", "expected"), PLANTED, ids=[f"{one[0]}" for one in PLANTED])
def test_judges_tell_right_from_wrong(
    name: str, result: Callable[[Setting, int], Mapping[str, Any]], held: bool, expected: bool
) -> None:
    runs = planted(EXPERIMENTS[name], result, seeds=10 if name == "L6" else 3)
    verdict = EXPERIMENTS[name].judge(runs)
    assert (verdict.held, verdict.expected) == (held, expected), verdict.says
    assert "\n" not in verdict.says
    table = EXPERIMENTS[name].table(runs)
    assert all(len(row) == len(table.columns) for row in table.rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EXPERIMENTS[name].draw(runs)


def test_too_small_a_form_does_not_judge_a_thousand_steps() -> None:
    runs = planted(EXPERIMENTS["L2"], scores(net=SOLVING), quick=True)
    assert EXPERIMENTS["L2"].judge(runs).held is None


def test_few_seeds_and_few_examples_do_not_judge() -> None:
    differing = scores(cell={"lstm_peephole": 0.1, "lstm": 0.2})
    assert EXPERIMENTS["L6"].judge(planted(EXPERIMENTS["L6"], differing, seeds=9)).held is None
    for name, result in (("L7", scores(unit=FAIR)), ("L8", by_layers(0.0))):
        assert EXPERIMENTS[name].judge(planted(EXPERIMENTS[name], result, quick=True)).held is None


def test_every_seed_must_bridge_a_thousand_steps() -> None:
    def result(setting: Setting, seed: int) -> dict[str, Any]:
        return scores(net=SOLVING | {"LSTM, chrono": 1e-3 if seed > 1 else 0.05})(setting, seed)

    assert EXPERIMENTS["L2"].judge(planted(EXPERIMENTS["L2"], result)).held is False


def test_half_of_the_seeds_must_learn_a_lag() -> None:
    def result(setting: Setting, seed: int) -> dict[str, Any]:
        return lags_up_to(20 if seed > 1 else 5)(setting, seed)

    for seeds, reach in ((4, 20), (2, 20), (1, 5)):
        says = EXPERIMENTS["L1"].judge(planted(EXPERIMENTS["L1"], result, seeds)).says
        assert f"latching reaches lag {reach} of 200" in says


def test_the_direct_path_of_a_loop_by_hand_is_the_product_of_forget_gates() -> None:
    torch.manual_seed(2)
    layer, x = Recurrent("lstm", 2, 5).double(), torch.randn(1, 14, 2, dtype=torch.float64)
    p, lag = layer.cell_parameters(), 10
    h, c = (torch.zeros(5, dtype=torch.float64) for _ in "hc")
    for held in (True, False):
        h, c, start = torch.zeros(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64), None
        product = torch.ones(5, dtype=torch.float64)
        for step, value in enumerate(x[0]):
            if step == 14 - lag:
                start = c = c.detach().requires_grad_()
                h = h.detach()
            pre = {k: p[f"W_{k}"] @ value + p[f"U_{k}"] @ h + p[f"b_{k}"] for k in "ifog"}
            i, f, o = (torch.sigmoid(pre[k]) for k in "ifo")
            g = torch.tanh(pre["g"])
            if held:
                i, f, o, g = (one.detach() for one in (i, f, o, g))
            c = f * c + i * g
            h = o * torch.tanh(c)
            product = product * f.detach() if start is not None else product
        assert start is not None
        rows = torch.stack([torch.autograd.grad(one, start, retain_graph=True)[0] for one in c])
        found = compared(layer, x)
        place = found["lags"].index(lag)
        if held:
            torch.testing.assert_close(rows, torch.diag(product), rtol=1e-12, atol=1e-14)
            assert found["direct"][place] == pytest.approx(float(product.norm()), rel=1e-10)
            assert found["product"][place] == pytest.approx(float(product.norm()), rel=1e-10)
        else:
            assert found["whole"][place] == pytest.approx(float(rows.detach().norm()), rel=1e-10)
            assert found["whole"][place] > 1.01 * found["product"][place]


@pytest.mark.parametrize("name", [name for name, net in NETS.items() if net.sees])
def test_windows_see_as_far_as_is_said(name: str) -> None:
    torch.manual_seed(1)
    net = NETS[name]
    assert net.sees is not None
    network = build(net, 3, 2, 6000, 200).double()
    assert 5000 < sum(one.numel() for one in network.parameters()) <= 6000
    x = torch.randn(1, 200, 3, dtype=torch.float64, requires_grad=True)
    network(x)[0, 150].sum().backward()
    assert x.grad is not None
    seen = x.grad.abs().sum(-1)[0].nonzero().flatten().tolist()
    assert (min(seen), max(seen)) == (150 - net.sees + 1, 150)


def test_runs_of_a_task_on_real_data(shared_data: Callable[[str], Path]) -> None:
    setting = setting_of("chorales", False, steps=2, hidden=4)
    found = run_real(
        setting, ("steps", "hidden"), 1, Bench(shared_data("music_jsb_chorales").parent), cell="elman", validations=2
    )
    assert found["steps"] == 2
    assert [row[0] for row in found["curve"]] == [1, 2]
    assert setting["data"] == "music_jsb_chorales"
    assert isinstance(Run(setting, 1, found, 0.0).result["metric"], float)
