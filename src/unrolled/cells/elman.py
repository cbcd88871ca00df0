"""Simple recurrent networks: one matrix product of the past, one activation."""

from unrolled.equations.cell import Cell

_ELMAN = "h' = {activation}(W @ x + U @ h + b)"
_SOURCE = "Elman 1990, Finding structure in time, Cognitive Science 14"


def elman(activation: str = "tanh") -> Cell:
    """The simple recurrent network with any activation of the ops table."""
    name = "elman" if activation == "tanh" else f"elman_{activation}"
    initial = {"U": "identity"} if activation == "relu" else None
    source = f"{_SOURCE}; identity start: Le, Jaitly & Hinton 2015" if initial else _SOURCE
    return Cell(name, _ELMAN.format(activation=activation), source=source, initial=initial)


def unit(hidden: str = "tanh", output: str = "sigmoid") -> Cell:
    """The lectures' general unit cell: a state from the input and the last state, an output from the state (A3)."""
    text = f"h' = {hidden}(W_1 @ x + W_2 @ h + b_1)\ny = {output}(W_3 @ h' + b_2)"
    return Cell("unit", text, source="Elman 1990, with the output of each step inside the cell")


ELMAN = elman()
ELMAN_SIGMOID = elman("sigmoid")
ELMAN_RELU = elman("relu")

UNIT = unit()

# Without biases, as the lectures' first slide writes it (A1); f and g are chosen by `unit` or in a text of one's own.
UNIT_NO_BIAS = Cell(
    "unit_no_bias",
    """
    h' = tanh(U @ x + W @ h)
    y  = sigmoid(V @ h')
    """,
    source="Elman 1990, without biases",
)

# The lectures' second form (A2): the output is a hard yes or no, learned through a straight-through derivative.
UNIT_STEP = Cell(
    "unit_step",
    """
    s' = tanh(U @ x + W @ s)
    y  = step(V @ s')
    """,
    source="Elman 1990; hard output with the straight-through derivative of Bengio et al. 2013, arXiv:1308.3432",
)

# The linear output of A2: y = V s.
UNIT_LINEAR = Cell(
    "unit_linear",
    """
    s' = tanh(U @ x + W @ s)
    y  = V @ s'
    """,
    source="Elman 1990, linear output",
)

JORDAN = Cell(
    "jordan",
    """
    h  = tanh(W @ x + U @ y + b)
    y' = sigmoid(V @ h + b_y)
    """,
    source="Jordan 1986, Serial order, ICS report 8604 (output fed back; here without decaying state units)",
)

INDRNN = Cell(
    "indrnn",
    "h' = relu(W @ x + u * h + b)",
    source="Li et al. 2018, Independently recurrent neural network",
    initial={"u": "uniform"},
)

RHN_SOURCE = "Zilly et al. 2017, Recurrent highway networks, eq. 6-9, coupled gates c = 1 - t"


def rhn(depth: int = 3) -> Cell:
    """A recurrent highway network: ``depth`` highway layers within each step."""
    lines, before = [], "s"
    for layer in range(1, depth + 1):
        entry = "W_{gate} @ x + " if layer == 1 else ""
        after = "s'" if layer == depth else f"s{layer}"
        for gate, function in (("h", "tanh"), ("t", "sigmoid")):
            inner = f"{entry.format(gate=gate)}R_{gate}{layer} @ {before} + b_{gate}{layer}"
            lines.append(f"{gate}{layer} = {function}({inner})")
        lines.append(f"{after} = h{layer} * t{layer} + {before} * (1 - t{layer})")
        before = after
    gates = [f"b_t{layer}" for layer in range(1, depth + 1)]
    return Cell(
        "rhn" if depth == 3 else f"rhn_{depth}",
        "\n".join(lines),
        source=RHN_SOURCE,
        initial=dict.fromkeys(gates, -2.0),
        remembers=dict.fromkeys(gates, -1.0),
    )


RHN = rhn()
