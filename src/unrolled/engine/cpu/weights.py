"""Matrices on their way in and out: packed into panels before a pass, their gradients summed beside it."""

from dataclasses import dataclass

from llvmlite import ir

from unrolled.engine.cpu.emit import I64, Value, whole
from unrolled.engine.cpu.outer import LEFT, call_outer
from unrolled.engine.cpu.product import call_pack
from unrolled.engine.cpu.stage import Context
from unrolled.engine.cpu.table import Table
from unrolled.engine.passes import Group, Outer, Term
from unrolled.engine.split import Matrix


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


@dataclass(frozen=True)
class Span:
    """A block of steps, and whether it is the first whose gradients are summed."""

    begin: Value
    end: Value
    first: Value


def write_gradients(context: Context, table: Table, thread: Value, threads: Value, span: Span) -> None:
    """Sum the outer products of a block of steps for every matrix that wants its gradient.

    Each thread takes its share of the rows of them. Matrices of one shape that multiply the same are done together.
    """
    alike: dict[tuple[str, Matrix], list[Outer]] = {}
    for one in context.own.outers:
        alike.setdefault((one.right, context.parts.matrices[one.matrix]), []).append(one)
    body = table.body
    most = max(map(len, alike.values()), default=0)
    with body.b.goto_entry_block():
        lefts = body.b.alloca(I64, size=whole(LEFT * most))
    firsts = {one.matrix: one for outers in reversed(alike.values()) for one in reversed(outers)}
    for outers in alike.values():
        _some_gradients(context, table, outers, thread, threads, span, lefts, frozenset(firsts.values()))


def _some_gradients(
    context: Context,
    table: Table,
    outers: list[Outer],
    thread: Value,
    threads: Value,
    span: Span,
    lefts: Value,
    firsts: frozenset[Outer],
) -> None:
    matrix, name = context.parts.matrices[outers[0].matrix], outers[0].matrix
    body, units, tile = table.body, table.units(matrix.out), whole(context.shape.rows)
    tiles = body.b.sdiv(body.add(units, body.b.sub(tile, whole(1))), tile)
    first, last = (
        body.minimum(body.mul(body.b.sdiv(body.mul(tiles, part), threads), tile), units)
        for part in (thread, body.add(thread, whole(1)))
    )
    width, columns = table.number("width", name), table.units(matrix.into)
    if matrix.heads > 1:
        columns = body.b.sdiv(columns, table.number("heads", name))
    begins = body.b.and_(body.b.zext(span.first, I64), table.number("fresh"))
    copies = body.at(table.base("outer"), body.mul(thread, table.number("outer size")))

    def outer(first: Value, last: Value, left: Value, right: Value, out: Value) -> None:
        """Units of a diagonal block from and to; where it begins on both sides and in the gradients."""
        count: Value = whole(0)
        for one in outers:
            gradient = table.number("base", f"gradient.{one.matrix}")
            start, *where = _side(context, table, one.left, span.begin, left)
            to = body.b.ptrtoint(body.at(table.base(f"gradient.{one.matrix}"), out), I64)
            given = [body.b.ptrtoint(start, I64), *where[:2], body.b.ptrtoint(where[2], I64), first, last, to]
            fresh = begins if one in firsts else whole(0)
            for place, number in enumerate((*given, whole(int(one.sign)), fresh)):
                at = body.add(body.mul(count, whole(LEFT)), whole(place))
                body.b.store(number, body.at(lefts, at))
            count = body.add(count, body.b.zext(body.b.icmp_signed("!=", gradient, whole(0)), I64))
        side = _side(context, table, outers[0].right, span.begin, right)
        of = [width, columns, span.begin, span.end, table.number("steps of all"), table.number("rows"), *side]
        call_outer(body, context.shape, *of, table.indices("user lengths"), copies, count, lefts)

    if matrix.heads == 1:
        outer(first, last, whole(0), whole(0), whole(0))
        return
    heads = table.number("heads", name)
    own = body.b.sdiv(units, heads)

    def one_head(head: Value, _: list[Value]) -> None:
        """This thread's rows of a block: its units of one side times those of the other."""
        begin = body.mul(head, own)
        from_unit = body.b.sub(body.maximum(first, begin), begin)
        to_unit = body.b.sub(body.minimum(last, body.add(begin, own)), begin)
        outer(from_unit, to_unit, begin, body.mul(head, columns), body.mul(begin, columns))

    body.loop(whole(0), heads, whole(1), one_head)


def _side(context: Context, table: Table, name: str, begin: Value, moved: Value) -> list[Value]:
    """Where one side lies: as if step 0 stood there, its steps, its rows, and where each row is."""
    body, array = table.body, context.arrays(name)
    step = table.number("step", array.name)
    before = body.mul(begin, step) if array.step == "ring" else whole(0)
    base = body.at(table.base(array.name), body.b.sub(moved, before))
    places = table.indices("users" if array.row == "user" else "places")
    return [base, step, table.number("row", array.name), places]
