"""Matrices on their way in and out: packed into panels before a pass, their gradients summed behind it."""

from llvmlite import ir

from unrolled.engine.cpu.emit import Value, whole
from unrolled.engine.cpu.outer import call_outer
from unrolled.engine.cpu.product import call_pack
from unrolled.engine.cpu.stage import Context
from unrolled.engine.cpu.table import Table
from unrolled.engine.passes import Outer


def write_panels(context: Context, table: Table, thread: Value, threads: Value) -> None:
    """Pack every matrix of every group, unless they are packed; each thread takes its share of the matrices."""
    with table.body.b.if_then(table.body.b.icmp_signed("==", table.number("packed"), whole(0))):
        _write_panels(context, table, thread, threads)


def _write_panels(context: Context, table: Table, thread: Value, threads: Value) -> None:
    body, number = table.body, 0
    for group in context.own.groups:
        for place, segment in enumerate(group.segments):
            for column, term in enumerate(segment.terms):
                mine = body.b.icmp_signed("==", body.b.srem(whole(number), threads), thread)
                number += 1
                with body.b.if_then(mine):
                    unit, depth = ("depth step", "unit step") if term.transposed else ("unit step", "depth step")
                    call_pack(
                        body,
                        context.shape,
                        table.units(group.size),
                        table.units(context.size(segment.source)),
                        table.base(term.matrix),
                        table.number(unit, term.matrix),
                        table.number(depth, term.matrix),
                        body.at(table.base("weights"), table.number("weights", group.name, str(place))),
                        whole(len(group.columns)),
                        whole(column),
                        ir.Constant(context.shape.scalar, term.sign),
                    )


def write_gradients(context: Context, table: Table, thread: Value, threads: Value) -> None:
    """Sum the outer products of every matrix that wants its gradient; each thread takes its share of the rows of it."""
    for one in context.own.outers:
        body = table.body
        wanted = body.b.icmp_signed("!=", table.number("base", f"gradient.{one.matrix}"), whole(0))
        with body.b.if_then(wanted):
            _one_gradient(context, table, one, thread, threads)


def _one_gradient(context: Context, table: Table, one: Outer, thread: Value, threads: Value) -> None:
    body, matrix = table.body, context.parts.matrices[one.matrix]
    units, tile = table.units(matrix.out), whole(context.shape.rows)
    tiles = body.b.sdiv(body.add(units, body.b.sub(tile, whole(1))), tile)
    first, last = (
        body.minimum(body.mul(body.b.sdiv(body.mul(tiles, part), threads), tile), units)
        for part in (thread, body.add(thread, whole(1)))
    )
    sides = []
    for name in (one.left, one.right):
        array = context.arrays(name)
        places = "users" if array.row == "user" else "places"
        sides += [table.base(array.name), table.number("step", array.name), table.number("row", array.name)]
        sides.append(table.indices(places))
    call_outer(
        body,
        context.shape,
        first,
        last,
        table.number("width", one.matrix),
        table.number("first step"),
        table.number("end of steps"),
        table.number("steps of all"),
        table.number("rows"),
        *sides,
        table.indices("user lengths"),
        table.base(f"gradient.{one.matrix}"),
        table.number("width", one.matrix),
        ir.Constant(context.shape.scalar, one.sign),
        body.at(table.base("outer"), body.mul(thread, table.number("outer size"))),
    )
