"""One step opened: the graph carries what the equations carry, operation by operation."""

import pytest
from hypothesis import given, settings

from equations.programs import Draft, drafts
from unrolled.cells.library import LIBRARY
from unrolled.drawing.inside import NEXT, OUTPUT, Inside
from unrolled.equations.cell import Cell
from unrolled.equations.expression import names


def opened(cell: Cell) -> Inside:
    return Inside(cell.program, cell.output, ("t", "t-1"), {}, 30.0)


def reached(cell: Cell) -> dict[str, set[str]]:
    """From which states before and whether from x each target is made, read off the equations line by line."""
    found: dict[str, set[str]] = {}
    for line in cell.statements:
        found[str(line.target)] = set().union(
            *(
                found.get(str(name), {name.name})
                for name in names(line.expression)
                if str(name) in found or name.name in ("x", *cell.states)
            )
        )
    return found


def ancestors(graph: Inside, key: str) -> set[str]:
    """The ports from which lines lead to a node."""
    before = {one for one, other in graph.edges if other == key}
    return {key} if not before and graph.parts[key].is_port else set().union(*(ancestors(graph, one) for one in before))


def check(cell: Cell) -> None:
    graph, expected = opened(cell), reached(cell)
    for state in cell.states:
        assert ancestors(graph, NEXT + state) == expected[f"{state}'"], (state, cell.text())
    if cell.output not in cell.states:
        assert ancestors(graph, OUTPUT) == expected[cell.output], cell.text()
    for one, other in graph.edges:
        assert graph.parts[one].column < graph.parts[other].column


@pytest.mark.parametrize("name", LIBRARY)
def test_the_graph_carries_what_the_equations_carry(name: str) -> None:
    check(LIBRARY[name])


@settings(max_examples=30)
@given(drafts())
def test_so_it_does_for_every_text(draft: Draft) -> None:
    check(Cell("random", draft.text))


def test_gates_are_boxes_with_their_formulas_and_operations_circles() -> None:
    parts = [(one.title, *one.lines) for one in opened(LIBRARY["lstm"]).parts.values() if not one.is_port]
    gate = "\\sigma(W_{{{0}}}\\, x_{{t}} + U_{{{0}}}\\, h_{{t-1}} + b_{{{0}}})"
    assert sorted(parts) == sorted(
        [
            *((f"${name}_{{t}}$", f"${gate.format(name)}$") for name in "ifo"),
            ("$g_{t}$", "$\\tanh(W_{g}\\, x_{t} + U_{g}\\, h_{t-1} + b_{g})$"),
            ("", "⊙"),
            ("", "⊙"),
            ("$c_{t}$", "+"),
            ("", "$\\tanh$"),
            ("$h_{t}$", "⊙"),
        ]
    )
    kinds = {one.title: one.kind for one in opened(LIBRARY["lstm"]).parts.values() if one.title}
    assert kinds["$f_{t}$"] == "gate"
    assert kinds["$c_{t}$"] == "state"
    assert kinds["$g_{t}$"] == "quantity"


def test_what_is_computed_once_is_drawn_once() -> None:
    parts = opened(LIBRARY["minlstm"]).parts.values()
    assert sum(one.lines == ["+"] for one in parts) == 2  # f + i, and the sum that is h


def test_numbers_stand_in_the_operations_that_use_them() -> None:
    lines = [
        one.lines[0] for one in opened(Cell("c", "h' = 0.5 * h + max(1, U @ h) + W @ x")).parts.values() if one.lines
    ]
    assert r"$\max(1, \cdot)$" in lines
    assert r"$1 - \cdot$" in [one.lines[0] for one in opened(LIBRARY["gru"]).parts.values() if one.lines]


def test_a_quantity_that_is_another_one_needs_no_box() -> None:
    graph = opened(Cell("c", "h' = tanh(W @ x + U @ h)\ny = h'"))
    assert sum(bool(one.lines) for one in graph.parts.values()) == 1
    assert ancestors(graph, OUTPUT) == {"h", "x"}
