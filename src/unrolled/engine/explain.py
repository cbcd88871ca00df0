"""What the engine does with a cell, and why: backend, tiles, threads, the plan of both passes, memory; and its code."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from unrolled.engine.backends import choice, resolve
from unrolled.engine.cpu.compiled import Target, host
from unrolled.engine.cpu.form import Share, shape_for, sharing
from unrolled.engine.cpu.kernel import emit_kernel
from unrolled.engine.cpu.layout import Extent, Layout
from unrolled.engine.cpu.product import Shape
from unrolled.engine.passes import Pass
from unrolled.engine.plan import Plan, make_plan
from unrolled.engine.precision import arithmetic, described
from unrolled.engine.readable import ReadablePass, letter, readable, readable_pass
from unrolled.engine.run import Run, prepare
from unrolled.equations.cell import Cell
from unrolled.equations.sizes import Size
from unrolled.errors import UsageError, did_you_mean

PASSES = ("forward", "training", "backward")
"""What code there is: the forward pass alone, the one that keeps what the backward pass reads, and the latter."""


@dataclass(frozen=True)
class Machine:
    """How this processor computes it."""

    vector: int
    """Numbers in a vector."""
    tile_rows: int
    tile_panels: int
    """The block of a product that is held in registers: so many rows times so many panels of two vectors."""
    threads: int
    shared: str
    """What each thread has for itself: ``"rows"``, ``"units"`` of all rows, or ``"all"``, where there is one thread."""
    available: int
    """Threads that might have shared it."""
    chunk: int
    """Steps whose hoisted products are computed at a time."""
    scratch_bytes: dict[str, int]
    """Memory of each pass while it runs, by the pass's name."""


@dataclass(frozen=True)
class Memory:
    """What the forward pass keeps for the way back."""

    kept: tuple[str, ...]
    """Quantities kept at every step; the states are kept beside them."""
    again: tuple[str, ...]
    """What the backward pass computes once more instead."""
    formula: str
    numbers: int
    bytes: int
    """The numbers as they lie in memory, in whole vectors."""


@dataclass(frozen=True)
class Explanation:
    """What :func:`explain` found; printed, it is read in a minute. ``to_dict`` gives it for JSON."""

    cell: str
    sizes: dict[str, int]
    """N, T, D, H and the cell's named sizes."""
    dtype: str
    numbers: str
    """What numbers are stored and computed in."""
    training: bool
    backend: str
    reason: str
    machine: Machine | None
    """None, as all that follows, where no code of ours computes it."""
    before: tuple[str, ...]
    """What torch computes beforehand, for all steps at once."""
    passes: tuple[ReadablePass, ...]
    memory: Memory | None
    """None where nothing is kept, outside training."""

    @property
    def plan(self) -> str:
        """Both passes as they are arranged, whatever the machine."""
        before = "\n".join(["torch, beforehand", *(f"  {one}" for one in self.before)]) if self.before else ""
        kept = ""
        if self.memory:
            kept = f"kept: {', '.join((*self.memory.kept, 'the states'))}; {self.memory.formula} numbers"
            kept += f"\ncomputed again: {', '.join(self.memory.again)}" if self.memory.again else ""
        first, rest = self.passes[:1], self.passes[1:]
        return "\n".join(filter(None, (before, *map(str, first), kept, *map(str, rest))))

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-able."""
        return asdict(self)

    def __str__(self) -> str:
        sizes = ", ".join(f"{letter} {number}" for letter, number in self.sizes.items())
        lines = [f"{self.cell}: {sizes}; {self.numbers}, {'with' if self.training else 'without'} gradients"]
        lines.append(f"backend: {self.backend} ({_MEANS[self.backend]}), as {self.reason}")
        if self.machine is None:
            kept = ["kept for the way back: every step, whatever checkpoint is"] if self.training else []
            return "\n".join([*lines, *kept])
        return "\n".join([*lines, *_machine_lines(self.machine, self.memory), "", self.plan])


def explain(
    cell: Cell,
    batch: int = 1,
    steps: int = 100,
    input_size: int = 64,
    hidden_size: int = 64,
    *,
    sizes: Mapping[str, int] | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    training: bool = True,
    record: Sequence[str] = (),
    backend: str = "auto",
    threads: int | None = None,
) -> Explanation:
    """Say how :func:`unrolled.scan` computes a cell, and why. Nothing is computed or compiled.

    Args:
        cell: The equations (:func:`unrolled.find_cell` knows them by name).
        batch, steps, input_size, hidden_size: N, T, D and H.
        sizes: The cell's named sizes.
        dtype: That of all tensors.
        device: Where they are; it need not be there.
        training: Whether gradients are wanted and noise is drawn.
        record: Quantities to return over time.
        backend: As for ``scan``.
        threads: How many may share the work; those that torch uses where it is left out.

    Raises:
        UsageError: a size or a name does not fit, or the backend that is named cannot do it.
    """
    for name, number in {"batch": batch, "steps": steps, "threads": 1 if threads is None else threads}.items():
        if number < 1:
            raise UsageError(f"{name} is a whole number from 1 on, and is {number}.")
    known = cell.known_sizes(input_size, hidden_size, **(sizes or {}))
    run = _imagined(cell, (batch, steps), known, torch.zeros((), dtype=dtype), tuple(record))
    device = _device(device)
    backend, reason = choice(resolve(backend), run, device)
    letters = {"N": batch, "T": steps, **{letter(size): number for size, number in known.items()}}
    name = str(dtype).removeprefix("torch.")
    head = (cell.name, letters, name, described(run.x, backend, device.type), training, backend, reason)
    if backend != "cpu":
        return Explanation(*head, None, (), (), None)
    dtype = arithmetic(run.x)
    plan = _plan_of(cell, record, training)
    own = {"forward": plan.training, "backward": plan.backward} if training else {"forward": plan.forward}
    available = threads or torch.get_num_threads()
    share = sharing(plan, (batch, steps), run.sizes, available)
    shape = shape_for(dtype, host())
    layouts = {
        name: _layout(plan, one, shape, run, share, training and name == "forward", name == "backward")
        for name, one in own.items()
    }
    return Explanation(
        *head,
        _machine(layouts, shape, share, available, dtype.itemsize),
        tuple(_before(plan)),
        tuple(readable_pass(name, one, plan) for name, one in own.items()),
        _memory(plan, layouts["forward"], letters, dtype.itemsize) if training else None,
    )


def code(
    cell: Cell,
    which: str = "forward",
    *,
    record: Sequence[str] = (),
    dtype: torch.dtype = torch.float32,
    target: Target | None = None,
) -> str:
    """The LLVM IR of a pass (one of :data:`PASSES`), each statement a comment above its instructions.

    It is written for one width of vectors: that of ``target``, or of this machine's processor. The same cell gives the
    same text. Raises UsageError for a pass that is not there.
    """
    if which not in PASSES:
        raise UsageError(f"there is no pass '{which}'; choose from {', '.join(PASSES)}.{did_you_mean(which, PASSES)}")
    target = target or host()
    shape, plan = shape_for(dtype, target), _plan_of(cell, record, which != "forward")
    kernel = emit_kernel(plan.split, getattr(plan, which), which, shape, which == "backward", target.triple)
    head = [f"{which} pass of {cell.name}, vectors of {shape.width} {shape.dtype}", *cell.text().splitlines()]
    slots = [f"  {number}: {' '.join(key)}" for number, key in enumerate(kernel.slots)]
    comments = [*head, "", "numbers in the table:", *slots]
    return "".join(f"; {line}".rstrip() + "\n" for line in comments) + str(kernel.module)


def _device(device: str | torch.device) -> torch.device:
    try:
        return torch.device(device)
    except RuntimeError:
        raise UsageError(f"there is no device '{device}'; torch's are called cpu, cuda, cuda:1, mps, …") from None


def _imagined(
    cell: Cell, extent: tuple[int, int], known: Mapping[Size, int], one: torch.Tensor, record: tuple[str, ...]
) -> Run:
    """The run that is asked about, its tensors a single number repeated."""
    named = {str(name): number for name, number in known.items() if name not in ("input", "hidden")}
    shapes = cell.parameters(known["input"], known["hidden"], **named)
    parameters = {name: one.expand(shape.shape) for name, shape in shapes.items()}
    return prepare(cell, parameters, one.expand(*extent, known["input"]), record=record)


def _plan_of(cell: Cell, record: Sequence[str], training: bool) -> Plan:
    return make_plan(cell, tuple(dict.fromkeys((cell.output, *record))), frozenset(cell.noise if training else ()))


def _before(plan: Plan) -> Iterator[str]:
    parts = plan.split
    given = {*parts.matrices, *parts.vectors, *parts.rows, *parts.steps, *parts.over_time}
    return readable(parts.before, given, {})


def _layout(plan: Plan, own: Pass, shape: Shape, run: Run, share: Share, keeps: bool, backwards: bool) -> Layout:
    rows, steps = run.x.shape[:2]
    widest = rows if share.parts > 1 else -(-rows // share.threads)
    extent = Extent(rows, steps, widest, share.threads)
    return Layout(plan, own, shape, dict(run.sizes), extent, keeps, backwards)


def _machine(layouts: Mapping[str, Layout], shape: Shape, share: Share, available: int, itemsize: int) -> Machine:
    forward = layouts["forward"]
    rows, panels = _tile(shape, forward.extent.rows_a_thread)
    shared = "units" if share.parts > 1 else "rows" if share.threads > 1 else "all"
    scratch = {name: layout.scratch.size * itemsize for name, layout in layouts.items()}
    chunk = forward.numbers["chunk",]
    return Machine(shape.width, rows, panels, share.threads, shared, available, chunk, scratch)


def _tile(shape: Shape, rows: int) -> tuple[int, int]:
    """Rows and panels of the register tile for so many rows: near-equal blocks, several panels where rows are few."""
    if rows <= 3:
        return rows, shape.panels(rows)
    blocks = -(-rows // shape.rows)
    return -(-rows // blocks), 1


_MEANS = {
    "loop": "plain torch, one op at a time",
    "cpu": "machine code",
    "torch": "torch's own kernel for all steps; on CUDA cuDNN's",
}
_SHARED = {
    "all": "{} of {}",
    "rows": "{}, each with rows of its own: none waits for another in the loop",
    "units": "{}, each with a part of the units of all rows: they meet behind each stage",
}


def _machine_lines(machine: Machine, memory: Memory | None) -> Iterator[str]:
    rows, panels = machine.tile_rows, machine.tile_panels
    yield f"vectors: {machine.vector} numbers"
    yield (
        f"register tile, rows x panels: {rows} x {panels}, a panel being {2 * machine.vector} columns; "
        f"{2 * rows * panels} vectors of sums"
    )
    few = "; too little work, or too few rows, to share" if machine.available > machine.threads == 1 else ""
    yield f"threads: {_SHARED[machine.shared].format(machine.threads, machine.available)}{few}"
    yield f"steps whose hoisted products are computed at a time: {machine.chunk}"
    if memory:
        yield f"kept for the way back: {memory.formula} = {memory.numbers:,} numbers; {_megabytes(memory.bytes)}"
    yield "scratch: " + ", ".join(f"{_megabytes(size)} {name}" for name, size in machine.scratch_bytes.items())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.2f} MB"


def _memory(plan: Plan, layout: Layout, letters: Mapping[str, int], itemsize: int) -> Memory:
    kept = tuple(name for name, kind in plan.training.stored.items() if kind == "time")
    of_steps = Counter(layout.sizes[name] for name in kept)
    of_states = Counter(plan.split.sizes[name] for name in plan.split.states)
    terms = [_term(count, "N T", size) for size, count in of_steps.items()]
    terms += [_term(count, "N (T + 1)", size) for size, count in of_states.items()]
    rows, steps = letters["N"], letters["T"]
    numbers = sum(
        rows * repeats * count * layout.units[size]
        for repeats, counted in ((steps, of_steps), (steps + 1, of_states))
        for size, count in counted.items()
    )
    forward = plan.training.written
    again = tuple(str(one.target) for one in plan.backward.statements if str(one.target) in forward)
    return Memory(kept, again, " + ".join(terms) or "0", numbers, layout.tape.size * itemsize)


def _term(count: int, of: str, size: Size) -> str:
    """``5 N T H``."""
    number = count if isinstance(size, str) else count * size
    return " ".join([*([str(number)] if number > 1 else []), of, *([letter(size)] if isinstance(size, str) else [])])
