"""Every error of a cell's text and declarations: the line, the column, the marked piece, and what would work."""

import re
import sys
from typing import Any, NamedTuple

import pytest

from unrolled.equations.cell import Cell
from unrolled.equations.noise import Noise
from unrolled.equations.source import EquationError
from unrolled.errors import UnrolledError, UsageError

ELMAN = "h' = tanh(W @ x + U @ h + b)"
DEEP = "h' = h + " + "(" * 61 + "x" + ")" * 61


class Row(NamedTuple):
    """A text that is no cell, where its error points, and words that the message must hold."""

    text: str
    line: int
    column: int | None
    marked: str | None
    words: tuple[str, ...]


def row(text: str, line: int, column: int | None, marked: str | None, *words: str) -> Row:
    return Row(text, line, column, marked, words)


LINES = {
    "unknown function": row("h' = sigmod(W @ x + U @ h)", 1, 6, "sigmod", "no known function", "'sigmoid'"),
    "unknown function, nothing near": row("h' = qqq(W @ x) + h", 1, 6, "qqq", "There are: sigmoid, tanh"),
    "a derivative's own op": row("h' = outer(h, h, W) + h", 1, 6, "outer", "no known function"),
    "primed function": row("h' = h + tanh'(x)", 1, 10, "tanh'", "'tanh'' is no known function"),
    "call of a quantity": row("i = W @ x\nh' = i(h)", 2, 6, "i", "'i' is no known function"),
    "call of a call": row("h' = tanh(h)(W @ x)", 1, 6, "tanh", "no meaning", "functions"),
    "import": row("h' = h + __import__('os')", 1, 10, "__import__", "kept", "use another"),
    "eval": row("h' = h + eval(W)", 1, 10, "eval", "'eval' is no known function"),
    "too many arguments": row("h' = h + tanh(x, h)", 1, 10, "tanh", "tanh wants 1 argument, and is given 2"),
    "too few arguments": row("h' = h + max(h)", 1, 10, "max", "max wants 2 arguments, and is given 1"),
    "no argument": row("h' = h + tanh()", 1, 10, "tanh", "tanh wants 1 argument, and is given 0"),
    "starred argument": row("h' = h + tanh(*h)", 1, 15, "*", "no meaning"),
    "keyword argument": row("h' = h + tanh(a=h)", 1, 16, "=", "'=' has no meaning"),
    "function without argument": row("h' = h + tanh", 1, 10, "tanh", "wants an argument: tanh(...)"),
    "function assigned": row("tanh = W @ x\nh' = h + tanh", 1, 1, "tanh", "another name"),
    "σ assigned": row("σ = W @ x\nh' = h", 1, 1, "σ", "another name"),
    "unknown name with a prime": row(
        "h' = tanh(W @ x + U @ q')", 1, 23, "q'", "no line defines q'", "add the line q' ="
    ),
    "state without an equation, near": row(
        "i_gate = W @ x\nh' = i_gate * h + i_gat'", 2, 19, "i_gat'", "no line defines", "'i_gate'"
    ),
    "prime on a parameter": row("h' = W' @ x + h", 1, 6, "W'", "no line defines W'"),
    "prime on an intermediate": row("i = W @ x\nh' = i' * h", 2, 6, "i'", "'i' is no state", "write i"),
    "prime on the input": row("h' = W @ x' + h", 1, 10, "x'", "'x' is no state", "write x"),
    "state never read": row("h' = tanh(W @ x)", 1, 1, "h'", "never read", "written h ="),
    "state read only with a prime": row(f"{ELMAN}\nc' = h'\ny = c'", 2, 1, "c'", "c is never read", "written c ="),
    "assigned twice": row("i = W @ x\ni = h\nh' = i + h", 2, 1, "i", "second time (first in line 1)"),
    "assigned as state and as intermediate": row("h = W @ x\nh' = h", 2, 1, "h'", "second time"),
    "input assigned": row(f"{ELMAN}\nx = h'", 2, 1, "x", "'x' is the input"),
    "constant assigned": row("constant g = 1\ng = W @ x\nh' = g * h", 2, 1, "g", "declared as a number"),
    "noise assigned": row(
        "noise n = 1 with probability 0.5 per step\nn = x\nh' = n * h", 2, 1, "n", "declared as noise"
    ),
    "circle": row("a = b + W @ x\nb = a\nh' = h + a", 1, 1, "a", "a -> b -> a", "previous value of a state"),
    "circle of one": row("h' = h' + h", 1, 1, "h'", "h' waits for itself", "without prime"),
    "circle of many": row(
        "\n".join(f"q{n} = q{(n + 1) % 50} + W @ x" for n in range(50)) + "\nh' = h + q0", 1, 1, "q0", "q3 -> … -> q48"
    ),
    "sizes of x and h": row("h' = tanh(W @ x + U @ h) + x", 1, 6, "tanh", "the hidden size", "the input size", "W @ x"),
    "sizes of one matrix": row("h' = W @ x + W @ h", 1, 14, "W", "the input size", "the hidden size", "W @ x"),
    "declared sizes": row("size y = 3\ny = V @ x\nh' = h + y", 3, 6, "h", "the hidden size", "3 units"),
    "declared size against the line": row(
        f"size y = out\n{ELMAN}\ny = h'", 3, 5, "h'", "the out size", "the hidden size"
    ),
    "matrices of two sizes": row("h' = (W + U) @ h + W @ x", 1, 20, "W", "the hidden size", "the input size"),
    "vector left of @": row("h' = tanh(x @ W + U @ h)", 1, 11, "x", "'x' is a vector", "write W @ x"),
    "constant left of @": row("constant g = 2\nh' = g @ h + W @ x", 2, 6, "g", "'g' is a number", "write W @ x"),
    "call left of @": row("h' = tanh(W @ x) @ h", 1, 6, "tanh", "this is none", "write W @ x"),
    "number right of @": row("h' = h + W @ 3", 1, 10, "W", "right of @ stands a vector"),
    "sum of matrices right of @": row("h' = h + W @ (2 * U.T)", 1, 10, "W", "right of @ stands a vector"),
    "matrix plus vector": row("h' = h + U @ h + U.T", 1, 6, "h", "a matrix and a vector do not fit", "with @"),
    "matrix beside a vector": row("h' = (U + b) @ h + W @ x + b", 1, 27 + 1, "b", "two names"),
    "matrix plus state": row("h' = (U + h) @ h", 1, 7, "U", "do not fit", "multiply them with @"),
    "transposed vector": row("h' = h + (W @ x).T", 1, 10, "(", "only a matrix can be transposed"),
    "softmax of a matrix": row("h' = softmax(U) @ h + W @ x", 1, 6, "softmax", "units of a vector"),
    "matrix alone": row("i = U.T\nh' = h + U @ h + W @ x", 1, 5, "U", "'i' is computed from a matrix", "with @"),
    "number alone": row("h = 2", 1, 5, "2", "declare it as a constant"),
    "constant alone": row("constant g = 2\ni = g * 2\nh' = i * h", 2, 5, "g", "declare it as a constant"),
    "a * W @ x": row("h' = tanh(W @ x + r * U @ h)", 1, 19, "r", "two ways", "r * (U @ h)"),
    "U @ r * h": row("h' = W @ x + U @ r * h", 1, 14, "U", "two ways", "U @ (r * h)"),
    "U @ h / r": row("h' = W @ x + U @ h / r", 1, 14, "U", "two ways", "parentheses"),
    "power": row("h' = h**2 + W @ x", 1, 7, "*", "write a * a"),
    "whole division": row("h' = h//2 + W @ x", 1, 7, "/", "write a / b"),
    "remainder": row("h' = h % 2", 1, 8, "%", "use + - * / @"),
    "comparison": row("h' = h < x", 1, 8, "<", "'<' has no meaning"),
    "equality": row("h' == h", 1, 1, "h'", "no equation", "NAME = EXPRESSION"),
    "walrus": row("h' = (h := x)", 1, 9, ":", "':' has no meaning"),
    "adding to": row("h' += h", 1, 4, "+", "assigned once, with ="),
    "attribute": row("h' = x.shape + h", 1, 7, ".", "attributes are not read", ".T"),
    "attribute behind .T": row("h' = U.T.T.grad @ h", 1, 11, ".", "attributes are not read"),
    "dunder": row("h' = ().__class__ + h", 1, 8, ".", "attributes are not read"),
    "empty parentheses": row("h' = h + ()", 1, 10, "(", "no meaning"),
    "tuple": row("h' = (h, x)", 1, 6, "(", "no meaning"),
    "comma": row("h' = h, x", 1, 6, "h", "no meaning"),
    "comprehension": row("h' = [i for i in h]", 1, 6, "[", "group with parentheses"),
    "generator": row("h' = sum(i for i in h)", 1, 12, "for", "word of Python"),
    "subscript": row("h' = h[0] + W @ x", 1, 7, "[", "gate its own matrix"),
    "dictionary": row("h' = {h}", 1, 6, "{", "group with parentheses"),
    "string": row("h' = 'a' + h", 1, 6, "'", "right behind a state's name", "quotes"),
    "other string": row('h\' = "a" + h', 1, 6, '"', "quotes"),
    "two primes": row("h' = h'' + h", 1, 8, "'", "right behind a state's name"),
    "two primes on the left": row("h'' = h", 1, 1, "h'", "STATE' = EXPRESSION"),
    "lambda": row("h' = lambda h: h", 1, 6, "lambda", "word of Python", "lambda_1"),
    "conditional": row("h' = h if h else x", 1, 8, "if", "word of Python"),
    "word of Python assigned": row("in = W @ x\nh' = h", 1, 1, "in", "word of Python", "in_1"),
    "truth": row("h' = h + True", 1, 10, "True", "word of Python"),
    "name with _": row("_a = W @ x\nh' = h", 1, 1, "_a", "kept", "use another"),
    "name with d_": row("h' = h + d_h", 1, 10, "d_h", "kept for derived quantities", "use another"),
    "name that Python would respell": row("h' = h² + W @ x", 1, 6, "h²", "letters, digits and _"),
    "letter that stands for the prime": row("h' = hˈ + h", 1, 6, "hˈ", "letters, digits and _"),
    "number and name": row("h' = 3h + W @ x", 1, 6, "3", "no number", "an operator between"),
    "underscored number": row("h' = h + 1_0", 1, 10, "1", "write 0.5 or 1e-3"),
    "hexadecimal number": row("h' = h + 0x10", 1, 10, "0", "write 0.5 or 1e-3"),
    "complex number": row("h' = h + 1j", 1, 10, "1", "write 0.5 or 1e-3"),
    "arabic digits": row("h' = h + ٣", 1, 10, "٣", "write 0.5 or 1e-3"),
    "leading zero": row("h' = h + 0123", 1, 10, "0123", "no expression"),
    "number too large": row("h' = h + 1e999", 1, 10, "1e999", "too large"),
    "number too long": row("h' = h + " + "9" * 400, 1, 10, "9" * 400, "too large"),
    "name and name": row("h' = W x + h", 1, 6, "W", "an operator or a parenthesis missing"),
    "operator missing at the end": row("h' = W @ x +", 1, 13, "", "an operator or a parenthesis missing"),
    "parenthesis left open": row("h' = tanh(W @ x + h", 1, 10, "(", "this parenthesis is never closed"),
    "parenthesis closed twice": row("h' = tanh(W @ x) + h)", 1, 21, ")", "closes none that is open"),
    "parentheses that only fit from outside": row("h' = W @ x) + (h", 1, 11, ")", "closes none that is open"),
    "semicolon": row("h' = h; x = h", 1, 7, ";", "';' has no meaning"),
    "other sign": row("h' = h ⊗ x", 1, 8, "⊗", "'⊗' has no meaning", "use + - * / @"),
    "backslash": row("h' = h + \\", 1, 10, "\\", "has no meaning"),
    "nothing right of =": row("h' =   # to be done", 1, 5, "", "nothing stands right of the equals sign"),
    "nested too deep": row(DEEP, 1, 70, "(", "more than 60 deep", "line of its own"),
    "sum too long": row("h' = h" + " + x" * 62, 1, 6, "h", "more than 60 deep", "line of its own"),
    "minus too often": row("h' = h +" + " -" * 900 + " x", 1, 130, "-", "60 deep", "line of its own"),
    "line too long": row("h' = h" + " + x" * 600, 1, None, None, "2000 characters", "2406", "several lines"),
    "no equation": row("update the state", 1, 1, "update", "no equation", "NAME = EXPRESSION"),
    "no equation, a declaration near": row(f"constnt g = 3\n{ELMAN}", 1, 1, "constnt", "'constant'"),
    "product assigned": row("W @ x = h", 1, 1, "W", "NAME = EXPRESSION"),
    "nothing": row("", 0, None, None, "no equation in the text", "tanh(W @ x"),
    "comments only": row("# nothing\n\n", 0, None, None, "no equation in the text"),
    "declarations only": row("output h\nconstant g = 1", 0, None, None, "no equation in the text"),
}

DECLARATIONS = {
    "constant without a value": row(f"constant g\n{ELMAN}", 1, 1, "constant", "constant NAME = VALUE"),
    "constant without a name": row(f"{ELMAN}\n  size h =", 2, 3, "size", "size NAME = VALUE"),
    "constant that is no number": row(
        f"constant g = big\n{ELMAN}", 1, 14, "big", "constant 'g'", "write one such as 0.5"
    ),
    "constant that is no finite number": row(f"constant g = 1e999\n{ELMAN}", 1, 14, "1e999", "no finite number"),
    "constant that is not a number": row(f"constant g = nan\n{ELMAN}", 1, 14, "nan", "'nan' is no number"),
    "constant in underscores": row(f"constant g = 1_000\n{ELMAN}", 1, 14, "1", "'1_000' is no number"),
    "constant never read": row(f"constant gamma = 2\n{ELMAN}", 1, 10, "gamma", "no line reads it", "drop it"),
    "constant with a misspelt reader": row(
        "constant gamma = 2\nh' = gama * h + W @ x", 1, 10, "gamma", "Did you mean 'gama'?"
    ),
    "constant called like a function": row(f"constant tanh = 2\n{ELMAN}", 1, 10, "tanh", "another name"),
    "constant called like a gradient": row(f"constant d_h = 2\n{ELMAN}", 1, 10, "d_h", "use another"),
    "constant called x": row(f"constant x = 2\n{ELMAN}", 1, 10, "x", "the input already", "another name"),
    "constant that is no name": row(f"constant a b = 2\n{ELMAN}", 1, 10, "a", "'a b' is no name", "letters"),
    "declared twice": row(
        f"constant g = 2\nconstant g = 3\n{ELMAN}", 2, 10, "g", "'constant g' is declared a second time"
    ),
    "cell named twice": row(f"cell a\ncell b\n{ELMAN}", 2, 1, "cell", "one line 'cell …'"),
    "output twice": row(f"output h\n{ELMAN}\noutput h", 3, 1, "output", "one line 'output …'"),
    "output unknown": row(f"output hh\n{ELMAN}", 1, 1, "output", "'hh' is assigned in no line", "'h'"),
    "output nothing near": row(f"output result\n{ELMAN}", 1, 1, "output", "The lines assign: h"),
    "size of nothing": row(f"size hh = 3\n{ELMAN}", 1, 6, "hh", "no such quantity", "'h'"),
    "size of a matrix": row(f"size W = 3\n{ELMAN}", 1, 6, "W", "a matrix's sizes follow", "a state or quantity"),
    "size zero": row(f"size h = 0\n{ELMAN}", 1, 10, "0", "no whole number from 1 on"),
    "size negative": row(f"size h = -3\n{ELMAN}", 1, 10, "-", "no whole number from 1 on"),
    "size and a half": row(f"size h = 2.5\n{ELMAN}", 1, 10, "2.5", "no whole number from 1 on"),
    "size enormous": row(f"size h = 1e30\n{ELMAN}", 1, 10, "1e30", "no whole number from 1 on"),
    "size that is no name": row(f"size h = the projection\n{ELMAN}", 1, 10, "the", "no whole number from 1 on"),
    "heads of nothing": row(f"heads UU = 3\n{ELMAN}", 1, 7, "UU", "no such matrix", "'U'"),
    "heads of a vector": row(f"heads b = 3\n{ELMAN}", 1, 7, "b", "no such matrix"),
    "heads zero": row(f"heads U = 0\n{ELMAN}", 1, 11, "0", "no whole number from 1 on"),
    "heads in words": row(f"heads U = two\n{ELMAN}", 1, 11, "two", "'two' is no whole number"),
    "initial of nothing": row(f"initial c = 1\n{ELMAN}", 1, 9, "c", "initial 'c'", "no such parameter"),
    "initial in words": row(f"initial b = as usual\n{ELMAN}", 1, 13, "as", "'as usual' is no number"),
    "start of nothing": row(f"start i = 0\n{ELMAN}", 1, 7, "i", "start 'i'", "no such state"),
    "start called like another": row(f"start h = b\n{ELMAN}", 1, 7, "h", "'b' is another quantity's name", "its own"),
    "two starts of one name": row(
        f"start h = s_0\nstart c = s_0\n{ELMAN}\nc' = c + h", 1, 7, "h", "'s_0' is another quantity's name"
    ),
    "start infinite": row(f"start h = -inf\n{ELMAN}", 1, 11, "-", "no number"),
    "start infinite, in a word": row(f"start h = inf\n{ELMAN}", 1, 11, "inf", "'inf' is no number"),
    "start called like a word": row(f"start h = if\n{ELMAN}", 0, None, None, "word of Python", "if_1"),
    "noise in words": row("noise n = often\nh' = n * h", 1, 11, "often", "with probability P per step"),
    "noise as a number": row("noise n = 2\nh' = n * h", 1, 11, "2", "with probability P per step"),
    "noise too probable": row("noise n = 1 with probability 1.5 per step\nh' = n * h", 1, 11, "1", "between 0 and 1"),
    "noise too large": row("noise n = 1e999 with probability 1 per step\nh' = n * h", 1, 11, "1e999", "finite value"),
    "noise per month": row(
        "noise n = 1 with probability 1 per month\nh' = n * h", 1, 11, "1", "per step or per sequence"
    ),
    "noise that is no number": row("noise n = 1.2.3 with probability 1 per step\nh' = n * h", 1, 11, "1.2", "1.2.3"),
    "noise never read": row(
        f"noise n = 1 with probability 0.5 per step\n{ELMAN}", 1, 7, "n", "no line reads it", "drop"
    ),
    "noise called like a constant": row(
        "constant n = 1\nnoise n = 1 with probability 0.5 per step\nh' = n * h", 2, 7, "n", "a constant already"
    ),
    "remembers nothing": row(f"remembers c = 1\n{ELMAN}", 1, 11, "c", "remembers 'c'", "no such parameter"),
    "remembers in words": row(f"remembers b = long\n{ELMAN}", 1, 15, "long", "write one such as 0.5"),
}

ARGUMENTS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "constant that is no number": ({"constants": {"g": "2"}}, ("constant 'g'", "'2' is no number")),
    "constant that is true": ({"constants": {"g": True}}, ("constant 'g'", "no number")),
    "constant that is no finite number": ({"constants": {"g": float("nan")}}, ("constant 'g'", "no finite number")),
    "constant beyond all floats": ({"constants": {"g": 10**400}}, ("constant 'g'", "no finite number")),
    "constant that is none": ({"constants": {"g": None}}, ("constant 'g'", "None is no number")),
    "constants that are no mapping": ({"constants": ["g"]}, ("constant", "a mapping of names", "['g']")),
    "constant without a name": ({"constants": {3: 2.0}}, ("constant 3", "as text")),
    "constant over two lines": ({"constants": {"g\nh": 2.0}}, ("'g h' is no name",)),
    "constant called x": ({"constants": {"x": 2.0}}, ("'x' is the input already",)),
    "constant never read": ({"constants": {"g": 2.0}}, ("constant 'g'", "no line reads it")),
    "noise in a tuple": ({"noise": {"n": (1.0, 0.5)}}, ("noise 'n'", "with probability P per step")),
    "noise that is a number": ({"noise": {"n": 0.5}}, ("noise 'n'", "with probability P per step")),
    "noise never read": ({"noise": {"n": Noise(1.0, 0.5, "step")}}, ("noise 'n'", "no line reads it")),
    "heads zero": ({"heads": 0}, ("heads '*'", "0 is no whole number from 1 on")),
    "heads negative": ({"heads": {"U": -2}}, ("heads 'U'", "-2 is no whole number")),
    "heads and a half": ({"heads": {"U": 1.5}}, ("heads 'U'", "1.5 is no whole number")),
    "heads as text": ({"heads": {"U": "2"}}, ("heads 'U'", "'2' is no whole number")),
    "heads without a mapping": ({"heads": 2.0}, ("heads", "a mapping of names")),
    "heads of nothing": ({"heads": {"V": 2}}, ("heads 'V'", "no such matrix")),
    "size zero": ({"sizes": {"h": 0}}, ("size 'h'", "0 is no whole number")),
    "size true": ({"sizes": {"h": True}}, ("size 'h'", "True is no whole number")),
    "size nothing": ({"sizes": {"h": ""}}, ("size 'h'", "'' is no whole number")),
    "size of a list": ({"sizes": {"h": [1]}}, ("size 'h'", "[1] is no whole number")),
    "size of nothing": ({"sizes": {"hh": 3}}, ("size 'hh'", "no such quantity", "'h'")),
    "initial of a list": ({"initial": {"b": [1.0]}}, ("initial 'b'", "[1.0] is no number")),
    "initial over two lines": ({"initial": {"b": "a\nb"}}, ("initial 'b'", "'a b' is no number")),
    "initial of nothing": ({"initial": {"bb": 1.0}}, ("initial 'bb'", "no such parameter", "'b'")),
    "start of nothing": ({"start": {"c": 0.0}}, ("start 'c'", "no such state")),
    "start infinite": ({"start": {"h": float("-inf")}}, ("start 'h'", "-inf is no finite number")),
    "remembers in words": ({"remembers": {"b": "long"}}, ("remembers 'b'", "'long' is no number")),
    "output unknown": ({"output": "c"}, ("the output 'c' is assigned in no line", "The lines assign: h")),
    "output that is no text": ({"output": 3}, ("the output '3' is assigned in no line",)),
    "source that looks like an equation": ({"source": "= 3"}, ("the source of a cell", "begin with =")),
    "source that cannot be printed": ({"source": "a\x00b"}, ("the source of a cell", "line of text")),
}


def check(error: EquationError, expected: Row) -> None:
    message = str(error)
    assert message.splitlines() == [message]
    assert (error.line, error.column) == (expected.line, expected.column)
    assert message.startswith("cell: " if not error.line else f"line {error.line}")
    marked = re.search(r">>(.*)<<", message)
    assert (marked[1] if marked else None) == expected.marked
    if expected.column is not None:
        assert f"column {expected.column}: " in message
    for word in expected.words:
        assert word in message, message


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_is_no_equation(name: str) -> None:
    with pytest.raises(EquationError) as raised:
        Cell("c", LINES[name].text)
    check(raised.value, LINES[name])


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_declaration_that_does_not_hold(name: str) -> None:
    with pytest.raises(EquationError) as raised:
        Cell("c", DECLARATIONS[name].text)
    check(raised.value, DECLARATIONS[name])


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_keyword_argument_that_does_not_hold(name: str) -> None:
    arguments, words = ARGUMENTS[name]
    with pytest.raises(EquationError) as raised:
        Cell("c", ELMAN, **arguments)
    check(raised.value, Row("", 0, None, None, words))


@pytest.mark.parametrize("name", ["a\x00b", "= lstm", "lstm # the first", 3])
def test_a_name_that_a_text_could_not_hold(name: Any) -> None:
    with pytest.raises(EquationError, match="the name of a cell"):
        Cell(name, ELMAN)


def test_a_text_too_deep_for_pythons_own_parser() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        with pytest.raises(EquationError, match="line 1, column 6: nested more than 60 deep"):
            Cell("c", "h' = " + "-" * 1980 + "h")
    finally:
        sys.setrecursionlimit(limit)


def test_an_error_in_a_long_text_shows_its_own_line() -> None:
    text = f"# a comment\n\ncell c\n\n{ELMAN}\n\n  y  =  V @ h′ + é * qq(h′)  # ends here"
    with pytest.raises(EquationError) as raised:
        Cell("c", text)
    check(raised.value, row("", 7, 22, "qq", "In: y = V @ h′ + é * >>qq<<(h′)"))
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"equations": [ELMAN]}, ("'name' is missing",)),
        ({"name": "c"}, ("'equations' is missing",)),
        ({"name": 3, "equations": [ELMAN]}, ("a name, which is text",)),
        ({"name": "c", "equations": ELMAN}, ("equations, a list of texts",)),
        ({"name": "c", "equations": [ELMAN, None]}, ("equations, a list of texts",)),
        ({"name": "c", "equations": []}, ("equations, a list of texts",)),
        ({"name": "c", "equations": [ELMAN], "outptu": "h"}, ("no key 'outptu'", "'output'")),
        ({"name": "c", "equations": [ELMAN], "noise": {"n": "x"}}, ("noise 'n'", "with probability P")),
        ({"name": "c", "equations": [ELMAN], "noise": 3}, ("noise", "a mapping of names")),
        ({"name": "c", "equations": [ELMAN], "source": 3}, ("the source of a cell",)),
        ({"name": "c", "equations": [ELMAN], "sizes": {"h": None}}, ("size 'h'", "no whole number")),
        ({"name": "c", "equations": ["h' = h.x"]}, ("line 1, column 7", "attributes are not read")),
    ],
)
def test_a_described_cell_that_is_none(described: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as raised:
        Cell.from_dict(described)
    for word in words:
        assert word in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({}, ("wants the size 'units'", "give units=UNITS")),
        ({"units": 2, "unit": 2}, ("no size 'unit'", "'units'")),
        ({"units": 0}, ("the units size", "from 1 on, and is 0")),
        ({"units": "2"}, ("the units size", "and is '2'")),
        ({"units": 2, "input_size": 5}, ("takes an input of 4 numbers, and is given 5",)),
        ({"units": 2, "hidden_size": 9}, ("2 heads do not divide a size of 9", "U: (9, 9)")),
    ],
)
def test_sizes_that_do_not_fit_a_cell(sizes: dict[str, Any], words: tuple[str, ...]) -> None:
    cell = Cell("c", f"size x = 4\nsize y = units\nheads U = 2\n{ELMAN}\ny = V @ h'")
    assert cell.parameters(4, 6, units=2)["U"].shape == (2, 3, 3)
    with pytest.raises(UnrolledError) as raised:
        cell.parameters(**{"input_size": 4, "hidden_size": 6, **sizes})
    for word in words:
        assert word in str(raised.value)
