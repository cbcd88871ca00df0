"""A recurrence forward, and backward through time: a call made ready, and its results taken when it has run."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from unrolled.engine.cpu.execute import Call, Inputs, Tape, all_slots, one_slot
from unrolled.engine.plan import Plan


class Gradients(NamedTuple):
    """What the backward pass gives, by the plan's names; vectors and rows by row, (N, size)."""

    matrices: dict[str, Tensor]
    sums: dict[str, Tensor]
    steps: dict[str, Tensor]
    state: dict[str, Tensor]
    start: dict[str, Tensor]


class Forward:
    """A run of a recurrence; its ``call`` goes through time.

    With ``keep`` its tape is what the backward pass reads. With ``rooms``, what is wanted over time is written there.
    """

    def __init__(
        self, plan: Plan, inputs: Inputs, keep: bool, rooms: Mapping[str, Tensor] | None = None, threads: int = 0
    ) -> None:
        self.call = call = Call(plan, "training" if keep else "forward", inputs, threads=threads)
        self._keep, self._trims = keep, rooms is None
        self._over_time = {
            key: call.result(f"out.{key}", key.removesuffix("'"), None if rooms is None else rooms[key])
            for key in plan.split.over_time
        }
        memory, order = call.tape.memory, call.tape.order
        for state, value in inputs.state.items():  # a row of no length ends in the slot in which it begins
            entry = one_slot(memory, call.form.entries[state], value.shape[0], 0)
            entry.copy_(value if order is None else value[order])
        for state, value in inputs.start.items():
            call.rows(f"start.{state}", value, state)

    def over_time(self, key: str) -> Tensor:
        """Where a result over time will stand, (N, T, units)."""
        array = f"out.{key}"
        return self._over_time[key][..., : self.call.form.place(array, array).units]

    def results(self) -> tuple[dict[str, Tensor], dict[str, Tensor], Tape]:
        """What is wanted over time, the final states, and the tape. The call is over then."""
        call, inputs = self.call, self.call.inputs
        (rows, steps), memory, final = inputs.shape, call.tape.memory, {}
        for state, place in call.form.entries.items():
            if inputs.lengths is None:
                final[state] = one_slot(memory, place, rows, steps if self._keep else steps & 1).clone()
            else:
                slots = inputs.lengths if self._keep else inputs.lengths & 1
                final[state] = all_slots(memory, place, rows)[slots, call.places]
        over_time = self._over_time
        if self._trims:
            over_time = {key: call.trimmed(value, f"out.{key}") for key, value in over_time.items()}
        call.end()
        return over_time, final, call.tape


class Backward:
    """The way back through a run: gradients of everything ``wanted``, given those of the results (None: zero).

    With ``into``, gradients are added to its matrices, sums and starts. With ``rooms``, those of the steps are written
    there, and what comes back is as long as whole vectors want it.
    """

    def __init__(
        self,
        plan: Plan,
        inputs: Inputs,
        tape: Tape,
        arriving: Mapping[str, Tensor | None],
        final: Mapping[str, Tensor | None],
        wanted: frozenset[str],
        into: Gradients | None = None,
        rooms: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.call = call = Call(plan, "backward", inputs, tape)
        self._wanted, self._trims = wanted, rooms is None
        for key, value in arriving.items():
            if value is None:
                call.none(f"arrive.{key}", key.removesuffix("'"))
            else:
                call.steps(f"arrive.{key}", value, key.removesuffix("'"))
        given = into or Gradients({}, {}, {}, {}, {})
        self._sums = {name: call.sum(f"sum.{name}", name, given.sums.get(name)) for name in plan.gradients}
        self.steps = {
            name: call.result(f"d_{name}", name, None if rooms is None else rooms[name])
            for name in plan.reached(wanted)
        }
        """Where the gradients of what each step is given will stand, (N, T, units of whole vectors)."""
        reached = {one.matrix for one in plan.backward.outers}
        self._matrices = {
            name: call.gradient(name, given.matrices.get(name))
            for name in plan.split.matrices
            if name in wanted & reached
        }
        call.table[call.form.fresh] = into is None
        self._start = {name: call.sum(f"d_start.{name}", name, given.start.get(name)) for name in inputs.start}
        rows = inputs.shape[0]
        for state, value in final.items():
            place = call.form.carries[state]
            if value is None:
                all_slots(call.scratch, place, rows).zero_()
            elif inputs.lengths is None:
                one_slot(call.scratch, place, rows, inputs.shape[1] & 1).copy_(value)
            else:
                all_slots(call.scratch, place, rows)[inputs.lengths & 1, call.places] = value

    def results(self) -> Gradients:
        """The gradients. The call is over then."""
        call, inputs = self.call, self.call.inputs
        state = {}
        for name, place in call.form.carries.items():
            if name not in self._wanted:
                continue
            value = one_slot(call.scratch, place, inputs.shape[0], 0)
            state[name] = value.clone() if inputs.lengths is None else value[call.places]
        call.end()
        sums, steps, start = self._sums, self.steps, self._start
        if self._trims:
            sums = {name: call.trimmed(value, f"sum.{name}") for name, value in sums.items()}
            steps = {name: call.trimmed(value, f"d_{name}") for name, value in steps.items()}
            start = {name: call.trimmed(value, f"d_start.{name}") for name, value in start.items()}
        return Gradients(self._matrices, sums, steps, state, start)


def forward(
    plan: Plan, inputs: Inputs, keep: bool, rooms: Mapping[str, Tensor] | None = None
) -> tuple[dict[str, Tensor], dict[str, Tensor], Tape]:
    """Run a recurrence by itself; see :class:`Forward`."""
    own = Forward(plan, inputs, keep, rooms)
    own.call.run()
    return own.results()


def backward(
    plan: Plan,
    inputs: Inputs,
    tape: Tape,
    arriving: Mapping[str, Tensor | None],
    final: Mapping[str, Tensor | None],
    wanted: frozenset[str],
    into: Gradients | None = None,
    rooms: Mapping[str, Tensor] | None = None,
) -> Gradients:
    """Backpropagate through time by itself; see :class:`Backward`."""
    own = Backward(plan, inputs, tape, arriving, final, wanted, into, rooms)
    own.call.run()
    return own.results()
