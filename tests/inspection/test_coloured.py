"""Runs that pictures are coloured by: the numbers are those of the equations, step by step, in every wiring."""

import math

import pytest
import torch

from unrolled.cells.library import LIBRARY
from unrolled.drawing.wiring import WIRINGS, plan
from unrolled.equations.cell import Cell
from unrolled.inspection.coloured import UNITS, random_run, run_of
from unrolled.inspection.examine import Subject
from unrolled.layers.recurrent import Recurrent


@pytest.mark.parametrize("wiring", WIRINGS)
def test_states_follow_from_gates_at_every_step(wiring: str) -> None:
    """c' = f c + i g and h' = o tanh(c'), in the order in which each direction goes."""
    planned = plan(wiring, layers=2, bidirectional=wiring.startswith("many"))
    run = random_run(LIBRARY["lstm"], planned)
    sides = {column.decodes for column in planned.columns}
    steps = sum(not column.decodes for column in planned.columns)
    checked = 0
    for decodes in sides:
        for layer in range(2):
            for direction in planned.directions:
                i, f, o, g, c, h = (run.quantities[decodes, layer, direction, name] for name in "ifogch")
                assert len(i) == steps == len(c) - 1
                for step in range(steps):
                    for unit in range(4):
                        cell = f[step][unit] * c[step][unit] + i[step][unit] * g[step][unit]
                        assert cell == pytest.approx(c[step + 1][unit], abs=1e-6)
                        assert o[step][unit] * math.tanh(cell) == pytest.approx(h[step + 1][unit], abs=1e-6)
                        checked += 1
    assert checked == len(sides) * 2 * len(planned.directions) * steps * 4
    assert len(run.inputs) == len(run.outputs) == len(planned.columns)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_cell_runs_small(name: str) -> None:
    run = random_run(LIBRARY[name], plan("encoder-decoder", 2, 2))
    assert set(run.quantities) == {
        (decodes, layer, "forward", quantity)
        for decodes in (False, True)
        for layer in (0, 1)
        for quantity in LIBRARY[name].quantities
    }


def test_what_was_given_is_read_next() -> None:
    run = random_run(LIBRARY["gru"], plan("one-to-many", 4))
    assert run.inputs[1:] == run.outputs[:-1]
    assert any(run.inputs[0])
    run = random_run(LIBRARY["gru"], plan("encoder-decoder", 3))
    assert run.inputs[4:] == run.outputs[3:-1]
    assert not any(run.inputs[3])  # the decoder begins with nothing
    assert run.quantities[True, 0, "forward", "h"][0] == run.quantities[False, 0, "forward", "h"][3]


def test_the_cells_own_output_is_the_output() -> None:
    run = random_run(LIBRARY["unit"], plan("many-to-one", 3))
    assert run.outputs == run.quantities[False, 0, "forward", "y"]


def test_sizes_that_a_cell_fixes_are_kept() -> None:
    cell = Cell("c", "h' = tanh(W @ x + U @ h)\ny = V @ h'", sizes={"x": 3, "y": 2}, heads={"U": 3})
    run = random_run(cell, plan("one-to-many", 2))
    assert [len(run.inputs[1]), len(run.outputs[1])] == [3, 2]


def test_a_seed_is_one_run_and_leaves_the_callers_numbers_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = (random_run(LIBRARY["elman"], plan(), seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert one == same
    assert one.inputs != other.inputs


def test_a_trained_layers_run_shows_the_units_that_move_most() -> None:
    torch.manual_seed(0)
    layer = Recurrent("lstm", 3, 16)
    x = torch.randn(1, 6, 3)
    subject = Subject(layer, x, list("abcdef"), None, tell=lambda _: [{"top": [[one, 0.5]]} for one in "bcdefg"])
    run = run_of(subject, "it", 8)
    recorded = layer(x, record=["h", "f"]).recorded
    moves = recorded["0.forward.h"][0].std(0)
    lively = sorted(moves.argsort(descending=True)[:UNITS].tolist())
    expected = recorded["0.forward.f"][0][:, lively].tolist()
    assert [list(step) for step in run.quantities[False, 0, "forward", "f"]] == [pytest.approx(one) for one in expected]
    assert run.tokens == list("abcdef")
    assert run.predicted == list("bcdefg")
    assert len(run.quantities[False, 0, "forward", "h"]) == 7


def test_who_reads_from_the_end_has_read_what_is_not_shown() -> None:
    torch.manual_seed(0)
    layer = Recurrent("elman", 3, UNITS, bidirectional=True)
    x = torch.randn(1, 6, 3)
    subject = Subject(
        layer, x, ["a", " b", "c\n", "d", "e", "f"], None, tell=lambda _: [{}] * 5 + [{"top": [["yes", 1.0]]}]
    )
    run = run_of(subject, "it", 3)
    outputs = layer(x).outputs[0]
    forward, reverse = (run.quantities[False, 0, direction, "h"] for direction in ("forward", "reverse"))
    expected = [[0.0] * UNITS, *outputs[:3, :UNITS].tolist()]
    assert [list(step) for step in forward] == [pytest.approx(one) for one in expected]
    expected = outputs[:4, UNITS:].flip(0).tolist()  # begins from where step 4 of 6 left it
    assert [list(step) for step in reverse] == [pytest.approx(one) for one in expected]
    assert run.tokens == ["a", "␣b", "c↵"]
    assert run.predicted == ["", "", "yes"]
