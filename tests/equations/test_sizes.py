"""Sizes: the shapes of parameters, named sizes, blocks, an input of hidden size; the formula that counts them all."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell, ParameterShape
from unrolled.errors import UsageError

LSTM, PROJECTED = LIBRARY["lstm"], LIBRARY["lstm_projected"]


def count(cell: Cell, **sizes: int) -> int:
    return sum(one.numbers for one in cell.parameters(**sizes).values())


def by_formula(cell: Cell, input_size: int, hidden_size: int, **sizes: int) -> int:
    """The number of parameters as the printed formula says: products of letters and numbers, ^2, / heads."""
    letters = {"D": input_size, "H": hidden_size, **sizes}
    total = 0
    for term in cell.count_formula().split(" + "):
        product, _, heads = term.partition(" / ")
        value = 1
        for factor in product.split(" "):
            letter, _, power = factor.partition("^")
            value *= (int(letter) if letter.isdecimal() else letters[letter]) ** int(power or 1)
        assert value % int(heads or 1) == 0
        total += value // int(heads or 1)
    return total


def test_shapes_and_the_lines_they_come_from() -> None:
    shapes = LSTM.parameters(3, 5)
    assert list(shapes) == [f"{kind}_{gate}" for gate in "ifog" for kind in "WUb"]
    assert shapes["W_f"] == ParameterShape("W_f", (5, 3), "f = sigmoid(W_f @ x + U_f @ h + b_f)", False)
    assert shapes["U_f"] == ParameterShape("U_f", (5, 5), "f = sigmoid(W_f @ x + U_f @ h + b_f)", True)
    assert shapes["b_f"] == ParameterShape("b_f", (5,), "f = sigmoid(W_f @ x + U_f @ h + b_f)", False)
    assert shapes["U_f"].numbers == 25


def test_a_shared_parameter_is_one_and_belongs_to_its_first_line() -> None:
    cell = Cell("c", "h' = tanh(W @ x + U @ h + b)\nc' = U @ c + b * h'", output="c")
    assert {name: one.shape for name, one in cell.parameters(2, 3).items()} == {"W": (3, 2), "U": (3, 3), "b": (3,)}
    assert cell.parameters(2, 3)["b"].statement == "h' = tanh(W @ x + U @ h + b)"


def test_named_sizes() -> None:
    shapes = {name: one.shape for name, one in PROJECTED.parameters(3, 5, projection=2).items()}
    assert PROJECTED.program.named_sizes == ("projection",)
    assert shapes["W_i"] == (5, 3)
    assert shapes["U_i"] == (5, 2)
    assert shapes["b_i"] == (5,)
    assert shapes["P"] == (2, 5)
    known = PROJECTED.known_sizes(3, 5, projection=2)
    assert {name: PROJECTED.size_of(name, known) for name in ("x", "i", "c", "h")} == {"x": 3, "i": 5, "c": 5, "h": 2}
    for sizes, words in (({}, "wants the size 'projection'"), ({"projection": 2, "projektion": 3}, "'projection'")):
        with pytest.raises(UsageError, match=words):
            PROJECTED.parameters(3, 5, **sizes)


def test_a_declared_size_spreads_to_all_that_must_have_it() -> None:
    cell = Cell(
        "c",
        "size y = 7\nsize x = 4\nh' = tanh(U @ h + W @ x)\nz = V @ h'\ny = (R + S) @ z + b * y_0\nq = p * x",
        output="y",
    )
    shapes = {name: one.shape for name, one in cell.parameters(4, 5).items()}
    assert shapes == {
        "U": (5, 5),
        "W": (5, 4),
        "V": (5, 5),
        "R": (7, 5),
        "S": (7, 5),
        "b": (7,),
        "y_0": (7,),
        "p": (4,),
    }
    with pytest.raises(UsageError, match="takes an input of 4 numbers, and is given 3"):
        cell.parameters(3, 5)


def test_an_input_of_the_hidden_size() -> None:
    cell = Cell("residual", "h' = h + x + tanh(U @ h)", sizes={"x": "hidden"})
    assert {name: one.shape for name, one in cell.parameters(5, 5).items()} == {"U": (5, 5)}
    assert cell.count_formula() == "H^2"
    with pytest.raises(UsageError, match="takes an input of 5 numbers, and is given 3"):
        cell.parameters(3, 5)


def test_the_sizes_of_matrices_meet_through_sums_products_and_transposes() -> None:
    cell = Cell("c", "y = (A - B.T) @ x\nz = A.T @ y + 2 * x\nh' = tanh(U @ h + y)", output="z")
    shapes = {name: one.shape for name, one in cell.parameters(3, 5).items()}
    assert shapes == {"A": (5, 3), "B": (3, 5), "U": (5, 5)}
    assert {name: cell.program.sizes[name] for name in "xyzh"} == {
        "x": "input",
        "y": "hidden",
        "z": "input",
        "h": "hidden",
    }


def test_recurrent_is_what_multiplies_something_made_of_a_state() -> None:
    cell = Cell("c", "i = W @ x\nj = V @ i\nk = h * i\nh' = U @ k + tanh((2 * R.T) @ h) + j + A @ (B @ x)")
    assert {name for name, one in cell.parameters(2, 3).items() if one.recurrent} == {"U", "R"}


@pytest.mark.parametrize("heads", [2, 4])
def test_heads_are_blocks_on_the_diagonal(heads: int) -> None:
    blocked = LSTM.replaced("blocked", heads=heads)
    shapes = blocked.parameters(3, 8)
    assert blocked.heads == {f"U_{gate}": heads for gate in "ifog"}
    assert shapes["U_i"].shape == (heads, 8 // heads, 8 // heads)
    assert shapes["U_i"].numbers == 64 // heads
    assert shapes["W_i"].shape == (8, 3)
    assert blocked.count_formula() == f"4 D H + 4 H^2 / {heads} + 4 H"
    assert Cell.from_text(blocked.text()) == blocked != LSTM
    with pytest.raises(UsageError, match=f"{heads} heads do not divide a size of 9"):
        blocked.parameters(3, 9)


@pytest.mark.parametrize("name", ["lstm", "gru", "antisymmetric", "cornn", "rhn"])
def test_a_run_in_blocks_is_a_run_with_the_block_diagonal_matrix(name: str) -> None:
    cell, generator = LIBRARY[name], torch.Generator().manual_seed(3)
    blocked = cell.replaced("blocked", heads=3)
    parameters = {
        key: torch.randn(one.shape, generator=generator, dtype=torch.float64) / 2
        for key, one in blocked.parameters(4, 6).items()
    }
    dense = {key: torch.block_diag(*value) if value.dim() == 3 else value for key, value in parameters.items()}
    assert {key: value.shape for key, value in dense.items()} == {
        key: torch.Size(one.shape) for key, one in cell.parameters(4, 6).items()
    }
    x = torch.randn(2, 7, 4, generator=generator, dtype=torch.float64)
    assert_close(scan(blocked, parameters, x).outputs, scan(cell, dense, x).outputs, "loop, numpy")


def test_heads_of_one_matrix_that_is_not_square() -> None:
    cell = Cell("c", "h' = tanh(W @ x + U @ h)", heads={"W": 2})
    assert {name: one.shape for name, one in cell.parameters(4, 6).items()} == {"W": (2, 3, 2), "U": (6, 6)}


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize(("input_size", "hidden_size", "other"), [(1, 1, 1), (3, 8, 2), (7, 4, 5), (64, 128, 32)])
def test_the_formula_counts_the_parameters(name: str, input_size: int, hidden_size: int, other: int) -> None:
    cell = LIBRARY[name]
    sizes = dict.fromkeys(cell.program.named_sizes, other)
    actual = count(cell, input_size=input_size, hidden_size=hidden_size, **sizes)
    assert by_formula(cell, input_size, hidden_size, **sizes) == actual
    assert re.fullmatch(r"[\w^ +]+", cell.count_formula())


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 9))
def test_the_formula_counts_fixed_sizes_and_heads(heads: int, width: int, input_size: int, fixed: int) -> None:
    text = "h' = W @ x + U @ h + A @ h\ny = V @ h' + b * d\nz = P @ y + Q @ y"
    cell = Cell("c", text, sizes={"y": fixed, "z": "out"}, heads={"U": heads})
    sizes = {"input_size": input_size, "hidden_size": heads * width, "out": 3}
    assert by_formula(cell, **sizes) == count(cell, **sizes)


def test_a_cell_without_parameters() -> None:
    cell = Cell("sum", "h' = h + x", sizes={"x": "hidden"})
    assert cell.parameters(3, 3) == {}
    assert cell.count_formula() == "0"


def test_constants_are_no_parameters_and_change_without_a_new_text() -> None:
    cell = LIBRARY["antisymmetric"]
    stiff = cell.replaced("stiff", constants={"epsilon": 0.5, "gamma": 0.0})
    assert set(cell.parameters(3, 4)) == {"W", "A", "b"}
    assert stiff.text().startswith("cell stiff\n")
    assert "constant epsilon = 0.5\nconstant gamma = 0\n" in stiff.text()
    assert stiff != cell
    generator = torch.Generator().manual_seed(0)
    parameters = {
        key: torch.randn(one.shape, generator=generator, dtype=torch.float64)
        for key, one in cell.parameters(3, 4).items()
    }
    x = torch.randn(2, 1, 3, generator=generator, dtype=torch.float64)
    slow, fast = (scan(one, parameters, x).outputs for one in (cell, stiff))
    assert_close(fast, 5 * slow, "loop, numpy")
