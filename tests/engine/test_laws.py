"""Every cell keeps every law, on every backend that computes every cell (of ``torch``: test_torch_backend.py)."""

from collections.abc import Callable

import pytest
import torch

import laws
from engine.cases import CELLS, Case, make_case
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, walk

Law = Callable[[Case], None]

ANY_SIZE: tuple[Law, ...] = (
    laws.law_pieces_with_carried_state_equal_one_run,
    laws.law_a_ragged_row_equals_the_row_cut_to_its_length,
    laws.law_a_row_does_not_see_its_batch,
    laws.law_order_of_rows_is_irrelevant,
    laws.law_padding_changes_no_number,
    laws.law_no_length_gives_zeros_and_hands_the_state_through,
    laws.law_lengths_come_in_any_whole_dtype,
    laws.law_a_reset_parts_a_run_in_two,
    laws.law_a_reset_at_the_first_step_ignores_the_given_state,
    laws.law_recorded_quantities_satisfy_the_equations,
)
DOUBLE_ONLY: tuple[Law, ...] = (
    laws.law_no_gradient_crosses_a_reset,
    laws.law_every_unit_of_every_state_matters,
    laws.law_truncation_cuts_gradients_only_where_a_piece_ends,
)
ODD_SIZES = {
    "one step, one row": {"rows": 1, "steps": 1},
    "one step": {"rows": 4, "steps": 1},
    "one row, one unit": {"rows": 1, "steps": 5, "inputs": 1, "hidden": 1},
    "63 steps": {"rows": 5, "steps": 63},
}


def has_a_step(cell: Cell) -> bool:
    """Whether an equation holds a hard step, whose derivative is passed straight through."""
    parts = (part for statement in cell.statements for part in walk(statement.expression))
    return any(isinstance(part, Call) and part.op == "step" for part in parts)


SMOOTH = [name for name, cell in CELLS.items() if not has_a_step(cell)]
HARD = [name for name, cell in CELLS.items() if has_a_step(cell)]
NOISY = [name for name, cell in CELLS.items() if cell.noise]


def spelled(law: Law) -> str:
    return law.__name__.removeprefix("law_")


on_every_backend = pytest.mark.parametrize("backend", ["loop", "cpu"])


@on_every_backend
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("law", ANY_SIZE, ids=spelled)
def test_law(law: Law, name: str, dtype: torch.dtype, backend: str) -> None:
    law(make_case(CELLS[name], backend, dtype))


@on_every_backend
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("law", DOUBLE_ONLY, ids=spelled)
def test_law_in_double_precision(law: Law, name: str, backend: str) -> None:
    law(make_case(CELLS[name], backend))


@on_every_backend
@pytest.mark.parametrize("sizes", ODD_SIZES)
@pytest.mark.parametrize("name", ["elman_relu", "gru", "lstm_projected", "lstm_zoneout"])
@pytest.mark.parametrize("law", ANY_SIZE, ids=spelled)
def test_law_at_odd_sizes(law: Law, name: str, sizes: str, backend: str) -> None:
    law(make_case(CELLS[name], backend, **ODD_SIZES[sizes]))


@on_every_backend
@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_equal_differences(name: str, backend: str) -> None:
    """A hard step has no numerical derivative to compare with; the law below is its own."""
    laws.law_gradients_equal_differences(make_case(CELLS[name], backend))


@on_every_backend
@pytest.mark.parametrize("name", HARD)
def test_a_step_passes_gradients_straight_through(name: str, backend: str) -> None:
    laws.law_a_step_passes_gradients_straight_through(make_case(CELLS[name], backend))


@on_every_backend
@pytest.mark.parametrize("name", NOISY)
def test_noise_is_drawn_in_training_and_its_mean_otherwise(name: str, backend: str) -> None:
    laws.law_noise_is_drawn_in_training_and_its_mean_otherwise(make_case(CELLS[name], backend))


def test_there_are_cells_of_each_kind() -> None:
    assert HARD == ["unit_step"]
    assert len(SMOOTH) == len(CELLS) - 1
    assert len(NOISY) == 7
    assert len(CELLS) == 41
