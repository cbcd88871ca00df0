"""Long short-term memory and its variants: what each changes in the six lines of the first."""

from unrolled.equations.cell import Cell

_CHRONO = {"b_f": 1.0, "b_i": -1.0}
_PAPER = "Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000"


def lstm(gate: str = "sigmoid", candidate: str = "tanh", output: str = "tanh", name: str | None = None) -> Cell:
    """The LSTM with chosen activations (B3): of the gates, of the candidate, and of the state on its way out."""
    chosen = (gate, candidate, output)
    text = f"""
    i  = {gate}(W_i @ x + U_i @ h + b_i)
    f  = {gate}(W_f @ x + U_f @ h + b_f)
    o  = {gate}(W_o @ x + U_o @ h + b_o)
    g  = {candidate}(W_g @ x + U_g @ h + b_g)
    c' = f * c + i * g
    h' = o * {output}(c')
    """
    default = "lstm" if chosen == ("sigmoid", "tanh", "tanh") else "lstm_" + "_".join(chosen)
    return Cell(name or default, text, source=_PAPER, initial={"b_f": 1.0}, remembers=_CHRONO)


LSTM = lstm()

LSTM_RELU = lstm(output="relu", name="lstm_relu")

LSTM_NO_BIAS = Cell(
    "lstm_no_bias",
    """
    i  = sigmoid(U_i @ x + W_i @ h)
    f  = sigmoid(U_f @ x + W_f @ h)
    o  = sigmoid(U_o @ x + W_o @ h)
    g  = tanh(U_g @ x + W_g @ h)
    c' = c * f + g * i
    h' = tanh(c') * o
    """,
    source=f"{_PAPER}; without biases, U for the input and W for the past as in the lectures",
)

# The output is fed back in place of the hidden state, which the lectures call s (B2).
LSTM_OUTPUT_FED_BACK = Cell(
    "lstm_output_fed_back",
    """
    i  = sigmoid(U_i @ x + W_i @ y + b_i)
    f  = sigmoid(U_f @ x + W_f @ y + b_f)
    o  = sigmoid(U_o @ x + W_o @ y + b_o)
    g  = tanh(U_g @ x + W_g @ y + b_g)
    c' = c * f + g * i
    s  = tanh(c') * o
    y' = softmax(V @ s + b_y)
    """,
    source=f"{_PAPER}; feedback of the output: Jordan 1986",
    initial={"b_f": 1.0},
    remembers=_CHRONO,
)

LSTM_1997 = Cell(
    "lstm_1997",
    """
    i  = sigmoid(W_i @ x + U_i @ h + b_i)
    o  = sigmoid(W_o @ x + U_o @ h + b_o)
    g  = tanh(W_g @ x + U_g @ h + b_g)
    c' = c + i * g
    h' = o * tanh(c')
    """,
    # The paper squashes with 4 sigmoid - 2 and 2 sigmoid - 1; tanh, which later work settled on, has the same shape.
    source="Hochreiter & Schmidhuber 1997, Neural Computation 9(8), without forget gate",
    initial={"b_i": -1.0},
    remembers={"b_i": -1.0},
)

LSTM_COUPLED = Cell(
    "lstm_coupled",
    """
    f  = sigmoid(W_f @ x + U_f @ h + b_f)
    o  = sigmoid(W_o @ x + U_o @ h + b_o)
    g  = tanh(W_g @ x + U_g @ h + b_g)
    c' = f * c + (1 - f) * g
    h' = o * tanh(c')
    """,
    source="Greff et al. 2017, LSTM: a search space odyssey (CIFG, here without peepholes)",
    initial={"b_f": 1.0},
    remembers={"b_f": 1.0},
)

LSTM_PEEPHOLE = Cell(
    "lstm_peephole",
    """
    i  = sigmoid(W_i @ x + U_i @ h + p_i * c + b_i)
    f  = sigmoid(W_f @ x + U_f @ h + p_f * c + b_f)
    g  = tanh(W_g @ x + U_g @ h + b_g)
    c' = f * c + i * g
    o  = sigmoid(W_o @ x + U_o @ h + p_o * c' + b_o)
    h' = o * tanh(c')
    """,
    source="Gers & Schmidhuber 2000, Recurrent nets that time and count; Gers et al. 2002, JMLR 3",
    initial={"b_f": 1.0},
    remembers=_CHRONO,
)

LSTM_PROJECTED = Cell(
    "lstm_projected",
    """
    i  = sigmoid(W_i @ x + U_i @ h + b_i)
    f  = sigmoid(W_f @ x + U_f @ h + b_f)
    o  = sigmoid(W_o @ x + U_o @ h + b_o)
    g  = tanh(W_g @ x + U_g @ h + b_g)
    c' = f * c + i * g
    h' = P @ (o * tanh(c'))
    """,
    source="Sak, Senior & Beaufays 2014, arXiv:1402.1128 (recurrent projection, here without peepholes)",
    sizes={"h": "projection", "c": "hidden"},
    initial={"b_f": 1.0},
    remembers=_CHRONO,
)

JANET = Cell(
    "janet",
    """
    f  = sigmoid(W_f @ x + U_f @ h + b_f)
    g  = tanh(W_g @ x + U_g @ h + b_g)
    h' = f * h + (1 - f) * g
    """,
    source="van der Westhuizen & Lasenby 2018, arXiv:1804.04849, eq. 3 (beta = 0)",
    initial={"b_f": 1.0},
    remembers={"b_f": 1.0},
)

SLSTM = Cell(
    "slstm",
    """
    i  = W_i @ x + R_i @ h + b_i
    f  = log_sigmoid(W_f @ x + R_f @ h + b_f)
    o  = sigmoid(W_o @ x + R_o @ h + b_o)
    z  = tanh(W_z @ x + R_z @ h + b_z)
    m' = max(f + m, i)
    a  = exp(i - m')
    k  = exp(f + m - m')
    c' = k * c + a * z
    n' = k * n + a
    h' = o * (c' / n')
    """,
    # i and f are logarithms of the exponential input and the sigmoid forget gate; a and k are the stabilised gates.
    source="Beck et al. 2024, xLSTM, arXiv:2405.04517, eq. 8-17 (forget gate: sigmoid)",
    # The paper begins with m = 0; where n is still 0 that can give 0 / 0. So low a start leaves c and n as they are.
    start={"m": -1e6},
    initial={"b_f": 3.0},
    remembers={"b_f": 1.0},
)
