"""Whole sequences without gradients, time after time: what one run has worked out serves the next of its shape."""

from collections.abc import Mapping
from threading import Lock
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from unrolled.engine.cpu.execute import Call, one_slot
from unrolled.engine.cpu.team import threads_now
from unrolled.engine.fused import effective, request_for, why_not
from unrolled.engine.modes import looks_inside
from unrolled.engine.precision import HALVES
from unrolled.engine.run import prepare
from unrolled.engine.scan import Scanned
from unrolled.equations.cell import Cell
from unrolled.state import State

_LARGE = 1 << 22
"""Bytes of memory from which a run takes so long that working it out anew does not matter."""


class _Ready(NamedTuple):
    """A call whose table is filled in, and what must be as it was for it to be used again."""

    call: Call
    pointers: list[int]
    """Where the parameters lie; their numbers are read anew by every run."""
    x_shape: torch.Size
    dtype: torch.dtype
    x_slots: tuple[int, int, int]
    output: str
    """The name of what is wanted over time, as the core gives it."""
    states: list[tuple[str, Tensor, Tensor, float | str]]
    """Of each state its name, where it stands in memory before the first step and behind the last, and its start."""
    copies: list[tuple[str, Tensor]]
    """Parameters of which the code reads a longer copy, and where that stands."""


class Repeat:
    """Runs a cell over batches of one shape. Copies of it, and pickles, begin without anything kept."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._lock = Lock()
        self._ready: dict[int, _Ready | None] = {}  # by the number of threads
        self._before: tuple[torch.Size, torch.dtype] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Repeat, (self.cell,)

    def run(self, parameters: Mapping[str, Tensor], x: Tensor, state: Mapping[str, Tensor] | None) -> Scanned | None:
        """What ``scan`` gives for x (N, T, D), or None where only a general run can say."""
        begun = self.begin(parameters, x, state)
        if begun is None:
            return None
        with begun:
            begun.call.run()
            return begun.result()

    def begin(
        self, parameters: Mapping[str, Tensor], x: Tensor, state: Mapping[str, Tensor] | None, threads: int = 0
    ) -> "Begun | None":
        """All of :meth:`run` but the running; nobody else can use this before the context that is given ends.

        With ``threads``, at most so many will do it, and it is left to others to see that a shape comes again.
        """
        tensors = (x, *parameters.values(), *(() if state is None else state.values()))
        simple = x.is_cpu and x.dtype not in HALVES and not torch.is_autocast_enabled("cpu") and x.dim() == 3
        if not simple or looks_inside(tensors) or not self._lock.acquire(blocking=False):
            return None
        begun = None
        try:
            may = threads or threads_now(torch.get_num_threads())
            ready = self._ready.get(may)
            if ready is None or not _fits(ready, parameters, x):
                kind = (x.shape, x.dtype)
                again = self._before == kind
                if not threads:
                    self._before = kind
                if not again:  # a shape that comes once, such as a last batch, is not worth it
                    return None
                ready = self._ready[may] = self._prepared(parameters, x, state, may)
            if ready is None or x.stride(2) != 1 or (state is not None and not _takes(ready, state)):
                return None
            begun = Begun(ready, self._lock, parameters, x, state)
            return begun
        finally:
            if begun is None:
                self._lock.release()

    def _prepared(
        self, parameters: Mapping[str, Tensor], x: Tensor, state: Mapping[str, Tensor] | None, threads: int
    ) -> _Ready | None:
        """A call for all runs like this one, or None where each has something of its own to work out."""
        run = prepare(self.cell, parameters, x, state)
        if why_not(run, x.device) or not x.shape[0] or not x.shape[1]:
            return None
        plan, values = effective(run)
        request, tensors = request_for(run, plan, values)
        pointers = [value.data_ptr() for value in parameters.values()]
        parts, own = plan.split, len(plan.split.matrices) + len(plan.split.vectors)
        live = all(tensor.data_ptr() in pointers for tensor in tensors[:own])
        if parts.before or parts.rows or parts.steps != ("x",) or len(parts.over_time) != 1 or not live:
            return None
        with torch.inference_mode(False), torch.no_grad():  # the next run may be outside of it
            call = Call(plan, "forward", request.inputs(tensors), threads=threads)
        size = call.scratch.nbytes + call.tape.memory.nbytes
        (output,) = parts.over_time
        if call.alive or size > _LARGE or run.cell.output not in (output, output.removesuffix("'")):
            return None
        names = dict(zip(pointers, parameters, strict=True))
        with torch.inference_mode(False):
            copies = [
                (names[tensor.data_ptr()], call.vectors[name][: tensor.shape[0]])
                for name, tensor in zip(parts.vectors, tensors[len(parts.matrices) : own], strict=True)
                if call.vectors[name].data_ptr() != tensor.data_ptr()
            ]
        slots, entries = call.form.slots, call.form.entries
        memory, last = call.tape.memory, x.shape[1] & 1
        with torch.inference_mode(False):
            states = [
                (
                    name,
                    one_slot(memory, entries[name], x.shape[0], 0),
                    one_slot(memory, entries[name], x.shape[0], last),
                    self.cell.program.starts[name],
                )
                for name in parts.states
            ]
        return _Ready(
            call,
            pointers,
            x.shape,
            x.dtype,
            (slots["base", "x"], slots["row", "x"], slots["step", "x"]),
            output,
            states,
            copies,
        )


def _fits(ready: _Ready, parameters: Mapping[str, Tensor], x: Tensor) -> bool:
    """Whether a run is like the one that was prepared."""
    values, dtype = parameters.values(), ready.dtype
    return (
        x.shape == ready.x_shape
        and x.dtype is dtype
        and list(map(Tensor.data_ptr, values)) == ready.pointers
        and all(value.dtype is dtype for value in values)
    )


def _takes(ready: _Ready, state: Mapping[str, Tensor]) -> bool:
    """Whether a state is what the cell wants; where it is not, a general run says why."""
    return len(state) == len(ready.states) and all(
        name in state and state[name].shape == entry.shape and state[name].dtype is ready.dtype and state[name].is_cpu
        for name, entry, _, _ in ready.states
    )


class Begun:
    """A run of which all is in place: its call may be run, then it has a result. The context ends it."""

    def __init__(
        self,
        ready: _Ready,
        lock: Lock,
        parameters: Mapping[str, Tensor],
        x: Tensor,
        state: Mapping[str, Tensor] | None,
    ) -> None:
        self.call, self._ready, self._lock = ready.call, ready, lock
        call, key = ready.call, ready.output
        base, row, step = ready.x_slots
        call.table[base], call.table[row], call.table[step] = x.data_ptr(), x.stride(0), x.stride(1)
        for name, copy in ready.copies:
            copy.copy_(parameters[name].reshape(-1))
        for name, entry, _, start in ready.states:
            if state is not None:
                entry.copy_(state[name])
            elif isinstance(start, str):
                entry.copy_(parameters[start])
            else:
                entry.fill_(start)
        self._array = f"out.{key}"
        self._outputs = call.result(self._array, key.removesuffix("'"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property
    def outputs(self) -> Tensor:
        """Where the output will stand, (N, T, units)."""
        return self._outputs[..., : self.call.form.place(self._array, self._array).units]

    def result(self) -> Scanned:
        """What the run gave."""
        final = {name: last.clone() for name, _, last, _ in self._ready.states}
        return Scanned(self.call.trimmed(self._outputs, self._array), State.of_one_batch(final), {})
