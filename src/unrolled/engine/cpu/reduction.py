"""Sums over the units of a row: cleared before a stage, brought to one number in every lane behind it."""

from collections.abc import Callable

from llvmlite import ir

from unrolled.engine.cpu.emit import Body, Value, whole
from unrolled.engine.cpu.stage import Context
from unrolled.engine.cpu.table import Table
from unrolled.engine.cpu.vector import Vector
from unrolled.engine.passes import REDUCTIONS, Stage
from unrolled.equations.expression import Call


def emit_begin(context: Context, table: Table, stage: Stage, first: Value, end: Value) -> None:
    """Clear what a stage sums over units."""
    _each_reduction(context, table, stage, first, end, lambda v, pointer, op: _clear(v, pointer, op))


def emit_finish(context: Context, table: Table, stage: Stage, first: Value, end: Value) -> None:
    """Bring a stage's sums over units to one number a row, in every lane."""
    body, shape = table.body, context.shape

    def finish(v: Vector, pointer: Value, op: str) -> None:
        lanes: list[Value] = [
            body.b.extract_element(v.load(pointer), ir.Constant(ir.IntType(32), lane)) for lane in range(shape.width)
        ]
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [_joined(body, op, lanes[place], lanes[place + half]) for place in range(half)]
        total: Value = lanes[0]
        if op == "mean":
            total = body.b.fdiv(total, body.b.sitofp(table.units(stage.size), shape.scalar))
        v.store(v.splat(total), pointer)

    _each_reduction(context, table, stage, first, end, finish)


def _clear(v: Vector, pointer: Value, op: str) -> None:
    v.store(v.constant(float("-inf") if op == "row_max" else 0.0), pointer)


def _joined(body: Body, op: str, one: Value, other: Value) -> Value:
    if op != "row_max":
        return body.b.fadd(one, other)
    return body.b.select(body.b.fcmp_unordered(">", one, other), one, other)


def _each_reduction(
    context: Context, table: Table, stage: Stage, first: Value, end: Value, what: Callable[[Vector, Value, str], None]
) -> None:
    body, shape = table.body, context.shape
    reduced = [
        (str(one.target), one.expression.op)
        for one in stage.statements
        if isinstance(one.expression, Call) and one.expression.op in REDUCTIONS
    ]
    if not reduced:
        return

    def row(r: Value, _: list[Value]) -> None:
        for name, op in reduced:
            pointer = body.at(table.base(f"reduced.{name}"), body.mul(r, whole(shape.width)))
            what(Vector(body.b, shape.width, shape.dtype), pointer, op)

    body.loop(first, end, whole(1), row)
