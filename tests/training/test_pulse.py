"""The pulse of a run: gradients by lag against autograd by hand, planted faults, the clock kept, nothing disturbed."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cli.commands import run
from tasks.contract import same_weights, trained
from tasks.samples import CASES, EXCERPT, TINY, options, write
from unrolled.inspection.run import in_a_line, of_looks, of_updates
from unrolled.layers.recurrent import Recurrent
from unrolled.tasks.text.model import TextModel
from unrolled.training import pulse
from unrolled.training.pulse import COLUMNS, Pulse, columns, lately
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.tokens import OneHot, TokenScores

N, T, V, H = 3, 18, 4, 5


def network(cell: str = "elman", **how: object) -> ManyToMany:
    torch.manual_seed(2)
    layer = Recurrent(cell, V, H, **how)
    return ManyToMany(OneHot(V), layer, TokenScores(layer.output_size, V)).double()


def looked(of: nn.Module, loss: Tensor | None = None, **how: Any) -> dict[str, float]:
    """What a look at one update gives."""
    torch.manual_seed(3)
    ids, targets = torch.randint(V, (2, N, T))
    watch = Pulse(of, 1.0)
    with watch.watching(True) as seen:
        scores = of(ids, **how).outputs
        (cross_entropy(scores.flatten(0, 1), targets.flatten()) if loss is None else loss).backward()
    found = watch.look(seen, lambda: None)
    assert found is not None
    return found


def test_gradients_by_lag_are_autograds() -> None:
    net = network()
    found = looked(net)
    torch.manual_seed(3)
    ids, targets = torch.randint(V, (2, N, T))
    p = net.recurrent.cell_parameters()
    states, h = [], torch.zeros(H, dtype=torch.float64)
    for one in ids[0]:
        h = torch.tanh(p["W"][:, one] + p["U"] @ h + p["b"])
        states.append(h)
    scores = net.output_side.linear(torch.stack(states))
    losses = cross_entropy(scores, targets[0], reduction="none")
    by_lag: list[list[float]] = [[] for _ in range(T)]
    for time in (3, 8, 13, 17):  # four of eighteen, evenly spread
        gradients = torch.autograd.grad(losses[time], states, retain_graph=True, allow_unused=True)
        for step, gradient in enumerate(gradients[: time + 1]):
            assert gradient is not None
            by_lag[time - step].append(float(gradient.norm()))
    means = [sum(norms) / len(norms) for norms in by_lag]
    for lag in (1, 4, 16):
        assert found[f"gradient/0.forward.h/{lag}"] == pytest.approx(means[lag] / means[0], rel=1e-9)
    assert found["growth/0.forward.h"] == pytest.approx(max(means) / means[0])
    assert found["sight/0.forward.h"] == T
    saturated = (torch.stack(states).abs() > 0.8).double().mean()
    assert found["saturated/0.forward.h"] == pytest.approx(float(saturated))


def test_the_longest_row_and_its_state_are_looked_at() -> None:
    lengths = torch.tensor([3, 12, 7])
    state = {"0.forward.h": torch.tensor([0.1, 0.9, -0.3], dtype=torch.float64).unsqueeze(1).expand(N, H)}
    net = network()
    with torch.no_grad():
        net.recurrent.cell_parameters()["U"].copy_(3.0 * torch.eye(H))  # units stay where they began
    found = looked(net, lengths=lengths, state=state)
    assert found["sight/0.forward.h"] == 12
    torch.manual_seed(3)
    (ids, _) = torch.randint(V, (2, N, T))
    row = {"0.forward.h": state["0.forward.h"][1:2]}
    shares = []
    for begin in (row, None):
        values = net.recurrent(net.input_side(ids[1:2, :12]), begin).outputs  # an Elman network's are its h
        shares.append(float((values.abs() > 0.8).double().mean()))
    assert found["saturated/0.forward.h"] == pytest.approx(shares[0])
    assert shares[0] != shares[1]


def test_every_layer_and_direction_and_every_recurrence_has_a_name() -> None:
    found = looked(network("lstm", num_layers=2, bidirectional=True))
    for place in ("0.forward", "0.reverse", "1.forward", "1.reverse"):
        assert {f"saturated/{place}.{gate}" for gate in "ifog"} <= found.keys()
        assert {f"gradient/{place}.{state}/1" for state in "ch"} <= found.keys()
    net = network()
    net.add_module("other", Recurrent("gru", 2, 2).double())
    assert "gradient/recurrent.0.forward.h/1" in looked(net)


def test_updates_are_measured_around_the_step() -> None:
    net = network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    watch = Pulse(net, 1.0)
    before = {name: one.detach().clone() for name, one in net.named_parameters()}
    with watch.watching(True) as seen:
        net(torch.zeros(1, 3, dtype=torch.long)).outputs.square().sum().backward()
    found = watch.look(seen, optimizer.step)
    assert found is not None
    name = "recurrent.layers.0.0.U"
    one = dict(net.named_parameters())[name].detach()
    assert found[f"update/{name}"] == pytest.approx(float((one - before[name]).norm() / before[name].norm()))
    assert "update/recurrent.layers.0.0.b" not in found


@pytest.mark.parametrize("how", [{"inspect": 0.0}, {"inspect": 1.0}])
def test_no_look_disturbs_a_run(how: dict, tmp_path: Path) -> None:
    settings = TINY | {"steps": 12, "cell": "gru", "zoneout": 0.2, "layers": 2, "dropout_output": 0.3, "seed": 5}
    one = TextModel.fit(write(tmp_path, EXCERPT[:900]), **settings | {"inspect": 0.5})
    other = TextModel.fit(tmp_path / "text.txt", **settings | how)
    assert same_weights(one, other)
    assert all((row["inside"] is None) == (how["inspect"] == 0) for row in other.history)
    assert all(0 <= row["clipped"] <= 1 for row in other.history)


@pytest.mark.parametrize("task", ["text", "tag", "forecast", "translate"])
def test_every_task_is_looked_at(task: str, tmp_path: Path) -> None:
    model = trained(CASES[task], tmp_path, settings={"inspect": 1})
    for row in model.history[1:]:  # a forecast begins by saying nothing, and no gradient comes through zeros
        assert row["horizon"] >= 1
        assert 0 < row["update_ratio"] < 1
        assert 0 < row["gradient_1"] < 10


class Clock:
    """A clock that only goes on where it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_looks_keep_within_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(pulse, "time", clock)
    slow = dict[str, float]()

    def inside(*_: object) -> dict[str, float]:
        clock.now += 0.5 if clock.now < 400 else 5.0  # a look takes half a second, later five
        return slow

    monkeypatch.setattr(pulse, "_inside", inside)
    net, looks = network(), 0
    watch = Pulse(net, 0.02)
    for step in range(8_000):
        with watch.watching(True) as seen:
            if seen is not None and step % 10 == 0:
                net(torch.zeros(1, 2, dtype=torch.long)).outputs.sum().backward()
        looks += watch.look(seen, lambda: None) is not None
        clock.now += 0.1
        assert watch.spent <= 0.02 * clock.now + 5.0
    assert watch.spent <= 0.021 * clock.now
    assert looks >= 4
    assert not [hook for one in net.modules() for hook in one._forward_hooks]


def test_no_look_before_there_is_time_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(pulse, "time", clock)
    watch = Pulse(network(), 0.02)
    assert not watch.affords(1)
    clock.now = 49.0 * pulse.OP_SECONDS
    assert not watch.affords(1)
    clock.now = 51.0 * pulse.OP_SECONDS
    assert watch.affords(1)
    assert not watch.affords(2)
    assert not Pulse(network(), 0.0).affords(1)


def test_columns_of_a_look() -> None:
    found = {"update/a": 0.1, "update/b": 0.3, "update/c": 0.2, "saturated/f": 0.4, "saturated/g": 0.6}
    found |= {"horizon/c": 9.0, "horizon/h": 4.0, "gradient/c/4": 0.5, "gradient/h/4": 0.1, "gradient/h/64": 0.2}
    told = columns(found)
    assert told == {
        "update_ratio": 0.2,
        "saturated": 0.6,
        "horizon": 9.0,
        "gradient_1": None,
        "gradient_4": pytest.approx(0.3),
        "gradient_16": None,
        "gradient_64": 0.2,
        "gradient_256": None,
    }
    assert set(told) | {"clipped"} == set(COLUMNS)
    assert set(columns(None).values()) == {None}


def test_the_last_third_of_the_looks_counts() -> None:
    rows = [{"inside": {"a": float(one)}} for one in (9, 9, 9, 9, 1, 5)] + [{"inside": None}]
    assert lately(rows) == {"a": 3.0}
    assert lately(rows[:1]) == {"a": 9.0}
    assert lately([{"inside": None}]) == {}


# The verdict on a run.


def test_a_saturated_gate_is_named() -> None:
    net = network("lstm", chrono=T)
    assert of_looks(looked(net)) == []
    with torch.no_grad():
        net.recurrent.cell_parameters()["b_f"].fill_(12.0)
    (found,) = of_looks(looked(net))
    assert (found.kind, found.where, found.figure) == ("saturated", "0.forward.f", 1.0)


@pytest.mark.parametrize(("scale", "kind"), [(0.3, "vanishing"), (1.4, "exploding")])
def test_a_gradient_that_vanishes_or_explodes_is_named(scale: float, kind: str) -> None:
    net = network()
    with torch.no_grad():
        p = net.recurrent.cell_parameters()
        p["W"].mul_(1e-9)
        p["U"].copy_(scale * torch.eye(H))
        p["b"].zero_()
    torch.manual_seed(0)
    ids, targets = torch.randint(V, (2, N, 40))
    watch = Pulse(net, 1.0)
    with watch.watching(True) as seen:
        cross_entropy(net(ids).outputs.flatten(0, 1), targets.flatten()).backward()
    (found,) = of_looks(watch.look(seen, lambda: None) or {})
    assert (found.kind, found.where) == (kind, "0.forward.h")
    assert found.figure == (4 if kind == "vanishing" else pytest.approx(1.4**39, rel=0.5))


def test_a_gated_network_may_forget_in_one_of_its_states() -> None:
    late = {"horizon/0.forward.h": 3.0, "horizon/0.forward.c": 30.0, "sight/0.forward.h": 64.0}
    assert of_looks(late) == []
    assert [one.kind for one in of_looks(late | {"horizon/0.forward.c": 5.0})] == ["vanishing"]
    assert of_looks(late | {"horizon/0.forward.c": 6.0}) == []
    assert of_looks(late | {"horizon/0.forward.c": 5.0, "sight/0.forward.h": 10.0}) == []


def test_gradients_that_are_all_clipped_are_named() -> None:
    rows = [{"clipped": 1.0, "gradient_norm": norm, "rate": 0.1} for norm in (1.0, 1.0, 30.0, 90.0, 50.0)]
    (found,) = of_updates(rows, 1.0)
    assert (found.kind, found.figure) == ("exploding", 50.0)
    assert found.says == "100% of the gradients were clipped, from a norm of 50 to 1"
    assert of_updates(rows, 10.0) == of_updates(rows, math.inf) == of_updates([], 1.0) == []
    assert of_updates([row | {"clipped": 0.5} for row in rows], 1.0) == []


def test_updates_as_large_as_the_weights_are_named() -> None:
    rows = [{"update_ratio": ratio, "rate": 0.5} for ratio in (None, 0.2, 1.5, 0.3)]
    (found,) = of_updates(rows, 1.0)
    assert (found.kind, found.figure, found.remedy) == ("rate", 1.5, "a smaller rate (--rate 0.05)")
    assert found.says == "an update was 1.5 times as large as the weights it changed"
    assert of_updates(rows[:2], 1.0) == []


def test_a_rate_that_is_too_high_is_told_at_the_end(tmp_path: Path) -> None:
    write(tmp_path)
    words = options(TINY | {"steps": 20, "rate": 3.0, "inspect": 1})
    done = run("train", "text", "text.txt", "--out", "out", *words, folder=tmp_path)
    assert done.code == 0
    (line,) = [line for line in done.err.splitlines() if line.startswith("Inside the network: ")]
    assert "rate too high" in line
    assert "the loss of training began at" in line
    assert "--rate 0.3" in line


def test_a_sound_run_is_healthy_and_says_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    words = options(TINY | {"steps": 20, "inspect": 1})
    done = run("train", "text", "text.txt", "--out", "out", *words, folder=tmp_path)
    assert done.code == 0
    assert "Inside" not in done.err
    assert TextModel.load(tmp_path / "out").metrics["training"]["verdict"] == "healthy"


def test_nothing_is_said_where_nobody_looked(tmp_path: Path) -> None:
    model = TextModel.fit(write(tmp_path), **TINY | {"inspect": 0})
    assert model.metrics["training"]["verdict"] is None


def test_a_line_of_several_findings() -> None:
    late = {"saturated/f": 0.95, "growth/h": 1000.0}
    assert in_a_line(of_looks(late)) == (
        "saturated, exploding: 95% of the values of f are near their ends (and 1 more); "
        "try a smaller rate, or layer norm (--layer-norm)"
    )
    assert in_a_line([]) == ""
