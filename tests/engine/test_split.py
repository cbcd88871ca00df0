"""What torch computes before a recurrence, and what the recurrence is given."""

import pytest

from engine.cases import CELLS
from unrolled.engine.split import Split, split
from unrolled.equations.cell import Cell


def split_of(cell: Cell, drawn: frozenset[str] = frozenset()) -> Split:
    return split(cell, (cell.output,), drawn)


def before(parts: Split) -> list[str]:
    return [str(one) for one in parts.before]


def test_the_input_itself_is_all_that_most_cells_are_given_each_step() -> None:
    for name in ("elman", "lstm", "gru", "rhn", "cornn", "lstm_projected", "slstm_blocks"):
        parts = split_of(CELLS[name])
        assert (before(parts), parts.steps, parts.rows) == ([], ("x",), ()), name
        assert parts.states == CELLS[name].states


def test_matrices_and_vectors_are_told_apart() -> None:
    parts = split_of(CELLS["lstm_peephole"])
    assert sorted(parts.matrices) == sorted(f"{kind}_{gate}" for kind in "WU" for gate in "ifog")
    assert sorted(parts.vectors) == sorted([*(f"b_{gate}" for gate in "ifog"), "p_i", "p_f", "p_o"])
    assert split_of(CELLS["slstm_blocks"]).matrices["R_i"].heads == 2
    projected = split_of(CELLS["lstm_projected"]).matrices
    assert (projected["P"].out, projected["P"].into) == ("projection", "hidden")
    assert (projected["U_i"].out, projected["U_i"].into) == ("hidden", "projection")


def test_a_transposed_matrix_is_made_beforehand() -> None:
    parts = split_of(CELLS["antisymmetric"])
    assert before(parts) == ["_h4 = A.T"]
    assert {"A", "_h4", "W"} <= set(parts.matrices)


def test_what_a_matrix_multiplies_and_is_made_of_x_is_made_beforehand() -> None:
    parts = split_of(Cell("c", "e = relu(V @ x + b)\nh' = tanh(W @ e + U @ h)"))
    assert [line.split(" = ")[0] for line in before(parts)][-1] == "e"
    assert parts.steps == ("e",)
    assert "V" not in parts.matrices
    assert "b" not in parts.vectors


def test_what_no_matrix_multiplies_stays_inside() -> None:
    parts = split_of(Cell("c", "i = sigmoid(W @ x + b)\nh' = i * h"))
    assert before(parts) == []
    assert [str(one.target) for one in parts.core][-2:] == ["i", "h'"]


def test_numbers_are_folded() -> None:
    parts = split_of(Cell("c", "constant a = 2\nh' = tanh(W @ x) * (3 * a + exp(0)) + h"))
    assert "7" in " ".join(map(str, parts.core))
    assert parts.numbers == {}
    assert split_of(CELLS["antisymmetric"]).numbers == {"epsilon": 0.1, "gamma": 0.01}


def test_noise_that_is_not_drawn_is_its_mean() -> None:
    cell = CELLS["lstm_zoneout"]
    assert split_of(cell).numbers == {"zoneout_c": 0.3, "zoneout_h": 0.3}
    drawn = split_of(cell, frozenset({"zoneout_c"}))
    assert drawn.numbers == {"zoneout_h": 0.3}
    assert set(drawn.steps) == {"x", "zoneout_c"}
    variational = CELLS["lstm_variational"]
    assert "drop_h" in split_of(variational, frozenset(variational.noise)).rows


def test_a_dropped_matrix_is_made_beforehand() -> None:
    parts = split_of(CELLS["gru_drop_connect"], frozenset(CELLS["gru_drop_connect"].noise))
    assert before(parts) == ["_r2 = drop_U_r * U_r", "_z2 = drop_U_z * U_z", "_g2 = drop_U_h * U_h"]
    assert not {"U_r", "U_z", "U_h"} & set(parts.matrices)


@pytest.mark.parametrize("name", CELLS)
def test_the_core_reads_what_it_computes_or_is_given(name: str) -> None:
    cell = CELLS[name]
    for drawn in (frozenset[str](), frozenset(cell.noise)):
        parts = split(cell, cell.quantities, drawn)
        known = {*parts.states, *parts.matrices, *parts.vectors, *parts.rows, *parts.steps, *parts.numbers}
        for one in parts.core:
            for part in getattr(one.expression, "arguments", (one.expression,)):
                assert not hasattr(part, "name") or str(part) in known, f"{one} reads {part} too early"
            known.add(str(one.target))
        assert {f"{state}'" for state in cell.states} <= known
        assert set(parts.over_time) <= known
