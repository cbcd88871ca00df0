"""Each cell's step as a user would write it by hand for torch or jax.numpy; the input's products are hoisted.

These are peers, written apart from the library's equations; the gate compares both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
Step = Callable[[Any, Values, tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...]]
"""functions, packed parameters, states (N, H) each, this step's hoisted values -> new states, the output first."""
Hoist = Callable[[Any, Values, Any], tuple[Any, ...]]
"""functions, packed parameters, x (T, N, D) -> values that need no state, (T, N, size) each."""


def _affine(f: Any, p: Values, x: Any) -> tuple[Any, ...]:  # noqa: ARG001
    return (x @ p["W"] + p["b"],)  # (T, N, gates * H)


def _products(f: Any, p: Values, x: Any) -> tuple[Any, ...]:  # noqa: ARG001
    return (x @ p["W"],)  # (T, N, gates * H)


def lstm(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    h, c = states
    i, forget, g, o = f.split(f.add_product(now[0], h, p["U"]), 4)
    c = f.sigmoid(forget) * c + f.sigmoid(i) * f.tanh(g)
    return f.sigmoid(o) * f.tanh(c), c


def lstm_peephole(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    h, c = states
    i, forget, g, o = f.split(f.add_product(now[0], h, p["U"]), 4)
    new = f.sigmoid(forget + p["p_f"] * c) * c + f.sigmoid(i + p["p_i"] * c) * f.tanh(g)
    return f.sigmoid(o + p["p_o"] * new) * f.tanh(new), new


def lstm_layer_norm(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    h, c = states
    a = f.add_product(now[0], h, p["U"])  # (N, 4 H)
    normed = f.layer_norm(a.reshape(a.shape[0], 4, -1)).reshape(a.shape)
    i, forget, g, o = f.split(normed * p["gain"] + p["b"], 4)
    c = f.sigmoid(forget) * c + f.sigmoid(i) * f.tanh(g)
    return f.sigmoid(o) * f.tanh(c), c


def gru_reset_after(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    (h,) = states
    x_r, x_z, x_h = f.split(now[0], 3)
    h_r, h_z, h_h = f.split(h @ p["U"], 3)
    z = f.sigmoid(x_z + h_z)
    g = f.tanh(x_h + f.sigmoid(x_r + h_r) * (h_h + p["c_h"]))
    return (g + z * (h - g),)


def _gru_hoist(f: Any, p: Values, x: Any) -> tuple[Any, ...]:  # noqa: ARG001
    return x @ p["W"] + p["b"], x @ p["W_h"] + p["b_h"]  # (T, N, 2 H), (T, N, H)


def gru(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    (h,) = states
    r, z = f.split(f.sigmoid(f.add_product(now[0], h, p["U"])), 2)
    g = f.tanh(f.add_product(now[1], r * h, p["U_h"]))
    return (g + z * (h - g),)


def elman(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    return (f.tanh(f.add_product(now[0], states[0], p["U"])),)


def mgu(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    (h,) = states
    forget = f.sigmoid(f.add_product(now[0], h, p["U"]))
    g = f.tanh(f.add_product(now[1], forget * h, p["U_h"]))
    return (h + forget * (g - h),)


def indrnn(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    return (f.relu(now[0] + p["u"] * states[0]),)


def _mingru_hoist(f: Any, p: Values, x: Any) -> tuple[Any, ...]:
    z, g = f.split(x @ p["W"] + p["b"], 2)
    z = f.sigmoid(z)
    return 1 - z, z * g  # (T, N, H) each


def mingru(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ARG001
    return (now[0] * states[0] + now[1],)


def slstm(f: Any, p: Values, states: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    h, c, n, m = states
    i, forget, o, z = f.split(f.add_product(now[0], h, p["U"]), 4)
    forget = f.log_sigmoid(forget) + m
    m = f.maximum(forget, i)
    i, forget = f.exp(i - m), f.exp(forget - m)
    c = forget * c + i * f.tanh(z)
    n = forget * n + i
    return f.sigmoid(o) * (c / n), c, n, m


@dataclass(frozen=True)
class Recipe:
    """A cell by hand."""

    step: Step
    stacks: Mapping[str, tuple[str, ...]]
    """Packed parameters by name: which of the equations' parameters stand side by side in each."""
    hoist: Hoist = _affine
    starts: tuple[float, ...] = (0.0,)
    """Where each state begins."""


def _stacks(gates: str, recurrent: str = "U") -> dict[str, tuple[str, ...]]:
    of = {"W": "W", "U": recurrent, "b": "b"}
    return {name: tuple(f"{stem}_{gate}" for gate in gates) for name, stem in of.items()}


def _alone(*names: str) -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in names}


_CANDIDATE = _alone("W_h", "U_h", "b_h")
RECIPES: dict[str, Recipe] = {
    "lstm": Recipe(lstm, _stacks("ifgo"), starts=(0.0, 0.0)),
    "lstm_peephole": Recipe(lstm_peephole, _stacks("ifgo") | _alone("p_i", "p_f", "p_o"), starts=(0.0, 0.0)),
    "lstm_layer_norm": Recipe(
        lstm_layer_norm,
        _stacks("ifgo") | {"gain": tuple(f"gain_{gate}" for gate in "ifgo")},
        _products,
        (0.0, 0.0),
    ),
    "gru_reset_after": Recipe(gru_reset_after, _stacks("rzh") | _alone("c_h")),
    "gru": Recipe(gru, _stacks("rz") | _CANDIDATE, _gru_hoist),
    "elman": Recipe(elman, _alone("W", "U", "b")),
    "mgu": Recipe(mgu, _stacks("f") | _CANDIDATE, _gru_hoist),
    "indrnn": Recipe(indrnn, _alone("W", "u", "b")),
    "mingru": Recipe(mingru, {"W": ("W_z", "W_h"), "b": ("b_z", "b_h")}, _mingru_hoist),
    "slstm": Recipe(slstm, _stacks("ifoz", recurrent="R"), starts=(0.0, 0.0, 0.0, -1e6)),
}
