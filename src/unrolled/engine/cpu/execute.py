"""One pass over one batch: memory from the arena, the table filled in, threads called; results as torch tensors."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from unrolled.engine.cpu.arena import ARENA
from unrolled.engine.cpu.form import Form, Share, form_of, sharing
from unrolled.engine.cpu.team import run_jobs, threads_there
from unrolled.engine.plan import Plan
from unrolled.equations.sizes import Size


@dataclass(frozen=True)
class Inputs:
    """What a recurrence is run on, by the names of its plan; all of one dtype, on the CPU."""

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


@dataclass(frozen=True)
class Gradients:
    """What the backward pass gives, by the plan's names; vectors and rows by row, (N, size)."""

    matrices: dict[str, Tensor]
    sums: dict[str, Tensor]
    steps: dict[str, Tensor]
    state: dict[str, Tensor]
    start: dict[str, Tensor]


@dataclass(frozen=True)
class Tape:
    """What a forward pass keeps for the way back: its memory, and who had which rows."""

    memory: Tensor
    share: Share
    shares: tuple[tuple[int, int, int, int], ...]
    order: Tensor | None
    """The caller's row that stands at each place, where that is not the caller's own order."""


def forward(plan: Plan, inputs: Inputs, keep: bool) -> tuple[dict[str, Tensor], dict[str, Tensor], Tape]:
    """Run a recurrence: what is wanted over time, the final states, and the tape that the backward pass reads."""
    sizes = plan.split.sizes
    call = Call(plan, "training" if keep else "forward", inputs)
    over_time = {key: call.result(f"out.{key}", sizes[key.removesuffix("'")]) for key in plan.split.over_time}
    for state, value in inputs.state.items():  # a row of no length ends in the slot in which it begins
        entry = call.states(f"entry.{state}", call.tape.memory, call.form.layout.tape.offsets)
        entry[0, :, : value.shape[1]] = value if call.tape.order is None else value[call.tape.order]
        if inputs.reset is not None:
            call.rows(f"start.{state}", inputs.start[state], sizes[state])
    call.run()
    final = {}
    for state, value in inputs.state.items():
        entry = call.states(f"entry.{state}", call.tape.memory, call.form.layout.tape.offsets)
        if inputs.lengths is None:
            slot = inputs.shape[1] if keep else inputs.shape[1] & 1
            final[state] = entry[slot, :, : value.shape[1]].clone()
        else:
            slots = inputs.lengths if keep else inputs.lengths & 1
            final[state] = entry[slots, call.places, : value.shape[1]]
    return {key: call.trimmed(value) for key, value in over_time.items()}, final, call.tape


def backward(
    plan: Plan,
    inputs: Inputs,
    tape: Tape,
    arriving: Mapping[str, Tensor],
    final: Mapping[str, Tensor],
    wanted: frozenset[str],
    into: Gradients | None = None,
    trim: bool = True,
) -> Gradients:
    """Backpropagate through time: gradients of everything that is ``wanted``, given those of the results.

    With ``into``, gradients are added to its matrices, sums and starts. Without ``trim`` what comes back is as long as
    whole vectors want it.
    """
    parts, sizes = plan.split, plan.split.sizes
    call = Call(plan, "backward", inputs, tape)
    for key, value in arriving.items():
        call.steps(f"arrive.{key}", value, sizes[key.removesuffix("'")])
    given = into or Gradients({}, {}, {}, {}, {})
    sums = {
        name: call.result(
            f"sum.{name}", sizes[name], {f"sum.{name}": given.sums[name]} if into else None, by_step=False
        )
        for name in plan.gradients
    }
    steps = {
        name: call.result(f"d_{name}", sizes[name])
        for name in parts.steps
        if name in wanted or f"d_{name}" in plan.backward.written
    }
    matrices = {name: call.gradient(name, given.matrices.get(name)) for name in parts.matrices if name in wanted}
    start = {}
    if inputs.reset is not None:
        starts = {f"d_start.{state}": value for state, value in given.start.items()}
        start = {state: call.result(f"d_start.{state}", sizes[state], starts, by_step=False) for state in parts.states}
    for state, value in final.items():
        carry = call.states(f"carry.{state}", call.scratch, call.form.layout.scratch.offsets)
        slot = inputs.shape[1] & 1 if inputs.lengths is None else inputs.lengths & 1
        carry[slot, call.places, : value.shape[1]] = value
    call.run()
    state = {}
    for name, value in final.items():
        carry = call.states(f"carry.{name}", call.scratch, call.form.layout.scratch.offsets)
        state[name] = carry[0, call.places, : value.shape[1]].clone()
    found = Gradients(matrices, sums, steps, state, start)
    return call.all_trimmed(found) if trim else found


class Call:
    """One pass over one batch."""

    def __init__(self, plan: Plan, which: str, inputs: Inputs, tape: Tape | None = None, threads: int = 0) -> None:
        self.inputs = inputs
        threads = threads_there(threads or torch.get_num_threads())
        share = tape.share if tape else sharing(plan, inputs.shape, inputs.units, threads)
        self.form: Form = form_of(plan, which, inputs.dtype, inputs.units, inputs.shape, share)
        self.trims: dict[int, int] = {}
        self.alive: list[object] = []
        form = self.form
        self.table = (ctypes.c_int64 * len(form.slots)).from_buffer_copy(form.numbers)
        if tape is None:
            memory = ARENA.tensor(form.layout.tape.size, inputs.dtype)
            tape = Tape(memory, share, form.order.shares, None)
            if inputs.lengths is not None:
                order, shares = _longest_first(inputs.lengths, share)
                tape = Tape(memory, share, shares, order)
        self.tape = tape
        self.scratch = ARENA.tensor(form.layout.scratch.size, inputs.dtype)
        for places, memory in ((form.in_tape, tape.memory), (form.in_scratch, self.scratch)):
            start = memory.data_ptr()
            for slot, offset in places:
                self.table[slot] = start + offset
        self._put_number(("steps of all",), inputs.steps_of_all or inputs.shape[1])
        self.barrier = ctypes.c_int64(0)
        self._put("base", "barrier", ctypes.addressof(self.barrier))
        self.places: Tensor | slice = slice(None)
        if inputs.lengths is not None:
            self._ragged(inputs.lengths)
        for name, matrix in inputs.matrices.items():
            self._put("base", name, matrix.data_ptr())
            self._put("head step", name, matrix.stride(0))
            self._put("unit step", name, matrix.stride(-2))
            self._put("depth step", name, matrix.stride(-1))
        for name, vector in inputs.vectors.items():
            self._put("base", name, self.padded(vector, plan.split.sizes[name]).data_ptr())
        for name, value in inputs.rows.items():
            self.rows(name, value, plan.split.sizes[name])
        for name, value in inputs.steps.items():
            self.steps(name, value, plan.split.sizes[name])
        if inputs.reset is not None:
            self._put("base", "reset", self._held(inputs.reset.contiguous()).data_ptr())

    def run(self) -> None:
        """Go through time: every share on a thread of its own, or one after the other where threads are missing."""
        address, shares, code = ctypes.addressof(self.table), self.tape.shares, self.form.code
        count = len(shares)
        if count == 1:
            code(address, 0, 1, *shares[0])
            return
        jobs = [(address, thread, count, *own) for thread, own in enumerate(shares)]
        if threads_there(count) == count and run_jobs(self.form.address, jobs):
            return
        if self.tape.share.parts > 1:
            code(address, 0, 1, 0, self.inputs.shape[0], 0, 1)
            return
        slots = [self.form.slots.get(("base", f"gradient.{name}"), -1) for name in self.form.plan.split.matrices]
        gradients = {slot: self.table[slot] for slot in slots if slot >= 0}
        for number, own in enumerate(shares):  # matrices' gradients are summed over all rows once, behind the last
            for slot, pointer in gradients.items():
                self.table[slot] = pointer if number == count - 1 else 0
            code(address, 0, 1, *own)

    # What the kernel is given

    def rows(self, name: str, value: Tensor, size: Size) -> None:
        """An array of one vector a row, (N, size)."""
        value = self.padded(value, size)
        self._put("base", name, value.data_ptr())
        self._put("row", name, value.stride(0))

    def steps(self, name: str, value: Tensor, size: Size) -> None:
        """An array of one vector a row and step, (N, T, size)."""
        value = self.padded(value, size) if name in self.form.in_vectors else self._straight(value)
        self._put("base", name, value.data_ptr())
        self._put("row", name, value.stride(0))
        self._put("step", name, value.stride(1))

    def result(
        self, name: str, size: Size, into: Mapping[str, Tensor] | None = None, *, by_step: bool = True
    ) -> Tensor:
        """An array (N, T, size) or (N, size) for a result; a new one is zero where nothing is written."""
        rows, steps = self.inputs.shape
        units, padded = self.form.layout.units[size], self.form.layout.padded(size)
        if into is not None and name in into:
            (self.steps if by_step else self.rows)(name, into[name], size)
            self.trims[id(into[name])] = into[name].shape[-1]
            return into[name]
        shape = (rows, steps, padded) if by_step else (rows, padded)
        value = (torch.zeros if self.inputs.lengths is not None or not by_step else torch.empty)(
            shape, dtype=self.inputs.dtype
        )
        self.trims[id(value)] = units
        (self.steps if by_step else self.rows)(name, value, size)
        return value

    def gradient(self, matrix: str, value: Tensor | None = None) -> Tensor:
        """An array for a matrix's gradient, which is added to it."""
        layout, of = self.form.layout, self.form.plan.split.matrices[matrix]
        heads, width = layout.numbers["heads", matrix], layout.numbers["width", matrix]
        if value is None:
            leading = (heads,) if heads > 1 else ()
            value = torch.zeros(*leading, layout.units[of.out] // heads, width, dtype=self.inputs.dtype)
        self.trims[id(value)] = layout.units[of.into] // heads
        self._put("base", f"gradient.{matrix}", value.data_ptr())
        return value

    def trimmed(self, value: Tensor) -> Tensor:
        """A result without what fills its last vectors."""
        units = self.trims[id(value)]
        return value if value.shape[-1] == units else value[..., :units].contiguous()

    def all_trimmed(self, found: Gradients) -> Gradients:
        """Gradients without what fills their last vectors."""
        kinds = (found.matrices, found.sums, found.steps)
        matrices, sums, steps = ({name: self.trimmed(value) for name, value in kind.items()} for kind in kinds)
        start = {name: self.trimmed(value) for name, value in found.start.items()}
        return Gradients(matrices, sums, steps, found.state, start)

    def states(self, array: str, memory: Tensor, offsets: Mapping[str, int]) -> Tensor:
        """A state's array as (slots, N, stride)."""
        layout, rows = self.form.layout, self.inputs.shape[0]
        row, step = layout.numbers["row", array], layout.numbers["step", array]
        slots = 2 if layout.numbers["mask", array] == 1 else self.inputs.shape[1] + 1
        return memory.as_strided((slots, rows, row), (step, row, 1), offsets[array])

    def padded(self, value: Tensor, size: Size) -> Tensor:
        """The tensor with its last dimension as long as whole vectors want it, and without gaps in it."""
        missing = self.form.layout.padded(size) - value.shape[-1]
        return self._straight(pad(value, (0, missing)) if missing else value)

    def _straight(self, value: Tensor) -> Tensor:
        return self._held(value if value.stride(-1) == 1 else value.contiguous())

    def _held(self, value: Tensor) -> Tensor:
        self.alive.append(value)
        return value

    def _put(self, what: str, name: str, number: int) -> None:
        self._put_number((what, name), number)

    def _put_number(self, key: tuple[str, ...], number: int) -> None:
        slot = self.form.slots.get(key)
        if slot is not None:
            self.table[slot] = number

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
            self._put("base", name, numbers.ctypes.data)
        self.places = torch.from_numpy(places)


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
