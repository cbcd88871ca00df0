"""The oracle: for every name in the library its step in NumPy, and the loop that runs a step over time."""

import numpy as np

from oracles import numpy_lectures as lectures
from oracles import numpy_papers as papers
from oracles.numpy_lectures import Array, Parameters, State, Step

ORACLES: dict[str, Step] = {
    "elman": lectures.a4(),
    "elman_sigmoid": lectures.a4(lectures.sigmoid),
    "elman_relu": lectures.a4(lectures.relu),
    "unit": lectures.a3(),
    "unit_no_bias": lectures.a1(),
    "unit_step": lectures.a1(np.tanh, lectures.hard_step, "s"),
    "unit_linear": lectures.a1(np.tanh, lectures.identity, "s"),
    "jordan": papers.jordan,
    "indrnn": papers.indrnn,
    "rhn": papers.rhn(3),
    "lstm": lectures.b3(),
    "lstm_relu": lectures.b3(out=lectures.relu),
    "lstm_no_bias": lectures.b1,
    "lstm_output_fed_back": lectures.b2,
    "lstm_1997": papers.lstm_1997,
    "lstm_coupled": papers.lstm_coupled,
    "lstm_peephole": lectures.b5,
    "lstm_projected": papers.lstm_projected,
    "janet": papers.janet,
    "slstm": papers.slstm,
    "gru": lectures.c1,
    "gru_new": lectures.c2,
    "gru_reset_after": papers.gru_reset_after,
    "mgu": papers.mgu,
    "mingru": papers.mingru,
    "minlstm": papers.minlstm,
    "sru": papers.sru,
    "antisymmetric": papers.antisymmetric(),
    "cornn": papers.cornn(),
}


def run(step: Step, p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Outputs over time (N, T, size) and the states after the last step, for x (N, T, D) with T >= 1."""
    outputs = []
    for t in range(x.shape[1]):
        output, state = step(p, x[:, t], state)
        outputs.append(output)
    return np.stack(outputs, axis=1), state
