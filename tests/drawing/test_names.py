"""Names beside arrows: weights sorted by what they multiply, those of one letter in one word."""

import pytest

from unrolled.cells.library import LIBRARY
from unrolled.drawing.names import Place, named, weights, written
from unrolled.equations.cell import Cell


@pytest.mark.parametrize(
    ("name", "of_input", "of_state", "of_output"),
    [
        ("lstm_peephole", "$W_{i,f,g,o}$", {"c": "$p_{i,f}$", "h": "$U_{i,f,g,o}$"}, ""),
        ("unit", "$W_{1}$", {"h": "$W_{2}$"}, "$W_{3}$"),
        ("gru", "$W_{r,z,h}$", {"h": "$U_{r,z,h}$"}, ""),
        ("cornn", "$V$", {"z": "$Z$", "y": "$W$"}, ""),
        ("jordan", "$W$", {"y": "$U$"}, "$V$"),
        ("sru", r"$W,\, W_{f,r},\, P$", {"c": "$v_{f,r}$"}, ""),
    ],
)
def test_weights_stand_at_what_they_multiply(
    name: str, of_input: str, of_state: dict[str, str], of_output: str
) -> None:
    found = weights(LIBRARY[name])
    assert written(found.of_input, Place()) == of_input
    assert {state: written(one, Place()) for state, one in found.of_state.items()} == of_state
    assert written(found.of_output, Place()) == of_output


def test_too_many_weights_are_cut_short() -> None:
    many = [f"W_{letter}" for letter in "abcdefg"]
    assert written(many, Place()) == r"$W_{a,b,c,\ldots,g}$"
    assert written(["A", "B", "C", "D"], Place()) == r"$A,\, \ldots,\, D$"
    assert written([], Place()) == ""


def test_layer_direction_and_decoder_are_marked() -> None:
    assert named("gamma_x", "3", Place(2)) == r"$\gamma_{x,3}^{(2)}$"
    assert named("h", "3", Place(0, "reverse", True)) == r"$\overleftarrow{h}_{3}$"
    assert named("h", "3", Place(2, "forward", True)) == r"$\overrightarrow{h}_{3}^{\,(2)}$"
    assert written(["U_i", "U_f"], Place(1, decodes=True)) == r"$U_{i,f}^{\mathrm{d}(1)}$"


def test_weights_deep_inside_a_step_stand_at_no_arrow() -> None:
    found = weights(Cell("c", "a = tanh(W @ x + U @ h)\nq = V @ a\nh' = q + h"))
    assert (found.of_input, found.of_state, found.of_output) == (("W",), {"h": ("U",)}, ())
