"""The grammar: every accepted spelling, comments, declarations; what is written reads back as what was meant."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from equations.programs import CONSTANTS, Draft, drafts, matrices, respelled, vectors
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, Number, names, substitute, transform, write
from unrolled.equations.lower import definition
from unrolled.equations.noise import Noise
from unrolled.equations.ops import OPS
from unrolled.equations.reader import parse_expression
from unrolled.equations.text import parse

ELMAN = Cell("elman", "h' = tanh(W @ x + U @ h + b)")
GATED = "i = sigmoid(W @ x + b)\nh' = i * h - i * x_1"


@pytest.mark.parametrize(
    "text",
    [
        "i = σ(W @ x + b)\nh' = i * h - i * x_1",
        "i = sigmoid(W @ x + b)\nh' = i ∘ h - i ⊙ x_1",
        "i = sigmoid(W @ x + b)\nh′ = i · h − i × x_1",
        "i = sigmoid(W @ x + b)\nh’ = (i * h) - ((i) * x_1)",
        "h' = i * h - i * x_1\ni = sigmoid(W @ x + b)",
        "# a gate\n\n  i=sigmoid ( W@x+b )  # the gate\n\th'=i*h-i*x_1\r\n",
        "i = sigmoid(W @ x + b)\rh' = i * h - i * x_1\r",
        "i\u00a0=\u2003sigmoid(W @\u00a0x + b,)\nh' = +i * h - i * x_1",
    ],
)
def test_spellings_blanks_comments_and_order_change_nothing(text: str) -> None:
    cell = Cell("gated", text, output="h")
    assert cell == Cell("other name", GATED)
    assert cell.text().endswith("h' = i * h - i * x_1\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("a / (b * c)", "a / (b * c)"),
        ("(a / b) * c", "a / b * c"),
        ("-(a + b)", "-(a + b)"),
        ("(-a) * b", "-a * b"),
        ("a - -b", "a - -b"),
        ("--2", "2"),
        ("-0.0", "-0"),
        ("2.50e-3", "0.0025"),
        ("1e22", "1e+22"),
        (".5", "0.5"),
        ("A @ B @ h", "A @ B @ h"),
        ("(A @ B) @ h", "A @ B @ h"),
        ("A.T @ h", "A.T @ h"),
        ("(A - B).T @ h", "(A - B).T @ h"),
        ("A . T@h", "A.T @ h"),
        ("r * (U @ h)", "r * (U @ h)"),
        ("(r * U) @ h", "(r * U) @ h"),
        ("U @ (r * h)", "U @ (r * h)"),
        ("(U @ h) / r", "(U @ h) / r"),
        ("max(a, -min(b, 2))", "max(a, -min(b, 2))"),
    ],
)
def test_expressions_are_written_with_no_more_parentheses_than_meaning_needs(text: str, written: str) -> None:
    assert write(parse_expression(text)) == written
    assert parse_expression(written) == parse_expression(text)


@given(st.data())
def test_what_is_written_computes_what_was_meant(data: st.DataObject) -> None:
    expression = data.draw(vectors([Name("h"), Name("c", True)], tame=True))
    again = parse_expression(write(expression))
    assert parse_expression(write(again)) == again
    assert_close(_value(again), _value(expression), "loop, numpy")


def _value(expression: Expression) -> torch.Tensor:
    """The expression computed op by op on fixed random numbers; vectors are rows of two, matrices 3 by 3."""
    values: dict[Expression, torch.Tensor] = {}

    def compute(part: Expression) -> Expression:
        if isinstance(part, Number):
            values[part] = torch.tensor(part.value, dtype=torch.float64)
        elif isinstance(part, Name) and part.name in CONSTANTS:
            values[part] = torch.tensor(CONSTANTS[part.name], dtype=torch.float64)
        elif isinstance(part, Name):
            generator = torch.Generator().manual_seed(sum(map(ord, str(part))))
            shape = (3, 3) if part.name in ["U", "R_1", "A", "W_x", "V_x", "P_x"] else (2, 3)
            values[part] = torch.randn(shape, generator=generator, dtype=torch.float64)
        else:
            meaning = OPS[part.op].meaning
            if meaning is None:
                whole = substitute(definition(part.op), dict(zip("ab", part.arguments, strict=False)))
                values[part] = values[transform(whole, lambda one: one if one in values else compute(one))]
            else:
                values[part] = meaning(torch, *(values[argument] for argument in part.arguments))
        return part

    return values[transform(expression, compute)]


@given(drafts(), st.data())
def test_a_cell_reads_back_from_its_text_its_dictionary_and_any_spelling(draft: Draft, data: st.DataObject) -> None:
    cell = Cell("random", draft.text)
    again = data.draw(respelled(draft.text))
    order = data.draw(st.permutations(draft.lines))
    for same in (
        Cell.from_text(cell.text()),
        Cell.from_dict(cell.to_dict()),
        Cell("respelled", again),
        Cell("reordered", "\n".join((*order, *draft.declarations))),
        cell.replaced("copy"),
    ):
        assert same == cell
        assert hash(same) == hash(cell)
        assert same.quantities == cell.quantities or same.name == "reordered"
    assert Cell.from_text(cell.text()).text() == cell.text()


@settings(max_examples=30)
@given(drafts(), st.data())
def test_a_renamed_parameter_makes_another_cell(draft: Draft, data: st.DataObject) -> None:
    cell = Cell("random", draft.text)
    renamed = data.draw(st.sampled_from(sorted(cell.program.parameters)))

    def change(part: Expression) -> Expression:
        return Name("other") if part == Name(renamed) else part

    lines = [f"{one.target} = {write(transform(one.expression, change))}" for one in cell.statements]
    other = cell.replaced(cell.name, "\n".join(lines))
    assert other != cell
    assert "other" in other.program.parameters


@pytest.mark.parametrize("name", LIBRARY)
def test_every_cell_of_the_library_reads_back(name: str) -> None:
    cell = LIBRARY[name]
    for same in (Cell.from_text(cell.text()), Cell.from_dict(cell.to_dict())):
        assert same == cell
        assert (same.name, same.source, same.initial, same.remembers) == (
            cell.name,
            cell.source,
            cell.initial,
            cell.remembers,
        )
        assert same.text() == cell.text()


DECLARED = """
cell gated  # its name
source The Paper 2020, section #3 = eq. 4
output y
constant gamma = -.5e1   # how fast
size z = projection
size y = 10
heads U = 2
initial b = normal
initial u = -2
start h = h_0
start c = 1
noise n = 1.25 with  probability 0.8 per sequence
remembers b = -1
h' = U @ h + n * (gamma * h) + u * c + b
c' = c + h
z = P @ h'
y = V @ z + W @ x
"""


def test_declarations_say_what_keyword_arguments_say() -> None:
    cell = Cell("", DECLARED)
    same = Cell(
        "gated",
        DECLARED.split("\n", 14)[-1],
        source="The Paper 2020, section #3 = eq. 4",
        constants={"gamma": -5},
        sizes={"z": "projection", "y": 10},
        heads={"U": 2},
        initial={"b": "normal", "u": -2},
        start={"h": "h_0", "c": 1},
        noise={"n": Noise(1.25, 0.8, "sequence")},
        remembers={"b": -1},
    )
    assert cell == same
    assert cell.text() == same.text()
    assert cell.name == "gated"
    assert cell.source == "The Paper 2020, section #3 = eq. 4"
    assert cell.output == "y"
    assert cell.constants == {"gamma": -5.0}
    assert cell.sizes == {"z": "projection", "y": 10}
    assert cell.heads == {"U": 2}
    assert cell.initial == {"b": "normal", "u": -2.0}
    assert cell.start == {"h": "h_0", "c": 1.0}
    assert cell.noise == {"n": Noise(1.25, 0.8, "sequence")}
    assert cell.remembers == {"b": -1.0}
    assert Cell.from_text(cell.text()).to_dict() == cell.to_dict()


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"constants": {"gamma": 4}}, True),
        ({"sizes": {"y": 11}}, True),
        ({"sizes": {"c": "hidden"}}, False),
        ({"heads": {"U": 4}}, True),
        ({"heads": {"U": 1}}, True),
        ({"start": {"c": 2}}, True),
        ({"noise": {"n": Noise(1.25, 0.8, "step")}}, True),
        ({"output": "z"}, True),
        ({"source": "nobody"}, False),
        ({"initial": {"b": 0.0}}, False),
        ({"remembers": {"b": 1.0}}, False),
    ],
)
def test_equality_is_of_what_is_computed(change: dict[str, object], differs: bool) -> None:
    cell = Cell("", DECLARED)
    other = Cell("another name", DECLARED, **change)
    assert (other != cell) is differs
    assert differs or hash(other) == hash(cell)


def test_a_keyword_argument_wins_over_a_line() -> None:
    cell = Cell(
        "mine",
        "cell theirs\nsource them\noutput i\nconstant g = 1\ni = W @ x\nh' = g * h + i",
        source="me",
        output="h",
        constants={"g": 2},
    )
    assert (cell.name, cell.source, cell.output, cell.constants) == ("mine", "me", "h", {"g": 2.0})


def test_words_that_declare_may_name_quantities_too() -> None:
    cell = Cell(
        "c", "size = W @ x\nstart' = size + start\noutput = start'\nsource = noise * heads\ncell' = cell + source"
    )
    assert cell.quantities == ("size", "start", "output", "source", "cell")
    assert set(cell.program.parameters) == {"W", "noise", "heads"}


def test_states_intermediates_and_parameters_are_told_apart() -> None:
    program = LIBRARY["gru"].program
    assert program.states == ("h",)
    assert program.intermediates == ("r", "z", "g")
    assert program.quantities == ("r", "z", "g", "h")
    assert list(program.parameters) == ["W_r", "U_r", "b_r", "W_z", "U_z", "b_z", "W_h", "U_h", "b_h"]
    assert [name for name, one in program.parameters.items() if one.recurrent] == ["U_r", "U_z", "U_h"]
    assert program.parameters["U_h"].statement == "g = tanh(W_h @ x + U_h @ (r * h) + b_h)"


def test_columns_count_characters_of_the_users_line() -> None:
    (statement,) = parse("  h′ = σ(W_ä @ x) ∘ h").statements
    found = {str(name): name.column for name in names(statement.expression)}
    assert found == {"W_ä": 9, "x": 15, "h": 20}


def test_equality_with_something_else_is_false() -> None:
    assert ELMAN != "h' = tanh(W @ x + U @ h + b)"
    assert repr(ELMAN) == "Cell('elman': h' = tanh(W @ x + U @ h + b))"


@given(matrices)
def test_matrices_of_the_strategy_stay_matrices(matrix: Expression) -> None:
    cell = Cell("m", f"h' = {write(Call('matmul', (matrix, Name('h'))))} + W @ x")
    assert all(len(cell.program.parameters[name.name].shape) == 2 for name in names(matrix))
