"""Equations are found to be a pattern's whatever their names, order and spelling; what differs in one sign is not."""

import pytest

from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.match import Match, match, other_names

GRU = LIBRARY["gru_reset_after"]
PLAIN = LIBRARY["elman"]


def found(pattern: Cell, text: str, **declared: object) -> Match | None:
    return match(pattern, Cell("mine", text, **declared))  # pyright: ignore[reportArgumentType]


def test_names_and_order_of_lines_do_not_matter() -> None:
    text = """
    s' = gate * s + fresh * (1 - gate)
    fresh = tanh(off * (bias + A @ s) + later + B @ x)
    off = sigmoid(C @ s + k + D @ x)
    gate = sigmoid(m + E @ x + F @ s)
    """
    assert found(GRU, text) == Match(
        {"h": "s"},
        {"W_r": "D", "U_r": "C", "W_z": "E", "U_z": "F", "W_h": "B", "U_h": "A"},
        {"b_r": ("k",), "b_z": ("m",), "b_h": ("later",), "c_h": ("bias",)},
    )


@pytest.mark.parametrize(
    "last",
    [
        "h' = g + z * (h - g)",
        "h' = z * h - z * g + g",
        "h' = -(z - 1) * g - (-h) * z",
        "k = one - z\nh' = k * g + (one - k) * h - h + h",
        "h' = m\nm = (1 - z) * g + z * h",
    ],
)
def test_sums_of_products_are_compared_as_such(last: str) -> None:
    text = "\n".join([*map(str, GRU.statements[:3]), last])
    constants = {"one": 1.0} if "one" in last else {}
    if "- h + h" in last:  # terms that cancel out are left as they are
        assert found(GRU, text, constants=constants) is None
        text = text.replace(" - h + h", "").replace("(one - k) * h", "h * z")
    assert found(GRU, text, constants=constants) == match(GRU, GRU)


def test_a_vector_may_be_a_sum_or_nothing() -> None:
    assert found(PLAIN, "h' = tanh(W @ x + U @ h)") == Match({"h": "h"}, {"W": "W", "U": "U"}, {"b": ()})
    two = found(PLAIN, "h' = tanh(W @ x + b_2 + U @ h + b_1)")
    assert two == Match({"h": "h"}, {"W": "W", "U": "U"}, {"b": ("b_1", "b_2")})
    bare = "\n".join(map(str, GRU.statements)).replace(" + c_h", "").replace(" + b_r", "")
    sums = found(GRU, bare)
    assert sums is not None
    assert sums.vectors == {"b_r": (), "b_z": ("b_z",), "b_h": ("b_h",), "c_h": ()}


def test_a_parameter_may_stand_in_several_places() -> None:
    text = "\n".join(map(str, LIBRARY["lstm"].statements)).replace("W_f", "W_i").replace("b_o", "b_i")
    shared = found(LIBRARY["lstm"], text)
    assert shared is not None
    assert (shared.matrices["W_f"], shared.vectors["b_o"]) == ("W_i", ("b_i",))
    one_gate = found(GRU, "\n".join(map(str, GRU.statements)).replace("r * (", "z * ("))
    assert one_gate is not None
    assert (one_gate.matrices["W_r"], one_gate.matrices["W_z"]) == ("W_z", "W_z")


ALIKE = {
    "lstm": [
        ("f * c + i * g", "f * c - i * g"),
        ("f * c + i * g", "f * c + i * f"),
        ("f * c + i * g", "f * c + i * g * g"),
        ("f * c + i * g", "f * c + i * g + i"),
        ("f * c + i * g", "f * c + 2 * i * g"),
        ("f * c + i * g", "f * h + i * g + 0 * c"),
        ("o * tanh(c')", "o * tanh(c)"),
        ("o * tanh(c')", "o * c'"),
        ("o * tanh(c')", "o / tanh(c')"),
        ("i = sigmoid", "i = hard_sigmoid"),
        ("g = tanh", "g = relu"),
        ("U_f @ h", "U_f @ c"),
        ("U_f @ h", "U_f.T @ h"),
        ("U_f @ h", "U_f @ (i * h)"),
        ("U_f @ h + b_f", "p_f * h + b_f"),
        ("b_f", "b_f * b_i"),
        ("b_f", "1"),
        ("+ b_f", "- b_f"),
        ("W_f @ x", "0"),
        ("W_f @ x", "2 * (W_f @ x)"),
        ("U_o @ h", "U_o @ h'"),
    ],
    "gru_reset_after": [
        ("(1 - z) * g + z * h", "(1 + z) * g + z * h"),
        ("(1 - z) * g + z * h", "z * g + (1 - z) * h"),
        ("(1 - z) * g + z * h", "(1 - z) * g + r * h"),
        ("(1 - z) * g + z * h", "(1 - z) * g + sigmoid(W_z @ x + U_z @ h + b_r) * h"),
        ("(1 - z) * g + z * h", "(1 - z) * g + sigmoid(W_r @ x + U_z @ h + b_z) * h"),
        ("r * (U_h @ h + c_h)", "U_h @ (r * h) + c_h"),
        ("r * (U_h @ h + c_h)", "r * (U_h @ h) + z * c_h"),
        ("r * (U_h @ h + c_h)", "r + U_h @ h + c_h"),
    ],
    "elman": [
        ("tanh", "sigmoid"),
        ("tanh", "relu"),
        ("W @ x +", "W @ x -"),
        ("+ b)", "+ b) + b"),
        ("tanh(W @ x + U @ h + b)", "tanh(tanh(W @ x + U @ h + b))"),
    ],
}


@pytest.mark.parametrize(("name", "old", "new"), [(name, *pair) for name, pairs in ALIKE.items() for pair in pairs])
def test_what_looks_alike_is_no_match(name: str, old: str, new: str) -> None:
    text = "\n".join(map(str, LIBRARY[name].statements))
    assert old in text
    changed = text.replace(old, new, 1)
    if "@ h'" in new:
        changed = changed.replace("h' = o * tanh(c')", "h' = tanh(c') * h")
    assert match(LIBRARY[name], LIBRARY[name])
    assert found(LIBRARY[name], changed) is None


def test_blocks_and_noise_are_no_match() -> None:
    text = "\n".join(map(str, PLAIN.statements))
    assert found(PLAIN, text, heads=2) is None
    assert found(PLAIN, text, noise={"b": "2 with probability 0.5 per step"}) is None


@pytest.mark.parametrize(
    "lines",
    [
        [f"a{n} = a{n - 1} + a{n - 1}" for n in range(1, 30)],
        [f"a{n} = a{n - 1} * a{n - 1}" for n in range(1, 30)],
        [f"a{n} = tanh(a{n - 1})" for n in range(1, 900)],
    ],
    ids=["long sums", "long products", "many lines"],
)
def test_a_text_that_grows_is_given_up(lines: list[str]) -> None:
    assert found(PLAIN, "\n".join(["a0 = W @ x + U @ h", *lines, f"h' = tanh(a{len(lines)})"])) is None


def test_other_names_of_a_state() -> None:
    cell = Cell("mine", "m = tanh(W @ x + U @ h)\nh' = m\ny = h'\nbefore = h\ntwice = 2 * m")
    assert other_names(cell, "h") == {"m", "h", "y"}
