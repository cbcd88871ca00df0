"""Sums of outer products over rows and steps: how matrices' gradients are computed, a block of steps at a time.

Rows of a side are copied to where they lie one behind the other: they come from arrays of many shapes, and are read
many times. One side is copied for all matrices that are multiplied with it; the other where it is read often enough.
"""

from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from unrolled.engine.cpu.emit import I64, Body, Value, declare, whole
from unrolled.engine.cpu.product import Shape
from unrolled.engine.cpu.vector import Vector

STEPS = 64
"""Steps in a block. Pieces of a run that are a multiple of it long give the whole run's gradients bit by bit."""
LEFT = 9
"""Whole numbers that describe one left side: base, by step, by row, map of rows; units from and to; out; sign; whether
its sums are fresh, that is, written and not added."""
_DEPTH, _COLUMNS = 256, 256
_OFTEN = 8
"""Panels above which it pays to copy a left side."""


def workspace(shape: Shape) -> int:
    """How many numbers ``outer`` wants for its copies."""
    return _DEPTH * (_COLUMNS + shape.rows)


def call_outer(body: Body, shape: Shape, *arguments: Value) -> None:
    """Call ``outer``: width, columns of the results, steps from, to and of the whole run, rows; the right side's array,
    step, row and map; lengths; workspace; how many left sides and their descriptions."""
    body.b.call(declare(body.function.module, f"unrolled_outer_{shape.suffix}", _types(shape)), arguments)


def _types(shape: Shape) -> list[ir.Type]:
    index = I64.as_pointer()
    return [*[I64] * 6, shape.pointer, I64, I64, index, index, shape.pointer, I64, index]


@dataclass(frozen=True)
class _Block:
    """Rows and steps that are summed at once."""

    row: Value
    row_end: Value
    step: Value
    step_end: Value
    lengths: Value


@dataclass(frozen=True)
class _Side:
    """Where one side of the product lies: its first number, how far apart steps and rows are, where row n lies."""

    base: Value
    by_step: Value
    by_row: Value
    places: Value


def emit_outer(module: ir.Module, shape: Shape) -> None:
    """``out[m][k] += sign * sum over rows n and steps t of a[n][t][m] * b[n][t][k]`` for several a.

    Steps run from ``step`` to ``end``, at most a block of them, or to a row's length. Rows are taken in the order of
    n, so that sums do not depend on who computes them.
    """
    function = declare(module, f"unrolled_outer_{shape.suffix}", _types(shape))
    width, stride, step, end, of_all, rows, *right, lengths, copies, count, lefts = function.args
    body, wide = Body(function), 2 * shape.width
    depth_of_copy, nought = body.b.alloca(I64), body.b.alloca(I64)
    body.b.store(whole(0), nought)
    span = body.maximum(whole(1), body.minimum(of_all, whole(STEPS)))
    rows_at_once = body.b.sdiv(whole(_DEPTH), span)
    columns_of_left = body.at(copies, whole(_DEPTH * _COLUMNS))
    panel_size = whole(_DEPTH * wide)

    def some_columns(block: _Block, column: Value) -> None:
        panels = body.b.sdiv(body.minimum(whole(_COLUMNS), body.b.sub(width, column)), whole(wide))
        depth = _gather(body, shape, block, _Side(*right), column, panels, panel_size, copies)
        body.b.store(depth, depth_of_copy)
        copied = body.b.icmp_signed(">", panels, whole(_OFTEN))

        def one_left(number: Value, _: list[Value]) -> None:
            given = [body.load(lefts, body.add(body.mul(number, whole(LEFT)), whole(place))) for place in range(LEFT)]
            base, by_step, by_row, places, first, last, out, sign, fresh = given
            more = body.b.or_(body.b.icmp_signed("==", fresh, whole(0)), body.b.icmp_signed(">", block.row, whole(0)))
            index = I64.as_pointer()
            left = _Side(body.b.inttoptr(base, shape.pointer), by_step, by_row, body.b.inttoptr(places, index))
            target = body.at(body.b.inttoptr(out, shape.pointer), column)
            sign = body.b.sitofp(sign, shape.scalar)

            def units(unit: Value, _: list[Value]) -> None:
                behind = body.b.append_basic_block("behind")
                switch = body.b.switch(body.minimum(whole(shape.rows), body.b.sub(last, unit)), behind)
                for number in range(1, shape.rows + 1):
                    case = body.b.append_basic_block(f"units{number}")
                    switch.add_case(whole(number), case)
                    body.b.position_at_end(case)
                    with body.b.if_then(copied):
                        _gather_narrow(body, shape, block, left, unit, number, columns_of_left)
                    ours = [block.row, block.row_end, block.step, block.step_end, block.lengths]
                    ours += [body.at(left.base, unit), left.by_step, left.by_row, left.places]
                    copy = [whole(0), whole(1), whole(0), depth, depth_of_copy]
                    copy += [columns_of_left, whole(number), whole(0), nought]
                    given = [body.b.select(copied, one, other) for one, other in zip(copy, ours, strict=True)]

                    def tile(panel: Value, _: list[Value], number: int = number, given: list[Value] = given) -> None:
                        first = body.mul(panel, whole(wide))
                        at = body.at(target, body.add(body.mul(unit, stride), first))
                        room = body.b.sub(stride, body.add(column, first))
                        source = body.at(copies, body.mul(panel, panel_size))
                        body.b.call(_tile(module, shape, number), [*given, source, at, stride, room, sign, more])

                    body.loop(whole(0), panels, whole(1), tile)
                    body.b.branch(behind)
                body.b.position_at_end(behind)

            body.loop(first, last, whole(shape.rows), units)

        body.loop(whole(0), count, whole(1), one_left)

    def some_rows(row: Value, _: list[Value]) -> None:
        block = _Block(row, body.minimum(body.add(row, rows_at_once), rows), step, end, lengths)
        body.loop(whole(0), width, whole(_COLUMNS), lambda column, _: some_columns(block, column))

    body.loop(whole(0), rows, rows_at_once, some_rows)
    body.done()


def _each_row(
    body: Body, block: _Block, side: _Side, what: Callable[[Value, Value, list[Value]], list[Value]], carry: list[Value]
) -> list[Value]:
    """Call ``what`` for each row with where its first step lies, its last step's end and what is carried along."""

    def one_row(n: Value, carried: list[Value]) -> list[Value]:
        until = body.minimum(block.step_end, body.load(block.lengths, n))
        offset = body.add(body.mul(body.load(side.places, n), side.by_row), body.mul(block.step, side.by_step))
        return what(body.at(side.base, offset), until, carried)

    return body.loop(block.row, block.row_end, whole(1), one_row, carry)


def _each_step(body: Body, block: _Block, side: _Side, copy: Callable[[Value, Value], None]) -> Value:
    """Call ``copy`` with each valid step's address and its number; gives how many there are."""

    def one_row(start: Value, until: Value, carried: list[Value]) -> list[Value]:
        def one_step(_: Value, carried: list[Value]) -> list[Value]:
            source, number = carried
            copy(source, number)
            return [body.at(source, side.by_step), body.add(number, whole(1))]

        return body.loop(block.step, until, whole(1), one_step, [start, *carried])[1:]

    return _each_row(body, block, side, one_row, [whole(0)])[0]


def _gather(
    body: Body,
    shape: Shape,
    block: _Block,
    side: _Side,
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


def _gather_narrow(body: Body, shape: Shape, block: _Block, side: _Side, unit: Value, units: int, to: Value) -> None:
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
    index, flag = I64.as_pointer(), ir.IntType(1)
    types = [*[I64] * 4, index, shape.pointer, I64, I64, index]
    types += [shape.pointer, shape.pointer, I64, I64, shape.scalar, flag]
    function = declare(module, name, types, internal=True)
    block, left = _Block(*function.args[:5]), _Side(*function.args[5:9])
    right, out, stride, room, sign, more = function.args[9:]
    body = Body(function)
    v = Vector(body.b, shape.width, shape.dtype)

    def one_step(_: Value, carried: list[Value]) -> list[Value]:
        here, there, *sums = carried
        columns = [v.load(body.at(there, whole(half))) for half in (0, shape.width)]
        renewed = []
        for unit in range(units):
            value = v.splat(body.load(here, whole(unit)))
            renewed += [v.fma(value, columns[half], sums[2 * unit + half]) for half in (0, 1)]
        return [body.at(here, left.by_step), body.at(there, whole(2 * shape.width)), *renewed]

    def one_row(start: Value, until: Value, carried: list[Value]) -> list[Value]:
        return body.loop(block.step, until, whole(1), one_step, [start, *carried])[1:]

    _, *sums = _each_row(body, block, left, one_row, [right, *[v.constant(0.0)] * (2 * units)])
    sums = [v.mul(total, v.splat(sign)) for total in sums]
    with body.b.if_else(body.b.icmp_signed(">=", room, whole(2 * shape.width))) as (whole_panel, end):
        with whole_panel:
            _write_whole(body, v, sums, out, stride, more)
        with end:
            _write_end(body, v, sums, out, stride, room, more)
    body.done()
    return function


def _write_whole(body: Body, v: Vector, sums: list[Value], out: Value, stride: Value, more: Value) -> None:
    targets = [
        body.at(out, body.add(body.mul(stride, whole(place // 2)), whole(place % 2 * v.width)))
        for place in range(len(sums))
    ]
    with body.b.if_else(more) as (add, write):
        with add:
            for target, total in zip(targets, sums, strict=True):
                v.store(v.add(v.load(target), total), target)
        with write:
            for target, total in zip(targets, sums, strict=True):
                v.store(total, target)


def _write_end(body: Body, v: Vector, sums: list[Value], out: Value, stride: Value, room: Value, more: Value) -> None:
    """The last columns, which fill no panel: number by number."""
    with body.b.goto_entry_block():
        copy = body.b.alloca(v.scalar, size=whole(len(sums) * v.width))
    for place, total in enumerate(sums):
        v.store(total, body.at(copy, whole(place * v.width)))

    def unit(row: Value, _: list[Value]) -> None:
        def column(number: Value, _: list[Value]) -> None:
            target = body.at(out, body.add(body.mul(row, stride), number))
            total = body.load(copy, body.add(body.mul(row, whole(2 * v.width)), number))
            with body.b.if_else(more) as (add, write):
                with add:
                    body.b.store(body.b.fadd(body.load(target), total), target)
                with write:
                    body.b.store(total, target)

        body.loop(whole(0), room, whole(1), column)

    body.loop(whole(0), whole(len(sums) // 2), whole(1), unit)
