"""The lectures' rows D1 and D2 against NumPy: stacked layers, two directions, one-hot letters and embeddings."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
import torch

from oracles.draws import D, H, N, T, arrays, close, close_states, draw_parameters, draw_state, tensors
from oracles.numpy_cells import ORACLES, run
from oracles.numpy_lectures import Array
from unrolled.cells.library import LIBRARY
from unrolled.engine.scan import scan
from unrolled.layers.recurrent import Recurrent

# D1


def double(layer: Recurrent, rng: np.random.Generator) -> Recurrent:
    """The layer in float64, every parameter random (a start of zeros would hide a bias)."""
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.from_numpy(0.7 * rng.standard_normal(tuple(parameter.shape))))
    return layer


@pytest.mark.parametrize("name", ["lstm", "gru", "unit", "lstm_peephole"])
def test_d1_stacked_layers_read_the_outputs_below(name: str) -> None:
    rng = np.random.default_rng(8)
    layer = double(Recurrent(name, D, [4, 6, 3], 3), rng)
    x, start = rng.standard_normal((N, T, D)), layer.initial_state(N)
    start = {key: torch.from_numpy(rng.standard_normal(tuple(value.shape))) for key, value in start.items()}
    ours = layer(torch.from_numpy(x), start)
    values = x
    for index in range(3):
        state = {key.split(".")[2]: value.numpy() for key, value in start.items() if key.startswith(f"{index}.")}
        values, final = run(ORACLES[name], arrays(layer.cell_parameters(index)), values, state)
        close_states(arrays(ours.state.part(f"{index}.forward")), final)
    close(ours.outputs, values)


def test_d1_two_directions_stand_side_by_side_and_feed_both_of_the_next_layer() -> None:
    rng, lengths = np.random.default_rng(9), (T, 0, 6)
    layer = double(Recurrent("lstm", D, H, 2, bidirectional=True), rng)
    x = rng.standard_normal((N, T, D))
    ours = layer(torch.from_numpy(x), lengths=torch.tensor(lengths))
    expected, step = np.zeros((N, T, 2 * H)), ORACLES["lstm"]
    for row, length in enumerate(lengths):
        if not length:
            continue
        values = x[row : row + 1, :length]
        for index in range(2):
            zero = {name: np.zeros((1, H)) for name in "ch"}
            forward, _ = run(step, arrays(layer.cell_parameters(index, "forward")), values, zero)
            backward, _ = run(step, arrays(layer.cell_parameters(index, "reverse")), values[:, ::-1], zero)
            values = np.concatenate([forward, backward[:, ::-1]], axis=2)
        expected[row, :length] = values[0]
    close(ours.outputs, expected)


def test_d1_resets_part_a_row_in_both_directions_and_none_in_the_padding_counts() -> None:
    """Each part between marks is run alone, backwards too; the given state enters at the first part that is read."""
    rng, lengths, marks = np.random.default_rng(12), (T, 0, 6), ((4, 5), (0,), (3, 6, 7))
    layer = double(Recurrent("gru", D, H, bidirectional=True), rng)
    x, start = rng.standard_normal((N, T, D)), rng.standard_normal((2, N, H))
    reset = torch.zeros(N, T, dtype=torch.bool)
    for row, steps in enumerate(marks):
        reset[row, list(steps)] = True
    state = {"0.forward.h": torch.from_numpy(start[0]), "0.reverse.h": torch.from_numpy(start[1])}
    ours = layer(torch.from_numpy(x), state, torch.tensor(lengths), reset)
    expected, last = np.zeros((N, T, 2 * H)), start.copy()
    for row, length in enumerate(lengths):
        ends = [0, *(step for step in marks[row] if 0 < step < length), length] if length else []
        parts = [slice(*pair) for pair in pairwise(ends)]
        for index, order in enumerate((parts, parts[::-1])):
            p, turn = arrays(layer.cell_parameters(0, ("forward", "reverse")[index])), 1 - 2 * index
            for part in order:
                before = start[index, row : row + 1] if part is order[0] else np.zeros((1, H))
                outputs, after = run(ORACLES["gru"], p, x[row : row + 1, part][:, ::turn], {"h": before})
                expected[row, part, index * H : (index + 1) * H] = outputs[0, ::turn]
                last[index, row] = after["h"][0]
    close(ours.outputs, expected)
    close_states(arrays(ours.state), {"0.forward.h": last[0], "0.reverse.h": last[1]})


# D2

LETTERS = "helo□"


def picked(p: Mapping[str, Array], letter: int, h: Array) -> Array:
    """A4 for a letter: its column of W in place of W times a one-hot vector."""
    return np.tanh(p["W"][:, letter] + h @ p["U"].T + p["b"])


@pytest.mark.parametrize("word", ["hello□", "□", "lllll", "hole□hell"])
def test_d2_one_hot_letters_pick_columns(word: str) -> None:
    rng, cell = np.random.default_rng(10), LIBRARY["elman"]
    letters = [LETTERS.index(letter) for letter in word]
    p = draw_parameters(rng, cell, len(LETTERS))
    one_hot = torch.nn.functional.one_hot(torch.tensor([letters]), len(LETTERS)).double()
    h = rng.standard_normal((1, H))
    ours = scan(cell, tensors(p), one_hot, {"h": torch.from_numpy(h)})
    hidden = []
    for letter in letters:
        h = picked(p, letter, h)
        hidden.append(h)
    close(ours.outputs, np.stack(hidden, axis=1))
    close(ours.state["h"], h)


@pytest.mark.parametrize("name", ["lstm", "gru_reset_after", "sru"])
def test_d2_an_embedding_is_a_matrix_times_one_hot(name: str) -> None:
    """Looking up a letter's row of E before the cell is the cell with E inside its input matrices."""
    rng, cell = np.random.default_rng(11), LIBRARY[name]
    p, table, state = draw_parameters(rng, cell), rng.standard_normal((len(LETTERS), D)), draw_state(rng, cell)
    letters = rng.integers(len(LETTERS), size=(N, T))
    ours = scan(cell, tensors(p), torch.from_numpy(table[letters]), tensors(state))
    inputs = {key: value @ table.T for key, value in p.items() if value.shape == (H, D)}
    outputs, final = run(ORACLES[name], p | inputs, np.eye(len(LETTERS))[letters], state)
    close(ours.outputs, outputs)
    close_states(arrays(ours.state), final)
