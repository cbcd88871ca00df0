"""Every cell of the library and every row A1 to C2 of the lectures against NumPy: outputs and final states."""

import numpy as np
import pytest
import torch

from oracles import numpy_lectures as lectures
from oracles import numpy_papers as papers
from oracles.draws import D, H, N, T, close, close_states, draw_parameters, draw_state, plain, tensors
from oracles.numpy_cells import ORACLES, run
from oracles.numpy_lectures import Step
from unrolled.cells.dynamics import ANTISYMMETRIC, CORNN
from unrolled.cells.elman import elman, rhn, unit
from unrolled.cells.library import LIBRARY
from unrolled.cells.lstm import LSTM_NO_BIAS, lstm
from unrolled.engine.scan import scan
from unrolled.equations.cell import Cell

VARIANTS: dict[str, tuple[Cell, Step]] = {
    "A1 relu then identity": (
        Cell("a1", "h' = relu(U @ x + W @ h)\ny = V @ h'", output="y"),
        lectures.a1(lectures.relu, lectures.identity),
    ),
    "A1 sigmoid then softmax": (
        Cell("a1", "h' = sigmoid(U @ x + W @ h)\no = softmax(V @ h')"),
        lectures.a1(lectures.sigmoid, lectures.softmax),
    ),
    "A2 y = sigmoid(V s)": (
        Cell("a2", "s' = tanh(U @ x + W @ s)\ny = sigmoid(V @ s')"),
        lectures.a1(np.tanh, lectures.sigmoid, "s"),
    ),
    "A3 relu then tanh": (unit("relu", "tanh"), lectures.a3(lectures.relu, np.tanh)),
    "A3 sigmoid then softmax": (unit("sigmoid", "softmax"), lectures.a3(lectures.sigmoid, lectures.softmax)),
    "A3 with 7 outputs": (
        unit().replaced("a3_of_7", sizes={"y": 7}),
        lectures.a3(),
    ),
    "elman softsign": (elman("softsign"), lectures.a4(lectures.softsign)),
    "B1 with y = softmax(V h)": (
        LSTM_NO_BIAS.replaced("b1", LSTM_NO_BIAS.text() + "y = softmax(V @ h')", output="y"),
        lectures.b1_y,
    ),
    "B3 hard_sigmoid, tanh, tanh": (lstm("hard_sigmoid"), lectures.b3(lectures.hard_sigmoid)),
    "B3 sigmoid, softsign, relu": (
        lstm("sigmoid", "softsign", "relu"),
        lectures.b3(lectures.sigmoid, lectures.softsign, lectures.relu),
    ),
    "B3 hard_sigmoid, relu, softsign": (
        lstm("hard_sigmoid", "relu", "softsign"),
        lectures.b3(lectures.hard_sigmoid, lectures.relu, lectures.softsign),
    ),
    "rhn of depth 1": (rhn(1), papers.rhn(1)),
    "rhn of depth 2": (rhn(2), papers.rhn(2)),
    "antisymmetric, other constants": (
        ANTISYMMETRIC.replaced("antisymmetric", constants={"epsilon": 0.7, "gamma": 0.3}),
        papers.antisymmetric(0.7, 0.3),
    ),
    "cornn, other constants": (
        CORNN.replaced("cornn", constants={"dt": 0.3, "gamma": 2.7, "epsilon": 0.6}),
        papers.cornn(0.3, 2.7, 0.6),
    ),
}
CASES: dict[str, tuple[Cell, Step]] = {name: (LIBRARY[name], step) for name, step in ORACLES.items() if name in LIBRARY}
CASES |= VARIANTS

case = pytest.mark.parametrize(("cell", "step"), CASES.values(), ids=CASES)


def test_every_cell_of_the_library_has_an_oracle() -> None:
    assert set(ORACLES) == set(LIBRARY)


@case
def test_outputs_and_final_states(cell: Cell, step: Step) -> None:
    rng = np.random.default_rng(1)
    p, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    ours = scan(cell, tensors(p), torch.from_numpy(x), tensors(state))
    outputs, final = run(step, p, x, plain(cell, state))
    close(ours.outputs, outputs)
    close_states(plain(cell, ours.state), final)


@case
def test_lengths_and_resets_are_rows_run_alone_from_where_they_begin(cell: Cell, step: Step) -> None:
    rng = np.random.default_rng(2)
    p, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    lengths, resets = (T, 0, 6), ((4, 5), (), (0, 3))
    reset = torch.zeros(N, T, dtype=torch.bool)
    for row, marks in enumerate(resets):
        reset[row, list(marks)] = True
    begin = plain(cell, {name: np.zeros((1, value.shape[1])) for name, value in state.items()})
    before = plain(cell, state)
    ours = scan(cell, tensors(p), torch.from_numpy(x), tensors(state), torch.tensor(lengths), reset)
    expected = np.zeros(ours.outputs.shape)
    after = {name: value.copy() for name, value in before.items()}
    for row, (length, marks) in enumerate(zip(lengths, resets, strict=True)):
        now = {name: value[row : row + 1] for name, value in before.items()}
        for t in range(length):
            output, now = step(p, x[row : row + 1, t], begin if t in marks else now)
            expected[row, t] = output[0]
        for name, value in now.items():
            after[name][row] = value[0]
    close(ours.outputs, expected)
    close_states(plain(cell, ours.state), after)


@pytest.mark.parametrize("name", ["elman", "lstm", "slstm"])
def test_a_reset_in_the_padding_changes_nothing(name: str) -> None:
    rng, cell = np.random.default_rng(13), LIBRARY[name]
    p, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    lengths = (T, 0, 6)
    ours = scan(
        cell,
        tensors(p),
        torch.from_numpy(x),
        tensors(state),
        torch.tensor(lengths),
        torch.arange(T) >= torch.tensor(lengths).unsqueeze(1),
    )
    for row, length in enumerate(lengths):
        now = {key: value[row : row + 1] for key, value in plain(cell, state).items()}
        if length:
            outputs, now = run(ORACLES[name], p, x[row : row + 1, :length], now)
            close(ours.outputs[row : row + 1, :length], outputs)
        close_states({key: value[row : row + 1] for key, value in plain(cell, ours.state).items()}, now)


def test_b4_each_gate_step_by_step() -> None:
    record = ("f", "i", "g", "c", "o", "h")
    rng, cell = np.random.default_rng(3), LIBRARY["lstm"]
    p, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    recorded = scan(cell, tensors(p), torch.from_numpy(x), tensors(state), record=record).recorded
    steps = []
    for t in range(T):
        steps.append(lectures.b4(p, x[:, t], state))
        state = {"c": steps[-1]["c"], "h": steps[-1]["h"]}
    for name in record:
        close(recorded[name], np.stack([one[name] for one in steps], axis=1))


def test_slstm_stabiliser_is_the_largest_logarithm_so_far() -> None:
    """m_T = max over s of log i_s + the sum of log f behind s, with m_0 as the term before all others."""
    rng, cell = np.random.default_rng(4), LIBRARY["slstm"]
    p, x, state = draw_parameters(rng, cell, scale=2.0), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    ours = scan(cell, tensors(p), torch.from_numpy(x), tensors(state), record=("h",))
    before = np.concatenate([state["h"][:, None], ours.recorded["h"].numpy()[:, :-1]], axis=1)
    log_i, forget = (x @ p[f"W_{gate}"].T + before @ p[f"R_{gate}"].T + p[f"b_{gate}"] for gate in "if")
    log_f = -np.log1p(np.exp(-forget))
    behind = [log_f[:, s + 1 :].sum(axis=1) for s in range(T)]
    terms = [state["m"] + log_f.sum(axis=1), *(log_i[:, s] + behind[s] for s in range(T))]
    close(ours.state["m"], np.max(terms, axis=0))


@pytest.mark.parametrize("shift", [-300.0, 300.0])
def test_slstm_far_from_one_equals_plain_exponentials(shift: float) -> None:
    """Input gates of e^-300 and e^300: the plain formula still has them in float64, and c / n is the same."""
    rng, cell = np.random.default_rng(5), LIBRARY["slstm"]
    p, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    p["b_i"] = p["b_i"] + shift
    state["m"] = state["m"] + shift
    ours = scan(cell, tensors(p), torch.from_numpy(x), tensors(state))
    outputs, final = run(ORACLES["slstm"], p, x, plain(cell, state))
    close(ours.outputs, outputs)
    close_states(plain(cell, ours.state), final)


@pytest.mark.parametrize("shift", [-2000.0, 2000.0])
@pytest.mark.parametrize("given", [False, True], ids=["own start", "state given"])
def test_slstm_stays_right_where_plain_exponentials_leave_float64(given: bool, shift: float) -> None:
    """A common factor e^shift of i, c and n cancels in h, so the run at e^0 says what any other must give.

    The cell's own start has c = n = 0, which no factor changes.
    """
    rng, cell = np.random.default_rng(6), LIBRARY["slstm"]
    p, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    before = plain(cell, state) if given else {name: np.zeros((N, H)) for name in "cnh"}
    outputs, _ = run(ORACLES["slstm"], p, x, before)
    p["b_i"], state["m"] = p["b_i"] + shift, state["m"] + shift
    close(scan(cell, tensors(p), torch.from_numpy(x), tensors(state) if given else None).outputs, outputs)


@pytest.mark.parametrize(("name", "stem"), [("lstm", "U"), ("gru", "U"), ("slstm", "R")])
def test_heads_are_blocks_on_the_diagonal(name: str, stem: str) -> None:
    rng, heads = np.random.default_rng(7), 2
    cell = LIBRARY[name].replaced(name, heads=heads)
    blocks, x, state = draw_parameters(rng, cell), rng.standard_normal((N, T, D)), draw_state(rng, cell)
    full = dict(blocks)
    for matrix in [one for one in blocks if one.startswith(f"{stem}_")]:
        full[matrix] = np.zeros((H, H))
        for head in range(heads):
            part = slice(head * H // heads, (head + 1) * H // heads)
            full[matrix][part, part] = blocks[matrix][head]
    ours = scan(cell, tensors(blocks), torch.from_numpy(x), tensors(state))
    outputs, final = run(ORACLES[name], full, x, plain(cell, state))
    close(ours.outputs, outputs)
    close_states(plain(cell, ours.state), final)
