"""The table of ops is complete, and every row's meaning and derivatives are those of torch."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tolerance import assert_close
from unrolled.engine.cpu.vector import Vector
from unrolled.equations.derive import derivatives
from unrolled.equations.expression import Call, Expression, Name, Number, names, walk
from unrolled.equations.lower import definition
from unrolled.equations.ops import FUNCTIONS, OPS
from unrolled.equations.reader import parse_expression

PRIMITIVE = [row.name for row in OPS.values() if row.meaning is not None]
COMPOSED = [row.name for row in OPS.values() if row.definition is not None]
UNITWISE = [name for name in PRIMITIVE if name not in ("matmul", "transpose", "outer", "sign", "step")]
STRUCTURAL = ["matmul", "transpose", "outer", "sum", "mean", "softmax"]
"""How the compiled engine computes these is its plan's to say; every other primitive row is spelled on vectors."""
POSITIVE = ("log", "sqrt")

TORCH: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": torch.neg,
    "sigmoid": lambda a: 1 / (1 + torch.exp(-a)),
    "tanh": lambda a: (torch.exp(a) - torch.exp(-a)) / (torch.exp(a) + torch.exp(-a)),
    "relu": lambda a: torch.where(a > 0, a, 0),
    "softplus": F.softplus,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "abs": torch.abs,
    "sign": torch.sign,
    "step": lambda a: (a > 0).double(),
    "max": torch.maximum,
    "min": torch.minimum,
    "sum": lambda a: a.sum(-1, keepdim=True) + torch.zeros_like(a),
    "mean": lambda a: a.sum(-1, keepdim=True) / a.shape[-1] + torch.zeros_like(a),
    "softmax": lambda a: torch.exp(a) / torch.exp(a).sum(-1, keepdim=True),
    "layer_norm": lambda a: F.layer_norm(a, a.shape[-1:], eps=1e-5),
    "hard_sigmoid": lambda a: torch.clamp(a / 6 + 0.5, 0, 1),  # F.hardsigmoid's backward rounds 1/6 to float32
    "hard_tanh": F.hardtanh,
    "log_sigmoid": F.logsigmoid,
    "silu": F.silu,
    "softsign": F.softsign,
}
"""What each function is, in torch's own words or by its formula."""


def compute(expression: Expression, known: dict[str, Tensor]) -> Tensor:
    """An expression over tensors by name, op by op."""
    if isinstance(expression, Number):
        return torch.tensor(expression.value, dtype=torch.float64)
    if isinstance(expression, Name):
        return known[expression.name]
    arguments = [compute(argument, known) for argument in expression.arguments]
    meaning = OPS[expression.op].meaning
    if meaning is None:
        return compute(definition(expression.op), dict(zip("ab", arguments, strict=False)))
    return meaning(torch, *arguments)


def draw(name: str, seed: int = 0) -> list[Tensor]:
    """Arguments (4, 5) for an op, none of them near a kink of any row."""
    generator = torch.Generator().manual_seed(seed)
    values = [torch.randn(4, 5, generator=generator, dtype=torch.float64) * 3 for _ in range(OPS[name].arity)]
    away = [torch.where(value.abs() < 0.05, value + 0.2, value) for value in values]
    return [value.abs() if name in POSITIVE else value for value in away]


@pytest.mark.parametrize("name", OPS)
def test_a_row_is_complete(name: str) -> None:
    row = OPS[name]
    assert row.name == name
    assert row.about
    assert (row.meaning is None) != (row.definition is None)
    letters = {"a", "b", "c"} if row.arity == 3 else set("ab"[: row.arity])
    shown = row.latex.format(**{letter: f"<{letter}>" for letter in "ab"})
    assert all(f"<{letter}>" in shown for letter in letters - {"c"})
    assert shown.count("{") == shown.count("}")
    if row.meaning is not None and name != "outer":
        assert len(row.derivatives) == row.arity
        for derivative in derivatives(name):
            assert {read.name for read in names(derivative)} <= letters | {"y", "dy"}
    if row.definition is not None:
        assert not row.derivatives
        assert {read.name for read in names(definition(name))} == letters


class Emitter:
    """Stands for a vector emitter and notes which of the class's own methods a spelling calls, with what."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., str]:
        assert callable(getattr(Vector, name)), name
        return lambda *arguments: self.calls.append((name, arguments)) or "y"


@pytest.mark.parametrize("name", PRIMITIVE)
def test_a_primitive_row_is_spelled_on_vectors_or_is_structural(name: str) -> None:
    row, emitter = OPS[name], Emitter()
    if name in STRUCTURAL:
        assert row.llvm is None
        return
    assert row.llvm is not None
    arguments = tuple("ab"[: row.arity])
    assert row.llvm(emitter, *arguments) == "y"
    assert emitter.calls == [(name, arguments)]


@pytest.mark.parametrize("name", COMPOSED)
def test_a_composed_row_has_no_spelling_of_its_own(name: str) -> None:
    assert OPS[name].llvm is None


def test_what_an_equation_may_call_is_what_is_written() -> None:
    assert set(FUNCTIONS) == set(TORCH) - {"add", "sub", "mul", "div", "neg"}
    assert set(FUNCTIONS) == set(OPS) - {"add", "sub", "mul", "div", "neg", "matmul", "transpose", "outer"}


@pytest.mark.parametrize("name", [*UNITWISE, "sign", "step", *COMPOSED])
def test_a_row_means_what_torch_means(name: str) -> None:
    arguments = draw(name)
    whole = Call(name, tuple(map(Name, "ab"[: len(arguments)])))
    known = dict(zip("ab", arguments, strict=False))
    assert_close(compute(whole, known), TORCH[name](*arguments), "loop, numpy")


@pytest.mark.parametrize("name", [*UNITWISE, *COMPOSED])
def test_a_rows_derivatives_are_autograds(name: str) -> None:
    arguments = [value.requires_grad_() for value in draw(name, seed=1)]
    result = TORCH[name](*arguments)
    arriving = torch.randn(result.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = torch.autograd.grad(result, arguments, arriving)
    known = {**dict(zip("ab", arguments, strict=False)), "y": result, "dy": arriving}
    if name in COMPOSED:
        actual = torch.autograd.grad(compute(definition(name), known), arguments, arriving)
    else:
        actual = tuple(compute(derivative, known) for derivative in derivatives(name))
    for one, other in zip(actual, expected, strict=True):
        assert_close(one.detach(), other, "derived, autograd")


@pytest.mark.parametrize("name", ["relu", "abs", "sign", "max", "min", "hard_tanh", "hard_sigmoid"])
def test_at_kinks_and_ties_a_derivative_is_torchs(name: str) -> None:
    points = torch.tensor([[0.0, -0.0, 1.0, -1.0, 3.0, -3.0]], dtype=torch.float64)
    arguments = [points.clone().requires_grad_() for _ in range(OPS[name].arity)]
    expected = torch.autograd.grad(TORCH[name](*arguments).sum(), arguments)
    known = {**dict(zip("ab", arguments, strict=False)), "dy": torch.ones_like(points)}
    if name in COMPOSED:
        actual = torch.autograd.grad(compute(definition(name), known).sum(), arguments)
        edges = points.abs() == (1.0 if name == "hard_tanh" else 3.0)
        # torch's two disagree with each other at their edges; a tie of max or min shares the derivative.
        assert_close(actual[0][~edges], expected[0][~edges], "derived, autograd")
        assert torch.all(actual[0][edges] == actual[0][points == 0.0][0] / 2)
    else:
        for derivative, other in zip(derivatives(name), expected, strict=True):
            assert torch.equal(compute(derivative, known).detach(), other)


def test_hard_sigmoid_is_torchs() -> None:
    (points,) = draw("hard_sigmoid")
    assert_close(compute(definition("hard_sigmoid"), {"a": points}), F.hardsigmoid(points), "loop, numpy")


def test_the_derivative_of_a_step_is_passed_straight_through() -> None:
    points = torch.tensor([[-2.0, -0.0, 0.0, 1e-300, 5.0]], dtype=torch.float64, requires_grad=True)
    result = compute(parse_expression("step(a)"), {"a": points})
    assert torch.equal(result, torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0]], dtype=torch.float64))
    arriving = torch.arange(5.0, dtype=torch.float64).unsqueeze(0)
    assert torch.equal(torch.autograd.grad(result, points, arriving)[0], arriving)
    assert derivatives("step") == (Name("dy"),)


def test_functions_bear_large_numbers() -> None:
    points = torch.tensor([[-1e4, -750.0, 0.0, 750.0, 1e4]], dtype=torch.float64)
    for name in FUNCTIONS:
        if OPS[name].arity == 1 and name not in ("exp", *POSITIVE):
            assert torch.isfinite(compute(Call(name, (Name("a"),)), {"a": points})).all(), name
    softplus = compute(parse_expression("softplus(a)"), {"a": points})
    assert_close(softplus, points.relu() + torch.log1p(torch.exp(-points.abs())), "loop, numpy")
    assert_close(compute(parse_expression("log_sigmoid(a)"), {"a": points}), F.logsigmoid(points), "loop, numpy")


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("batch", [(), (1,), (4,)])
def test_products_and_their_derivatives_dense_and_in_blocks(heads: int, batch: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(heads)
    blocks = torch.randn(heads, 2, 3, generator=generator, dtype=torch.float64)
    dense = torch.block_diag(*blocks)
    matrix = blocks if heads > 1 else dense
    vector = torch.randn(*batch, 3 * heads, generator=generator, dtype=torch.float64)
    assert_close(compute(parse_expression("a @ b"), {"a": matrix, "b": vector}), vector @ dense.T, "loop, numpy")
    turned = compute(parse_expression("a.T @ (a @ b)"), {"a": matrix, "b": vector})
    assert_close(turned, vector @ dense.T @ dense, "loop, numpy")
    arriving = torch.randn(4, 2 * heads, generator=generator, dtype=torch.float64)
    known = {"a": matrix, "b": vector, "dy": arriving}
    d_matrix, d_vector = (compute(derivative, known) for derivative in derivatives("matmul"))
    whole = arriving.T @ vector.expand(4, -1)
    wanted = [whole[2 * head : 2 * head + 2, 3 * head : 3 * head + 3] for head in range(heads)]
    assert_close(d_matrix, torch.stack(wanted) if heads > 1 else whole, "derived, autograd")
    assert_close(d_vector, arriving @ dense, "derived, autograd")


@pytest.mark.parametrize("name", COMPOSED)
def test_a_definition_is_made_of_other_rows(name: str) -> None:
    ops = {part.op for part in walk(definition(name)) if isinstance(part, Call)}
    assert ops
    assert ops <= set(OPS) - {name}


def test_a_primitive_row_has_no_definition() -> None:
    with pytest.raises(KeyError, match="tanh is a primitive op"):
        definition("tanh")
