"""Gated recurrent units: two places for the reset gate, two conventions for the update gate, and the minimal forms."""

from unrolled.equations.cell import Cell

_PAPER = "Cho et al. 2014, Learning phrase representations, EMNLP"

# Reset before the product; z keeps the old state (C1).
GRU = Cell(
    "gru",
    """
    r  = sigmoid(W_r @ x + U_r @ h + b_r)
    z  = sigmoid(W_z @ x + U_z @ h + b_z)
    g  = tanh(W_h @ x + U_h @ (r * h) + b_h)
    h' = z * h + (1 - z) * g
    """,
    source=f"{_PAPER}, eq. 5-8, with biases",
    initial={"b_z": 1.0},
    remembers={"b_z": 1.0},
)

# Reset before the product; z takes the new state (C2).
GRU_NEW = Cell(
    "gru_new",
    """
    r  = sigmoid(W_r @ x + U_r @ h + b_r)
    z  = sigmoid(W_z @ x + U_z @ h + b_z)
    g  = tanh(W_h @ x + U_h @ (r * h) + b_h)
    h' = (1 - z) * h + z * g
    """,
    source="Chung et al. 2014, arXiv:1412.3555, eq. 4-7",
    initial={"b_z": -1.0},
    remembers={"b_z": -1.0},
)

# Reset after the product, with a bias of its own: what cuDNN and torch.nn.GRU compute.
GRU_RESET_AFTER = Cell(
    "gru_reset_after",
    """
    r  = sigmoid(W_r @ x + U_r @ h + b_r)
    z  = sigmoid(W_z @ x + U_z @ h + b_z)
    g  = tanh(W_h @ x + b_h + r * (U_h @ h + c_h))
    h' = (1 - z) * g + z * h
    """,
    source=f"{_PAPER}; reset after the product: cuDNN",
    initial={"b_z": 1.0},
    remembers={"b_z": 1.0},
)

MGU = Cell(
    "mgu",
    """
    f  = sigmoid(W_f @ x + U_f @ h + b_f)
    g  = tanh(W_h @ x + U_h @ (f * h) + b_h)
    h' = (1 - f) * h + f * g
    """,
    source="Zhou et al. 2016, Minimal gated unit, arXiv:1603.09420, eq. 6",
    initial={"b_f": -1.0},
    remembers={"b_f": -1.0},
)

MINGRU = Cell(
    "mingru",
    """
    z  = sigmoid(W_z @ x + b_z)
    g  = W_h @ x + b_h
    h' = (1 - z) * h + z * g
    """,
    source="Feng et al. 2024, Were RNNs all we needed?, arXiv:2410.01201, section 3.1",
    initial={"b_z": -1.0},
    remembers={"b_z": -1.0},
)

MINLSTM = Cell(
    "minlstm",
    """
    f  = sigmoid(W_f @ x + b_f)
    i  = sigmoid(W_i @ x + b_i)
    g  = W_h @ x + b_h
    h' = f / (f + i) * h + i / (f + i) * g
    """,
    source="Feng et al. 2024, Were RNNs all we needed?, arXiv:2410.01201, section 3.2",
    initial={"b_f": 1.0},
    remembers={"b_f": 1.0, "b_i": -1.0},
)

SRU = Cell(
    "sru",
    """
    f  = sigmoid(W_f @ x + v_f * c + b_f)
    r  = sigmoid(W_r @ x + v_r * c + b_r)
    c' = f * c + (1 - f) * (W @ x)
    h  = r * c' + (1 - r) * (P @ x)
    """,
    # The paper adds x itself where D = H; a matrix P brings it to size H here, so that any D fits.
    source="Lei et al. 2018, Simple recurrent units for highly parallelizable recurrence, eq. 1-4",
    initial={"b_f": 1.0},
    remembers={"b_f": 1.0},
)
