"""Writing LLVM IR by hand, made short: functions, loops, pointers and whole numbers on an IR builder."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

I64 = ir.IntType(64)
Value = Any
"""A value of the IR: llvmlite gives its values no common public type that builders accept."""


def whole(number: int) -> ir.Constant:
    """A 64-bit whole number."""
    return ir.Constant(I64, number)


def declare(module: ir.Module, name: str, arguments: Sequence[ir.Type], internal: bool = False) -> ir.Function:
    """The function of that name, declared on first use; it returns nothing."""
    known = module.globals.get(name)
    if known is not None:
        return known
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
    if internal:
        function.linkage = "internal"
        function.attributes.add("noinline")
    return function


class Body:
    """A function's body in the making. ``b`` is the llvmlite builder that stands at its present end."""

    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.b = ir.IRBuilder(function.append_basic_block("entry"))

    # Whole numbers

    def add(self, *parts: Value) -> Value:
        total = parts[0]
        for part in parts[1:]:
            total = self.b.add(total, part)
        return total

    def mul(self, *parts: Value) -> Value:
        product = parts[0]
        for part in parts[1:]:
            product = self.b.mul(product, part)
        return product

    def minimum(self, one: Value, other: Value) -> Value:
        return self.b.select(self.b.icmp_signed("<", one, other), one, other)

    def maximum(self, one: Value, other: Value) -> Value:
        return self.b.select(self.b.icmp_signed("<", one, other), other, one)

    # Pointers

    def at(self, pointer: Value, offset: Value) -> Value:
        """The pointer moved by so many elements."""
        return self.b.gep(pointer, [offset])

    def load(self, pointer: Value, offset: Value | None = None) -> Value:
        return self.b.load(pointer if offset is None else self.at(pointer, offset))

    # Control flow

    def loop(
        self,
        start: Value,
        stop: Value,
        step: Value,
        body: Callable[[Value, list[Value]], Sequence[Value] | None],
        carry: Sequence[Value] = (),
    ) -> list[Value]:
        """``for index in range(start, stop, step)``; ``body`` gets index and carried values and gives new ones."""
        b, before = self.b, self.b.block
        head, inside, behind = (b.append_basic_block(name) for name in ("head", "inside", "behind"))
        b.branch(head)
        b.position_at_end(head)
        index = b.phi(I64)
        index.add_incoming(start, before)
        carried = []
        for value in carry:
            phi = b.phi(value.type)
            phi.add_incoming(value, before)
            carried.append(phi)
        b.cbranch(b.icmp_signed("<", index, stop), inside, behind)
        b.position_at_end(inside)
        renewed = body(index, carried) or []
        index.add_incoming(b.add(index, step), b.block)
        for phi, value in zip(carried, renewed, strict=True):
            phi.add_incoming(value, b.block)
        b.branch(head)
        b.position_at_end(behind)
        return carried

    def comment(self, text: str) -> None:
        """A line of the printed code that says what follows."""
        self.b.comment(text)

    def done(self) -> None:
        self.b.ret_void()
