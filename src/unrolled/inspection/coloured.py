"""A real run to colour the picture of an unrolled net by: of a small random network, or of one that was trained."""

from collections.abc import Mapping
from math import lcm

import torch
from torch import Tensor, nn

from unrolled.drawing.run import Key, Run, Series
from unrolled.drawing.wiring import Plan
from unrolled.equations.cell import Cell
from unrolled.inspection.examine import Subject, told
from unrolled.layers.recurrent import Recurrent
from unrolled.state import State

UNITS = 5
"""Units shown of each quantity."""
_SMALL = 4
"""Units of a small network, or a multiple of the blocks that a cell's matrices have."""


def random_run(cell: Cell, plan: Plan, seed: int = 0) -> Run:
    """A run of a small network with random weights over random numbers; where outputs are fed back, over these.

    Raises:
        UsageError: the cell fixes sizes that do not fit each other so stacked.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        half = sum(not column.decodes for column in plan.columns)
        reads = _Part(cell, plan, decodes=False)
        after = reads.run(plan.columns[0].reads, half, fed=plan.wiring == "one-to-many")
        parts = [reads]
        if half < len(plan.columns):
            parts.append(_Part(cell, plan, decodes=True))
            parts[1].run(False, len(plan.columns) - half, fed=True, state=after)
    quantities = {key: series for part in parts for key, series in part.quantities.items()}
    inputs = [step for part in parts for step in part.inputs]
    outputs = [step for part in parts for step in part.outputs]
    return Run(inputs, outputs, quantities, f"a random network, seed {seed}")


class _Part:
    """One recurrence of a plan, with random weights, and what is seen of its run."""

    def __init__(self, cell: Cell, plan: Plan, decodes: bool) -> None:
        units = lcm(_SMALL, *cell.heads.values())
        fixed = cell.program.sizes["x"]
        width = fixed if isinstance(fixed, int) else units
        sizes = dict.fromkeys(cell.program.named_sizes, units)
        both = len(plan.directions) == 2
        self.layer = Recurrent(cell, width, units, plan.layers, bidirectional=both, sizes=sizes).eval()
        own = cell.output == "y" and not both
        self.output_side = nn.Identity() if own else nn.Linear(self.layer.output_size, width)
        given = self.layer.output_size if own else width
        self.feedback = nn.Identity() if given == width else nn.Linear(given, width)
        self.decodes, self.width = decodes, width
        self.last = plan.wiring == "many-to-one"

    def run(self, begins: bool, steps: int, fed: bool, state: State | None = None) -> State:
        """Run over random numbers, or over what was given at the step before; the state behind it comes back."""
        before = self.layer.initial_state(1) if state is None else state
        if fed:
            first = torch.randn(1, 1, self.width) if begins else torch.zeros(1, 1, self.width)
            x, outputs, after, recorded = self._fed(first, before, steps)
        else:
            x = torch.randn(1, steps, self.width)
            read, after, recorded = self.layer(x, before, record=self.layer.cell.quantities)
            if self.last and len(self.layer.directions) == 2:  # each direction's last
                half = read.shape[-1] // 2
                read = torch.cat([read[:, -1:, :half], read[:, :1, half:]], -1).expand(-1, steps, -1)
            outputs = self.output_side(read)
        self.inputs, self.outputs = shown(x[0]), shown(outputs[0])
        self.quantities = series_of(self.layer, recorded, before, self.decodes)
        return after

    def _fed(self, now: Tensor, state: State, steps: int) -> tuple[Tensor, Tensor, State, dict[str, Tensor]]:
        """Inputs, outputs, the state behind them and all quantities, where each output is the next input."""
        read, given, found = list[Tensor](), list[Tensor](), list[dict[str, Tensor]]()
        for _ in range(steps):
            values, state, seen = self.layer(now, state, record=self.layer.cell.quantities)
            read.append(now)
            given.append(self.output_side(values))
            found.append(seen)
            now = self.feedback(given[-1])
        recorded = {name: torch.cat([one[name] for one in found], 1) for name in found[0]}
        return torch.cat(read, 1), torch.cat(given, 1), state, recorded


def run_of(subject: Subject, says: str, most: int) -> Run:
    """A trained network's run over its first steps, ``most`` of them, with what stands at each and what it says there.

    It is the run over the whole sequence, of which the beginning is shown: who reads from the end has read the rest.
    """
    layer, x, steps = subject.layer.eval(), subject.x, min(most, subject.x.shape[1])
    before = dict(layer.initial_state(1) if subject.state is None else subject.state)
    with torch.no_grad():
        whole = layer(x, before, record=layer.cell.quantities).recorded
    for name in before:
        if ".reverse." in name and steps < x.shape[1]:
            before[name] = whole[name][:, steps]
    recorded = {name: values[:, :steps] for name, values in whole.items()}
    predicted = told(subject)
    at_the_end = predicted[steps - 1 : steps] == [""]  # who reads from the end says what it says when all is read
    predicted = [*predicted[: steps - 1], predicted[-1] if at_the_end else predicted[steps - 1]]
    tokens = [_visible(one) for one in subject.steps[:steps]]
    series = series_of(layer, recorded, before, False)
    return Run(shown(x[0, :steps]), [()] * steps, series, says, tokens, [_visible(one) for one in predicted])


def _visible(token: str) -> str:
    """A token whose line ends, and blanks at its ends, can be seen."""
    inner = token.strip("\n ")
    if not inner.replace("\n", " ").isprintable():
        return repr(token)[1:-1]
    left, _, right = token.partition(inner) if inner else (token, "", "")
    return (left.replace(" ", "␣") + inner + right.replace(" ", "␣")).replace("\n", "↵")


def series_of(
    layer: Recurrent, recorded: Mapping[str, Tensor], before: Mapping[str, Tensor], decodes: bool
) -> dict[Key, Series]:
    """Every quantity of a run over one sequence, in the order in which a direction takes its steps.

    The units are those of a layer's output that move most: of gates and states the same.
    """
    found: dict[Key, Series] = {}
    for name, values in recorded.items():
        place, quantity = name.rsplit(".", 1)
        index, direction = place.split(".")
        steps = values[0].detach()
        steps = steps.flip(0) if direction == "reverse" else steps
        if quantity in layer.cell.states:
            steps = torch.cat([before[name].detach(), steps])
        given = recorded[f"{place}.{layer.cell.output}"][0]
        same = given.shape[1] == steps.shape[1]
        found[decodes, int(index), direction, quantity] = shown(steps, given if same else steps)
    return found


def shown(steps: Tensor, lively: Tensor | None = None) -> Series:
    """Some units of (T, units), in their order: those that move most there, or in ``lively``."""
    if steps.shape[1] > UNITS:
        moves = (steps if lively is None else lively).double().std(0, correction=0)
        steps = steps[:, moves.topk(UNITS).indices.sort().values]
    return steps.double().tolist()
