"""Matrix products in register tiles: rows times packed panels, and the packing.

These functions know no cell. They are compiled once a processor and dtype, and every cell's code calls them.

A *panel* is two vectors of columns (2V units) of a matrix, stored [k][2V], so that one pass over k reads it in order.
Every element of a result is one chain of fused multiply-adds in the order of k: the same numbers in the same order
whatever the tile, the rows beside it or the vector width, so that results are equal bit by bit.
"""

from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from unrolled.engine.cpu.emit import I64, Body, Value, declare, whole
from unrolled.engine.cpu.vector import Vector


@dataclass(frozen=True)
class Shape:
    """The width of a vector, the element type, and how many rows a register tile holds at most."""

    width: int
    dtype: str
    rows: int

    @property
    def suffix(self) -> str:
        """What tells this shape's functions from another's."""
        return f"{self.dtype}_{self.width}"

    @property
    def scalar(self) -> ir.Type:
        """The element type."""
        return ir.FloatType() if self.dtype == "float32" else ir.DoubleType()

    @property
    def bytes(self) -> int:
        """The size of an element."""
        return 4 if self.dtype == "float32" else 8

    @property
    def pointer(self) -> ir.Type:
        """A pointer to elements."""
        return self.scalar.as_pointer()

    def padded(self, units: int) -> int:
        """Units rounded up to whole pairs of vectors."""
        pair = 2 * self.width
        return -(-units // pair) * pair

    def panels(self, rows: int) -> int:
        """How many panels a tile of so few rows takes at once, so that enough sums run side by side."""
        return {1: 4, 2: 2 if self.rows < 8 else 4, 3: 2}.get(rows, 1)


def call_product(body: Body, shape: Shape, *arguments: Value) -> None:
    """Call ``product``: rows, depth, source, source stride, weights, panels, out, out stride, accumulate."""
    body.b.call(declare(body.function.module, f"unrolled_product_{shape.suffix}", _product_types(shape)), arguments)


def call_pack(body: Body, shape: Shape, *arguments: Value) -> None:
    """Call ``pack``: units, depth, matrix, unit stride, depth stride, panels, columns, column, sign."""
    body.b.call(declare(body.function.module, f"unrolled_pack_{shape.suffix}", _pack_types(shape)), arguments)


def _product_types(shape: Shape) -> list[ir.Type]:
    return [I64, I64, shape.pointer, I64, shape.pointer, I64, shape.pointer, I64, I64]


def _pack_types(shape: Shape) -> list[ir.Type]:
    return [I64, I64, shape.pointer, I64, I64, shape.pointer, I64, I64, shape.scalar]


def emit_products(shape: Shape) -> ir.Module:
    """The module with ``product`` and ``pack`` for one vector width and dtype."""
    module = ir.Module("unrolled_products")
    _emit_product(module, shape)
    _emit_pack(module, shape)
    return module


def _emit_product(module: ir.Module, shape: Shape) -> None:
    """``out[r][c] = sum over k of source[r][k] * panel[k][c]``, added to what stands there where accumulate is set."""
    function = declare(module, f"unrolled_product_{shape.suffix}", _product_types(shape))
    rows, depth, source, source_stride, weights, panels, out, out_stride, accumulate = function.args
    body, wide = Body(function), 2 * shape.width
    panel_size = body.mul(depth, whole(wide))

    def some_rows(count: int) -> None:
        """All panels for exactly so many rows, several panels a tile."""

        def tiles(number: int) -> Callable[[Value, list[Value]], None]:
            def one(panel: Value, _: list[Value]) -> None:
                place = body.at(weights, body.mul(panel, panel_size))
                target = body.at(out, body.mul(panel, whole(wide)))
                tile = _tile(module, shape, count, number)
                body.b.call(tile, [depth, source, source_stride, place, target, out_stride, accumulate])

            return one

        done, at_once = whole(0), shape.panels(count)
        while at_once:
            full = body.b.sub(panels, body.b.srem(panels, whole(at_once)))
            body.loop(done, full, whole(at_once), tiles(at_once))
            done, at_once = full, at_once // 2
        body.done()

    for count in range(1, 4):
        with body.b.if_then(body.b.icmp_signed("==", rows, whole(count))):
            some_rows(count)
    # More rows: near-equal blocks of at most shape.rows; a panel stays in the cache while all blocks pass over it.
    blocks = body.b.sdiv(body.add(rows, whole(shape.rows - 1)), whole(shape.rows))
    least = body.b.sdiv(rows, body.b.select(body.b.icmp_signed("<", blocks, whole(1)), whole(1), blocks))
    larger = body.b.sub(rows, body.mul(least, blocks))

    def panel_body(panel: Value, _: list[Value]) -> None:
        place, column = body.at(weights, body.mul(panel, panel_size)), body.mul(panel, whole(wide))

        def block_body(block: Value, carried: list[Value]) -> list[Value]:
            (row,) = carried
            count = body.add(least, body.b.zext(body.b.icmp_signed("<", block, larger), I64))
            start = body.at(source, body.mul(row, source_stride))
            target = body.at(out, body.add(body.mul(row, out_stride), column))
            behind = body.b.append_basic_block("behind")
            switch = body.b.switch(count, behind)
            for number in range(2, shape.rows + 1):
                case = body.b.append_basic_block(f"rows{number}")
                switch.add_case(whole(number), case)
                body.b.position_at_end(case)
                tile = _tile(module, shape, number, 1)
                body.b.call(tile, [depth, start, source_stride, place, target, out_stride, accumulate])
                body.b.branch(behind)
            body.b.position_at_end(behind)
            return [body.add(row, count)]

        body.loop(whole(0), blocks, whole(1), block_body, [whole(0)])

    body.loop(whole(0), panels, whole(1), panel_body)
    body.done()


def _tile(module: ir.Module, shape: Shape, rows: int, panels: int) -> ir.Function:
    """A block of so many rows and panels, held in registers over the whole depth."""
    name = f"tile_{rows}_{panels}"
    if name in module.globals:
        return module.globals[name]
    types = [I64, shape.pointer, I64, shape.pointer, shape.pointer, I64, I64]
    function = declare(module, name, types, internal=True)
    depth, source, source_stride, weights, out, out_stride, accumulate = function.args
    body = Body(function)
    v, wide = Vector(body.b, shape.width, shape.dtype), 2 * shape.width
    panel_size = body.mul(depth, whole(wide))
    starts = [body.at(source, body.mul(source_stride, whole(row))) for row in range(rows)]
    places = [body.at(weights, body.mul(panel_size, whole(panel))) for panel in range(panels)]

    def step(k: Value, sums: list[Value]) -> list[Value]:
        at = body.mul(k, whole(wide))
        columns = [
            v.load(body.at(place, body.add(at, whole(half * shape.width)))) for place in places for half in (0, 1)
        ]
        renewed = []
        for row in range(rows):
            value = v.splat(body.load(starts[row], k))
            own = sums[row * len(columns) : (row + 1) * len(columns)]
            renewed += [v.fma(value, column, total) for column, total in zip(columns, own, strict=True)]
        return renewed

    zeros = [v.constant(0.0)] * (rows * panels * 2)
    sums = body.loop(whole(0), depth, whole(1), step, zeros)
    targets = [
        body.at(out, body.add(body.mul(out_stride, whole(row)), whole(vector * shape.width)))
        for row in range(rows)
        for vector in range(2 * panels)
    ]
    with body.b.if_else(body.b.icmp_signed("!=", accumulate, whole(0))) as (more, fresh):
        with more:
            for target, total in zip(targets, sums, strict=True):
                v.store(v.add(v.load(target), total), target)
        with fresh:
            for target, total in zip(targets, sums, strict=True):
                v.store(total, target)
    body.done()
    return function


def _emit_pack(module: ir.Module, shape: Shape) -> None:
    """Write one matrix into the columns ``column, column + columns, ...`` of panels; units past its end are zero.

    Vectors of units alternate between the matrices that share the panels: vector u of matrix j is column u * J + j.
    """
    function = declare(module, f"unrolled_pack_{shape.suffix}", _pack_types(shape))
    units, depth, matrix, unit_stride, depth_stride, panels, columns, column, sign = function.args
    body, wide = Body(function), 2 * shape.width
    v = Vector(body.b, shape.width, shape.dtype)
    signs, zero = v.splat(sign), ir.Constant(shape.scalar, 0.0)
    vectors = body.b.sdiv(body.add(units, whole(shape.width - 1)), whole(shape.width))

    def vector_body(vector: Value, _: list[Value]) -> None:
        place = body.add(body.mul(vector, columns), column)
        half = body.b.and_(place, whole(1))
        start = body.add(body.mul(body.b.ashr(place, whole(1)), depth, whole(wide)), body.mul(half, whole(shape.width)))
        target = body.at(panels, start)
        first = body.mul(vector, whole(shape.width))
        left = body.b.sub(units, first)
        source = body.at(matrix, body.mul(first, unit_stride))
        straight = body.b.icmp_signed("==", unit_stride, whole(1))
        full = body.b.icmp_signed(">=", left, whole(shape.width))

        def copied(k: Value, _: list[Value]) -> None:
            value = v.load(body.at(source, body.mul(k, depth_stride)))
            v.store(v.mul(value, signs), body.at(target, body.mul(k, whole(wide))))

        def gathered(k: Value, _: list[Value]) -> None:
            value = v.constant(0.0)
            for lane in range(shape.width):
                at = body.add(body.mul(whole(lane), unit_stride), body.mul(k, depth_stride))
                value = body.b.insert_element(value, body.load(source, at), ir.Constant(ir.IntType(32), lane))
            v.store(v.mul(value, signs), body.at(target, body.mul(k, whole(wide))))

        def one_by_one(k: Value, _: list[Value]) -> None:
            for lane in range(shape.width):
                inside = body.b.icmp_signed("<", whole(lane), left)
                at = body.add(body.mul(whole(lane), unit_stride), body.mul(k, depth_stride))
                number = body.load(source, body.b.select(inside, at, whole(0)))
                number = body.b.select(inside, body.b.fmul(number, sign), zero)
                body.b.store(number, body.at(target, body.add(body.mul(k, whole(wide)), whole(lane))))

        with body.b.if_else(full) as (whole_vector, end):
            with whole_vector, body.b.if_else(straight) as (rows, columns_):
                with rows:
                    body.loop(whole(0), depth, whole(1), copied)
                with columns_:
                    body.loop(whole(0), depth, whole(1), gathered)
            with end:
                body.loop(whole(0), depth, whole(1), one_by_one)

    body.loop(whole(0), vectors, whole(1), vector_body)
    body.done()
