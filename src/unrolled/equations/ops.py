"""The table of ops: each row holds an op's meaning in torch, its derivative and its spelling per target.

A *primitive* row has a meaning: a function of the torch module and the arguments, so that reading equations never
imports torch. Its derivatives are texts of the same grammar, one an argument, over the arguments ``a`` and ``b``, the
result ``y`` and the gradient ``dy`` that arrives at the result. A *composed* row has a definition in terms of other ops
instead, and everything else follows from it.

Vectors are rows of a batch, (N, size); matrices are (out, in), block-diagonal ones (heads, out / heads, in / heads).
``sum``, ``mean`` and ``softmax`` go over the units of one row; ``sum`` and ``mean`` give their result to every unit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Op:
    """One row of the table."""

    name: str
    arity: int
    latex: str
    about: str
    meaning: Callable[..., Any] | None = None
    derivatives: tuple[str, ...] = ()
    definition: str | None = None
    llvm: Callable[..., Any] | None = None
    """Its spelling on SIMD vectors: a function of the emitter (engine/cpu/vector.py) and the arguments. None where the
    engine's plan says how it is computed (matrices, and what goes over the units) and where there is a definition."""
    over_units: bool = False
    """Whether a unit's result depends on other units of the row (true of ``sum``, ``mean``, ``softmax``)."""
    written: bool = True
    """Whether an equation may call it by name (operators and the derivative's own ops may not be called)."""


def _product(torch: Any, matrix: Any, vector: Any) -> Any:
    if matrix.dim() == 2:
        return torch.nn.functional.linear(vector, matrix)  # (N, out)
    heads, _, width = matrix.shape
    blocks = vector.unflatten(-1, (heads, width))  # (N, heads, in / heads)
    return torch.einsum("...hi,hoi->...ho", blocks, matrix).flatten(-2)  # (N, out)


def _outer(torch: Any, left: Any, right: Any, matrix: Any) -> Any:
    right = right.expand(left.shape[0], -1)  # what is made of parameters alone is one row for the whole batch
    if matrix.dim() == 2:
        return left.transpose(-2, -1) @ right  # (out, in), summed over the batch
    left, right = (part.unflatten(-1, (matrix.shape[0], -1)) for part in (left, right))
    return torch.einsum("nho,nhi->hoi", left, right)  # (heads, out / heads, in / heads)


def _step(torch: Any, a: Any) -> Any:
    return torch.heaviside(a.detach(), torch.zeros_like(a)) + (a - a.detach())


def _row_sum(torch: Any, a: Any) -> Any:
    return torch.sum(a, -1, keepdim=True).expand_as(a)


def _row_mean(torch: Any, a: Any) -> Any:
    return torch.mean(a, -1, keepdim=True).expand_as(a)


_ROWS = (
    Op(
        "add",
        2,
        "{a} + {b}",
        "a + b",
        lambda torch, a, b: a + b,
        ("dy", "dy"),
        llvm=lambda v, a, b: v.add(a, b),
        written=False,
    ),
    Op(
        "sub",
        2,
        "{a} - {b}",
        "a - b",
        lambda torch, a, b: a - b,
        ("dy", "-dy"),
        llvm=lambda v, a, b: v.sub(a, b),
        written=False,
    ),
    Op(
        "mul",
        2,
        r"{a} \odot {b}",
        "a * b, unit by unit",
        lambda torch, a, b: a * b,
        ("dy * b", "dy * a"),
        llvm=lambda v, a, b: v.mul(a, b),
        written=False,
    ),
    Op(
        "div",
        2,
        r"\frac{{{a}}}{{{b}}}",
        "a / b, unit by unit",
        lambda torch, a, b: a / b,
        ("dy / b", "-(dy * y) / b"),
        llvm=lambda v, a, b: v.div(a, b),
        written=False,
    ),
    Op("neg", 1, "-{a}", "-a", lambda torch, a: -a, ("-dy",), llvm=lambda v, a: v.neg(a), written=False),
    Op("matmul", 2, r"{a}\, {b}", "matrix times vector", _product, ("outer(dy, b, a)", "a.T @ dy"), written=False),
    Op(
        "transpose",
        1,
        r"{a}^\top",
        "a matrix transposed",
        lambda torch, a: a.transpose(-2, -1),
        ("dy.T",),
        written=False,
    ),
    Op(
        "outer",
        3,
        r"{a}\, {b}^\top",
        "a times b transposed, summed over the batch, shaped like c",
        _outer,
        written=False,
    ),
    Op(
        "sigmoid",
        1,
        r"\sigma({a})",
        "1 / (1 + exp(-a))",
        lambda torch, a: torch.sigmoid(a),
        ("dy * (y * (1 - y))",),
        llvm=lambda v, a: v.sigmoid(a),
    ),
    Op(
        "tanh",
        1,
        r"\tanh({a})",
        "hyperbolic tangent",
        lambda torch, a: torch.tanh(a),
        ("dy * (1 - y * y)",),
        llvm=lambda v, a: v.tanh(a),
    ),
    Op(
        "relu",
        1,
        r"\operatorname{{relu}}({a})",
        "max(a, 0); derivative 0 at 0",
        lambda torch, a: torch.relu(a),
        ("dy * relu(sign(a))",),
        llvm=lambda v, a: v.relu(a),
    ),
    Op(
        "softplus",
        1,
        r"\operatorname{{softplus}}({a})",
        "log(1 + exp(a))",
        lambda torch, a: torch.logaddexp(a, torch.zeros_like(a)),
        ("dy * sigmoid(a)",),
        llvm=lambda v, a: v.softplus(a),
    ),
    Op("exp", 1, r"\exp({a})", "exponential", lambda torch, a: torch.exp(a), ("dy * y",), llvm=lambda v, a: v.exp(a)),
    Op(
        "log",
        1,
        r"\log({a})",
        "natural logarithm",
        lambda torch, a: torch.log(a),
        ("dy / a",),
        llvm=lambda v, a: v.log(a),
    ),
    Op(
        "sqrt",
        1,
        r"\sqrt{{{a}}}",
        "square root",
        lambda torch, a: torch.sqrt(a),
        ("dy / (2 * y)",),
        llvm=lambda v, a: v.sqrt(a),
    ),
    Op("sin", 1, r"\sin({a})", "sine", lambda torch, a: torch.sin(a), ("dy * cos(a)",), llvm=lambda v, a: v.sin(a)),
    Op(
        "cos", 1, r"\cos({a})", "cosine", lambda torch, a: torch.cos(a), ("-(dy * sin(a))",), llvm=lambda v, a: v.cos(a)
    ),
    Op(
        "abs",
        1,
        r"|{a}|",
        "absolute value; derivative 0 at 0",
        lambda torch, a: torch.abs(a),
        ("dy * sign(a)",),
        llvm=lambda v, a: v.abs(a),
    ),
    Op(
        "sign",
        1,
        r"\operatorname{{sign}}({a})",
        "-1, 0 or 1; derivative 0",
        lambda torch, a: torch.sign(a),
        ("0 * dy",),
        llvm=lambda v, a: v.sign(a),
    ),
    Op(
        "step",
        1,
        r"\operatorname{{step}}({a})",
        "1 where a > 0, else 0; the derivative is passed straight through (Bengio et al. 2013)",
        _step,
        ("dy",),
        llvm=lambda v, a: v.step(a),
    ),
    Op(
        "max",
        2,
        r"\max({a}, {b})",
        "the larger; a tie shares the derivative",
        lambda torch, a, b: torch.maximum(a, b),
        ("dy * (1 + sign(a - b)) / 2", "dy * (1 - sign(a - b)) / 2"),
        llvm=lambda v, a, b: v.max(a, b),
    ),
    Op(
        "min",
        2,
        r"\min({a}, {b})",
        "the smaller; a tie shares the derivative",
        lambda torch, a, b: torch.minimum(a, b),
        ("dy * (1 - sign(a - b)) / 2", "dy * (1 + sign(a - b)) / 2"),
        llvm=lambda v, a, b: v.min(a, b),
    ),
    Op("sum", 1, r"\textstyle\sum({a})", "sum over the units", _row_sum, ("sum(dy)",), over_units=True),
    Op("mean", 1, r"\operatorname{{mean}}({a})", "mean over the units", _row_mean, ("mean(dy)",), over_units=True),
    Op(
        "softmax",
        1,
        r"\operatorname{{softmax}}({a})",
        "exp(a) / sum(exp(a)) over the units",
        lambda torch, a: torch.softmax(a, -1),
        ("y * (dy - sum(dy * y))",),
        over_units=True,
    ),
    Op(
        "layer_norm",
        1,
        r"\operatorname{{LN}}({a})",
        "mean 0 and variance 1 over the units (Ba et al. 2016; epsilon 1e-5); gain and bias are written beside it",
        definition="(a - mean(a)) / sqrt(mean((a - mean(a)) * (a - mean(a))) + 1e-5)",
        over_units=True,
    ),
    Op(
        "hard_sigmoid",
        1,
        r"\operatorname{{hard\_sigmoid}}({a})",
        "a / 6 + 1/2, cut to 0..1 (torch's; Keras and ONNX use a / 5)",
        definition="max(min(a / 6 + 0.5, 1), 0)",
    ),
    Op(
        "hard_tanh",
        1,
        r"\operatorname{{hard\_tanh}}({a})",
        "a, cut to -1..1",
        definition="max(min(a, 1), -1)",
    ),
    Op(
        "log_sigmoid",
        1,
        r"\log\sigma({a})",
        "log(sigmoid(a)), without overflow",
        definition="-softplus(-a)",
    ),
    Op("silu", 1, r"\operatorname{{silu}}({a})", "a * sigmoid(a)", definition="a * sigmoid(a)"),
    Op(
        "softsign",
        1,
        r"\operatorname{{softsign}}({a})",
        "a / (1 + |a|)",
        definition="a / (1 + abs(a))",
    ),
)

OPS: dict[str, Op] = {row.name: row for row in _ROWS}
FUNCTIONS: tuple[str, ...] = tuple(row.name for row in _ROWS if row.written)
