"""Matrices on their way in and out: packed into panels before a pass, their gradients summed behind it."""

from llvmlite import ir

from unrolled.engine.cpu.emit import Value, whole
from unrolled.engine.cpu.outer import call_outer
from unrolled.engine.cpu.product import call_pack
from unrolled.engine.cpu.stage import Context
from unrolled.engine.cpu.table import Table
from unrolled.engine.passes import Group, Outer, Term


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
                    _write_matrix(context, table, group, place, column, term)


def _write_matrix(context: Context, table: Table, group: Group, place: int, column: int, term: Term) -> None:
    """Pack one matrix; of heads one after the other, each into panels of its own."""
    body, columns, source = table.body, len(group.columns), group.segments[place].source
    unit, depth = ("depth step", "unit step") if term.transposed else ("unit step", "depth step")

    def pack(units: Value, deep: Value, matrix: Value, panels: Value) -> None:
        which = whole(columns), whole(column), ir.Constant(context.shape.scalar, term.sign)
        call_pack(body, context.shape, units, deep, matrix, *steps, panels, *which)

    units, deep, matrix = table.units(group.size), table.units(context.size(source)), table.base(term.matrix)
    steps = table.number(unit, term.matrix), table.number(depth, term.matrix)
    panels = body.at(table.base("weights"), table.number("weights", group.name, str(place)))
    if context.parts.matrices[term.matrix].heads == 1:
        pack(units, deep, matrix, panels)
        return
    heads, step = table.number("heads", term.matrix), table.number("head step", term.matrix)
    own_units, own_deep = body.b.sdiv(units, heads), body.b.sdiv(deep, heads)
    numbers = body.mul(body.b.sdiv(table.blocks(group.size), heads), whole(columns * context.shape.width), own_deep)

    def one_head(head: Value, _: list[Value]) -> None:
        pack(own_units, own_deep, body.at(matrix, body.mul(head, step)), body.at(panels, body.mul(head, numbers)))

    body.loop(whole(0), heads, whole(1), one_head)


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
    width = table.number("width", one.matrix)

    def outer(first: Value, last: Value, moved: tuple[Value, Value] | None, out: Value) -> None:
        sides = []
        for place, name in enumerate((one.left, one.right)):
            array = context.arrays(name)
            places = "users" if array.row == "user" else "places"
            base = table.base(array.name) if moved is None else body.at(table.base(array.name), moved[place])
            sides += [base, table.number("step", array.name), table.number("row", array.name), table.indices(places)]
        call_outer(
            body,
            context.shape,
            first,
            last,
            width,
            table.number("first step"),
            table.number("end of steps"),
            table.number("steps of all"),
            table.number("rows"),
            *sides,
            table.indices("user lengths"),
            out,
            width,
            ir.Constant(context.shape.scalar, one.sign),
            body.at(table.base("outer"), body.mul(thread, table.number("outer size"))),
        )

    out = table.base(f"gradient.{one.matrix}")
    if matrix.heads == 1:
        outer(first, last, None, out)
        return
    own = body.b.sdiv(units, table.number("heads", one.matrix))

    def one_head(head: Value, _: list[Value]) -> None:
        """This thread's rows of a block: its units of one side times those of the other."""
        begin = body.mul(head, own)
        from_unit = body.b.sub(body.maximum(first, begin), begin)
        to_unit = body.b.sub(body.minimum(last, body.add(begin, own)), begin)
        outer(from_unit, to_unit, (begin, body.mul(head, width)), body.at(out, body.mul(begin, width)))

    body.loop(whole(0), table.number("heads", one.matrix), whole(1), one_head)
