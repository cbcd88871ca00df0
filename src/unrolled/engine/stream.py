"""One step at a time at the least cost: weights stay packed and the table filled in from step to step."""

from collections.abc import Mapping, Sequence
from ctypes import addressof
from functools import partial
from operator import attrgetter
from threading import Lock
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.engine.cpu.execute import Call
from unrolled.engine.fused import effective, request_for, why_not
from unrolled.engine.precision import HALVES, widened
from unrolled.engine.run import prepare
from unrolled.equations.cell import Cell

_VERSION = attrgetter("_version")


class _Ready(NamedTuple):
    """A call with packed weights, and what must be as it was for it to be used again."""

    call: Call
    run: partial[None]
    pointers: list[int]
    versions: list[int]
    x_shape: torch.Size
    stored: torch.dtype
    """What x, states and output come and go in."""
    dtype: torch.dtype
    """What the call computes in."""
    x_slots: tuple[int, int]
    output_slot: int
    room: Tensor
    """As large as an output in whole vectors, (N, padded size)."""
    size: int
    """Of an output."""
    states: tuple[tuple[torch.Size, Tensor, int, int], ...]
    """Of each state its shape, what is as large in whole vectors, and the slots of its address and of the way to the
    next one's."""


class Stream:
    """Runs single steps of a cell without gradients. Copies of it, and pickles, begin without anything kept."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._lock = Lock()
        self._ready: _Ready | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Stream, (self.cell,)

    def step(
        self, parameters: Mapping[str, Tensor], x: Tensor, states: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]] | None:
        """The output (N, size) and next states for x (N, D), or None where only a general run can do it.

        States come and go in the order of the cell's.
        """
        if not self._lock.acquire(blocking=False):
            return None  # another thread is in the middle of a step
        try:
            ready = self._ready
            if ready is None or not self._same(ready, parameters, x):
                ready = self._ready = self._prepared(parameters, x, states)
            if ready is None:
                return None
            return (_run if ready.stored is ready.dtype else _run_wide)(ready, x, states)
        finally:
            self._lock.release()

    def hold(self, parameters: Mapping[str, Tensor], x: Tensor, states: Sequence[Tensor]) -> "Held | None":
        """A stream from these states on that keeps them itself, or None where only a general run can do it."""
        ready = self._prepared(parameters, x, states)
        return None if ready is None or ready.stored is not ready.dtype else Held(ready, states)

    def _same(self, ready: _Ready, parameters: Mapping[str, Tensor], x: Tensor) -> bool:
        """Whether weights and sizes are still those that were packed."""
        return x.shape == ready.x_shape and _unchanged(ready, parameters)

    def _prepared(self, parameters: Mapping[str, Tensor], x: Tensor, states: Sequence[Tensor]) -> _Ready | None:
        """A call whose weights are packed, or None where steps want more than a table can say."""
        if any(value.is_inference() for value in parameters.values()):
            return None  # nobody could tell whether their numbers are still the same
        run = prepare(self.cell, parameters, x.unsqueeze(1), dict(zip(self.cell.states, states, strict=True)))
        mixed = any(value.dtype is not x.dtype for value in (*parameters.values(), *states))
        if why_not(run, x.device) or mixed or not x.shape[0]:
            return None
        run = widened(run) if x.dtype in HALVES else run
        with torch.autocast("cpu", enabled=False):
            plan, values = effective(run)
        parts = plan.split
        request, tensors = request_for(run, plan, values)
        call = Call(plan, "forward", request.inputs(tensors), None, 1)
        layout, slots = call.form.layout, call.form.slots
        if parts.steps != ("x",) or len(parts.over_time) != 1 or "x" in call.form.in_vectors:
            return None
        (output,) = parts.over_time
        size = parts.sizes[output.removesuffix("'")]
        room = run.x.new_empty(x.shape[0], layout.padded(size))
        call.steps(f"out.{output}", room.unsqueeze(1), output.removesuffix("'"))
        for name in parts.states:
            call.table[slots["row", f"entry.{name}"]] = layout.padded(parts.sizes[name])
        call.run()
        call.table[slots["packed",]] = 1
        return _Ready(
            call,
            partial(call.form.code, addressof(call.table), 0, 1, 0, x.shape[0], 0, 1),
            list(map(Tensor.data_ptr, parameters.values())),
            list(map(_VERSION, parameters.values())),
            x.shape,
            x.dtype,
            run.x.dtype,
            (slots["base", "x"], slots["row", "x"]),
            slots["base", f"out.{output}"],
            room,
            layout.units[size],
            tuple(
                (
                    value.shape,
                    run.x.new_empty(x.shape[0], layout.padded(parts.sizes[name])),
                    slots["base", f"entry.{name}"],
                    slots["step", f"entry.{name}"],
                )
                for name, value in zip(parts.states, states, strict=True)
            ),
        )


class Held:
    """A stream that keeps its states, in two places between which it goes to and fro. One thread at a time uses it."""

    def __init__(self, ready: _Ready, states: Sequence[Tensor]) -> None:
        self._ready = ready
        here = [_laid(value.detach(), room) for value, (_, room, _, _) in zip(states, ready.states, strict=True)]
        self._places = here, [torch.empty_like(value) for value in here]
        self._turn, self._turns = 0, []
        for turn in (0, 1):
            table = type(ready.call.table).from_buffer_copy(ready.call.table)
            for now, after, (_, _, base, step) in zip(
                self._places[turn], self._places[1 - turn], ready.states, strict=True
            ):
                table[base] = now.data_ptr()
                table[step] = (after.data_ptr() - now.data_ptr()) // ready.dtype.itemsize
            table[ready.x_slots[1]] = ready.x_shape[1]
            self._turns.append((table, partial(ready.call.form.code, addressof(table), *ready.run.args[1:])))

    def takes(self, parameters: Mapping[str, Tensor], x: Tensor | None) -> bool:
        """Whether weights are still those that were packed, and x, straight in memory, is as it was (None: it is)."""
        ready = self._ready
        fits = x is None or (x.shape == ready.x_shape and x.dtype is ready.dtype and x.is_cpu)
        return fits and _unchanged(ready, parameters)

    def step(self, x: Tensor) -> Tensor:
        """The output (N, size) for an x (N, D) that it takes."""
        ready, (table, run) = self._ready, self._turns[self._turn]
        output = torch.empty_like(ready.room)
        table[ready.x_slots[0]], table[ready.output_slot] = x.data_ptr(), output.data_ptr()
        run()
        self._turn ^= 1
        return _cut(output, ready.size)

    def states(self) -> list[Tensor]:
        """Copies of the states, in the order of the cell's."""
        own = zip(self._places[self._turn], self._ready.states, strict=True)
        return [value[:, : shape[1]].clone(memory_format=torch.contiguous_format) for value, (shape, _, _, _) in own]


def _unchanged(ready: _Ready, parameters: Mapping[str, Tensor]) -> bool:
    values = parameters.values()
    return list(map(Tensor.data_ptr, values)) == ready.pointers and list(map(_VERSION, values)) == ready.versions


def _laid(value: Tensor, room: Tensor) -> Tensor:
    """A copy of a state with as much memory as ``room``, in whole vectors."""
    found = torch.empty_like(room)
    found[:, : value.shape[1]] = value
    return found


def _cut(value: Tensor, units: int) -> Tensor:
    return value if value.shape[1] == units else value[:, :units].contiguous()


def _run(ready: _Ready, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]] | None:
    """One step: the next state lies wherever there is room, so many numbers from the present one."""
    table, dtype = ready.call.table, ready.dtype
    if x.dtype is not dtype or not x.is_cpu or x.stride(1) != 1:
        return None
    table[ready.x_slots[0]], table[ready.x_slots[1]] = x.data_ptr(), x.stride(0)
    before, after = [], []
    for value, (shape, room, base, step) in zip(states, ready.states, strict=True):
        if value.shape != shape or value.dtype is not dtype or not value.is_cpu or not value.is_contiguous():
            return None
        now = value if value.shape[1] == room.shape[1] else _laid(value, room)
        new, start = torch.empty_like(room), now.data_ptr()
        table[base], table[step] = start, (new.data_ptr() - start) // dtype.itemsize
        before.append(now)
        after.append(new)
    output = torch.empty_like(ready.room)
    table[ready.output_slot] = output.data_ptr()
    ready.run()
    return _cut(output, ready.size), [_cut(new, value.shape[1]) for new, value in zip(after, states, strict=True)]


def _run_wide(ready: _Ready, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]] | None:
    """One step of numbers stored in half precision: rounded as a run of one step rounds them."""
    stored, dtype = ready.stored, ready.dtype
    if torch.is_autocast_enabled("cpu") or any(value.dtype is not stored for value in (x, *states)):
        return None
    done = _run(ready, x.to(dtype), [value.to(dtype) for value in states])
    return None if done is None else (done[0].to(stored), [value.to(stored) for value in done[1]])
