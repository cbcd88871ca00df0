"""Rewrites against the formulas of their papers, by hand in NumPy and torch; and that they compose in any order."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from equations.runs import Array, arrays, coins, draw, parameters_of, run, sigmoid
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.noise import Noise
from unrolled.equations.rewrite import (
    diagonal,
    drop_connect,
    layer_norm,
    learned_start,
    low_rank,
    variational_dropout,
    zoneout,
)
from unrolled.errors import UsageError

N, T, D, H = 2, 6, 3, 4
LSTM, GRU = LIBRARY["lstm"], LIBRARY["gru"]
X = draw((N, T, D), seed=99)


def lstm_by_hand(
    p: dict[str, Array],
    x: Array,
    *,
    drop_x: Array | float = 1.0,
    drop_h: Array | float = 1.0,
    keep: Callable[[int, str], Array | float] = lambda t, state: 0.0,
) -> Array:
    """The LSTM's six lines; masks on x and on h inside products; ``keep`` is what zoneout keeps of a state."""
    h, c, outputs = np.zeros((len(x), H)), np.zeros((len(x), H)), []
    for t in range(x.shape[1]):
        pre = {g: (drop_x * x[:, t]) @ p[f"W_{g}"].T + (drop_h * h) @ p[f"U_{g}"].T + p[f"b_{g}"] for g in "ifog"}
        c_new = sigmoid(pre["f"]) * c + sigmoid(pre["i"]) * np.tanh(pre["g"])
        h_new = sigmoid(pre["o"]) * np.tanh(c_new)
        c = keep(t, "c") * c + (1.0 - keep(t, "c")) * c_new
        h = keep(t, "h") * h + (1.0 - keep(t, "h")) * h_new
        outputs.append(h)
    return np.stack(outputs, 1)


def gru_by_hand(p: dict[str, Array], x: Array, drop_h: Array, keep: Array) -> Array:
    h, outputs = np.zeros((len(x), H)), []
    for t in range(x.shape[1]):
        masked = drop_h * h
        r = sigmoid(x[:, t] @ p["W_r"].T + masked @ p["U_r"].T + p["b_r"])
        z = sigmoid(x[:, t] @ p["W_z"].T + masked @ p["U_z"].T + p["b_z"])
        g = np.tanh(x[:, t] @ p["W_h"].T + (r * masked) @ p["U_h"].T + p["b_h"])
        h = keep[:, t] * h + (1 - keep[:, t]) * (z * h + (1 - z) * g)
        outputs.append(h)
    return np.stack(outputs, 1)


def close(actual: Tensor, expected: Array | Tensor) -> None:
    assert_close(actual, expected, "loop, numpy")


# Zoneout


def test_zoneout_outside_training_is_the_expectation() -> None:
    cell, rates = zoneout(LSTM, {"c": 0.5, "h": 0.05}), {"c": 0.5, "h": 0.05}
    parameters = parameters_of(LSTM, D, H)
    expected = lstm_by_hand(arrays(parameters), X.numpy(), keep=lambda t, state: rates[state])
    close(run(cell, parameters, X).outputs, expected)


def test_zoneout_in_training_keeps_units_as_the_paper_says() -> None:
    cell, parameters = zoneout(LSTM, {"c": 0.5, "h": 0.2}), parameters_of(LSTM, D, H)
    noise = {
        f"zoneout_{state}": coins((N, T, H), rate, 1.0, seed) for state, rate, seed in (("c", 0.5, 1), ("h", 0.2, 2))
    }
    result = run(cell, {**parameters, **noise}, X, record=("c",))
    expected = lstm_by_hand(
        arrays(parameters), X.numpy(), keep=lambda t, state: noise[f"zoneout_{state}"][:, t].numpy()
    )
    close(result.outputs, expected)
    kept = noise["zoneout_c"][:, 1:].bool()
    assert kept.any()
    assert torch.equal(result.recorded["c"][:, 1:][kept], result.recorded["c"][:, :-1][kept])


def test_zoneout_of_one_state_leaves_the_other_as_it_is() -> None:
    cell = zoneout(LSTM, {"c": 0.3})
    assert str(cell.statements[-1]) == "h' = o * tanh(c_new)"
    assert list(cell.noise) == ["zoneout_c"]
    assert cell.noise["zoneout_c"] == Noise(1.0, 0.3, "step")
    assert list(zoneout(LSTM, 0.1).noise) == ["zoneout_c", "zoneout_h"]


def test_zoneout_keeps_the_size_of_a_state() -> None:
    cell = zoneout(LIBRARY["lstm_projected"], 0.1)
    assert cell.sizes["h_new"] == "projection"
    assert {name: one.shape for name, one in cell.noise_shapes(D, H, projection=2).items()} == {
        "zoneout_h": (2,),
        "zoneout_c": (4,),
    }


# Dropout


def test_variational_dropout_has_one_mask_a_sequence_on_x_and_inside_recurrent_products() -> None:
    cell, parameters = variational_dropout(LSTM, inputs=0.2, recurrent=0.5), parameters_of(LSTM, D, H)
    masks = {"drop_x": coins((N, D), 0.8, 1.25, 1), "drop_h": coins((N, H), 0.5, 2.0, 2)}
    assert cell.noise == {"drop_h": Noise(2.0, 0.5, "sequence"), "drop_x": Noise(1.25, 0.8, "sequence")}
    assert {name: one.shape for name, one in cell.noise_shapes(D, H).items()} == {"drop_h": (H,), "drop_x": (D,)}
    expected = lstm_by_hand(arrays(parameters), X.numpy(), **arrays(masks))
    close(run(cell, {**parameters, **masks}, X).outputs, expected)
    close(run(cell, parameters, X).outputs, run(LSTM, parameters, X).outputs)


def test_variational_dropout_leaves_the_state_whole_outside_products() -> None:
    cell, parameters = zoneout(variational_dropout(GRU, recurrent=0.5), 0.3), parameters_of(GRU, D, H)
    masks = {"drop_h": coins((N, H), 0.5, 2.0, 3), "zoneout_h": coins((N, T, H), 0.3, 1.0, 4)}
    expected = gru_by_hand(arrays(parameters), X.numpy(), masks["drop_h"].numpy(), masks["zoneout_h"].numpy())
    close(run(cell, {**parameters, **masks}, X).outputs, expected)


def test_dropout_of_the_inputs_alone_reaches_every_use_of_x() -> None:
    cell, parameters = variational_dropout(LIBRARY["sru"], inputs=0.5), parameters_of(LIBRARY["sru"], D, H)
    mask = coins((N, D), 0.5, 2.0, 5)
    expected = run(LIBRARY["sru"], parameters, X * mask.unsqueeze(1)).outputs
    close(run(cell, {**parameters, "drop_x": mask}, X).outputs, expected)


def test_drop_connect_masks_recurrent_matrices_once_for_the_batch() -> None:
    cell, parameters = drop_connect(LSTM, 0.4), parameters_of(LSTM, D, H)
    shapes = cell.noise_shapes(D, H)
    assert {name: one.shape for name, one in shapes.items()} == {f"drop_U_{gate}": (H, H) for gate in "ifog"}
    masks = {name: coins((H, H), 0.6, 1 / 0.6, seed) for seed, name in enumerate(shapes)}
    dropped = {name: value * masks.get(f"drop_{name}", 1.0) for name, value in parameters.items()}
    close(run(cell, {**parameters, **masks}, X).outputs, run(LSTM, dropped, X).outputs)
    close(run(cell, parameters, X).outputs, run(LSTM, parameters, X).outputs)


def test_drop_connect_of_blocks_has_masks_in_blocks() -> None:
    cell = drop_connect(LSTM.replaced("blocked", heads=2), 0.5)
    assert cell.noise_shapes(D, H)["drop_U_i"].shape == (2, 2, 2) == cell.parameters(D, H)["U_i"].shape
    assert Cell.from_text(cell.text()) == cell


# Layer norm


def test_layer_norm_of_the_lstm_is_the_one_written_by_hand() -> None:
    cell = layer_norm(LSTM)
    p = parameters_of(cell, D, H)
    h, c, outputs = torch.zeros(N, H).double(), torch.zeros(N, H).double(), []
    for t in range(T):
        pre = {
            gate: F.layer_norm(F.linear(X[:, t], p[f"W_{gate}"]) + F.linear(h, p[f"U_{gate}"]), (H,), p[f"gain_{gate}"])
            + p[f"b_{gate}"]
            for gate in "ifog"
        }
        c = pre["f"].sigmoid() * c + pre["i"].sigmoid() * pre["g"].tanh()
        h = pre["o"].sigmoid() * c.tanh()
        outputs.append(h)
    close(run(cell, p, X).outputs, torch.stack(outputs, 1))
    assert cell.initial == {"b_f": 1.0, "gain_i": 1.0, "gain_f": 1.0, "gain_o": 1.0, "gain_g": 1.0}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tanh(W @ x + U @ h + b)", "tanh(gain_h * layer_norm(W @ x + U @ h) + b)"),
        ("tanh(b - W @ x + p * h)", "tanh(gain_h * layer_norm(-(W @ x)) + (b + p * h))"),
        ("tanh(2 - W @ x) + h", "tanh(gain_h * layer_norm(-(W @ x)) + 2) + h"),
        ("tanh(W @ x - b - c) * h", "tanh(gain_h * layer_norm(W @ x) + (-b - c)) * h"),
        (
            "tanh(r * (W @ x)) * sigmoid(U @ h)",
            "tanh(gain_h * layer_norm(r * (W @ x))) * sigmoid(gain_h_2 * layer_norm(U @ h))",
        ),
        ("exp(-softplus(W @ x)) * h", "exp(-softplus(gain_h * layer_norm(W @ x))) * h"),
        ("max(W @ x, tanh(U @ h))", "max(W @ x, tanh(gain_h * layer_norm(U @ h)))"),
        ("tanh(h) * tanh(layer_norm(W @ x) + U @ h)", "tanh(h) * tanh(gain_h * layer_norm(U @ h) + layer_norm(W @ x))"),
    ],
)
def test_layer_norm_norms_what_a_function_is_applied_to(before: str, after: str) -> None:
    assert str(layer_norm(Cell("c", f"h' = {before}")).statements[0]) == f"h' = {after}"


# Forms of matrices


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_after", "jordan", "lstm_peephole"])
def test_a_diagonal_matrix_is_the_dense_one_with_a_diagonal(name: str) -> None:
    dense = LIBRARY[name]
    matrix = next(one for one in dense.program.parameters.values() if one.recurrent).name
    cell = diagonal(dense, matrix)
    parameters = parameters_of(cell, D, H)
    assert parameters[matrix].shape == (H,)
    full = {**parameters, matrix: torch.diag(parameters[matrix])}
    close(run(cell, parameters, X).outputs, run(dense, full, X).outputs)


@pytest.mark.parametrize("matrix", ["U_h", "W_z"])
def test_a_low_rank_matrix_is_the_product_of_its_two(matrix: str) -> None:
    cell = low_rank(GRU, matrix, 2)
    parameters = parameters_of(cell, D, H)
    left, right = (parameters.pop(f"{matrix}_{side}") for side in ("left", "right"))
    assert (left.shape[1], right.shape[0]) == (2, 2)
    whole = run(cell, {**parameters, f"{matrix}_left": left, f"{matrix}_right": right}, X).outputs
    close(whole, run(GRU, {**parameters, matrix: left @ right}, X).outputs)


def test_a_low_rank_matrix_that_stands_twice_stays_one() -> None:
    cell = low_rank(Cell("c", "h' = tanh(W @ x + U @ h)\nc' = c + U @ h'", output="c"), "U", 2)
    parameters = parameters_of(cell, D, H)
    assert {name for name in parameters if name.startswith("U")} == {"U_left", "U_right"}
    assert cell.sizes == {"low_U": 2, "low_U_2": 2}


def test_forms_forget_what_was_declared_of_the_dense_matrix() -> None:
    cell = GRU.replaced("gru", heads=2, initial={"U_h": "identity", "b_z": 1.0})
    for other in (diagonal(cell, "U_h"), low_rank(cell, "U_h", 2)):
        assert other.heads == {"U_r": 2, "U_z": 2}
        assert other.initial == {"b_z": 1.0}


def test_a_learned_start_is_a_parameter_and_begins_where_the_state_did() -> None:
    cell = learned_start(Cell("c", "start c = 2\nh' = tanh(W @ x + U @ h + c)\nc' = c + h_0 * h'"))
    assert cell.start == {"h": "h_0_2", "c": "c_0"}
    assert cell.initial == {"h_0_2": 0.0, "c_0": 2.0}
    assert learned_start(cell) == cell
    parameters = parameters_of(cell, D, H)
    assert parameters["c_0"].shape == (H,)
    given_state = {"h": parameters["h_0_2"].expand(N, -1), "c": parameters["c_0"].expand(N, -1)}
    whole, parts = run(cell, parameters, X), run(cell, parameters, X, state=given_state)
    assert torch.equal(whole.outputs, parts.outputs)
    reset = torch.zeros(N, T, dtype=torch.bool)
    reset[:, 3] = True
    again = run(cell, parameters, X, reset=reset).outputs[:, 3:]
    close(again, run(cell, parameters, X[:, 3:]).outputs)


# All together

REWRITES: dict[str, Callable[[Cell], Cell]] = {
    "zoneout": lambda cell: zoneout(cell, 0.25),
    "variational": lambda cell: variational_dropout(cell, 0.2, 0.5),
    "inputs": lambda cell: variational_dropout(cell, 0.5),
    "drop_connect": lambda cell: drop_connect(cell, 0.5),
    "layer_norm": layer_norm,
    "learned_start": learned_start,
}


def applicable(cell: Cell) -> list[str]:
    found = []
    for name, rewrite in REWRITES.items():
        try:
            rewrite(cell)
        except UsageError:
            continue
        found.append(name)
    return found


def test_where_a_rewrite_does_not_apply() -> None:
    cells = {how: {name for name, cell in LIBRARY.items() if how not in applicable(cell)} for how in REWRITES}
    without_recurrent_matrix = {"indrnn", "mingru", "minlstm", "sru"}
    assert cells == {
        "zoneout": set(),
        "variational": without_recurrent_matrix,
        "inputs": set(),
        "drop_connect": without_recurrent_matrix - {"indrnn"} | {"indrnn"},
        "layer_norm": set(),
        "learned_start": set(),
    }


@pytest.mark.parametrize("name", LIBRARY)
@settings(max_examples=4)
@given(st.data())
def test_rewrites_compose_in_any_order(name: str, data: st.DataObject) -> None:
    cell = LIBRARY[name]
    chosen = data.draw(st.lists(st.sampled_from(applicable(cell)), min_size=2, max_size=4, unique=True))
    first = second = cell
    for how in chosen:
        first = REWRITES[how](first)
    for how in data.draw(st.permutations(chosen)):
        second = REWRITES[how](second)
    for one in (first, second):
        assert Cell.from_text(one.text()) == one
        named = [*one.quantities, *one.program.parameters, *one.constants, *one.noise, "x"]
        assert len(named) == len(set(named))
    # A gain is called for the line it stands in, which is h_new behind zoneout.
    stems = {name.removesuffix("_new"): value for name, value in parameters_of(first, D, H).items()}
    runs = [
        run(one, {name: stems[name.removesuffix("_new")] for name in one.program.parameters}, X)
        for one in (first, second)
    ]
    close(runs[0].outputs, runs[1].outputs)


def test_rewriting_twice_takes_fresh_names() -> None:
    cell = LSTM
    for rewrite in (
        lambda one: zoneout(one, 0.5),
        lambda one: variational_dropout(one, 0.1),
        lambda one: drop_connect(one, 0.1),
    ):
        cell = rewrite(rewrite(cell))
    assert {"zoneout_h", "zoneout_h_2", "drop_x", "drop_x_2", "drop_U_i", "drop_U_i_2"} <= set(cell.noise)
    named = [*cell.quantities, *cell.program.parameters, *cell.noise]
    assert len(named) == len(set(named))
    parameters, first = parameters_of(LSTM, D, H), X[:, :1]
    close(run(cell, parameters, first).outputs, run(zoneout(LSTM, 0.75), parameters, first).outputs)


TAKEN = """
start c = c_0
constant zoneout_h = 2
h_new = W @ x
h' = tanh(h_new + U @ h + gain_h * drop_h) * zoneout_h * drop_U
c' = c + h_dropped * h'
"""


@pytest.mark.parametrize("how", ["zoneout", "variational", "drop_connect", "layer_norm", "learned_start"])
def test_fresh_names_avoid_every_name_of_the_cell(how: str) -> None:
    cell, other = Cell("c", TAKEN), REWRITES[how](Cell("c", TAKEN))
    assert set(cell.program.parameters) <= set(other.program.parameters)
    assert set(cell.quantities) <= set(other.quantities)
    assert other.constants == cell.constants
    before = {*cell.quantities, *cell.program.parameters, *cell.constants}
    named = [*other.quantities, *other.program.parameters, *other.noise, *other.constants]
    assert len(named) == len(set(named))
    added = set(named) - before
    expected = {
        "zoneout": {"c_new", "zoneout_c", "h_new_2", "zoneout_h_2"},
        "variational": {"drop_x", "x_dropped", "drop_h_2", "h_dropped_2"},
        "drop_connect": {"drop_U_2"},
        "layer_norm": {"gain_h_2"},
        "learned_start": {"h_0"},
    }
    assert added == expected[how]


@pytest.mark.parametrize(
    ("rewrite", "message"),
    [
        (lambda: zoneout(LSTM, {"q": 0.5}), "cell lstm has no state 'q'"),
        (lambda: zoneout(LSTM, 1.0), "zoneout: a rate lies from 0 to below 1, and is 1.0"),
        (lambda: zoneout(LSTM, -0.1), "zoneout: a rate lies"),
        (lambda: variational_dropout(LSTM, 1.5), "inputs: a rate lies"),
        (lambda: variational_dropout(LSTM, 0.0, 1.0), "recurrent: a rate lies"),
        (lambda: variational_dropout(LIBRARY["sru"], 0.0, 0.5), "cell sru multiplies no state itself by a matrix"),
        (lambda: drop_connect(LSTM, float("nan")), "DropConnect: a rate lies"),
        (lambda: drop_connect(LIBRARY["mingru"], 0.5), "cell mingru has no recurrent matrix"),
        (lambda: layer_norm(Cell("c", "h' = h + W @ x")), "cell c has no pre-activation"),
        (lambda: layer_norm(layer_norm(LSTM)), "nothing to norm"),
        (lambda: diagonal(LSTM, "U_j"), "cell lstm has no matrix 'U_j'. Did you mean 'U_.'"),
        (lambda: diagonal(LSTM, "b_i"), "no matrix 'b_i'"),
        (lambda: diagonal(LIBRARY["antisymmetric"], "A"), "'A' stands in .* otherwise than as A @"),
        (lambda: low_rank(LIBRARY["antisymmetric"], "A", 2), "'A' stands in .* otherwise than as A @"),
        (lambda: low_rank(LSTM, "U_i", 0), "0 is no whole number from 1 on"),
    ],
)
def test_what_a_rewrite_refuses(rewrite: Callable[[], Cell], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        rewrite()
    assert len(str(raised.value).splitlines()) == 1
