"""The library: every cell complete and under its own name; what a user's name, path or Cell stands for."""

import ast
from pathlib import Path

import pytest

from unrolled.cells import dynamics, elman, gru, lstm
from unrolled.cells.elman import rhn, unit
from unrolled.cells.library import LIBRARY, find_cell
from unrolled.equations.cell import Cell
from unrolled.equations.source import EquationError
from unrolled.errors import UsageError
from unrolled.layers.initialise import SCHEMES

FAMILIES = (elman, lstm, gru, dynamics)
TEXT = "cell mine\nh' = tanh(W @ x + U @ h + b)\n"


@pytest.mark.parametrize("name", LIBRARY)
def test_a_cell_is_complete(name: str) -> None:
    cell = LIBRARY[name]
    assert cell.name == name
    assert name.isidentifier()
    assert any(character.isdigit() for character in cell.source), "a source has a year"
    assert "\n" not in cell.source
    assert cell.output in cell.quantities
    assert cell.states
    for parameter, scheme in cell.initial.items():
        matrix = len(cell.program.parameters[parameter].shape) == 2
        assert isinstance(scheme, float) or scheme in (SCHEMES if matrix else ("normal", "uniform"))
    for bias, sign in cell.remembers.items():
        assert sign in (-1.0, 1.0)
        assert len(cell.program.parameters[bias].shape) == 1


def test_names_are_unique_and_every_cell_of_a_family_is_listed() -> None:
    cells = [value for family in FAMILIES for value in vars(family).values() if isinstance(value, Cell)]
    assert len({cell.name for cell in cells}) == len(cells) == len(LIBRARY)
    assert list(LIBRARY.values()) == cells


def test_no_two_cells_are_one() -> None:
    assert len(set(LIBRARY.values())) == len(LIBRARY)


def test_what_the_lectures_and_the_issue_ask_for_is_there() -> None:
    asked = "elman unit jordan lstm lstm_no_bias lstm_output_fed_back lstm_coupled lstm_1997 lstm_peephole gru gru_new"
    asked += " gru_reset_after mgu indrnn rhn mingru minlstm slstm antisymmetric cornn janet sru"
    assert set(asked.split()) <= set(LIBRARY)


def test_every_gated_cell_says_what_remembers() -> None:
    without = {name for name, cell in LIBRARY.items() if not cell.remembers}
    assert without == {
        *("elman", "elman_sigmoid", "elman_relu", "unit", "unit_no_bias", "unit_step", "unit_linear"),
        *("jordan", "indrnn", "lstm_no_bias", "antisymmetric", "cornn"),
    }


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_family_says_in_a_line_what_it_holds(family: object) -> None:
    tree = ast.parse(Path(str(vars(family)["__file__"])).read_text(encoding="utf-8"))
    doc = ast.get_docstring(tree)
    assert doc
    assert "\n" not in doc
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert ast.get_docstring(node)


def test_cells_of_ones_choice() -> None:
    assert lstm.lstm() == LIBRARY["lstm"]
    assert lstm.lstm(output="relu", name="other") == LIBRARY["lstm_relu"]
    assert lstm.lstm("hard_sigmoid", "softsign").name == "lstm_hard_sigmoid_softsign_tanh"
    assert elman.elman("sigmoid") == LIBRARY["elman_sigmoid"]
    assert unit("relu", "softmax") != LIBRARY["unit"]
    with pytest.raises(EquationError, match="'tanhh' is no known function. Did you mean 'tanh'?"):
        lstm.lstm(candidate="tanhh")


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_highway_network_of_any_depth(depth: int) -> None:
    cell = rhn(depth)
    assert cell.name == f"rhn_{depth}"
    assert len(cell.statements) == 3 * depth
    assert cell.count_formula() == f"2 D H + {2 * depth} H^2 + {2 * depth} H"
    assert cell.states == ("s",)


def test_a_cell_is_found_by_its_name_by_itself_and_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert find_cell("lstm") is LIBRARY["lstm"]
    assert find_cell(LIBRARY["gru"]) is LIBRARY["gru"]
    for named in (path, str(path)):
        assert find_cell(named) == LIBRARY["elman"]
        assert find_cell(named).name == "mine"


def test_a_file_as_editors_on_windows_write_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert find_cell(path) == LIBRARY["elman"]


def test_the_librarys_name_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lstm").write_text(TEXT, encoding="utf-8")
    assert find_cell("lstm") is LIBRARY["lstm"]
    assert find_cell(Path("./lstm").absolute()).name == "mine"


def test_what_is_no_cell(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"cell \xff")
    (tmp_path / "equation").write_text("h' = tan(W @ x)", encoding="utf-8")
    (tmp_path / "empty").write_text("", encoding="utf-8")
    for named, words in (
        ("lsmt", ("no cell 'lsmt'", "Did you mean 'lstm'?", "'unrolled cells' lists them")),
        (tmp_path / "nothing", ("no cell '", "neither in the library nor as a file")),
        (tmp_path, ("is no file of equations",)),
        ("a" * 5_000, ("neither in the library nor as a file",)),
        ("a\x00b", ("neither in the library nor as a file",)),
        (tmp_path / "binary", ("byte 5 is not UTF-8",)),
        (tmp_path / "equation", ("line 1, column 6: 'tan' is no known function", "'tanh'")),
        (tmp_path / "empty", ("no equation in the text",)),
    ):
        with pytest.raises(UsageError) as raised:
            find_cell(named)
        for word in words:
            assert word in str(raised.value)
