"""Every elementwise op of the table on SIMD vectors: what a row's ``llvm`` calls."""

from llvmlite import ir

from unrolled.engine.cpu import mathematics
from unrolled.engine.cpu.lanes import Lanes


class Vector(Lanes):
    """Arithmetic and functions on SIMD vectors of one width and one dtype; each method means what torch's op means.

    ``sin`` and ``cos`` start a new block: read ``builder.block`` after them, not before.
    """

    def exp(self, a: ir.Value) -> ir.Value:
        """e^a."""
        return mathematics.exp(self, a)

    def log(self, a: ir.Value) -> ir.Value:
        """The natural logarithm."""
        return mathematics.log(self, a)

    def sigmoid(self, a: ir.Value) -> ir.Value:
        """1 / (1 + e^-a)."""
        return mathematics.sigmoid(self, a)

    def tanh(self, a: ir.Value) -> ir.Value:
        """Hyperbolic tangent."""
        return mathematics.tanh(self, a)

    def softplus(self, a: ir.Value) -> ir.Value:
        """log(1 + e^a) without overflow."""
        return mathematics.softplus(self, a)

    def sin(self, a: ir.Value) -> ir.Value:
        """Sine."""
        return mathematics.sin(self, a)

    def cos(self, a: ir.Value) -> ir.Value:
        """Cosine."""
        return mathematics.cos(self, a)
