"""Vector mathematics: right to a few units in the last place on every float, and the same at every width and target."""

import ctypes
import re
from collections.abc import Callable, Iterator
from functools import cache

import llvmlite.binding as llvm
import mpmath
import numpy as np
import pytest
import torch
from llvmlite import ir

from unrolled.engine.cpu import mathematics, series
from unrolled.engine.cpu.vector import Vector
from unrolled.equations.ops import OPS

ROWS = [row for row in OPS.values() if row.llvm is not None]
FLOATS = {"float32": np.float32, "float64": np.float64}
LIMIT = 4.0
"""Units in the last place from the exact value: a polynomial's error is below one, the rest is the steps' rounding."""

EXACT = ("add", "sub", "mul", "div", "neg", "relu", "abs", "sign", "step", "max", "min")

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()


def native() -> llvm.TargetMachine:
    features = llvm.get_host_cpu_features().flatten()
    return llvm.Target.from_default_triple().create_target_machine(llvm.get_host_cpu_name(), features, opt=3)


def other(triple: str, cpu: str) -> llvm.TargetMachine:
    return llvm.Target.from_triple(triple).create_target_machine(cpu, opt=3)


def emit(op: Callable[..., ir.Value], arity: int, width: int, dtype: str) -> str:
    """A function ``loop(result, argument..., vectors)`` that applies an op along arrays."""
    module, pointer, count = ir.Module(), ir.PointerType(), ir.IntType(64)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer] * (arity + 1) + [count]), "loop")
    before, body, after = (function.append_basic_block(name) for name in ("before", "body", "after"))
    builder = ir.IRBuilder(before)
    builder.branch(body)
    builder.position_at_end(body)
    vector = Vector(builder, width, dtype)
    index = builder.phi(count)
    start = builder.mul(index, count(width))
    at = [builder.gep(pointer, [start], source_etype=vector.scalar) for pointer in function.args[:-1]]
    vector.store(op(vector, *map(vector.load, at[1:])), at[0])
    following = builder.add(index, count(1))
    index.add_incoming(count(0), before)
    index.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_unsigned("<", following, function.args[-1]), body, after)
    builder.position_at_end(after)
    builder.ret_void()
    return str(module)


def optimised(text: str, machine: llvm.TargetMachine) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple = machine.triple
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    return module


Run = Callable[..., np.ndarray]


def compiled(op: Callable[..., ir.Value], arity: int, width: int, dtype: str) -> Run:
    """The op as a function of arrays, whose size is a multiple of the width."""
    machine = native()
    engine = llvm.create_mcjit_compiler(optimised(emit(op, arity, width, dtype), machine), machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (arity + 1), ctypes.c_size_t)

    def run(*arguments: np.ndarray) -> np.ndarray:
        function = kind(engine.get_function_address("loop"))  # asked here, so that the engine lives on
        assert all(argument.dtype == FLOATS[dtype] for argument in arguments)
        assert arguments[0].size % width == 0
        result = np.full_like(arguments[0], np.nan)
        function(result.ctypes.data, *(argument.ctypes.data for argument in arguments), result.size // width)
        return result

    return run


@cache
def compiled_row(name: str, width: int, dtype: str) -> Run:
    return compiled(OPS[name].llvm, OPS[name].arity, width, dtype)


def ulps(values: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """How far float values lie from exact ones of a wider type; inf where they differ in being finite or NaN."""
    with np.errstate(all="ignore"):
        nearest = exact.astype(values.dtype)
        distance = np.abs(values - exact) / np.spacing(np.abs(nearest)).astype(exact.dtype)
    same = (values == nearest) | (np.isnan(values) & np.isnan(nearest))
    ordinary = np.isfinite(nearest) & np.isfinite(values)
    return np.where(ordinary, distance, np.where(same, 0.0, np.inf))


def _small(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.abs(x))


FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sin": np.sin,
    "cos": np.cos,
    "sigmoid": lambda x: np.where(x > 0, 1.0, _small(x)) / (1 + _small(x)),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(_small(x)),
}
RANGES = {"tanh": (-1, 1), "sin": (-1, 1), "cos": (-1, 1), "sigmoid": (0, 1), "exp": (0, np.inf)}


def all_floats(stride: int, size: int = 1 << 20) -> Iterator[np.ndarray]:
    """Every ``stride``-th float32 of all 2^32, NaNs and infinities among them, in batches of a multiple of 16."""
    patterns = np.arange(0, 1 << 32, stride, dtype=np.uint64).astype(np.uint32)
    patterns = np.concatenate([patterns, np.zeros(-patterns.size % 16, np.uint32)])
    for start in range(0, patterns.size, size):
        yield patterns[start : start + size].view(np.float32)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_function_is_right_on_the_whole_range_of_float32(name: str) -> None:
    function = compiled_row(name, 8, "float32")
    low, high = RANGES.get(name, (-np.inf, np.inf))
    for x in all_floats(997):
        y = function(x)
        with np.errstate(all="ignore"):
            errors = ulps(y, FORMULAS[name](x.astype(np.float64)))
        worst = errors.argmax()
        assert errors[worst] <= LIMIT, f"{name}({x[worst]!r}) = {y[worst]!r}, off by {errors[worst]} ulp"
        assert not np.any((y < low) | (y > high))
        if name == "tanh":
            assert np.array_equal(function(-x), -y, equal_nan=True)


PRECISE = {
    **{name: getattr(mpmath, name) for name in ("exp", "log", "tanh", "sin", "cos")},
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)) if x < 0 else x + mpmath.log1p(mpmath.exp(-x)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_function_is_right_in_float64(name: str) -> None:
    draw = np.random.default_rng(0)
    x = np.concatenate(
        [draw.uniform(-s, s, 400) for s in (1e-3, 1.0, 40.0, 745.0)] + [10.0 ** draw.uniform(-320, 307, 400)]
    )
    x = np.abs(x) if name == "log" else x
    x = np.concatenate([x, 1 + draw.uniform(-1e-3, 1e-3, 400)])
    y = compiled_row(name, 4, "float64")(x)
    with mpmath.workdps(60):
        exact = [PRECISE[name](mpmath.mpf(float(value))) for value in x]
        spacing = np.spacing(np.abs(np.array([float(value) for value in exact])))
        with np.errstate(invalid="ignore"):
            errors = np.array(
                [
                    float(abs(mpmath.mpf(float(a)) - b) / c) if np.isfinite(c) else float(a != np.inf)
                    for a, b, c in zip(y, exact, spacing, strict=True)
                ]
            )
    assert errors.max() <= LIMIT, f"{name}({x[errors.argmax()]!r}) is off by {errors.max()} ulp"


def special(dtype: str) -> np.ndarray:
    """What a formula forgets, (32,): zeros, infinities, NaN, the smallest, the largest, and where functions run out."""
    least, tiny, largest = (
        float(part) for part in (np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny, np.finfo(dtype).max)
    )
    sizes = [0.0, np.inf, np.nan, least, tiny, largest, 1.0, 0.5, 3.0, 17.5, 88.8, 103.5, 709.7, 744.9, 8200.0, 1e30]
    return np.array([sign * size for size in sizes for sign in (1, -1)], dtype=FLOATS[dtype])


def grid(arity: int, dtype: str) -> list[np.ndarray]:
    values = special(dtype)
    return [values] if arity == 1 else [part.ravel().copy() for part in np.meshgrid(values, values)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_rows_vectors_mean_what_torch_means(row, dtype: str) -> None:
    arguments = grid(row.arity, dtype)
    actual = compiled_row(row.name, 4, dtype)(*arguments)
    if row.name == "step":  # its meaning adds a - a for the derivative's sake, which is NaN at inf
        wanted = torch.heaviside(torch.from_numpy(arguments[0]), torch.zeros(1, dtype=getattr(torch, dtype))).numpy()
    else:
        wide = [torch.from_numpy(part) if row.name in EXACT else torch.from_numpy(part).double() for part in arguments]
        wanted = row.meaning(torch, *wide).numpy()
    if row.name in EXACT:
        assert np.array_equal(actual, wanted, equal_nan=True)
    else:
        assert ulps(actual, wanted).max() <= LIMIT
    if row.name not in ("max", "min"):  # which zero is the larger, torch leaves to the machine
        known = ~np.isnan(wanted)
        assert np.array_equal(np.signbit(actual[known]), np.signbit(wanted[known]))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_lanes_result_is_the_same_at_every_width(row, dtype: str) -> None:
    draw = np.random.default_rng(1)
    random = [
        draw.standard_normal(4096).astype(dtype) * 10 ** draw.uniform(-6, 6, 4096).astype(dtype) for _ in range(2)
    ]
    arguments = [np.concatenate(parts) for parts in zip(random, grid(row.arity, dtype), strict=False)]
    bits = [compiled_row(row.name, width, dtype)(*arguments).tobytes() for width in (4, 8, 16)]
    assert bits[0] == bits[1] == bits[2]


@pytest.mark.parametrize("name", ["max", "min"])
def test_an_extreme_with_a_constant_on_either_side(name: str) -> None:
    values = special("float32")
    wanted = getattr(torch, f"{name}imum")(torch.from_numpy(values), torch.ones(values.size)).numpy()
    for op in (
        lambda v, a: getattr(v, name)(a, v.constant(1.0)),
        lambda v, a: getattr(v, name)(v.constant(1.0), a),
    ):
        assert np.array_equal(compiled(op, 1, 8, "float32")(values), wanted, equal_nan=True)


def test_constants_and_splats_hold_the_nearest_float() -> None:
    values = np.arange(8, dtype=np.float32)
    tenth = compiled(lambda v, a: v.constant(0.1), 1, 8, "float32")(values)
    assert np.array_equal(tenth, np.full(8, 0.1, np.float32))
    first = compiled(lambda v, a: v.splat(v.builder.extract_element(a, ir.IntType(32)(3))), 1, 8, "float32")(values)
    assert np.array_equal(first, np.full(8, 3.0, np.float32))


TARGETS = {"aarch64": ("aarch64-linux-gnu", "generic", 4), "haswell": ("x86_64-linux-gnu", "haswell", 8)}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_becomes_machine_code_of_other_targets(row, dtype: str, target: str) -> None:
    triple, cpu, width = TARGETS[target]
    text = emit(row.llvm, row.arity, width, dtype)
    assert not re.search(r"\b(fast|contract|reassoc|nnan|ninf|nsz|arcp|afn|fmuladd)\b", text)
    machine = other(triple, cpu)
    assembly = machine.emit_assembly(optimised(text, machine))
    called = set(re.findall(r"\b(?:bl|callq|jmp)\s+\*?\$?([a-z]\w*)", assembly))
    assert called <= ({row.name, f"unrolled_{row.name}_v{width}f{64 if dtype == 'float64' else 32}"} - set(EXACT))
    register = {"aarch64": r"v\d+\.(4s|2d)|\bq\d+", "haswell": r"%ymm\d"}[target]
    assert re.search(register, assembly)


def test_a_rectifier_is_one_instruction() -> None:
    machine = other("x86_64-linux-gnu", "haswell")
    assembly = machine.emit_assembly(optimised(emit(OPS["relu"].llvm, 1, 8, "float32"), machine))
    assert re.search(r"\bvmaxps\b", assembly)
    assert not re.search(r"vcmp|vblend|vand", assembly)


def test_the_reductions_constants_are_ln_2_and_pi() -> None:
    with mpmath.workprec(300):
        for fraction, number in ((mathematics._LN2, mpmath.log(2)), (mathematics._PI, mpmath.pi)):
            assert abs(mpmath.mpf(fraction.numerator) / fraction.denominator - number) < mpmath.mpf(2) ** -155


def test_a_fitted_polynomial_is_near_its_series_everywhere() -> None:
    terms = series.coefficients(series.exp_rest, -0.35, 0.35, 9)
    for x in np.linspace(-0.35, 0.35, 101):
        with mpmath.workdps(40):
            exact = (mpmath.expm1(float(x)) - float(x)) / mpmath.mpf(float(x)) ** 2 if x else mpmath.mpf(0.5)
            assert abs(mpmath.polyval(terms[::-1], float(x)) - exact) < 2e-16
