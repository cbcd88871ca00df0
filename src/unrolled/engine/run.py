"""A Run: one checked request to compute a cell over time, as every backend receives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor

from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, Number, Statement
from unrolled.equations.sizes import Size
from unrolled.errors import UsageError, did_you_mean

Values = dict[str, Tensor]


@dataclass(frozen=True)
class Run:
    """What to compute. All tensors are on one device and, outside autocast, of one float dtype; N rows, T steps."""

    cell: Cell
    parameters: Mapping[str, Tensor]
    """Parameters by name, and drawn noise: (N, size), (N, T, size) where drawn a step, or a matrix's shape."""
    x: Tensor
    """The input, (N, T, D)."""
    start: Mapping[str, Tensor]
    """Where each state begins and where ``reset`` returns to, (N, units)."""
    state: Mapping[str, Tensor]
    """The states before the first step, (N, units)."""
    lengths: Tensor | None
    """Valid steps of each row, (N,)."""
    reset: Tensor | None
    """Steps before which a row's state returns to its start, (N, T)."""
    record: tuple[str, ...]
    units: Mapping[str, int]
    """The size of every quantity."""
    sizes: tuple[tuple[Size, int], ...]
    """The number behind every symbolic size."""
    checkpoint: int | None = None
    """Steps of a piece, of which only the first state is kept for the way back; None keeps all."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All float tensors that are given."""
        return self.x, *self.parameters.values(), *self.state.values()

    @property
    def valid(self) -> Tensor | None:
        """Which steps lie within a row's length, (N, T)."""
        if self.lengths is None:
            return None
        return torch.arange(self.x.shape[1], device=self.x.device) < self.lengths.unsqueeze(1)

    def numbers(self, statements: tuple[Statement, ...]) -> Values:
        """Constants and means of noise by name, and the statements' numbers by :func:`number_key`, as tensors."""
        values = {**self.cell.constants, **{name: noise.mean for name, noise in self.cell.noise.items()}}
        for statement in statements:
            expression = statement.expression
            parts = expression.arguments if isinstance(expression, Call) else (expression,)
            values |= {number_key(part): part.value for part in parts if isinstance(part, Number)}
        return {name: self.x.new_tensor(value) for name, value in values.items()}

    def parameters_at(self, t: int) -> Values:
        """The parameters as step ``t`` sees them: noise drawn a step moves, everything else stands."""
        stepwise = {name for name, noise in self.cell.noise.items() if noise.per == "step"}
        return {name: value[:, t] if name in stepwise else value for name, value in self.parameters.items()}


def number_key(number: Number) -> str:
    """The name under which :meth:`Run.numbers` holds a number (no quantity can be called so)."""
    return repr(number.value)


def prepare(
    cell: Cell,
    parameters: Mapping[str, Tensor],
    x: Tensor,
    state: Mapping[str, Tensor] | None = None,
    lengths: Tensor | None = None,
    reset: Tensor | None = None,
    record: tuple[str, ...] = (),
    checkpoint: int | None = None,
) -> Run:
    """Check a request and fill in what was left out. Raises UsageError where shapes, names or dtypes do not fit."""
    if x.dim() != 3 or not x.is_floating_point():
        raise UsageError(f"x is (N, T, D) of a float dtype, and is {tuple(x.shape)} of {x.dtype}.")
    if checkpoint is not None and checkpoint < 1:
        raise UsageError(f"checkpoint is a number of steps from 1 on, and is {checkpoint}.")
    batch, steps, _ = x.shape
    known = _sizes(cell, x.shape[2], tuple((name, value.shape) for name, value in parameters.items()))
    units = _units(cell, known)
    start = {name: _start(cell, name, units[name], parameters, x) for name in cell.states}
    for name in record:
        if name not in cell.quantities:
            raise UsageError(
                f"cell {cell.name} has no quantity '{name}' to record.{did_you_mean(name, cell.quantities)}"
            )
    given = start if state is None else dict(state)
    if set(given) != set(cell.states):
        raise UsageError(f"the state of cell {cell.name} holds {sorted(cell.states)}, and {sorted(given)} is given.")
    for name, value in given.items():
        _check_shape(f"the state {name}", value, (batch, units[name]))
    mixed = torch.is_autocast_enabled(x.device.type)  # what one op gives there may be narrower than parameters
    for name, value in (*parameters.items(), *given.items()):
        if value.dtype != x.dtype and not (mixed and value.is_floating_point()):
            raise UsageError(f"'{name}' is {value.dtype}, and x {x.dtype}; bring both to one dtype.")
    if lengths is not None:
        _check_shape("lengths", lengths, (batch,))
        if lengths.dtype == torch.bool or lengths.is_floating_point():
            raise UsageError(f"lengths are whole numbers, and are {lengths.dtype}.")
        lengths = lengths.to(x.device, torch.int64)
        if batch and (int(lengths.min()) < 0 or int(lengths.max()) > steps):
            raise UsageError(
                f"lengths lie between 0 and T = {steps}, and go from {int(lengths.min())} to {int(lengths.max())}."
            )
    if reset is not None:
        _check_shape("reset", reset, (batch, steps))
        reset = reset.to(x.device, torch.bool)
        if lengths is not None:
            reset = reset & (torch.arange(steps, device=x.device) < lengths.unsqueeze(1))  # padding changes nothing
    return Run(cell, parameters, x, start, given, lengths, reset, tuple(record), units, known, checkpoint)


def _check_shape(what: str, value: Tensor, wanted: tuple[int, ...]) -> None:
    if tuple(value.shape) != wanted:
        raise UsageError(f"{what} has shape {tuple(value.shape)}; {wanted} is wanted.")


def sizes_of_quantities(cell: Cell, inputs: int, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> Mapping[str, int]:
    """The size of every quantity, given D and the parameters' shapes; any of them may be a symbol of torch's."""
    return _units.__wrapped__(cell, _sizes.__wrapped__(cell, inputs, shapes))


@lru_cache(maxsize=1024)
def _units(cell: Cell, known: tuple[tuple[Size, int], ...]) -> Mapping[str, int]:
    """The size of every quantity, in numbers."""
    of = dict(known)
    found = {name: size if isinstance(size, int) else of[size] for name, size in cell.program.sizes.items()}
    return MappingProxyType(found)


@lru_cache(maxsize=1024)
def _sizes(cell: Cell, inputs: int, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[tuple[Size, int], ...]:
    """The numbers behind the symbolic sizes, read off the parameters' shapes, each of which must agree."""
    known: dict[Size, int] = {cell.program.sizes["x"]: inputs, "input": inputs}
    parameters = dict(shapes)
    for name, parameter in cell.program.parameters.items():
        if name not in parameters:
            raise UsageError(f"cell {cell.name} wants the parameter '{name}' ({parameter.statement}).")
        shape = tuple(parameters[name])
        if parameter.heads > 1:
            in_blocks = len(shape) == 3 and shape[0] == parameter.heads
            shape = tuple(parameter.heads * size for size in shape[1:]) if in_blocks else ()
        wanted = tuple(size if isinstance(size, int) else known.get(size) for size in parameter.shape)
        fits = len(shape) == len(wanted) and all(want in (None, have) for want, have in zip(wanted, shape, strict=True))
        if not fits:
            asked = ", ".join(
                str(size if want is None else want) for size, want in zip(parameter.shape, wanted, strict=True)
            )
            blocks = f" in {parameter.heads} blocks" if parameter.heads > 1 else ""
            raise UsageError(f"'{name}' has shape {tuple(parameters[name])}; ({asked}){blocks} is wanted.")
        known.update(zip(parameter.shape, shape, strict=True))
    for name in parameters:
        if name not in cell.program.parameters and name not in cell.noise:
            raise UsageError(
                f"cell {cell.name} has no parameter '{name}'.{did_you_mean(name, cell.program.parameters)}"
            )
    known.setdefault("hidden", inputs)  # a cell without any parameter works on the input's own size
    return tuple(known.items())


def _start(cell: Cell, name: str, units: int, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    start = cell.program.starts[name]
    if isinstance(start, str):
        return parameters[start].expand(x.shape[0], units)
    return filled(x, (x.shape[0], units), start)


def filled(like: Tensor, shape: tuple[int, ...], number: float) -> Tensor:
    """A tensor of one number; where float16 ends before it, of the last that float16 has."""
    if like.dtype is torch.float16:
        limit = torch.finfo(torch.float16).max  # 65504, and cells begin from -1e30
        number = max(-limit, min(number, limit))
    return like.new_full(shape, number)
