"""Vectors of floats as LLVM values: constants, memory, arithmetic, comparison and the bits of a float."""

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from struct import pack, unpack
from typing import Any

from llvmlite import ir

_FORMATS = {"float32": (ir.FloatType(), 32, 23), "float64": (ir.DoubleType(), 64, 52)}
"""By dtype: the scalar type, its bits, and how many of them are the fraction."""


class Lanes:
    """Arithmetic on SIMD vectors of one width and one dtype, appended to a builder's block.

    Nothing is fused or reordered but where :meth:`fma` says so, so that a lane's result is the same at every width.

    Args:
        builder: where the instructions go.
        width: lanes a vector, a power of two.
        dtype: ``"float32"`` or ``"float64"``.
    """

    def __init__(self, builder: ir.IRBuilder, width: int, dtype: str) -> None:
        self.builder: Any = builder  # llvmlite's decorators hide from a type checker what its methods return
        self.width = width
        self.dtype = dtype
        self.scalar, self.bits, self.fraction = _FORMATS[dtype]
        self.type = ir.VectorType(self.scalar, width)
        self.integers = ir.VectorType(ir.IntType(self.bits), width)
        self.bias = (1 << (self.bits - self.fraction - 2)) - 1
        """What 1 has in its exponent bits."""

    def constant(self, value: float) -> ir.Constant:
        """The value, rounded to the dtype, in every lane."""
        return ir.Constant(self.type, [self.scalar(value)] * self.width)

    def rounded(self, value: Fraction) -> float:
        """The number of the dtype nearest to a fraction."""
        return float(value) if self.dtype == "float64" else unpack("f", pack("f", value))[0]

    def integer(self, value: int) -> ir.Constant:
        """An integer of the dtype's size in every lane."""
        return ir.Constant(self.integers, [self.integers.element(value)] * self.width)

    def splat(self, scalar_value: ir.Value) -> ir.Value:
        """A scalar of the dtype in every lane."""
        empty = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(empty, scalar_value, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [ir.IntType(32)(0)] * self.width)
        return self.builder.shuffle_vector(first, empty, lanes)

    def load(self, pointer: ir.Value) -> ir.Value:
        """The vector that starts at a pointer to the scalar type, aligned as a scalar is."""
        return self.builder.load(self._pointer(pointer), align=self.bits // 8, typ=self.type)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Put a vector where :meth:`load` would read it."""
        self.builder.store(value, self._pointer(pointer), align=self.bits // 8)

    def _pointer(self, pointer: ir.Value) -> ir.Value:
        return self.builder.bitcast(pointer, ir.PointerType(self.type))

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a + b."""
        return self.builder.fadd(a, b)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a - b."""
        return self.builder.fsub(a, b)

    def mul(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a * b."""
        return self.builder.fmul(a, b)

    def div(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a / b."""
        return self.builder.fdiv(a, b)

    def neg(self, a: ir.Value) -> ir.Value:
        """-a."""
        return self.builder.fneg(a)

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a * b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def abs(self, a: ir.Value) -> ir.Value:
        """|a|."""
        return self.intrinsic("fabs", a)

    def copysign(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """|a| with the sign of b."""
        return self.intrinsic("copysign", a, b)

    def sqrt(self, a: ir.Value) -> ir.Value:
        """The square root, correctly rounded; NaN below 0."""
        return self.intrinsic("sqrt", a)

    def sign(self, a: ir.Value) -> ir.Value:
        """-1, 0 or 1; 0 for NaN, as torch has it."""
        one, zero = self.constant(1.0), self.constant(0.0)
        return self.sub(self.select(self.more(a, zero), one, zero), self.select(self.less(a, zero), one, zero))

    def step(self, a: ir.Value) -> ir.Value:
        """1 where a > 0, else 0; 0 for NaN, as torch.heaviside has it."""
        return self.select(self.more(a, self.constant(0.0)), self.constant(1.0), self.constant(0.0))

    def relu(self, a: ir.Value) -> ir.Value:
        """max(a, 0)."""
        return self.max(a, self.constant(0.0))

    def max(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The larger, or NaN where either is NaN. One instruction on x86 where one of the two is a constant."""
        return self._extreme(">", a, b)

    def min(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The smaller, or NaN where either is NaN. One instruction on x86 where one of the two is a constant."""
        return self._extreme("<", a, b)

    def _extreme(self, comparison: str, a: ir.Value, b: ir.Value) -> ir.Value:
        if isinstance(b, ir.Constant):
            a, b = b, a
        chosen = self.select(self.builder.fcmp_ordered(comparison, a, b), a, b)  # b where either is NaN
        if isinstance(a, ir.Constant):
            return chosen
        return self.select(self.builder.fcmp_unordered("uno", a, a), a, chosen)

    def less(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a < b, lane by lane; false for NaN."""
        return self.builder.fcmp_ordered("<", a, b)

    def more(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a > b, lane by lane; false for NaN."""
        return self.builder.fcmp_ordered(">", a, b)

    def equal(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a == b, lane by lane; false for NaN."""
        return self.builder.fcmp_ordered("==", a, b)

    def select(self, condition: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
        """a in the lanes where the condition holds, b in the others."""
        return self.builder.select(condition, a, b)

    def as_integers(self, a: ir.Value) -> ir.Value:
        """The bits of floats."""
        return self.builder.bitcast(a, self.integers)

    def as_floats(self, a: ir.Value) -> ir.Value:
        """The floats of these bits."""
        return self.builder.bitcast(a, self.type)

    def polynomial(self, x: ir.Value, terms: Sequence[float]) -> ir.Value:
        """terms[0] + terms[1] x + ..., by Horner's rule."""
        constants = [self.constant(term) for term in reversed(terms)]
        return reduce(lambda total, term: self.fma(total, x, term), constants[1:], constants[0])

    def intrinsic(self, name: str, *arguments: ir.Value) -> ir.Value:
        """What LLVM's intrinsic of this name gives for vectors."""
        letter = f"v{self.width}f{self.bits}"
        return self.builder.call(self.function(f"llvm.{name}.{letter}", self.type, len(arguments)), arguments)

    def function(self, name: str, of: ir.Type, arity: int) -> ir.Function:
        """The module's function of this name from values of one type to that type, declared once."""
        module = self.builder.module
        if name in module.globals:
            return module.globals[name]
        return ir.Function(module, ir.FunctionType(of, [of] * arity), name)
