"""Where every array of a run lies: one block of memory for what is kept for the way back, one for all else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from unrolled.engine.cpu.outer import STEPS, workspace
from unrolled.engine.cpu.product import Shape
from unrolled.engine.passes import REDUCTIONS, Pass
from unrolled.engine.plan import Plan
from unrolled.engine.split import Matrix
from unrolled.equations.expression import Call
from unrolled.equations.sizes import Size

LINE = 16
"""Numbers in a cache line (of float32); every array begins at one."""
_BUSY = 256  # a row of a multiple of so many numbers would put all rows into the same few sets of a cache
_LOCAL = 3072  # numbers of a thread's products at a time: they are read back while still in the first-level cache
_CHUNK = 1 << 16  # numbers of a thread's hoisted products at a time: they are read back from the second-level cache


@dataclass(frozen=True)
class Extent:
    """How large a run is, and how many rows a thread takes at most."""

    rows: int
    steps: int
    rows_a_thread: int
    threads: int


@dataclass
class Block:
    """A block of memory in the making: arrays one behind the other."""

    size: int = 0
    offsets: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, numbers: int) -> None:
        """Give an array its place."""
        self.offsets[name] = self.size
        self.size += -(-numbers // LINE) * LINE


class Layout:
    """The places, strides and sizes that one pass is run with: ``numbers`` fills the slots that do not move."""

    def __init__(
        self,
        plan: Plan,
        own: Pass,
        shape: Shape,
        units: Mapping[Size, int],
        extent: Extent,
        keeps: bool,
        backwards: bool,
    ) -> None:
        self.plan, self.own, self.shape, self.units, self.extent = plan, own, shape, units, extent
        self.tape, self.scratch = Block(), Block()
        self.numbers: dict[tuple[str, ...], int] = {}
        for size, count in units.items():
            self.numbers["units", str(size)] = count
            self.numbers["blocks", str(size)] = self.blocks(count)
        self.sizes = sizes_of(plan, own)
        self._matrices()
        self._states(keeps, backwards)
        self._stored(keeps, backwards)
        self._weights()
        self._groups()

    def blocks(self, units: int) -> int:
        """Vectors that hold so many units: an even number."""
        return self.shape.padded(units) // self.shape.width

    def padded(self, size: Size) -> int:
        """Units rounded up to whole pairs of vectors."""
        return self.shape.padded(self.units[size])

    def stride(self, size: Size) -> int:
        """From row to row of a private array."""
        padded = self.padded(size)
        return padded + (LINE if padded % _BUSY == 0 else 0)

    def _array(self, block: Block, name: str, size: Size, steps: int) -> None:
        row = self.stride(size)
        step = self.extent.rows * row
        block.take(name, steps * step)
        self.numbers["row", name], self.numbers["step", name] = row, step

    def _states(self, keeps: bool, backwards: bool) -> None:
        for state in self.plan.split.states:
            size = self.plan.split.sizes[state]
            slots = self.extent.steps + 1 if keeps or backwards else 2
            self._array(self.tape, f"entry.{state}", size, slots)
            self.numbers["mask", f"entry.{state}"] = -1 if keeps or backwards else 1
            if backwards:
                self._array(self.scratch, f"carry.{state}", size, 2)
                self.numbers["mask", f"carry.{state}"] = 1

    def _stored(self, keeps: bool, backwards: bool) -> None:
        forward = self.plan.training.stored if keeps or backwards else self.own.stored
        sizes = sizes_of(self.plan, self.plan.training) if backwards else self.sizes
        for name, kind in forward.items():
            if kind == "time":
                self._array(self.tape, name, sizes[name], self.extent.steps)
        if not backwards:
            self._scratch_arrays([name for name, kind in forward.items() if kind == "step"])
            return
        for name, kind in self.own.stored.items():
            if kind == "time":
                self._array(self.scratch, name, self.sizes[name], min(STEPS, self.extent.steps))
        self._scratch_arrays([name for name, kind in self.own.stored.items() if kind == "step"])

    def _scratch_arrays(self, names: list[str]) -> None:
        for name in names:
            self._array(self.scratch, name, self.sizes[name], 1)
        for stage in self.own.stages:
            for one in stage.statements:
                if isinstance(one.expression, Call) and one.expression.op in REDUCTIONS:
                    self.scratch.take(f"reduced.{one.target}", self.extent.rows * self.shape.width)

    def _matrices(self) -> None:
        """In how many blocks each is computed, and how long a row of its gradient is."""
        for name, matrix in self.plan.split.matrices.items():
            heads = heads_apart(matrix, self.units, self.shape.width)
            self.numbers["heads", name], self.numbers["width", name] = heads, self.padded(matrix.into) // heads

    def _weights(self) -> None:
        start = 0
        for group in self.own.groups:
            for place, segment in enumerate(group.segments):
                self.numbers["weights", group.name, str(place)] = start
                depth = self.units[self.sizes[segment.source]] // self.numbers["heads", segment.terms[0].matrix]
                start += self.padded(group.size) * len(group.columns) * depth
        self.scratch.take("weights", start)

    def _groups(self) -> None:
        local, width = 0, self.shape.width
        for index, stage in enumerate(self.own.stages):
            columns = sum(len(group.columns) for group in stage.groups)
            if not columns:
                continue
            room = max(2, _LOCAL // (self.extent.rows_a_thread * columns * width) // 2 * 2)
            at_once = min(room, self.blocks(self.units[stage.size]))
            self.numbers["units at once", str(index)] = at_once
            for group in stage.groups:
                row = at_once * len(group.columns) * width
                self.numbers["row", group.name], self.numbers["local", group.name] = row, local
                local += self.extent.rows_a_thread * row
        local = -(-local // LINE) * LINE
        self.numbers["local size",] = local
        if self.own.outers:
            self.numbers["outer size",] = -(-workspace(self.shape) // LINE) * LINE
            self.scratch.take("outer", self.numbers["outer size",] * self.extent.threads)
        self.scratch.take("local", local * self.extent.threads)
        wide = [self.padded(group.size) * len(group.columns) for group in self.own.hoisted]
        rows = max(1, self.extent.rows_a_thread)
        chunk = max(8, min(64, _CHUNK // (rows * max(1, sum(wide)))), 64 // rows)
        chunk = max(1, min(chunk, self.extent.steps))
        self.numbers["chunk",] = chunk
        for group, numbers in zip(self.own.hoisted, wide, strict=True):
            self.numbers["step", group.name], self.numbers["row", group.name] = numbers, chunk * numbers
            self.scratch.take(group.name, self.extent.rows * chunk * numbers)
        self.numbers["panels at once",] = 8


def heads_apart(matrix: Matrix, units: Mapping[Size, int], width: int) -> int:
    """In how many diagonal blocks a matrix is computed with vectors of this width; 1 with all its zeros.

    Heads stay apart where both sides of each fill whole pairs of vectors. Neighbours of smaller ones are joined until
    they do, with the zeros between them.
    """
    return _heads_apart(matrix.heads, units[matrix.out], units[matrix.into], 2 * width)


@cache
def _heads_apart(heads: int, out: int, into: int, pair: int) -> int:
    divisors = (count for count in range(heads, 1, -1) if heads % count == 0)
    return next((count for count in divisors if (out // count) % pair == (into // count) % pair == 0), 1)


def sizes_of(plan: Plan, own: Pass) -> dict[str, Size]:
    """The size of every value of a pass and of what it is given."""
    sizes = dict(plan.split.sizes)
    for stage in own.stages:
        sizes |= {str(one.target): stage.size for one in stage.statements}
    return sizes
