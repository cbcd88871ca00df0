"""LaTeX: two golden cells, indices and symbols, and parentheses that keep the meaning."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Expression, Name, Number, write

GOLDEN = Path(__file__).parent / "golden"
ARITHMETIC = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@pytest.mark.parametrize("name", ["lstm", "antisymmetric"])
def test_latex_is_the_golden_one(name: str) -> None:
    """LaTeX as a paper would set it; to be written anew, where it is meant to change, from the repository's root:

    ``python -c "from unrolled.cells.library import LIBRARY as c; print(c['lstm'].latex(), end='')" >
    tests/equations/golden/lstm.tex`` (and the same for antisymmetric).
    """
    assert LIBRARY[name].latex() == (GOLDEN / f"{name}.tex").read_text(encoding="utf-8")


def line(expression: str, **options: dict[str, float]) -> str:
    """The LaTeX right of = of ``y``, in a cell with the states h and c, the gate i and the constant gamma."""
    text = f"i = sigmoid(V @ x)\nh' = h + c + W @ x + gamma * i\nc' = c * i\ny = {expression}"
    cell = Cell("c", text, constants={"gamma": 2.0, **options.get("constants", {})})
    return cell.latex().splitlines()[4].removeprefix("y_{t} &= ")


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        ("h'", "h_{t}"),
        ("h", "h_{t-1}"),
        ("W @ x", r"W\, x_{t}"),
        ("b_i * h", r"b_{i} \odot h_{t-1}"),
        ("alpha * h", r"\alpha \odot h_{t-1}"),
        ("gamma * h", r"\gamma\, h_{t-1}"),
        ("2 * h", r"2\, h_{t-1}"),
        ("bias_out_2 + h", r"\mathrm{bias}_{\mathrm{out\_2}} + h_{t-1}"),
        ("β_2 * h", r"\beta_{2} \odot h_{t-1}"),
        ("3e-7 * λ * h", r"3 \cdot 10^{-7}\, \lambda \odot h_{t-1}"),
        ("U.T @ h", r"U^\top\, h_{t-1}"),
        ("(U - A.T) @ h", r"\left(U - A^\top\right)\, h_{t-1}"),
        ("(U - A).T @ h", r"\left(U - A\right)^\top\, h_{t-1}"),
        ("U @ (i * h)", r"U\, \left(i_{t} \odot h_{t-1}\right)"),
        ("(2 * U) @ h", r"\left(2\, U\right)\, h_{t-1}"),
        ("A @ U @ h", r"A\, \left(U\, h_{t-1}\right)"),
        ("i * (U @ h)", r"i_{t} \odot \left(U\, h_{t-1}\right)"),
        ("(U @ h) / i", r"\frac{U\, h_{t-1}}{i_{t}}"),
        ("h - (c - i)", r"h_{t-1} - \left(c_{t-1} - i_{t}\right)"),
        ("h - c - i", r"h_{t-1} - c_{t-1} - i_{t}"),
        ("-(h + c)", r"-\left(h_{t-1} + c_{t-1}\right)"),
        ("-h + c", r"-h_{t-1} + c_{t-1}"),
        ("h * -c", r"h_{t-1} \odot \left(-c_{t-1}\right)"),
        ("h + -2", r"h_{t-1} + \left(-2\right)"),
        ("(h + c) * i", r"\left(h_{t-1} + c_{t-1}\right) \odot i_{t}"),
        ("h * c * i", r"h_{t-1} \odot c_{t-1} \odot i_{t}"),
        ("max(abs(h), sqrt(c))", r"\max(|h_{t-1}|, \sqrt{c_{t-1}})"),
        ("layer_norm(h) + hard_sigmoid(c)", r"\operatorname{LN}(h_{t-1}) + \operatorname{hard\_sigmoid}(c_{t-1})"),
        ("log_sigmoid(h) * softmax(c)", r"\log\sigma(h_{t-1}) \odot \operatorname{softmax}(c_{t-1})"),
    ],
)
def test_latex_of_an_expression(expression: str, latex: str) -> None:
    assert line(expression) == latex


@pytest.mark.parametrize("name", LIBRARY)
def test_braces_and_delimiters_pair(name: str) -> None:
    latex = LIBRARY[name].latex()
    assert latex.startswith("\\begin{aligned}\n")
    assert latex.endswith("\n\\end{aligned}\n")
    assert latex.count("{") == latex.count("}")
    assert latex.count("\\left(") == latex.count("\\right)")
    assert latex.count(r" \\" + "\n") == len(LIBRARY[name].statements) - 1


numbers = st.sampled_from([1.0, 2.0, 0.5, -1.0, -3.0]).map(Number)
leaves = st.one_of(st.sampled_from([Name("h"), Name("c"), Name("p"), Name("gamma")]), numbers)
arithmetic = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda op, one, other: Call(op, (one, other)), st.sampled_from(sorted(ARITHMETIC)), inner, inner),
        st.builds(lambda one: Call("neg", (one,)), inner),
    ),
    max_leaves=7,
)
VALUES = {"h": 1.37, "c": -2.11, "p": 0.83, "gamma": 2.0}


@given(arithmetic)
def test_parentheses_keep_the_meaning_in_text_and_in_latex(expression: Expression) -> None:
    meant = VALUES["h"] + (evaluated(expression) + VALUES["p"] * VALUES["gamma"])
    assume(math.isfinite(meant) and abs(meant) < 1e9)
    shown = line(write(Call("add", (Name("h"), Call("add", (expression, Call("mul", (Name("p"), Name("gamma")))))))))
    found = eval(as_python(shown), {"__builtins__": {}}, VALUES)
    assert math.isclose(found, meant, rel_tol=1e-9, abs_tol=1e-9), shown


def evaluated(expression: Expression) -> float:
    """The value of an expression of numbers, where a division by zero is no number."""
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        return VALUES[expression.name]
    first, *rest = map(evaluated, expression.arguments)
    if not rest:
        return -first
    if expression.op == "div":
        return first / rest[0] if rest[0] else float("nan")
    return {"add": first + rest[0], "sub": first - rest[0], "mul": first * rest[0]}[expression.op]


def as_python(latex: str) -> str:
    """LaTeX of plain arithmetic as Python: fractions innermost first, then signs and names."""
    text = latex.replace("_{t-1}", "").replace("\\gamma", "gamma").replace("\\left(", "(").replace("\\right)", ")")
    text = text.replace("\\odot", "*").replace("\\,", "*")
    while "\\frac" in text:
        text, found = re.subn(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
        assert found, text
    return text
