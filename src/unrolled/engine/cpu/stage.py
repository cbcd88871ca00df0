"""One stage as code: for every vector of units and every row, its statements from loads to stores."""

from dataclasses import dataclass

from llvmlite import ir

from unrolled.engine.cpu.emit import I64, Body, Value, declare, whole
from unrolled.engine.cpu.outer import STEPS
from unrolled.engine.cpu.product import Shape
from unrolled.engine.cpu.table import Slots, Table
from unrolled.engine.cpu.vector import Vector
from unrolled.engine.passes import REDUCTIONS, Group, Pass, Stage
from unrolled.engine.split import Split
from unrolled.equations.expression import Call, Expression, Name, Number, Statement
from unrolled.equations.ops import OPS
from unrolled.equations.sizes import Size

PRESENT, NEXT = 0, 1


@dataclass(frozen=True)
class Array:
    """Where a value lies: which array of the table, and what its address depends on."""

    name: str
    step: str = ""
    """"": the same at every step; "step": its own place each step; "ring": each step of a block; "present" or "next": a
    slot of the states."""
    row: str = "row"
    """"row": its own place each row; "user": by the caller's order of rows; "": the same for all rows."""


@dataclass(frozen=True)
class Context:
    """What every function of one kernel is emitted with."""

    module: ir.Module
    shape: Shape
    slots: Slots
    parts: Split
    own: Pass
    name: str
    backwards: bool

    def arrays(self, value: str) -> Array:
        """Where a value that a stage does not compute itself is read."""
        if value.startswith("carry."):
            return Array(value, "next")
        if value.startswith("arrive."):
            return Array(value, "step", "user")
        if value in self.own.stored:
            if self.own.stored[value] == "step" and self.is_exit(value):
                return self.exit(value)
            return Array(value, self._over_time if self.own.stored[value] == "time" else "")
        if value in self.parts.states:
            return Array(f"entry.{value}", "present")
        if value in self.parts.vectors:
            return Array(value, row="")
        if value in self.parts.rows:
            return Array(value, row="user")
        if value in self.parts.steps:
            return Array(value, "step", "user")
        return Array(value, "step")  # kept by the forward pass

    @property
    def _over_time(self) -> str:
        return "ring" if self.backwards else "step"

    def size(self, value: str) -> Size:
        """The size of a value of the pass, or of what it is given."""
        for stage in self.own.stages:
            if any(str(one.target) == value for one in stage.statements):
                return stage.size
        return self.parts.sizes[value]

    def is_exit(self, value: str) -> bool:
        """Whether a value is what the step hands on."""
        if self.backwards:
            return value.startswith("d_") and value[2:] in self.parts.states
        return value.endswith("'")

    def exit(self, value: str) -> Array:
        """Where a value that the step hands on is written."""
        if self.backwards:
            return Array(f"carry.{value[2:]}", "present")
        return Array(f"entry.{value[:-1]}", "next")

    def targets(self, value: str) -> list[Array]:
        """Every array that a value is written to."""
        found = []
        if self.is_exit(value):
            found.append(self.exit(value))
        if value in self.own.stored and not (self.own.stored[value] == "step" and found):
            found.append(Array(value, self._over_time if self.own.stored[value] == "time" else ""))
        if not self.backwards and value in self.parts.over_time:
            found.append(Array(f"out.{value}", "step", "user"))
        if self.backwards and value.startswith("d_") and value[2:] in self.parts.steps:
            found.append(Array(value, "step", "user"))
        return found


def start_of(table: Table, array: Array, t: Value) -> Value:
    """Where an array's part for this step begins."""
    body, start = table.body, table.base(array.name)
    if not array.step:
        return start
    if array.step == "ring":
        t = body.b.and_(t, whole(STEPS - 1))
    elif array.step != "step":
        place = body.add(t, whole(1)) if array.step == "next" else t
        t = body.b.and_(place, table.number("mask", array.name))
    return body.at(start, body.mul(t, table.number("step", array.name)))


def stage_types(shape: Shape) -> list[ir.Type]:
    """Table, t, step within the chunk, first row, end of rows, first vector, end of vectors, local memory."""
    return [I64.as_pointer(), I64, I64, I64, I64, I64, I64, shape.pointer]


class StageWriter:
    """Emits the function of one stage."""

    def __init__(self, context: Context, stage: Stage, index: int) -> None:
        self.context, self.stage = context, stage
        self.shape = context.shape
        function = declare(context.module, f"{context.name}_stage{index}", stage_types(self.shape), internal=True)
        pointer, self.t, self.chunk, self.first, self.end, self.left, self.right, self.local = function.args
        self.function, self.body = function, Body(function)
        self.v = Vector(self.body.b, self.shape.width, self.shape.dtype)
        self.table = Table(self.body, context.slots, pointer, self.shape.pointer)
        self.own = {str(one.target): one for one in stage.statements}
        self.index = index

    def emit(self) -> ir.Function:
        """The function, which needs this stage's groups in local memory."""
        body = self.body
        begin = body.b.append_basic_block("begin")
        # The entry block stays open for what the table reads; it is closed once everything is written.
        entry = body.b.block
        body.b.position_at_end(begin)
        body.loop(self.left, self.right, whole(1), self._unit_vector)
        body.done()
        body.b.position_at_end(entry)
        body.b.branch(begin)
        return self.function

    def _unit_vector(self, u: Value, _: list[Value]) -> None:
        self.u = u
        self.values: dict[str, Value] = {}
        self.starts: dict[Array, Value] = {}
        self.lanes = self.body.mul(u, whole(self.shape.width))
        for one in self.stage.statements:  # what all rows share is read before them
            for name in _leaves(one.expression):
                if name in self.context.parts.vectors and name not in self.values:
                    self.values[name] = self.v.load(self.body.at(self.table.base(name), self.lanes))
        for array in self._all_arrays():
            self.starts[array] = self.body.at(start_of(self.table, array, self.t), self.lanes)
        self.shared = dict(self.values)
        self.body.loop(self.first, self.end, whole(1), self._row)

    def _all_arrays(self) -> list[Array]:
        found: dict[Array, None] = {}
        for one in self.stage.statements:
            for name in _leaves(one.expression):
                if self._is_array(name):
                    found[self.context.arrays(name)] = None
            for array in self.context.targets(str(one.target)):
                found[array] = None
            if one.accumulates:
                found[self._sum_array(one)] = None
        return list(found)

    def _is_array(self, name: str) -> bool:
        inner = name in self.own and not self._reduced(name)
        special = name.startswith(("hoisted.", "product.")) or self._reduced(name)
        return not (inner or special or name in self.context.parts.vectors or name in self.context.parts.numbers)

    def _reduced(self, name: str) -> bool:
        return any(
            str(one.target) == name and isinstance(one.expression, Call) and one.expression.op in REDUCTIONS
            for stage in self.context.own.stages
            for one in stage.statements
        )

    def _sum_array(self, one: Statement) -> Array:
        return Array(f"sum.{str(one.target)[2:]}", row="user")

    def _row(self, r: Value, _: list[Value]) -> None:
        self.r, self.user_row = r, None
        self.values = dict(self.shared)
        for one in self.stage.statements:
            self.body.comment(str(one))
            self._statement(one)

    def _statement(self, one: Statement) -> None:
        target, expression = str(one.target), one.expression
        if isinstance(expression, Call) and expression.op in REDUCTIONS:
            self._accumulate(target, expression)
            return
        value = self._value(expression)
        if one.accumulates:
            pointer = self._pointer(self._sum_array(one))
            self.v.store(self.v.add(self.v.load(pointer), value), pointer)
            return
        self.values[target] = value
        for array in self.context.targets(target):
            self.v.store(value, self._pointer(array))

    def _value(self, expression: Expression) -> Value:
        if isinstance(expression, Number):
            return self.v.constant(expression.value)
        if isinstance(expression, Name):
            return self._named(str(expression))
        meaning = OPS[expression.op].llvm
        assert meaning is not None, expression.op
        arguments = [self._value(argument) for argument in expression.arguments]
        return meaning(self.v, *arguments)

    def _named(self, name: str) -> Value:
        if name in self.values:
            return self.values[name]
        numbers = self.context.parts.numbers
        if name in numbers:
            return self.v.constant(numbers[name])
        if name.startswith("hoisted."):
            value = self._hoisted(name.removeprefix("hoisted."))
        elif name.startswith("product."):
            value = self._product(name.removeprefix("product."))
        elif self._reduced(name):
            value = self.v.load(self._reduction(f"reduced.{name}"))
        else:
            value = self.v.load(self._pointer(self.context.arrays(name)))
        self.values[name] = value
        return value

    def _pointer(self, array: Array) -> Value:
        start = self.starts[array]
        if not array.row:
            return start
        return self.body.at(start, self.body.mul(self._row_of(array), self.table.number("row", array.name)))

    def _row_of(self, array: Array) -> Value:
        if array.row == "row":
            return self.r
        if self.user_row is None:
            self.user_row = self.body.load(self.table.indices("rows"), self.r)
        return self.user_row

    def _hoisted(self, column: str) -> Value:
        body = self.body
        group = next(group for group in self.context.own.hoisted if column in group.columns)
        start = body.add(
            body.mul(self.r, self.table.number("row", group.name)),
            body.mul(self.chunk, self.table.number("step", group.name)),
            self._column(group, column, self.u),
        )
        return self.v.load(body.at(self.table.base(group.name), start))

    def _product(self, column: str) -> Value:
        body = self.body
        group = next(group for group in self.stage.groups if column in group.columns)
        row = body.mul(body.b.sub(self.r, self.first), self.table.number("row", group.name))
        place = self._column(group, column, body.b.sub(self.u, self.left))
        return self.v.load(body.at(self.local, body.add(self.table.number("local", group.name), row, place)))

    def _column(self, group: Group, column: str, u: Value) -> Value:
        vectors = self.body.add(self.body.mul(u, whole(len(group.columns))), whole(group.columns.index(column)))
        return self.body.mul(vectors, whole(self.shape.width))

    # Sums over units

    def _reduction(self, array: str) -> Value:
        return self.body.at(self.table.base(array), self.body.mul(self.r, whole(self.shape.width)))

    def _accumulate(self, target: str, expression: Call) -> None:
        """Add this vector's units to the row's; lanes past the last unit count for nothing."""
        v, body = self.v, self.body
        largest = expression.op == "row_max"
        value, neutral = self._value(expression.arguments[0]), v.constant(float("-inf") if largest else 0.0)
        inside = [
            body.b.icmp_signed("<", body.add(self.lanes, whole(lane)), self.table.units(self.stage.size))
            for lane in range(self.shape.width)
        ]
        mask: Value = ir.Constant(ir.VectorType(ir.IntType(1), self.shape.width), ir.Undefined)
        for lane, one in enumerate(inside):
            mask = body.b.insert_element(mask, one, ir.Constant(ir.IntType(32), lane))
        value = body.b.select(mask, value, neutral)
        pointer = self._reduction(f"reduced.{target}")
        so_far = v.load(pointer)
        v.store(v.max(so_far, value) if largest else v.add(so_far, value), pointer)


def _leaves(expression: Expression) -> list[str]:
    if isinstance(expression, Name):
        return [str(expression)]
    if isinstance(expression, Call):
        return [name for argument in expression.arguments for name in _leaves(argument)]
    return []
