"""One pass over one batch: memory from the arena, the table filled in, threads called; results as torch tensors."""

import ctypes
from collections.abc import Mapping
from threading import Thread
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from unrolled.engine.cpu.arena import ARENA
from unrolled.engine.cpu.form import Form, Share, StatePlace, form_of, padded, sharing
from unrolled.engine.cpu.team import new_meeting, orders_for, run_jobs, shared_out, threads_now, threads_there
from unrolled.engine.plan import Plan
from unrolled.equations.sizes import Size

_LARGE_ROW = 1 << 16
"""Bytes of a row's results from which it is faster to clear only what lies behind its end, row by row."""


class Inputs(NamedTuple):
    """What a recurrence is run on, by the names of its plan and in their order; all of one dtype, on the CPU."""

    matrices: Mapping[str, Tensor]
    vectors: Mapping[str, Tensor]
    rows: Mapping[str, Tensor]
    steps: Mapping[str, Tensor]
    state: Mapping[str, Tensor]
    start: Mapping[str, Tensor]
    """Where ``reset`` returns to."""
    lengths: Tensor | None
    reset: Tensor | None
    shape: tuple[int, int]
    """Rows and steps."""
    dtype: torch.dtype
    units: tuple[tuple[Size, int], ...]
    steps_of_all: int = 0
    """Steps of the whole run, where this is a piece of it."""


class Tape(NamedTuple):
    """What a forward pass keeps for the way back: its memory, and who had which rows."""

    memory: Tensor
    share: Share
    shares: tuple[tuple[int, int, int, int], ...]
    order: Tensor | None
    """The caller's row that stands at each place, where that is not the caller's own order."""


def room(inputs: Inputs, units: int) -> Tensor:
    """Room for a result over time, (N, T, padded units), in which pieces of a run may write theirs."""
    value = ARENA.array((*inputs.shape, padded(units, inputs.dtype)), inputs.dtype)
    if inputs.lengths is not None:
        if value[0].nbytes < _LARGE_ROW:
            return value.zero_()
        for row, length in enumerate(inputs.lengths.tolist()):
            value[row, length:].zero_()
    return value


def cut(value: Tensor, units: int) -> Tensor:
    """A result without what fills its last vectors."""
    if value.shape[-1] == units:
        return value
    return ARENA.array((*value.shape[:-1], units), value.dtype).copy_(value[..., :units])


class Call:
    """One pass over one batch."""

    def __init__(self, plan: Plan, which: str, inputs: Inputs, tape: Tape | None = None, threads: int = 0) -> None:
        threads = threads or threads_now(torch.get_num_threads())
        share = tape.share if tape else sharing(plan, inputs.shape, inputs.units, threads)
        self.inputs = inputs
        self.form: Form = form_of(plan, which, inputs.dtype, inputs.units, inputs.shape, share)
        self.alive: list[object] = []
        form = self.form
        self.table = table = form.table.from_buffer_copy(form.numbers)
        self.scratch = ARENA.borrow(form.layout.scratch.size, inputs.dtype)
        self.borrows_tape = tape is None and which == "forward"
        if tape is None:
            memory = (ARENA.borrow if self.borrows_tape else ARENA.tensor)(form.layout.tape.size, inputs.dtype)
            order, shares = None, form.order.shares
            if inputs.lengths is not None:
                order, shares = _longest_first(inputs.lengths, share)
            tape = Tape(memory, share, shares, order)
        self.tape = tape
        for places, memory in ((form.in_tape, tape.memory), (form.in_scratch, self.scratch)):
            start = memory.data_ptr()
            for slot, offset in places:
                table[slot] = start + offset
        table[form.steps_of_all] = inputs.steps_of_all or inputs.shape[1]
        self.meeting = new_meeting()
        table[form.barrier] = ctypes.addressof(self.meeting)
        self.places: Tensor | slice = slice(None)
        if inputs.lengths is not None:
            self._ragged(inputs.lengths)
        for value, (base, head, unit, depth) in zip(inputs.matrices.values(), form.matrices, strict=True):
            table[base] = value.data_ptr()
            table[unit], table[depth] = value.stride()[-2:]
            table[head] = value.stride(0)
        self.vectors = {name: _straight(value, form.place(name, name).padded) for name, value in inputs.vectors.items()}
        """Vectors as they are read: those given, or copies of them."""
        for name, value in self.vectors.items():
            table[form.place(name, name).base] = value.data_ptr()
        for name, value in inputs.rows.items():
            self.rows(name, value, name)
        for name, value in inputs.steps.items():
            self.steps(name, value, name)
        if inputs.reset is not None:
            marks = inputs.reset.contiguous()
            self.alive.append(marks)
            table[form.slot("base", "reset")] = marks.data_ptr()

    def run(self) -> None:
        """Go through time: every share on a thread of torch's team, or on one of its own where those are missing."""
        address, shares, form = ctypes.addressof(self.table), self.tape.shares, self.form
        count = len(shares)
        if count == 1:
            form.code(address, 0, 1, *shares[0])
            return
        orders = form.orders if self.tape.order is None else orders_for(form.address, shared_out(shares))
        if threads_there(count) == count and run_jobs(orders, [address] * count, [self.meeting]):
            return
        others = [Thread(target=form.code, args=(address, job, count, *shares[job])) for job in range(1, count)]
        for one in others:
            one.start()
        form.code(address, 0, count, *shares[0])
        for one in others:
            one.join()

    @property
    def alone(self) -> bool:
        """Whether one thread does all of it."""
        return len(self.tape.shares) == 1

    def end(self) -> None:
        """Give back the memory that is this call's own; nothing of it may be looked at any longer."""
        ARENA.give_back(self.scratch, self.form.layout.scratch.size)
        if self.borrows_tape:
            ARENA.give_back(self.tape.memory, self.form.layout.tape.size)

    # What the kernel is given: an array, and the value of the cell whose size its vectors have. The caller sees to it
    # that tensors outlive the run.

    def rows(self, array: str, value: Tensor, of: str) -> None:
        """An array of one vector a row, (N, size)."""
        place, table = self.form.place(array, of), self.table
        value = self.straight(value, place.padded)
        table[place.base] = value.data_ptr()
        table[place.row] = value.stride(0)

    def steps(self, array: str, value: Tensor, of: str) -> None:
        """An array of one vector a row and step, (N, T, size)."""
        place, table = self.form.place(array, of), self.table
        value = self.straight(value, place.padded)
        table[place.base] = value.data_ptr()
        table[place.row], table[place.step], _ = value.stride()

    def none(self, array: str, of: str) -> None:
        """One row of zeros that stands at every step of every row."""
        place, table = self.form.place(array, of), self.table
        value = torch.zeros(place.padded, dtype=self.inputs.dtype)
        self.alive.append(value)
        table[place.base], table[place.row], table[place.step] = value.data_ptr(), 0, 0

    def result(self, array: str, of: str, given: Tensor | None = None) -> Tensor:
        """An array (N, T, padded size) for a result, ``given`` or new; zero where nothing will be written."""
        place, table = self.form.place(array, of), self.table
        value = room(self.inputs, place.units) if given is None else given
        table[place.base] = value.data_ptr()
        table[place.row], table[place.step], _ = value.stride()
        return value

    def sum(self, array: str, of: str, into: Tensor | None) -> Tensor:
        """An array (N, padded size) that a sum over steps is added to."""
        place, table = self.form.place(array, of), self.table
        value = torch.zeros(self.inputs.shape[0], place.padded, dtype=self.inputs.dtype) if into is None else into
        table[place.base] = value.data_ptr()
        table[place.row] = place.padded
        return value

    def gradient(self, matrix: str, value: Tensor | None = None) -> Tensor:
        """An array for a matrix's gradient."""
        slot, *shape = self.form.gradients[matrix]
        if value is None:
            value = ARENA.array(tuple(shape), self.inputs.dtype)
        self.table[slot] = value.data_ptr()
        return value

    def trimmed(self, value: Tensor, array: str) -> Tensor:
        """A result without what fills its last vectors."""
        return cut(value, self.form.place(array, array).units)

    def straight(self, value: Tensor, padded: int) -> Tensor:
        """The tensor with its last dimension so long and without gaps in it; a copy lives as long as the call."""
        found = _straight(value, padded)
        if found is not value:
            self.alive.append(found)
        return found

    # Which row stands where

    def _ragged(self, lengths: Tensor) -> None:
        """Say which row stands where."""
        assert self.tape.order is not None
        by_user, order = np.ascontiguousarray(lengths.numpy()), self.tape.order.numpy()
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        given = {"rows": order, "places": places, "lengths": by_user[order], "user lengths": by_user}
        for name, numbers in given.items():
            self.alive.append(numbers)
            self.table[self.form.slot("base", name)] = numbers.ctypes.data
        self.places = torch.from_numpy(places)


def _straight(value: Tensor, padded: int) -> Tensor:
    """The tensor, or a copy, with its last dimension so long and without gaps in it."""
    missing = padded - value.shape[-1]
    if missing:
        return pad(value, (0, missing))
    return value if value.stride(-1) == 1 else value.contiguous()


def one_slot(memory: Tensor, place: StatePlace, rows: int, slot: int) -> Tensor:
    """A state's units in one of its slots, (N, units), in place."""
    return memory.as_strided((rows, place.units), (place.row, 1), place.offset + slot * place.step)


def all_slots(memory: Tensor, place: StatePlace, rows: int) -> Tensor:
    """A state's units in all its slots, (slots, N, units), in place."""
    return memory.as_strided((place.slots, rows, place.units), (place.step, place.row, 1), place.offset)


def _longest_first(lengths: Tensor, share: Share) -> tuple[Tensor, tuple[tuple[int, int, int, int], ...]]:
    """An order of rows with the longest first in every thread's share, and shares of like work."""
    descending = np.argsort(-lengths.numpy(), kind="stable")
    if share.parts > 1:
        return torch.from_numpy(descending), tuple(
            (0, len(descending), part, share.parts) for part in range(share.parts)
        )
    dealt = [descending[thread :: share.threads] for thread in range(share.threads)]
    bounds = np.cumsum([0, *map(len, dealt)]).tolist()
    order = torch.from_numpy(np.ascontiguousarray(np.concatenate(dealt)))
    return order, tuple((start, end, 0, 1) for start, end in zip(bounds, bounds[1:], strict=False))
