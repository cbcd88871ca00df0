"""Lowering: one primitive op a statement, the same meaning, and nothing computed twice."""

import pytest
import torch
from hypothesis import given

from equations.programs import CONSTANTS, Draft, drafts
from equations.test_ops import compute
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, Statement, transform
from unrolled.equations.lower import lower
from unrolled.equations.ops import OPS


def assert_lowered(statements: tuple[Statement, ...]) -> None:
    computed = set()
    for one in statements:
        assert one.target not in computed
        if isinstance(one.expression, Call):
            assert OPS[one.expression.op].meaning is not None
            assert not any(isinstance(argument, Call) for argument in one.expression.arguments)
        computed.add(one.target)
    calls = [one.expression for one in statements if isinstance(one.expression, Call)]
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_cell_of_the_library_lowers(name: str) -> None:
    cell = LIBRARY[name]
    lowered = lower(cell.statements)
    assert_lowered(lowered)
    assert [one.target for one in lowered if not one.target.name.startswith("_")] == [s.target for s in cell.statements]


def test_temporaries_are_named_for_the_quantity_they_serve() -> None:
    cell = Cell("c", "i = hard_tanh(W @ x)\nh' = h * (1 - i) + i * tanh(1 - i)")
    assert [str(one) for one in lower(cell.statements)] == [
        "_i1 = W @ x",
        "_i2 = min(_i1, 1)",
        "i = max(_i2, -1)",
        "_h1 = 1 - i",
        "_h2 = h * _h1",
        "_h3 = tanh(_h1)",
        "_h4 = i * _h3",
        "h' = _h2 + _h4",
    ]


def test_common_parts_are_computed_once_even_across_lines() -> None:
    cell = Cell("c", "i = tanh(W @ x)\nj = tanh(W @ x)\nh' = i * h + j * tanh(W @ x) * tanh(V @ h)")
    lines = [str(one) for one in lower(cell.statements)]
    assert sum("W @ x" in line for line in lines) == 1
    assert "j = i" in lines
    assert sum("tanh" in line for line in lines) == 2


def test_nothing_is_simplified_away_that_has_a_shape_or_a_not_a_number() -> None:
    cell = Cell("c", "h' = (0 * U) @ h + 0 * h + 1 * (W @ x)")
    assert [str(one) for one in lower(cell.statements)][:3] == ["_h1 = 0 * U", "_h2 = _h1 @ h", "_h3 = 0 * h"]


def test_nested_definitions_do_not_grow() -> None:
    cell = Cell("c", "h' = " + "layer_norm(" * 30 + "h" + ")" * 30)
    assert len(lower(cell.statements)) == 30 * 7


@given(drafts(tame=True))
def test_a_lowered_program_computes_what_the_text_says(draft: Draft) -> None:
    cell = Cell("random", draft.text)
    lowered = lower(cell.statements)
    assert_lowered(lowered)
    generator = torch.Generator().manual_seed(1)
    known = {name: torch.tensor(value, dtype=torch.float64) for name, value in CONSTANTS.items()}
    for name, one in cell.parameters(3, 3).items():
        known[name] = torch.randn(one.shape, generator=generator, dtype=torch.float64)
    for name in ("x", *cell.states):
        known[name] = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    meant, run = dict(known), dict(known)
    for statements, values in ((cell.statements, meant), (lowered, run)):
        for one in statements:
            values[str(one.target)] = compute(_spelled(one.expression), values)
    for one in cell.statements:
        assert_close(run[str(one.target)], meant[str(one.target)], "loop, numpy")


def _spelled(expression: Expression) -> Expression:
    """The expression with each primed name as one word, ``h'``."""
    return transform(expression, lambda part: Name(str(part)) if isinstance(part, Name) else part)
