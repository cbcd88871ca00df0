"""Recurrences made from differential equations, stable by their form."""

from unrolled.equations.cell import Cell

ANTISYMMETRIC = Cell(
    "antisymmetric",
    "h' = h + epsilon * tanh(W @ x + A @ h - A.T @ h - gamma * h + b)",
    source="Chang et al. 2019, AntisymmetricRNN, arXiv:1902.09689, eq. 11",
    constants={"epsilon": 0.1, "gamma": 0.01},
    initial={"A": "normal"},
)

CORNN = Cell(
    "cornn",
    """
    z' = z + dt * (tanh(W @ y + Z @ z + V @ x + b) - gamma * y - epsilon * z)
    y' = y + dt * z'
    """,
    # The paper's (7) takes the damping implicitly; this is the explicit step of its published experiments.
    source="Rusch & Mishra 2021, Coupled oscillatory RNN, arXiv:2010.00951, eq. 3",
    constants={"dt": 0.1, "gamma": 1.0, "epsilon": 1.0},
)
