"""The cases that laws are run for: every cell with tensors of small, odd sizes, dense or ragged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from unrolled.cells.library import LIBRARY
from unrolled.engine.scan import Scanned, scan
from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import drop_connect, layer_norm, learned_start, variational_dropout, zoneout

REWRITES: dict[str, Callable[[Cell], Cell]] = {
    "zoneout": lambda cell: zoneout(cell, 0.3),
    "variational": lambda cell: variational_dropout(cell, 0.2, 0.3),
    "drop_connect": lambda cell: drop_connect(cell, 0.4),
    "layer_norm": layer_norm,
    "learned_start": learned_start,
}
BLOCKS = LIBRARY["slstm"].replaced("slstm_blocks", heads=2)
CELLS: dict[str, Cell] = {
    **LIBRARY,
    **{f"{name}_{how}": rewrite(LIBRARY[name]) for name in ("lstm", "gru") for how, rewrite in REWRITES.items()},
    "slstm_blocks": BLOCKS,
    "slstm_blocks_drop_connect": drop_connect(BLOCKS, 0.4),
}
"""What the laws are run for: the library, each rewrite of two of its cells, and block-diagonal matrices."""


@dataclass(frozen=True)
class Case:
    """A cell on a backend with all that a scan is given: N rows, T steps, one dtype, noise drawn beforehand."""

    cell: Cell
    backend: str
    parameters: dict[str, Tensor]
    noise: dict[str, Tensor]
    x: Tensor
    state: Mapping[str, Tensor] | None
    lengths: Tensor | None = None
    reset: Tensor | None = None

    def but(self, **changes: Any) -> "Case":
        """The case with some fields changed."""
        return replace(self, **changes)

    def scan(self) -> Scanned:
        """Run it, with every quantity recorded."""
        given = {**self.parameters, **self.noise}
        quantities = self.cell.quantities
        return scan(self.cell, given, self.x, self.state, self.lengths, self.reset, quantities, self.backend)

    def rows(self, index: Tensor) -> "Case":
        """The case of the rows that ``index`` names, in its order."""

        def cut(name: str, value: Tensor) -> Tensor:
            return value[index] if len(self.cell.program.noise[name].shape) == 1 else value

        return self.but(
            noise={name: cut(name, value) for name, value in self.noise.items()},
            x=self.x[index],
            state=None if self.state is None else {name: value[index] for name, value in self.state.items()},
            lengths=None if self.lengths is None else self.lengths[index],
            reset=None if self.reset is None else self.reset[index],
        )

    def steps(self, start: int, stop: int) -> "Case":
        """The case of the steps from ``start`` to before ``stop``."""

        def cut(name: str, value: Tensor) -> Tensor:
            return value[:, start:stop] if self.cell.noise[name].per == "step" else value

        return self.but(
            noise={name: cut(name, value) for name, value in self.noise.items()},
            x=self.x[:, start:stop],
            lengths=None if self.lengths is None else (self.lengths - start).clamp(0, stop - start),
            reset=None if self.reset is None else self.reset[:, start:stop],
        )

    def start(self, state: str) -> Tensor:
        """Where the state begins, (N, units) or a number."""
        start = self.cell.program.starts[state]
        return self.parameters[start] if isinstance(start, str) else self.x.new_tensor(start)


@cache
def make_case(
    cell: Cell,
    backend: str = "loop",
    dtype: torch.dtype = torch.float64,
    rows: int = 3,
    steps: int = 9,
    inputs: int = 5,
    hidden: int = 7,
    seed: int = 0,
) -> Case:
    """A case of normal numbers, begun from a state that a run of the cell reaches; heads make ``hidden`` even.

    It is made once and shared by the tests, which leave it as it is.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    hidden -= hidden % max(cell.heads.values(), default=1)
    sizes = dict.fromkeys(cell.program.named_sizes, 3)
    parameters = {name: 0.5 * normal(*one.shape) for name, one in cell.parameters(inputs, hidden, **sizes).items()}
    before = scan(cell, parameters, normal(rows, 4, inputs))
    noise = {}
    for name, one in cell.noise_shapes(inputs, hidden, **sizes).items():
        of = cell.noise[name]
        leading = () if len(one.shape) > 1 else (rows, steps) if of.per == "step" else (rows,)
        tossed = torch.rand(*leading, *one.shape, generator=generator) < of.probability
        noise[name] = tossed.to(dtype) * of.value
    return Case(cell, backend, parameters, noise, normal(rows, steps, inputs), dict(before.state))


def ragged(case: Case) -> Case:
    """The case with rows of full, half and no length, and with resets inside two of them."""
    rows, steps = case.x.shape[:2]
    reset = torch.zeros(rows, steps, dtype=torch.bool)
    reset[0, steps // 2] = True
    reset[-1, steps // 4] = True
    return case.but(lengths=torch.tensor([steps, steps // 2, 0, steps // 4] * rows)[:rows], reset=reset)


def valid_steps(case: Case) -> Tensor:
    """Which steps lie within a row's length, (N, T)."""
    rows, steps = case.x.shape[:2]
    lengths = torch.full((rows,), steps) if case.lengths is None else case.lengths
    return torch.arange(steps) < lengths.unsqueeze(1)


def gradients(case: Case) -> dict[str, Tensor]:
    """The gradients, by name, of a loss that weighs every output, recorded quantity and final state differently."""
    free = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
    x = case.x.clone().requires_grad_()
    state = None if case.state is None else {name: one.clone().requires_grad_() for name, one in case.state.items()}
    result = case.but(parameters=free, x=x, state=state).scan()
    loss = torch.stack([(value * weights_like(value)).sum() for value in parts(result).values()]).sum()
    wanted = {**free, "x": x, **{f"state {name}": value for name, value in (state or {}).items()}}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(wanted, found, strict=True))


def weights_like(value: Tensor) -> Tensor:
    """Normal numbers, the same for one shape each time."""
    generator = torch.Generator().manual_seed(value.numel())
    return torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)


def parts(result: Scanned) -> dict[str, Tensor]:
    """Every tensor of a result by a name."""
    states = {f"final {name}": value for name, value in result.state.items()}
    return {"outputs": result.outputs, **states, **{f"recorded {name}": one for name, one in result.recorded.items()}}
