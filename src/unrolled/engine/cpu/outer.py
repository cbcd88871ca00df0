"""Sums of outer products over rows and steps: how a matrix's gradient is computed, once, behind the loop.

Rows of both sides are first copied to where they lie one behind the other: they come from arrays of many shapes, and
are read many times. A block of rows is as deep as the copies fit the caches.
"""

from collections.abc import Callable

from llvmlite import ir

from unrolled.engine.cpu.emit import I64, Body, Value, declare, whole
from unrolled.engine.cpu.product import Shape
from unrolled.engine.cpu.vector import Vector

STEPS = 64
"""Steps in a block. Pieces of a run that are a multiple of it long give the whole run's gradients bit by bit."""
_DEPTH, _COLUMNS = 256, 256


def workspace(shape: Shape) -> int:
    """How many numbers ``outer`` wants for its copies."""
    return (_DEPTH + STEPS) * (_COLUMNS + shape.rows)


def call_outer(body: Body, shape: Shape, *arguments: Value) -> None:
    """Call ``outer``: units from and to, width, steps from, to and of the whole run, rows; two sides, each array, step,
    row and map; lengths; out, its stride, sign, workspace."""
    body.b.call(declare(body.function.module, f"unrolled_outer_{shape.suffix}", _types(shape)), arguments)


def _types(shape: Shape) -> list[ir.Type]:
    index = I64.as_pointer()
    side = [shape.pointer, I64, I64, index]
    return [*[I64] * 7, *side, *side, index, shape.pointer, I64, shape.scalar, shape.pointer]


def emit_outer(module: ir.Module, shape: Shape) -> None:
    """``out[m][k] += sign * sum over rows n and steps t of a[n][t][m] * b[n][t][k]`` for m from first to last.

    Both sides say how far apart steps and rows lie, and by a map where row n lies. Steps run from ``begin`` to ``end``
    or to a row's length. Rows are taken in the order of n, so that sums do not depend on who computes them; blocks of
    steps from the last to the first, as a pass in pieces (:mod:`unrolled.engine.pieces`) comes to them.
    """
    function = declare(module, f"unrolled_outer_{shape.suffix}", _types(shape))
    first, last, width, begin, end, of_all, rows, *sides, lengths, out, stride, sign, copies = function.args
    left, right = sides[:4], sides[4:]
    body, wide = Body(function), 2 * shape.width
    span = body.minimum(of_all, whole(STEPS))
    rows_at_once = body.add(body.b.sdiv(whole(_DEPTH), body.add(span, whole(1))), whole(1))
    columns_of_left = body.at(copies, whole((_DEPTH + STEPS) * _COLUMNS))
    panel_size = whole((_DEPTH + STEPS) * wide)

    def column_block(column: Value, step: Value, step_end: Value, row: Value, row_end: Value) -> None:
        count = body.minimum(whole(_COLUMNS), body.b.sub(width, column))
        panels = body.b.sdiv(count, whole(wide))
        block = [row, row_end, step, step_end, lengths]
        depth = _gather(body, shape, block, right, column, panels, panel_size, copies)

        def units(unit: Value, _: list[Value]) -> None:
            behind = body.b.append_basic_block("behind")
            switch = body.b.switch(body.minimum(whole(shape.rows), body.b.sub(last, unit)), behind)
            for number in range(1, shape.rows + 1):
                case = body.b.append_basic_block(f"units{number}")
                switch.add_case(whole(number), case)
                body.b.position_at_end(case)
                _gather_narrow(body, shape, block, left, unit, number, columns_of_left)

                def tile(panel: Value, _: list[Value], number: int = number) -> None:
                    at = body.add(body.mul(unit, stride), column, body.mul(panel, whole(wide)))
                    source = body.at(copies, body.mul(panel, panel_size))
                    given = [depth, columns_of_left, source, body.at(out, at), stride, sign]
                    body.b.call(_tile(module, shape, number), given)

                body.loop(whole(0), panels, whole(1), tile)
                body.b.branch(behind)
            body.b.position_at_end(behind)

        body.loop(first, last, whole(shape.rows), units)

    blocks = body.b.sdiv(body.add(body.b.sub(end, begin), whole(STEPS - 1)), whole(STEPS))

    def step_block(number: Value, _: list[Value]) -> None:
        back = body.b.sub(body.b.sub(blocks, whole(1)), number)
        step = body.add(begin, body.mul(back, whole(STEPS)))
        step_end = body.minimum(body.add(step, whole(STEPS)), end)

        def row_block(row: Value, _: list[Value]) -> None:
            row_end = body.minimum(body.add(row, rows_at_once), rows)
            body.loop(
                whole(0),
                width,
                whole(_COLUMNS),
                lambda column, _: column_block(column, step, step_end, row, row_end),
            )

        body.loop(whole(0), rows, rows_at_once, row_block)

    with body.b.if_then(body.b.icmp_signed("<", first, last)):
        body.loop(whole(0), blocks, whole(1), step_block)
    body.done()


def _each_step(body: Body, block: list[Value], side: list[Value], copy: Callable[[Value, Value], None]) -> Value:
    """Call ``copy`` with each valid step's address and its number; gives how many there are."""
    row, row_end, step, step_end, lengths = block
    array, by_step, by_row, places = side

    def one_row(n: Value, carried: list[Value]) -> list[Value]:
        until = body.minimum(step_end, body.load(lengths, n))
        start = body.at(array, body.mul(body.load(places, n), by_row))

        def one_step(t: Value, carried: list[Value]) -> list[Value]:
            copy(body.at(start, body.mul(t, by_step)), carried[0])
            return [body.add(carried[0], whole(1))]

        return body.loop(step, until, whole(1), one_step, carried)

    return body.loop(row, row_end, whole(1), one_row, [whole(0)])[0]


def _gather(
    body: Body,
    shape: Shape,
    block: list[Value],
    side: list[Value],
    column: Value,
    panels: Value,
    size: Value,
    to: Value,
) -> Value:
    """Copy some columns of a side into panels, [panel][step][2V]; gives the number of steps."""
    v, wide = Vector(body.b, shape.width, shape.dtype), 2 * shape.width

    def copy(source: Value, number: Value) -> None:
        def panel(index: Value, _: list[Value]) -> None:
            here = body.at(source, body.add(column, body.mul(index, whole(wide))))
            there = body.at(to, body.add(body.mul(index, size), body.mul(number, whole(wide))))
            for half in (0, shape.width):
                v.store(v.load(body.at(here, whole(half))), body.at(there, whole(half)))

        body.loop(whole(0), panels, whole(1), panel)

    return _each_step(body, block, side, copy)


def _gather_narrow(
    body: Body, shape: Shape, block: list[Value], side: list[Value], unit: Value, units: int, to: Value
) -> None:
    """Copy a few units of a side one behind the other, [step][units]."""
    type_ = ir.VectorType(shape.scalar, units).as_pointer()

    def copy(source: Value, number: Value) -> None:
        here = body.b.bitcast(body.at(source, unit), type_)
        there = body.b.bitcast(body.at(to, body.mul(number, whole(units))), type_)
        body.b.store(body.b.load(here, align=shape.bytes), there, align=shape.bytes)

    _each_step(body, block, side, copy)


def _tile(module: ir.Module, shape: Shape, units: int) -> ir.Function:
    """So many units times one panel, summed over all steps of a block in registers."""
    name = f"outer_{units}"
    if name in module.globals:
        return module.globals[name]
    types = [I64, shape.pointer, shape.pointer, shape.pointer, I64, shape.scalar]
    function = declare(module, name, types, internal=True)
    depth, left, right, out, stride, sign = function.args
    body = Body(function)
    v = Vector(body.b, shape.width, shape.dtype)

    def step(k: Value, sums: list[Value]) -> list[Value]:
        here, there = body.at(left, body.mul(k, whole(units))), body.at(right, body.mul(k, whole(2 * shape.width)))
        columns = [v.load(body.at(there, whole(half))) for half in (0, shape.width)]
        renewed = []
        for unit in range(units):
            value = v.splat(body.load(here, whole(unit)))
            renewed += [v.fma(value, columns[half], sums[2 * unit + half]) for half in (0, 1)]
        return renewed

    sums = body.loop(whole(0), depth, whole(1), step, [v.constant(0.0)] * (2 * units))
    for place, total in enumerate(sums):
        at = body.add(body.mul(stride, whole(place // 2)), whole(place % 2 * shape.width))
        target = body.at(out, at)
        v.store(v.fma(total, v.splat(sign), v.load(target)), target)
    body.done()
    return function
