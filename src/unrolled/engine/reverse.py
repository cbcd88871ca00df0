"""The derived backward Program as a plain loop: the specification of a fused backward pass."""

from collections.abc import Mapping

import torch
from torch import Tensor

from unrolled.engine.loop import stepper, unroll
from unrolled.engine.run import Run, Values
from unrolled.equations.lower import lower


def reverse(run: Run, arriving: Mapping[str, Tensor], final: Mapping[str, Tensor]) -> tuple[Values, Tensor, Values]:
    """Backpropagation through time by the derived equations.

    Args:
        run: The run to differentiate.
        arriving: The loss's gradient with respect to the output and to recorded quantities over time, (N, T, size).
        final: The loss's gradient with respect to the final states, (N, units).

    Returns:
        The gradients of the parameters by name, of x (N, T, D), and of the initial states by name.
    """
    cell, batch = run.cell, run.x.shape[0]
    backward = cell.backward(tuple(arriving))
    statements = lower(backward.statements)
    step, numbers = stepper(statements), run.numbers(statements)
    tape = list(unroll(run, backward.forward))
    everywhere = torch.ones(batch, 1, dtype=torch.bool, device=run.x.device)
    sums = {f"d_{name}": _zero_sum(run.parameters[name], batch) for name in cell.program.parameters}
    d_x, d_state = torch.zeros_like(run.x), dict(final)
    for t, (values, now, _) in reversed(list(enumerate(tape))):
        now = everywhere if now is None else now
        seeds = {_gradient_key(run, name): torch.where(now, value[:, t], 0) for name, value in arriving.items()}
        for name, value in d_state.items():
            key = f"d_{name}'"
            seeds[key] = seeds.get(key, 0) + torch.where(now, value, 0)
        gradients = step({**numbers, **values, **sums, **seeds})
        sums = {key: gradients[key] for key in sums}
        d_x[:, t] = torch.where(now, gradients["d_x"], 0)
        d_state = {name: torch.where(now, gradients[f"d_{name}"], value) for name, value in d_state.items()}
        if run.reset is not None:
            again = run.reset[:, t, None]
            _give_to_start(run, sums, {name: torch.where(again, value, 0) for name, value in d_state.items()})
            d_state = {name: torch.where(again, 0, value) for name, value in d_state.items()}
    parameters = {name: _summed(sums[f"d_{name}"], run.parameters[name]) for name in cell.program.parameters}
    return parameters, d_x, d_state


def _gradient_key(run: Run, name: str) -> str:
    return f"d_{name}'" if name in run.cell.states else f"d_{name}"


def _zero_sum(parameter: Tensor, batch: int) -> Tensor:
    """Where a parameter's gradient is summed over time: a vector's by row, (N, size), a matrix's in its own shape."""
    return torch.zeros_like(parameter.expand(batch, -1) if parameter.dim() == 1 else parameter)


def _summed(total: Tensor, parameter: Tensor) -> Tensor:
    return total.sum(0) if parameter.dim() == 1 else total


def _give_to_start(run: Run, sums: Values, gradients: Values) -> None:
    """Add what flows into a state's start to the learned vector that it is, if it is one."""
    for name, gradient in gradients.items():
        start = run.cell.program.starts[name]
        if isinstance(start, str):
            sums[f"d_{start}"] = sums[f"d_{start}"] + gradient
