"""Whatever text comes: a cell or an EquationError, nothing else; nothing is evaluated, and no answer takes long."""

import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from equations.programs import Draft, drafts, respelled
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.source import EquationError

_PIECES = """
h h' x c c' i W U b gamma tanh sigmoid σ softmax layer_norm max step outer transpose matmul add . .T T ' ′ ( ) (( )) [ ]
{ } , ; : = == += := + - * ** / // @ ∘ − % & | ^ ~ < > ! ? # " \'\'\' \\ \n \x00 0 1 -1 0.5 1e-3 1e999 0x1 1_0 1j 07 ٣ ²
lambda if else for in is not and or True None await yield import __import__ print eval exec open _h d_h é ˈ ﬁ µ \t
\u00a0 \u2028 \ud800 😀 cell source output constant size heads initial start noise remembers per probability inf nan
"""
FRAGMENTS = re.split(" |\n(?=[h{l\u00a0])", _PIECES.strip())
SPACED = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(" ".join)
DENSE = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
SIDE_EFFECTS = {"open", "import", "exec", "os.system", "subprocess.Popen", "socket.connect", "shutil.rmtree"}


class Watch:
    """Notes what an audit hook hears while it is on; a hook cannot be taken away, so one serves all tests."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.on = False
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in SIDE_EFFECTS:
            self.heard.append((event, arguments))


WATCH = Watch()


@contextmanager
def evaluating_nothing() -> Iterator[None]:
    WATCH.heard, WATCH.on = [], True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        WATCH.on = False
    assert not WATCH.heard


def make(text: str, **arguments: Any) -> Cell | None:
    """The cell, or None where there is an error, one line of it."""
    began = time.process_time()
    with evaluating_nothing():
        try:
            made, error = Cell("c", text, **arguments), None
        except EquationError as raised:
            made, error = None, raised
    assert time.process_time() - began < 2.0
    if error is not None:
        assert len(str(error).splitlines()) == 1
        assert error.line <= len(text.splitlines())
    return made


def use(cell: Cell) -> None:
    """Everything that a cell shows of itself works, and its text gives the cell again."""
    again = Cell.from_text(cell.text())
    assert again == cell
    assert Cell.from_dict(cell.to_dict()) == cell
    sizes = dict.fromkeys(cell.program.named_sizes, 6)
    shapes = cell.parameters(6, 6, **sizes)
    assert cell.latex().count("&=") == len(cell.statements)
    assert cell.picture().count("<rect") == 2 + 2 * len(cell.states) + len(cell.statements)
    assert cell.count_formula()
    assert all(one.statement for one in shapes.values())
    cell.backward(cell.quantities).text()


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    make(text)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_right_of_an_equals_sign(text: str) -> None:
    make(f"h' = h + W @ x\ny = {text}")


@given(SPACED | DENSE)
@example("h' = h + " + "x @ " * 100)
@example("1_000 if 1else 2")
@example("h' = 1if h else 2")
def test_fragments_of_the_grammar(text: str) -> None:
    for one in (
        text,
        f"h' = {text}",
        f"h' = h + W @ x + ({text})",
        f"constant {text}\nh' = h",
        f"noise {text}\nh' = h",
    ):
        make(one)


@settings(max_examples=30)
@given(drafts(), st.data())
def test_what_makes_a_cell_works_in_full(draft: Draft, data: st.DataObject) -> None:
    cell = make(data.draw(respelled(draft.text)))
    assert cell is not None
    use(cell)


@given(st.sampled_from(sorted(LIBRARY)), st.data())
def test_mutated_cells_of_the_library(name: str, data: st.DataObject) -> None:
    text = LIBRARY[name].text()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 3))
        text = text[:start] + data.draw(st.sampled_from(FRAGMENTS) | st.just("")) + text[start + length :]
    make(text)


NAMES = st.sampled_from(["h", "U", "b", "x", "g", "nothing", "", "a\nb", "__class__"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2)
)
GROUPS = st.one_of(VALUES, st.dictionaries(NAMES | st.integers(), VALUES, max_size=2))
KEYWORDS = st.sampled_from(["constants", "sizes", "heads", "initial", "start", "noise", "remembers"])


@given(st.dictionaries(KEYWORDS, GROUPS, max_size=2))
@example({"heads": 2**53 + 1})
def test_any_keyword_arguments(arguments: dict[str, Any]) -> None:
    cell = make("h' = tanh(W @ x + U @ h + b)", **arguments)
    if cell is None:
        return
    assert Cell.from_text(cell.text()) == cell
    assert Cell.from_text(cell.text()).text() == cell.text()


@pytest.mark.parametrize(
    "line",
    [
        "h' = h + {call}",
        "h' = h + tanh({call})",
        "h' = [{call} for i in x][0]",
        "h' = (lambda: {call})()",
        "h' = f'{{{call}}}'",
        "h' = h if {call} else x",
        "h' = (y := {call})",
        "constant g = {call}\nh' = g * h",
        "start h = {call}\nh' = h",
        "noise n = {call} with probability 1 per step\nh' = n * h",
        "initial b = {call}\nh' = h + b",
        "size h = {call}\nh' = h",
        "heads U = {call}\nh' = U @ h",
    ],
)
def test_code_is_refused_and_not_run(line: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    for call in (f"open('{there}', 'w')", f"__import__('pathlib').Path('{there}').touch()", "exit()", "print(x)"):
        assert make(line.format(call=call)) is None
    assert not there.exists()


def test_the_watch_hears_what_it_must(tmp_path: Path) -> None:
    WATCH.heard, WATCH.on = [], True
    (tmp_path / "there").touch()
    exec("1")
    WATCH.on = False
    assert {event for event, _ in WATCH.heard} >= {"open", "exec"}


LINES = 3_000
HOSTILE_TEXTS = {
    "a long sum": "h' = h" + " + W @ x" * 249,
    "a long product": "h' = h" + " * h" * 498,
    "a long chain of matrices": "h' = " + "U @ " * 490 + "h",
    "deep parentheses": "h' = " + "(" * 990 + "h" + ")" * 990,
    "deep calls": "h' = " + "tanh(" * 300 + "h" + ")" * 300,
    "parentheses that never close": "h' = " + "(" * 1990,
    "signs": "h' = h " + "-" * 1980 + " h",
    "transposes": "h' = U" + ".T" * 980 + " @ h",
    "a long number": "h' = h * " + "1" * 1980,
    "a long exponent": "h' = h * 1e" + "9" * 1980,
    "a small exponent": "h' = h * 1e-" + "9" * 1980,
    "a long fraction": "h' = h * 0." + "3" * 1980,
    "a long name": "h' = h * " + "a" * 1980,
    "a long unknown function": "h' = " + "tanh" * 480 + "(h)",
    "many commas": "h' = max(" + "h," * 980 + ")",
    "many quotes": "h' = " + "'" * 1980,
    "many blanks": "h' = h" + " " * 5_000,
    "many equals signs": "h' " + "=" * 1980,
    "nested norms": "h' = " + "layer_norm(" * 55 + "h" + ")" * 55,
    "doubling": "\n".join(["q0 = W @ x", *(f"q{n} = q{n - 1} * q{n - 1}" for n in range(1, 200)), "h' = h + q199"]),
    "a chain of lines": "\n".join(
        [f"q{n} = tanh(q{n + 1})" for n in range(LINES)] + [f"q{LINES} = W @ x", "h' = h + q0"]
    ),
    "a circle of lines": "\n".join([f"q{n} = q{n + 1}" for n in range(LINES)] + [f"q{LINES} = q0", "h' = h + q0"]),
    "many parameters": "\n".join(f"h{n}' = W{n} @ x + U{n} @ h{n} + b{n}" for n in range(LINES // 3)),
    "many constants": "\n".join(f"constant c{n} = {n}" for n in range(LINES)) + "\nh' = h",
    "many names near the wrong one": "\n".join(f"quantity_{n} = W @ x" for n in range(LINES)) + "\nh' = h + quantity'",
    "two thousand parentheses": "h' = " + "()" * 997,
    "one long comment": "h' = h  #" + "x" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_hostile_texts_are_answered_quickly(name: str) -> None:
    cell = make(HOSTILE_TEXTS[name])
    if cell is not None and len(cell.statements) < 300:
        use(cell)
