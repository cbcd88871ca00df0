"""The cases of the backend torch: every cell that it computes, of the library and in texts of one's own."""

from collections.abc import Callable, Mapping
from dataclasses import fields

import pytest
import torch
from torch import Tensor

from engine.cases import CELLS, Case, gradients, make_case, parts
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.scan import Scanned, scan
from unrolled.equations.cell import Cell

projects_in_single = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

OWN = {
    "own lstm": """
        keep = sigmoid(a1 + A2 @ s + A3 @ x)
        add  = sigmoid(B2 @ s + B3 @ x)
        new  = tanh(C3 @ x + c1 + C2 @ s + c0)
        m'   = new * add + m * keep
        show = sigmoid(A2 @ s + d1 + D3 @ x)
        s'   = tanh(m') * show
    """,
    "own gru": """
        u  = sigmoid(A @ x + B @ s + a)
        q  = sigmoid(C @ x + D @ s + c)
        n  = tanh(E @ x + q * (F @ s))
        s' = n + u * (s - n)
        y  = s'
    """,
    "own rnn": "s' = tanh(A @ s + B @ x)",
}
"""Other names, order and spelling; a matrix used twice, biases left out or doubled, an output by another name."""
KNOWN = {
    **{name: LIBRARY[name] for name in ("elman", "elman_relu", "lstm", "lstm_no_bias", "lstm_projected")},
    "gru_reset_after": LIBRARY["gru_reset_after"],
    "lstm_learned_start": CELLS["lstm_learned_start"],
    **{name: Cell(name, text) for name, text in OWN.items()},
}
SIZES: dict[str, dict[str, int]] = {
    "N3 T9": {},
    "N1 T5": {"rows": 1, "steps": 5},
    "N4 T1": {"rows": 4, "steps": 1},
    "N1 T1 D1": {"rows": 1, "steps": 1, "inputs": 1},
    "N5 T33 H16": {"rows": 5, "steps": 33, "hidden": 16},
}
LENGTHS: dict[str, Callable[[Case], Case]] = {
    "dense": lambda case: case,
    "ragged": lambda case: case.but(lengths=lengths_of(case, 0)),
    "ragged, none empty": lambda case: case.but(lengths=lengths_of(case, 1)),
    "from the start": lambda case: case.but(state=None),
}


class Plain(Case):
    """A case of which nothing is recorded."""

    def scan(self) -> Scanned:
        given = {**self.parameters, **self.noise}
        return scan(self.cell, given, self.x, self.state, self.lengths, self.reset, (), self.backend)


def plain(cell: Cell, dtype: torch.dtype = torch.float64, backend: str = "torch", **sizes: int) -> Case:
    case = make_case(cell, backend, dtype, **sizes)
    return Plain(**{field.name: getattr(case, field.name) for field in fields(case)})


def lengths_of(case: Case, least: int) -> Tensor:
    rows, steps = case.x.shape[:2]
    return torch.tensor([max(least, one) for one in (steps // 2, steps, 0, steps // 4, steps)][:rows])


def by_loop(case: Case) -> Case:
    return case.but(backend="loop")


def assert_near(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], row: str = "loop, torch.nn") -> None:
    assert list(actual) == list(expected)
    for name, value in actual.items():
        try:
            assert_close(value, expected[name].to(value), row)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


def assert_is_the_loop(case: Case) -> None:
    assert_near(parts(case.scan()), parts(by_loop(case).scan()))
    assert_near(gradients(case), gradients(by_loop(case)))


def moved(case: Case, to: torch.dtype | torch.device) -> Case:
    """The case in another dtype or place."""

    state = None if case.state is None else moved_to(case.state, to)
    return case.but(parameters=moved_to(case.parameters, to), x=case.x.to(to), state=state)


def moved_to(values: Mapping[str, Tensor], to: torch.dtype | torch.device) -> dict[str, Tensor]:
    return {name: value.to(to) for name, value in values.items()}
