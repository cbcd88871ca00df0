"""How passes are arranged: stages, groups, what is hoisted, sunk and kept, for cells whose best plan is known."""

from dataclasses import dataclass

import pytest

from engine.cases import CELLS
from unrolled.engine.passes import Pass
from unrolled.engine.plan import Plan, make_plan
from unrolled.equations.expression import names

Counts = list[list[int]]
"""For each stage of a pass, how many columns each of its groups has."""


def plan_of(name: str) -> Plan:
    return make_plan(CELLS[name], (CELLS[name].output,))


def counts(own: Pass) -> Counts:
    return [[len(group.columns) for group in stage.groups] for stage in own.stages]


def hoisted(plan: Plan) -> list[int]:
    return [len(group.columns) for group in plan.forward.hoisted]


@dataclass(frozen=True)
class Best:
    """A plan that cannot be better: columns of groups by stage, forward and back; hoisted columns; what is kept."""

    forward: Counts
    backward: Counts
    hoisted: int
    kept: set[str]


RHN = {"h1", "t1", "s1", "h2", "t2", "s2", "h3", "t3"}
BEST = {
    "elman": Best([[1]], [[], [1]], 1, {"h'"}),
    "elman_relu": Best([[1]], [[], [1]], 1, {"_h4"}),
    "unit": Best([[1], [1]], [[], [1], [1]], 1, {"y", "h'"}),
    "jordan": Best([[1], [1]], [[], [1], [1]], 1, {"y'", "h"}),
    "indrnn": Best([[]], [[]], 1, {"_h4"}),
    "rhn": Best([[2], [2], [2]], [[], [1], [1], [1]], 2, RHN),
    "lstm": Best([[4]], [[], [1]], 4, {"i", "f", "g", "o", "_h1"}),
    "lstm_1997": Best([[3]], [[], [1]], 3, {"i", "g", "o", "_h1"}),
    "lstm_coupled": Best([[3]], [[], [1]], 3, {"f", "g", "o", "_h1"}),
    "lstm_peephole": Best([[4]], [[], [1]], 4, {"i", "f", "g", "o", "_h1", "c'"}),
    "lstm_projected": Best([[4], [1]], [[], [], [1], [1]], 4, {"i", "f", "g", "o", "_h1", "_h2"}),
    "lstm_zoneout": Best([[4]], [[], [1]], 4, {"i", "f", "g", "o", "_h_new1"}),
    "janet": Best([[2]], [[], [1]], 2, {"f", "g"}),
    "gru": Best([[2], [1]], [[], [1], [1]], 3, {"z", "r", "g", "_g2"}),
    "gru_reset_after": Best([[3]], [[], [1]], 3, {"z", "r", "g", "_g4"}),
    "mgu": Best([[1], [1]], [[], [1], [1]], 2, {"f", "g", "_g2"}),
    "mingru": Best([[]], [[]], 2, {"z", "g"}),
    "minlstm": Best([[]], [[]], 3, {"f", "i", "g", "_h2", "_h4"}),
    "sru": Best([[]], [[]], 4, {"f", "r", "_c3", "_h3", "c'"}),
    "antisymmetric": Best([[1]], [[], [1]], 1, {"_h10"}),
    "cornn": Best([[1]], [[], [2]], 1, {"_z7"}),
}


@pytest.mark.parametrize("name", BEST)
def test_a_cells_plan(name: str) -> None:
    plan, best = plan_of(name), BEST[name]
    assert counts(plan.forward) == counts(plan.training) == best.forward
    assert counts(plan.backward) == best.backward
    assert hoisted(plan) == [best.hoisted]
    assert set(plan.kept) == best.kept
    assert {key for key, kind in plan.training.stored.items() if kind == "time"} == set(plan.kept)


def test_a_group_reads_one_source_or_several() -> None:
    (stage,) = plan_of("lstm").forward.stages
    (group,) = stage.groups
    (segment,) = group.segments
    assert segment.source == "h"
    assert sorted(term.matrix for term in segment.terms) == ["U_f", "U_g", "U_i", "U_o"]
    (group,) = plan_of("cornn").forward.stages[0].groups
    assert sorted(segment.source for segment in group.segments) == ["y", "z"]
    (group,) = plan_of("lstm").backward.stages[1].groups
    assert len(group.segments) == 4
    assert all(term.transposed for segment in group.segments for term in segment.terms)


def test_signs_of_a_difference_of_products() -> None:
    (group,) = plan_of("antisymmetric").forward.stages[0].groups
    signs = {term.matrix: term.sign for segment in group.segments for term in segment.terms}
    assert signs == {"A": 1.0, "_h4": -1.0}


@pytest.mark.parametrize("name", CELLS)
def test_products_with_the_input_leave_the_loop(name: str) -> None:
    plan = plan_of(name)
    inputs = set(plan.split.steps)
    for own in (plan.forward, plan.training):
        assert {segment.source for group in own.hoisted for segment in group.segments} <= inputs
        for stage in own.stages:
            assert not {segment.source for group in stage.groups for segment in group.segments} & inputs
    multiplied = {segment.source for group in plan.forward.hoisted for segment in group.segments}
    assert {column for group in plan.backward.sunk for column in group.columns} == {f"d_{one}" for one in multiplied}


@pytest.mark.parametrize("name", CELLS)
def test_every_matrix_gets_its_gradient_once(name: str) -> None:
    plan = plan_of(name)
    found = [one.matrix for one in plan.backward.outers]
    assert sorted(set(found)) == sorted(plan.split.matrices)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", CELLS)
def test_a_stage_reads_nothing_that_is_made_later(name: str) -> None:
    """Nor what a group of its own multiplies; a value is made before it is read, within a stage too."""
    plan = make_plan(CELLS[name], CELLS[name].quantities)
    for own in (plan.forward, plan.training, plan.backward):
        made, all_made = set[str](), own.written
        for stage in own.stages:
            for group in stage.groups:
                for segment in group.segments:
                    assert segment.source in made or segment.source not in all_made
            for one in stage.statements:
                for read in map(str, names(one.expression)):
                    assert read in made or read not in all_made, f"{one} reads {read} too early"
                made.add(str(one.target))


REDUCING = {"lstm_output_fed_back", "lstm_layer_norm", "gru_layer_norm"}


@pytest.mark.parametrize("name", CELLS)
def test_only_norms_and_softmax_sum_over_units(name: str) -> None:
    plan = plan_of(name)
    assert plan.forward.reduces == plan.training.reduces == plan.backward.reduces == (name in REDUCING)


@pytest.mark.parametrize("name", CELLS)
def test_what_is_kept_is_read_on_the_way_back(name: str) -> None:
    plan = plan_of(name)
    read = {str(one) for statement in plan.backward.statements for one in names(statement.expression)}
    read |= {side for one in plan.backward.outers for side in (one.left, one.right)}
    assert set(plan.kept) <= read


def test_the_forward_pass_alone_keeps_nothing_over_time() -> None:
    for name in CELLS:
        assert "time" not in plan_of(name).forward.stored.values(), name
