"""One step at a time at the least cost: weights stay packed and the table filled in from step to step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from unrolled.engine.cpu.execute import Call
from unrolled.engine.fused import effective, request_for, why_not
from unrolled.engine.run import prepare
from unrolled.equations.cell import Cell


@dataclass(frozen=True)
class _Ready:
    """A call with packed weights, and what must be as it was for it to be used again."""

    call: Call
    pointers: list[int]
    versions: list[int]
    x_shape: torch.Size
    dtype: torch.dtype
    x_slots: tuple[int, int]
    output_slot: int
    output_shape: tuple[int, int]
    states: tuple[tuple[torch.Size, int, int], ...]
    """Of each state its shape, and the slots of its address and of the way to the next one's."""


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
            return None if ready is None else _run(ready, x, states)
        finally:
            self._lock.release()

    def _same(self, ready: _Ready, parameters: Mapping[str, Tensor], x: Tensor) -> bool:
        """Whether weights and sizes are still those that were packed."""
        values = parameters.values()
        return (
            x.shape == ready.x_shape
            and [value.data_ptr() for value in values] == ready.pointers
            and [value._version for value in values] == ready.versions
        )

    def _prepared(self, parameters: Mapping[str, Tensor], x: Tensor, states: Sequence[Tensor]) -> _Ready | None:
        """A call whose weights are packed, or None where steps want more than a table can say."""
        if any(value.is_inference() for value in parameters.values()):
            return None  # nobody could tell whether their numbers are still the same
        run = prepare(self.cell, parameters, x.unsqueeze(1), dict(zip(self.cell.states, states, strict=True)))
        if why_not(run, x.device) or not x.shape[0]:
            return None
        plan, values = effective(run)
        parts = plan.split
        request, tensors = request_for(run, plan, values)
        call = Call(plan, "forward", request.inputs(tensors), None, 1)
        layout, slots = call.form.layout, call.form.slots
        sizes = {parts.sizes[name.removesuffix("'")] for name in (*parts.states, *parts.over_time)}
        straight = all(layout.padded(size) == layout.units[size] for size in sizes)
        if parts.steps != ("x",) or not straight or len(parts.over_time) != 1 or "x" in call.form.in_vectors:
            return None
        (output,) = parts.over_time
        size = parts.sizes[output.removesuffix("'")]
        shape = (x.shape[0], layout.units[size])
        call.steps(f"out.{output}", x.new_empty(shape[0], 1, shape[1]), size)
        for name in parts.states:
            call.table[slots["row", f"entry.{name}"]] = layout.units[parts.sizes[name]]
        call.run()
        call.table[slots["packed",]] = 1
        return _Ready(
            call,
            [value.data_ptr() for value in parameters.values()],
            [value._version for value in parameters.values()],
            x.shape,
            x.dtype,
            (slots["base", "x"], slots["row", "x"]),
            slots["base", f"out.{output}"],
            shape,
            tuple(
                (value.shape, slots["base", f"entry.{name}"], slots["step", f"entry.{name}"])
                for name, value in zip(parts.states, states, strict=True)
            ),
        )


def _run(ready: _Ready, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]] | None:
    """One step: the next state lies wherever there is room, so many numbers from the present one."""
    call, dtype = ready.call, ready.dtype
    table = call.table
    if x.dtype is not dtype or not x.is_cpu or x.stride(1) != 1 or torch.is_autocast_enabled("cpu"):
        return None
    table[ready.x_slots[0]], table[ready.x_slots[1]] = x.data_ptr(), x.stride(0)
    after = []
    for value, (shape, base, step) in zip(states, ready.states, strict=True):
        if value.shape != shape or value.dtype is not dtype or not value.is_cpu or not value.is_contiguous():
            return None
        new = torch.empty(shape, dtype=dtype)
        start = value.data_ptr()
        table[base], table[step] = start, (new.data_ptr() - start) // dtype.itemsize
        after.append(new)
    output = torch.empty(ready.output_shape, dtype=dtype)
    table[ready.output_slot] = output.data_ptr()
    call.run()
    return output, after
