"""One step of each of the lectures' cells, A1 to C2, in NumPy, written by hand from their slides (nothing of ours).

Rows of a batch, float64; a matrix is (out, in). A step takes the parameters, the input (N, D) and the states by name,
and gives the output and the new states.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Parameters = Mapping[str, Array]
State = dict[str, Array]
Step = Callable[[Parameters, Array, State], tuple[Array, State]]
Activation = Callable[[Array], Array]


def sigmoid(a: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-a))


def relu(a: Array) -> Array:
    return np.where(a > 0.0, a, 0.0)


def hard_step(a: Array) -> Array:
    return np.where(a > 0.0, 1.0, 0.0)


def identity(a: Array) -> Array:
    return a


def hard_sigmoid(a: Array) -> Array:
    """torch's: a / 6 + 1 / 2, cut to 0..1."""
    return np.clip(a / 6.0 + 0.5, 0.0, 1.0)


def softsign(a: Array) -> Array:
    return a / (1.0 + np.abs(a))


def softmax(a: Array) -> Array:
    powers = np.exp(a)
    return powers / powers.sum(axis=1, keepdims=True)


def affine(p: Parameters, gate: str, x: Array, h: Array) -> Array:
    """W x + U h + b of one gate, as A4, B3, B5 and C1 letter them."""
    return x @ p[f"W_{gate}"].T + h @ p[f"U_{gate}"].T + p[f"b_{gate}"]


# A: simple recurrent networks


def a1(f: Activation = np.tanh, g: Activation = sigmoid, state: str = "h") -> Step:
    """A1: h_t = f(U x_t + W h_{t-1}); o_t = g(V h_t), without biases. A2 is the same with f = tanh and s for h."""

    def step(p: Parameters, x: Array, before: State) -> tuple[Array, State]:
        h = f(x @ p["U"].T + before[state] @ p["W"].T)
        return g(h @ p["V"].T), {state: h}

    return step


def a3(g1: Activation = np.tanh, g2: Activation = sigmoid) -> Step:
    """A3: h_t = g1(W1 x_t + W2 h_{t-1} + b1); y_t = g2(W3 h_t + b2)."""

    def step(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
        h = g1(x @ p["W_1"].T + state["h"] @ p["W_2"].T + p["b_1"])
        return g2(h @ p["W_3"].T + p["b_2"]), {"h": h}

    return step


def a4(f: Activation = np.tanh) -> Step:
    """A4 (f = tanh): h_next = f(x W_x + h_prev W_h + b)."""

    def step(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
        w_x, w_h = p["W"].T, p["U"].T
        h = f(x @ w_x + state["h"] @ w_h + p["b"])
        return h, {"h": h}

    return step


# B: long short-term memory


def b1(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """B1: i, f, o, g of x U + h W without biases; c_t = c * f + g * i; h_t = tanh(c_t) * o."""
    h, c = state["h"], state["c"]
    i, f, o = (sigmoid(x @ p[f"U_{gate}"].T + h @ p[f"W_{gate}"].T) for gate in "ifo")
    g = np.tanh(x @ p["U_g"].T + h @ p["W_g"].T)
    c = c * f + g * i
    h = np.tanh(c) * o
    return h, {"c": c, "h": h}


def b1_y(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """B1 with its last line: y = softmax(V h_t)."""
    h, state = b1(p, x, state)
    return softmax(h @ p["V"].T), state


def b2(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """B2: B1 with biases; y_{t-1} fed back in place of h; tanh(c_t) * o is called s, and y = softmax(V s + b)."""
    y, c = state["y"], state["c"]
    i, f, o = (sigmoid(x @ p[f"U_{gate}"].T + y @ p[f"W_{gate}"].T + p[f"b_{gate}"]) for gate in "ifo")
    g = np.tanh(x @ p["U_g"].T + y @ p["W_g"].T + p["b_g"])
    c = c * f + g * i
    s = np.tanh(c) * o
    y = softmax(s @ p["V"].T + p["b_y"])
    return y, {"c": c, "y": y}


def b3(gate: Activation = sigmoid, candidate: Activation = np.tanh, out: Activation = np.tanh) -> Step:
    """B3: f, i, o with sigma_g; c~ with tanh_c; c_t = f * c + i * c~; h_t = o * sigma_h(c_t)."""

    def step(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
        f, i, o = (gate(affine(p, name, x, state["h"])) for name in "fio")
        c = f * state["c"] + i * candidate(affine(p, "g", x, state["h"]))
        h = o * out(c)
        return h, {"c": c, "h": h}

    return step


def b4(p: Parameters, x: Array, state: State) -> dict[str, Array]:
    """B4, step by step and by name: what to forget, how much to let in and what, the update, what to show."""
    forget = sigmoid(affine(p, "f", x, state["h"]))
    how_much = sigmoid(affine(p, "i", x, state["h"]))
    what = np.tanh(affine(p, "g", x, state["h"]))
    updated = forget * state["c"] + how_much * what
    show = sigmoid(affine(p, "o", x, state["h"]))
    return {"f": forget, "i": how_much, "g": what, "c": updated, "o": show, "h": show * np.tanh(updated)}


def b5(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """B5, Gers & Schmidhuber 2000: i and f see c_{t-1} through one weight a unit, o sees c_t."""
    h, c = state["h"], state["c"]
    i = sigmoid(affine(p, "i", x, h) + p["p_i"] * c)
    f = sigmoid(affine(p, "f", x, h) + p["p_f"] * c)
    c = f * c + i * np.tanh(affine(p, "g", x, h))
    o = sigmoid(affine(p, "o", x, h) + p["p_o"] * c)
    h = o * np.tanh(c)
    return h, {"c": c, "h": h}


# C: gated recurrent units


def c1(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """C1: h~ = tanh(W x + U (r * h) + b); h_t = z * h + (1 - z) * h~."""
    h = state["h"]
    r, z = sigmoid(affine(p, "r", x, h)), sigmoid(affine(p, "z", x, h))
    h = z * h + (1.0 - z) * np.tanh(affine(p, "h", x, r * h))
    return h, {"h": h}


def c2(p: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """C2: the same with h_t = (1 - z) * h + z * h^."""
    h = state["h"]
    r, z = sigmoid(affine(p, "r", x, h)), sigmoid(affine(p, "z", x, h))
    h = (1.0 - z) * h + z * np.tanh(affine(p, "h", x, r * h))
    return h, {"h": h}
