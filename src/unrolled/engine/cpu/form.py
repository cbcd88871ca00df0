"""What stays the same from call to call: compiled code, the layout of memory, the slots of the table that stay."""

import ctypes
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import torch

from unrolled.engine.cpu.compiled import COMPILING, Library, Target, host, machine_code
from unrolled.engine.cpu.kernel import emit_kernel
from unrolled.engine.cpu.layout import Block, Extent, Layout, heads_apart
from unrolled.engine.cpu.outer import emit_outer
from unrolled.engine.cpu.product import Shape, emit_products
from unrolled.engine.cpu.team import orders_for, shared_out
from unrolled.engine.passes import Pass
from unrolled.engine.plan import Plan
from unrolled.engine.split import Matrix
from unrolled.equations.expression import names
from unrolled.equations.sizes import Size

_DTYPES = {torch.float32: "float32", torch.float64: "float64"}
_ROWS = {4: 8, 8: 6, 16: 11}
"""Rows of a register tile, by vector width: a twelfth row of wide vectors would leave no register for its address."""
_FEW = ((1024 * 1024, 32), (192 * 192, 4), (96 * 96, 2))
"""Numbers of the largest matrix, and how many rows a thread are few then: weights would be read for too few of them,
and it is better that each thread keeps a part of the weights in its cache and meets the others at every step."""
_ALONE = 1 << 22
"""Multiplications below which a pass is done before a second thread has begun."""
_CACHE = 1 << 20
"""Bytes of weights that a thread has at hand at every step, where no other takes a part of them."""
_DENSE = 700
"""Multiplications for each number that threads tell each other, from which telling costs nearly nothing."""

Units = tuple[tuple[Size, int], ...]


@dataclass(frozen=True)
class Share:
    """How threads share a pass: rows, or (where ``parts`` is above 1) the units of all rows."""

    threads: int
    parts: int

    @property
    def alone(self) -> "Share":
        """The same work for one thread."""
        return Share(1, 1)


@dataclass(frozen=True)
class Order:
    """The order of a dense batch, which is the caller's."""

    rows: np.ndarray
    lengths: np.ndarray
    shares: tuple[tuple[int, int, int, int], ...]
    """For each thread its rows from and to, its part of the units, of how many parts."""


class Place(NamedTuple):
    """Where the table says how an array lies, by the numbers of its slots; and how long its vectors are."""

    base: int
    row: int
    step: int
    units: int
    padded: int
    """Units rounded up to whole pairs of vectors, for an array that is read or written a vector at a time."""


class StatePlace(NamedTuple):
    """Where a state's slots lie in a block of memory: in numbers, from the block's beginning."""

    offset: int
    row: int
    step: int
    slots: int
    units: int


class Code:
    """A pass of a plan as machine code for one dtype."""

    def __init__(self, plan: Plan, which: str, shape: Shape) -> None:
        target = host()
        products(shape)
        kernel = emit_kernel(plan.split, getattr(plan, which), which, shape, which == "backward", target.triple)
        self._library = Library(machine_code(kernel.module, target), target)
        self.slots = {key: number for number, key in enumerate(kernel.slots)}
        self.address = self._library.address(f"{which}_run")
        self.run = self._library.function(f"{which}_run", ctypes.c_void_p, *[ctypes.c_int64] * 6)


class Form:
    """A pass over batches of one size."""

    def __init__(self, plan: Plan, which: str, dtype: torch.dtype, units: Units, extent: tuple[int, int], share: Share):
        self.plan, self.share = plan, share
        self.own: Pass = getattr(plan, which)
        shape = shape_for(dtype, host())
        with COMPILING:
            self._kept = code = _code(_ById(plan), which, shape)  # its memory goes with it, and functions point there
        self.slots, self.address, self.code = code.slots, code.address, code.run
        rows, steps = extent
        widest = rows if share.parts > 1 else -(-rows // share.threads)
        self.layout = Layout(
            plan,
            self.own,
            shape,
            dict(units),
            Extent(rows, steps, widest, share.threads),
            which == "training",
            which == "backward",
        )
        self.order = _dense(rows, steps, share)
        self.multiplications = _multiplications(plan, extent, units)
        self.in_vectors = _read_in_vectors(self.own)
        itemsize = dtype.itemsize
        self.in_tape = self._places(self.layout.tape.offsets, itemsize)
        self.in_scratch = self._places(self.layout.scratch.offsets, itemsize)
        fixed: dict[tuple[str, ...], int] = dict(self.layout.numbers)
        for name in ("rows", "places", "users"):
            fixed["base", name] = self.order.rows.ctypes.data
        for name in ("lengths", "user lengths"):
            fixed["base", name] = self.order.lengths.ctypes.data
        fixed |= {("first step",): 0, ("end of steps",): steps, ("rows",): rows, ("row", "reset"): steps}
        self.nowhere = len(self.slots)  # what code never asks for is written behind all slots
        self.numbers = np.array([*(fixed.get(key, 0) for key in self.slots), 0], np.int64).tobytes()
        self.table = ctypes.c_int64 * (self.nowhere + 1)
        self.barrier, self.steps_of_all = self.slot("base", "barrier"), self.slot("steps of all")
        self.before, self.done, self.chunk = self.slot("base", "before"), self.slot("base", "done"), self.slot("chunk")
        self.fresh = self.slot("fresh")
        self.matrices = tuple(
            tuple(self.slot(what, name) for what in ("base", "head step", "unit step", "depth step"))
            for name in plan.split.matrices
        )
        self.gradients = {name: self._gradient(name) for name in plan.split.matrices}
        self._found: dict[str, Place] = {}
        states = plan.split.states
        self.entries = {name: self._state(f"entry.{name}", self.layout.tape, name) for name in states}
        carried = states if which == "backward" else ()
        self.carries = {name: self._state(f"carry.{name}", self.layout.scratch, name) for name in carried}
        self.orders = orders_for(self.address, shared_out(self.order.shares))

    def slot(self, *key: str) -> int:
        """The number of a slot, or of the one behind them all."""
        return self.slots.get(key, self.nowhere)

    def place(self, array: str, value: str) -> Place:
        """The place of an array that holds vectors of the size of ``value``."""
        if array not in self._found:
            size = self.plan.split.sizes[value]
            units, padded = self.layout.units[size], self.layout.padded(size)
            in_steps = array in self.plan.split.steps and array not in self.in_vectors
            slots = (self.slot("base", array), self.slot("row", array), self.slot("step", array))
            self._found[array] = Place(*slots, units, units if in_steps else padded)
        return self._found[array]

    def _gradient(self, name: str) -> tuple[int, ...]:
        """The slot of a matrix's gradient, and its shape."""
        of, units = self.plan.split.matrices[name], self.layout.units
        heads = self.layout.numbers["heads", name]
        shape = (*((heads,) if heads > 1 else ()), units[of.out] // heads, units[of.into] // heads)
        return self.slot("base", f"gradient.{name}"), *shape

    def _state(self, array: str, block: Block, name: str) -> StatePlace:
        numbers, units = self.layout.numbers, self.layout.units[self.plan.split.sizes[name]]
        slots = 2 if numbers["mask", array] == 1 else self.layout.extent.steps + 1
        return StatePlace(block.offsets[array], numbers["row", array], numbers["step", array], slots, units)

    def _places(self, offsets: dict[str, int], itemsize: int) -> tuple[tuple[int, int], ...]:
        found = ((self.slots.get(("base", name)), offset * itemsize) for name, offset in offsets.items())
        return tuple((slot, offset) for slot, offset in found if slot is not None)


def shape_for(dtype: torch.dtype, target: Target) -> Shape:
    """The vectors and tiles for a dtype on a processor."""
    width = target.width // (2 if dtype == torch.float64 else 1)
    return Shape(width, _DTYPES[dtype], _ROWS[target.width])


def joined(value: torch.Tensor, matrix: Matrix, units: Units) -> torch.Tensor:
    """A matrix in as many diagonal blocks as it is computed in: a parameter's heads, or neighbours joined to one."""
    if matrix.heads == 1:
        return value
    count = heads_apart(matrix, dict(units), shape_for(value.dtype, host()).width)
    if count == matrix.heads:
        return value
    blocks = [torch.block_diag(*heads) for heads in value.chunk(count)]
    return blocks[0] if count == 1 else torch.stack(blocks)


@cache
def padded(units: int, dtype: torch.dtype) -> int:
    """Units rounded up to whole pairs of vectors."""
    return shape_for(dtype, host()).padded(units)


@cache
def products(shape: Shape) -> Library:
    """The compiled products of a shape, known by name to every kernel loaded after."""
    target = host()
    module = emit_products(shape)
    emit_outer(module, shape)
    library = Library(machine_code(module, target), target)
    for name in ("product", "outer", "pack"):
        library.publish(f"unrolled_{name}_{shape.suffix}")
    return library


class _ById:
    """A plan compared by identity: a cell has one."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.plan is self.plan

    def __hash__(self) -> int:
        return id(self.plan)


@lru_cache(maxsize=1024)
def _code(plan: _ById, which: str, shape: Shape) -> Code:
    return Code(plan.plan, which, shape)


@lru_cache(maxsize=1024)
def _form(plan: _ById, which: str, dtype: torch.dtype, units: Units, extent: tuple[int, int], share: Share) -> Form:
    return Form(plan.plan, which, dtype, units, extent, share)


def form_of(plan: Plan, which: str, dtype: torch.dtype, units: Units, extent: tuple[int, int], share: Share) -> Form:
    """The form of a pass, made once."""
    return _form(_ById(plan), which, dtype, units, extent, share)


@lru_cache(maxsize=1024)
def _sharing(plan: _ById, extent: tuple[int, int], units: Units, threads: int) -> Share:
    rows, _ = extent
    if threads == 1 or is_small(_multiplications(plan.plan, extent, units)):
        return Share(1, 1)
    few = next((number for least, number in _FEW if max(_numbers(plan.plan, units), default=0) >= least), 0)
    by_units = rows < few * threads and not (plan.plan.training.reduces or plan.plan.backward.reduces)
    return Share(threads, threads) if by_units else Share(min(rows, threads), 1)


@lru_cache(maxsize=1024)
def _beside(plan: _ById, which: str, extent: tuple[int, int], units: Units, itemsize: int, threads: int) -> bool:
    if _sharing(plan, extent, units, threads).threads == 1:
        return True
    numbers, own = sum(_numbers(plan.plan, units)), plan.plan.forward
    told = {(one.level, segment.source) for one in own.stages for group in one.groups for segment in group.segments}
    exchanged = sum(dict(units)[plan.plan.split.sizes[source]] for _, source in told)
    return numbers * itemsize <= _CACHE and (which != "forward" or numbers <= _DENSE * exchanged)


def is_small(multiplications: int) -> bool:
    """Whether so much work is done before a second thread has begun."""
    return multiplications < _ALONE


def _numbers(plan: Plan, units: Units) -> list[int]:
    """How many numbers each matrix has."""
    of = dict(units)
    return [of[one.out] * of[one.into] // one.heads for one in plan.split.matrices.values()]


def _multiplications(plan: Plan, extent: tuple[int, int], units: Units) -> int:
    rows, steps = extent
    return rows * steps * sum(_numbers(plan, units))


def sharing(plan: Plan, extent: tuple[int, int], units: Units, threads: int) -> Share:
    """How so many threads should share a pass; not at all where it is small."""
    return _sharing(_ById(plan), extent, units, threads)


def beside(plan: Plan, which: str, dtype: torch.dtype, units: Units, extent: tuple[int, int], threads: int) -> bool:
    """Whether so many layers of this kind are done sooner side by side, a thread each, than one after the other.

    They are where one thread has a layer to itself anyway. Else that thread needs a cache that holds the weights, and
    in inference threads that share a layer must have much to tell each other for what they do.
    """
    return _beside(_ById(plan), which, extent, units, dtype.itemsize, threads)


def _dense(rows: int, steps: int, share: Share) -> Order:
    bounds = [rows * thread // share.threads for thread in range(share.threads + 1)]
    shares = tuple((start, end, 0, 1) for start, end in zip(bounds, bounds[1:], strict=False))
    if share.parts > 1:
        shares = tuple((0, rows, part, share.parts) for part in range(share.parts))
    return Order(np.arange(rows), np.full(rows, steps), shares)


def _read_in_vectors(own: Pass) -> frozenset[str]:
    """The arrays by step that are read or written a vector at a time, and so must be padded."""
    found = {str(name) for one in own.statements for name in names(one.expression)}
    return frozenset(found | {one.right for one in own.outers} | {one.left for one in own.outers})
