"""A pass as code: through time, stage after stage; products are hoisted before a block of steps and sunk behind one."""

from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from unrolled.engine.cpu.emit import I64, Body, Value, whole
from unrolled.engine.cpu.outer import STEPS
from unrolled.engine.cpu.product import Shape, call_product
from unrolled.engine.cpu.reduction import emit_begin, emit_finish
from unrolled.engine.cpu.stage import Context, StageWriter, start_of
from unrolled.engine.cpu.table import Slots, Table
from unrolled.engine.cpu.team import emit_barrier, emit_wait, job_type
from unrolled.engine.cpu.weights import Span, write_gradients, write_panels
from unrolled.engine.passes import Group, Pass, Stage
from unrolled.engine.split import Split


@dataclass(frozen=True)
class Kernel:
    """The IR of one pass, and the slots of the table that it reads."""

    module: ir.Module
    slots: tuple[tuple[str, ...], ...]
    name: str


def emit_kernel(parts: Split, own: Pass, name: str, shape: Shape, backwards: bool, triple: str) -> Kernel:
    """The module of one pass. Its function ``run`` is a job of a team (:mod:`unrolled.engine.cpu.team`)."""
    module, slots = ir.Module(f"unrolled_{name}"), Slots()
    module.triple = triple
    context = Context(module, shape, slots, parts, own, name, backwards)
    stages = [StageWriter(context, stage, index).emit() for index, stage in enumerate(own.stages)]
    _PassWriter(context, stages).emit()
    return Kernel(module, tuple(slots), name)


@dataclass(frozen=True)
class _Rows:
    """The rows of a product: how many, where they are read and written, whether added to what stands there."""

    rows: Value
    source: Value
    source_stride: Value
    out: Value
    out_stride: Value
    more: bool


class _PassWriter:
    """Emits the function that goes through time."""

    def __init__(self, context: Context, stages: list[ir.Function]) -> None:
        self.context, self.stages, self.shape = context, stages, context.shape
        function = ir.Function(context.module, job_type(), f"{context.name}_run")
        self.pointer, self.thread, self.threads, self.first, self.end, self.part, self.parts = function.args
        self.body = Body(function)
        self.table = Table(self.body, context.slots, self.pointer, self.shape.pointer)

    def emit(self) -> None:
        body, table = self.body, self.table
        entry = body.b.block
        begin = body.b.append_basic_block("begin")
        body.b.position_at_end(begin)
        self.local = body.at(table.base("local"), body.mul(self.thread, table.number("local size")))
        self.from_step, last = table.number("first step"), table.number("end of steps")
        write_panels(self.context, table, self.thread, self.threads)
        self._meet(self.threads)
        any_rows = body.b.icmp_signed("<", self.first, self.end)
        longest = body.load(table.indices("lengths"), body.b.select(any_rows, self.first, whole(0)))
        self.to_step = body.minimum(last, body.b.select(any_rows, longest, whole(0)))
        if self.context.backwards:
            self._backward(last)
        else:
            self._forward()
        body.done()
        body.b.position_at_end(entry)
        body.b.branch(begin)

    def _meet(self, parties: Value) -> None:
        """Wait for the other threads; there are none to wait for where each has rows of its own."""
        emit_barrier(self.body, self.table.indices("barrier"), parties)

    def _forward(self) -> None:
        body, chunk = self.body, self.table.number("chunk")

        def chunk_body(start: Value, _: list[Value]) -> None:
            stop = body.minimum(body.add(start, chunk), self.to_step)
            self._wait_for_before(stop)
            for group in self.context.own.hoisted:
                self._hoisted(group, start, stop)
            if self.context.own.hoisted:
                self._meet(self.parts)

            def step(t: Value, _: list[Value]) -> None:
                active = self._active(t)
                self._reset_states(t, active)
                self._stages(t, body.b.sub(t, start), active)

            body.loop(start, stop, whole(1), step)
            self._tell_next(stop)

        body.loop(self.from_step, self.to_step, chunk, chunk_body)

    def _wait_for_before(self, steps: Value) -> None:
        """Where another job computes what this one reads: wait until it has come so far."""
        body = self.body
        with body.b.if_then(body.b.icmp_signed("!=", self.table.number("base", "before"), whole(0))):
            emit_wait(body, self.table.indices("before"), steps)

    def _tell_next(self, steps: Value) -> None:
        """Where another job reads what this one computes: say how far it is."""
        body = self.body
        with body.b.if_then(body.b.icmp_signed("!=", self.table.number("base", "done"), whole(0))):
            body.b.store_atomic(steps, self.table.indices("done"), "release", 8)

    def _backward(self, last: Value) -> None:
        """Block after block of steps from the last: through its steps, then what is summed or sunk of them at once."""
        body, size = self.body, whole(STEPS)
        steps = body.b.sub(last, self.from_step)
        blocks = body.b.sdiv(body.add(steps, whole(STEPS - 1)), size)

        def block(number: Value, _: list[Value]) -> None:
            begin = body.add(self.from_step, body.mul(body.b.sub(body.b.sub(blocks, whole(1)), number), size))
            end = body.minimum(body.add(begin, size), last)
            until = body.minimum(end, self.to_step)
            behind = body.b.sub(last, begin)  # what is told is how many steps from the last are done
            self._wait_for_before(behind)

            def step(back: Value, _: list[Value]) -> None:
                t = body.b.sub(body.b.sub(until, whole(1)), back)
                active = self._active(t)
                self._stages(t, whole(0), active)
                self._give_to_starts(t, active)

            body.loop(whole(0), body.b.sub(until, begin), whole(1), step)
            for group in self.context.own.sunk:
                self._sunk(group, begin, until)
            self._tell_next(behind)
            self._meet(self.threads)
            first = body.b.icmp_signed("==", number, whole(0))
            write_gradients(self.context, self.table, self.thread, self.threads, Span(begin, end, first))
            self._meet(self.threads)

        body.loop(whole(0), blocks, whole(1), block)

    def _active(self, t: Value) -> Value:
        """The end of the rows that reach past this step; rows stand longest first."""
        body = self.body

        def count(r: Value, carried: list[Value]) -> list[Value]:
            inside = body.b.icmp_signed(">", body.load(self.table.indices("lengths"), r), t)
            return [body.add(carried[0], body.b.zext(inside, I64))]

        (active,) = body.loop(self.first, self.end, whole(1), count, [self.first])
        return active

    # Stages

    def _stages(self, t: Value, chunk: Value, active: Value) -> None:
        for index, (stage, function) in enumerate(zip(self.context.own.stages, self.stages, strict=True)):
            emit_begin(self.context, self.table, stage, self.first, active)
            self._stage(stage, function, index, t, chunk, active)
            emit_finish(self.context, self.table, stage, self.first, active)
            self._meet(self.parts)

    def _stage(self, stage: Stage, function: ir.Function, index: int, t: Value, chunk: Value, active: Value) -> None:
        body, table = self.body, self.table
        begin, end = self._share(table.blocks(stage.size))

        def some_units(left: Value, right: Value) -> None:
            for group in stage.groups:
                self._group(group, t, active, left, right)
            body.b.call(function, [self.pointer, t, chunk, self.first, active, left, right, self.local])

        if not stage.groups:
            some_units(begin, end)
            return
        at_once = table.number("units at once", str(index))

        def block(left: Value, _: list[Value]) -> None:
            some_units(left, body.minimum(body.add(left, at_once), end))

        body.loop(begin, end, at_once, block)

    def _share(self, vectors: Value) -> tuple[Value, Value]:
        """This thread's part of so many vectors of units: from an even one to an even one."""
        body = self.body
        pairs = body.b.ashr(vectors, whole(1))
        bounds = [
            body.b.shl(body.b.sdiv(body.mul(pairs, part), self.parts), whole(1))
            for part in (self.part, body.add(self.part, whole(1)))
        ]
        return bounds[0], bounds[1]

    def _group(self, group: Group, t: Value, active: Value, left: Value, right: Value) -> None:
        """The products of a group for some vectors of units, into local memory."""
        body, table = self.body, self.table
        columns = len(group.columns)
        panels = body.b.sdiv(body.add(body.mul(body.b.sub(right, left), whole(columns)), whole(1)), whole(2))
        first_panel = body.b.sdiv(body.mul(left, whole(columns)), whole(2))
        out = body.at(self.local, table.number("local", group.name))
        for place, segment in enumerate(group.segments):
            array = self.context.arrays(segment.source)
            stride, row = table.number("row", array.name), table.number("row", group.name)
            source = body.at(start_of(table, array, t), body.mul(self.first, stride))
            rows = body.b.sub(active, self.first)
            self._multiply(group, place, first_panel, panels, _Rows(rows, source, stride, out, row, place > 0))

    def _multiply(self, group: Group, place: int, panel: Value, count: Value, of: _Rows) -> None:
        """Some panels of a group times one of its sources: of each head its own panels times its own units."""
        body, table, wide = self.body, self.table, 2 * self.shape.width
        segment = group.segments[place]
        depth, matrix = table.units(self.context.size(segment.source)), segment.terms[0].matrix

        def product(depth: Value, panel: Value, count: Value, source: Value, out: Value) -> None:
            packed = body.at(table.base("weights"), table.number("weights", group.name, str(place)))
            weights = body.at(packed, body.mul(panel, depth, whole(wide)))
            given = [of.rows, depth, source, of.source_stride, weights, count, out, of.out_stride]
            call_product(body, self.shape, *given, whole(int(of.more)))

        if self.context.parts.matrices[matrix].heads == 1:
            product(depth, panel, count, of.source, of.out)
            return
        heads, end = table.number("heads", matrix), body.add(panel, count)
        panels = body.mul(body.b.ashr(table.blocks(group.size), whole(1)), whole(len(group.columns)))
        depth, panels = body.b.sdiv(depth, heads), body.b.sdiv(panels, heads)

        def one_head(head: Value, _: list[Value]) -> None:
            begin = body.mul(head, panels)
            first, last = body.maximum(panel, begin), body.minimum(end, body.add(begin, panels))
            there = body.at(of.out, body.mul(body.b.sub(first, panel), whole(wide)))
            product(depth, first, body.b.sub(last, first), body.at(of.source, body.mul(head, depth)), there)

        until = body.b.sdiv(body.add(end, body.b.sub(panels, whole(1))), panels)
        body.loop(body.b.sdiv(panel, panels), until, whole(1), one_head)

    # Before and behind the loop

    def _panel_blocks(self, group: Group, one_row: Callable[[Value, Value, Value], None]) -> None:
        """Some panels at a time for all rows, so that their weights stay in the cache."""
        body, table = self.body, self.table
        vectors = body.mul(table.blocks(group.size), whole(len(group.columns)))
        at_once = table.number("panels at once")
        first, last = (body.b.ashr(bound, whole(1)) for bound in self._share(vectors))

        def block(left: Value, _: list[Value]) -> None:
            count = body.b.sub(body.minimum(body.add(left, at_once), last), left)
            body.loop(self.first, self.end, whole(1), lambda r, _: one_row(r, left, count))

        body.loop(first, last, at_once, block)

    def _hoisted(self, group: Group, start: Value, stop: Value) -> None:
        body, table, wide = self.body, self.table, 2 * self.shape.width

        def one_row(r: Value, panel: Value, count: Value) -> None:
            until = body.minimum(stop, body.load(table.indices("lengths"), r))
            user = body.load(table.indices("rows"), r)
            out = body.at(table.base(group.name), body.mul(r, table.number("row", group.name)))
            out = body.at(out, body.mul(panel, whole(wide)))
            for place, segment in enumerate(group.segments):
                step = table.number("step", segment.source)
                at = body.add(body.mul(user, table.number("row", segment.source)), body.mul(start, step))
                source = body.at(table.base(segment.source), at)
                rows, out_step = body.b.sub(until, start), table.number("step", group.name)
                self._multiply(group, place, panel, count, _Rows(rows, source, step, out, out_step, place > 0))

        self._panel_blocks(group, one_row)

    def _sunk(self, group: Group, begin: Value, end: Value) -> None:
        """Products that only leave the loop, for a block of a row's steps, added to what the loop wrote there."""
        body, table, wide = self.body, self.table, 2 * self.shape.width
        (target,) = group.columns
        written = any(str(one.target) == target for one in self.context.own.statements)

        def one_row(r: Value, panel: Value, count: Value) -> None:
            until = body.maximum(begin, body.minimum(end, body.load(table.indices("lengths"), r)))
            user, step = body.load(table.indices("rows"), r), table.number("step", target)
            at = body.add(body.mul(user, table.number("row", target)), body.mul(begin, step))
            out = body.at(table.base(target), body.add(at, body.mul(panel, whole(wide))))
            for place, segment in enumerate(group.segments):
                array = self.context.arrays(segment.source)
                stride = table.number("step", array.name)
                row = body.mul(user if array.row == "user" else r, table.number("row", array.name))
                source, rows = body.at(start_of(table, array, begin), row), body.b.sub(until, begin)
                own = _Rows(rows, source, stride, out, step, written or place > 0)
                self._multiply(group, place, panel, count, own)

        with body.b.if_then(body.b.icmp_signed("!=", table.number("base", target), whole(0))):
            self._panel_blocks(group, one_row)

    # Resets

    def _marked_rows(self, t: Value, active: Value, what: Callable[[Value, Value], None]) -> None:
        """Do something for every row whose state returns to its start before this step."""
        body, table = self.body, self.table
        reset = table.number("base", "reset")
        with body.b.if_then(body.b.icmp_signed("!=", reset, whole(0))):
            marks = body.b.inttoptr(reset, ir.IntType(8).as_pointer())

            def row(r: Value, _: list[Value]) -> None:
                user = body.load(table.indices("rows"), r)
                at = body.add(body.mul(user, table.number("row", "reset")), t)
                marked = body.b.icmp_signed("!=", body.load(marks, at), ir.Constant(ir.IntType(8), 0))
                with body.b.if_then(marked):
                    what(r, user)

            with body.b.if_then(body.b.icmp_signed("==", self.part, whole(0))):
                body.loop(self.first, active, whole(1), row)
            self._meet(self.parts)

    def _reset_states(self, t: Value, active: Value) -> None:
        def put_back(r: Value, user: Value) -> None:
            for state in self.context.parts.states:
                self._each_unit(
                    state, self._state_row(f"entry.{state}", r, t), self._start_row(f"start.{state}", user), 0
                )

        self._marked_rows(t, active, put_back)

    def _give_to_starts(self, t: Value, active: Value) -> None:
        def give(r: Value, user: Value) -> None:
            for state in self.context.parts.states:
                carry, start = self._state_row(f"carry.{state}", r, t), self._start_row(f"d_start.{state}", user)
                self._each_unit(state, carry, start, 1)

        self._marked_rows(t, active, give)

    def _state_row(self, array: str, r: Value, t: Value) -> Value:
        body, table = self.body, self.table
        slot = body.mul(body.b.and_(t, table.number("mask", array)), table.number("step", array))
        return body.at(table.base(array), body.add(slot, body.mul(r, table.number("row", array))))

    def _start_row(self, array: str, user: Value) -> Value:
        return self.body.at(self.table.base(array), self.body.mul(user, self.table.number("row", array)))

    def _each_unit(self, state: str, slot: Value, start: Value, gives: int) -> None:
        """Copy a row from its start, or add its gradient to the start's and clear it."""
        body = self.body

        def unit(k: Value, _: list[Value]) -> None:
            here, there = body.at(slot, k), body.at(start, k)
            if gives:
                body.b.store(body.b.fadd(body.load(there), body.load(here)), there)
                body.b.store(ir.Constant(self.shape.scalar, 0.0), here)
            else:
                body.b.store(body.load(there), here)

        body.loop(whole(0), self.table.units(self.context.parts.sizes[state]), whole(1), unit)
