"""One step of each cell that papers add to the lectures, in NumPy, written by hand from them (nothing of ours)."""

from collections.abc import Mapping

import numpy as np

from oracles.numpy_lectures import Array, Parameters, State, Step, affine, b3, relu, sigmoid


def jordan(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Jordan 1986, as textbooks write it: the last output goes into the hidden layer; no state unit keeps itself."""
    h = np.tanh(x @ p["W"].T + state["y"] @ p["U"].T + p["b"])
    y = sigmoid(h @ p["V"].T + p["b_y"])
    return y, {"y": y}


def indrnn(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Li et al. 2018: h_t = relu(W x_t + u * h_{t-1} + b), each unit sees only itself."""
    h = relu(x @ p["W"].T + p["u"] * state["h"] + p["b"])
    return h, {"h": h}


def rhn(depth: int) -> Step:
    """Zilly et al. 2017, eq. 6-9 with c = 1 - t; the input enters the first of the ``depth`` layers only."""

    def step(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
        s = state["s"]
        for layer in range(1, depth + 1):
            first = 1.0 if layer == 1 else 0.0
            h = np.tanh(first * (x @ p["W_h"].T) + s @ p[f"R_h{layer}"].T + p[f"b_h{layer}"])
            t = sigmoid(first * (x @ p["W_t"].T) + s @ p[f"R_t{layer}"].T + p[f"b_t{layer}"])
            c = 1.0 - t
            s = h * t + s * c
        return s, {"s": s}

    return step


def lstm_1997(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Hochreiter & Schmidhuber 1997: nothing is forgotten (tanh for the paper's two scaled sigmoids)."""
    h, c = state["h"], state["c"]
    c = c + sigmoid(affine(p, "i", x, h)) * np.tanh(affine(p, "g", x, h))
    h = sigmoid(affine(p, "o", x, h)) * np.tanh(c)
    return h, {"c": c, "h": h}


def lstm_coupled(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Greff et al. 2017, CIFG (without their peepholes): f and i sum to one; f has the parameters."""
    h, c = state["h"], state["c"]
    f = sigmoid(affine(p, "f", x, h))
    i = 1.0 - f
    c = f * c + i * np.tanh(affine(p, "g", x, h))
    h = sigmoid(affine(p, "o", x, h)) * np.tanh(c)
    return h, {"c": c, "h": h}


def lstm_projected(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Sak et al. 2014 (without their peepholes, as torch.nn): what goes back and out is a projection of the output."""
    full, after = b3()(p, x, state)
    projected = full @ p["P"].T
    return projected, {"c": after["c"], "h": projected}


def janet(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """van der Westhuizen & Lasenby 2018 with beta = 0: only a forget gate."""
    f = sigmoid(affine(p, "f", x, state["h"]))
    h = f * state["h"] + (1.0 - f) * np.tanh(affine(p, "g", x, state["h"]))
    return h, {"h": h}


def slstm(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Beck et al. 2024, eq. 8-14, NOT stabilised: i = exp(...) itself, so there is no m. ``unstabilised`` compares."""
    c, n, h = (state[name] for name in "cnh")
    a_i, a_f, a_o, a_z = (x @ p[f"W_{gate}"].T + h @ p[f"R_{gate}"].T + p[f"b_{gate}"] for gate in "ifoz")
    i, f, o, z = np.exp(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_z)
    c = f * c + i * z
    n = f * n + i
    h = o * (c / n)
    return h, {"c": c, "n": n, "h": h}


def unstabilised(state: Mapping[str, Array]) -> State:
    """Beck et al. 2024, appendix A.2: the c and n that stand behind those stabilised by m; h is the same."""
    scale = np.exp(state["m"])
    return {"c": state["c"] * scale, "n": state["n"] * scale, "h": state["h"]}


def gru_reset_after(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """cuDNN and torch.nn.GRU: n = tanh(W x + b + r * (U h + c)); h_t = (1 - z) * n + z * h."""
    h = state["h"]
    r, z = sigmoid(affine(p, "r", x, h)), sigmoid(affine(p, "z", x, h))
    n = np.tanh(x @ p["W_h"].T + p["b_h"] + r * (h @ p["U_h"].T + p["c_h"]))
    h = (1.0 - z) * n + z * h
    return h, {"h": h}


def mgu(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Zhou et al. 2016: one gate f resets and updates; h_t = (1 - f) * h + f * h~."""
    h = state["h"]
    f = sigmoid(affine(p, "f", x, h))
    h = (1.0 - f) * h + f * np.tanh(affine(p, "h", x, f * h))
    return h, {"h": h}


def mingru(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Feng et al. 2024, section 3.1: z and h~ see the input only; h~ has no activation."""
    z = sigmoid(x @ p["W_z"].T + p["b_z"])
    h = (1.0 - z) * state["h"] + z * (x @ p["W_h"].T + p["b_h"])
    return h, {"h": h}


def minlstm(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Feng et al. 2024, section 3.2: f and i see the input only and are scaled to sum to one."""
    f, i = sigmoid(x @ p["W_f"].T + p["b_f"]), sigmoid(x @ p["W_i"].T + p["b_i"])
    f, i = f / (f + i), i / (f + i)
    h = f * state["h"] + i * (x @ p["W_h"].T + p["b_h"])
    return h, {"h": h}


def sru(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Lei et al. 2018: both gates see c_{t-1} unit by unit; x passes by through r (through P here, for any D)."""
    c = state["c"]
    f = sigmoid(x @ p["W_f"].T + p["v_f"] * c + p["b_f"])
    r = sigmoid(x @ p["W_r"].T + p["v_r"] * c + p["b_r"])
    c = f * c + (1.0 - f) * (x @ p["W"].T)
    return r * c + (1.0 - r) * (x @ p["P"].T), {"c": c}


def antisymmetric(epsilon: float = 0.1, gamma: float = 0.01) -> Step:
    """Chang et al. 2019: h_t = h + epsilon tanh((A - A^T - gamma I) h + W x + b)."""

    def step(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
        matrix = p["A"] - p["A"].T - gamma * np.eye(len(p["A"]))
        h = state["h"] + epsilon * np.tanh(state["h"] @ matrix.T + x @ p["W"].T + p["b"])
        return h, {"h": h}

    return step


def cornn(dt: float = 0.1, gamma: float = 1.0, epsilon: float = 1.0) -> Step:
    """Rusch & Mishra 2021, eq. 3 with the damping at the last step: z_n first, then y_n = y_{n-1} + dt z_n."""

    def step(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
        y, z = state["y"], state["z"]
        force = np.tanh(y @ p["W"].T + z @ p["Z"].T + x @ p["V"].T + p["b"])
        z = z + dt * force - dt * gamma * y - dt * epsilon * z
        y = y + dt * z
        return y, {"z": z, "y": y}

    return step
