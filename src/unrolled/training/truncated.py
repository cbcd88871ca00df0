"""Truncated backpropagation through time: windows of a stream, the state carried from each to the next."""

from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.state import State
from unrolled.wirings.many_to_many import ManyToMany


@dataclass(frozen=True)
class Carry:
    """What one window hands to the next: inputs to read once more, (N, k2 - k1) or fewer, and the state before them.

    Without a state they begin the stream: it starts as the cell does, and a learned start gets its gradient.
    """

    state: State | None
    inputs: Tensor | None = None


def read_window(network: ManyToMany, inputs: Tensor, carry: Carry | None, back: int) -> tuple[Tensor, Carry]:
    """The outputs for a window of inputs (N, k1), and the carry behind it.

    The gradient of a window's loss goes back over ``back`` (k2) steps at most: the window, and before it inputs that
    are read once more. BPTT(h; h') of Williams & Peng 1990, Neural Computation 2(4), section 3.
    """
    before = None if carry is None else carry.inputs
    state = None if carry is None else carry.state
    whole = inputs if before is None else torch.cat([before, inputs], 1)  # (N, c + k1)
    keep = min(back - inputs.shape[1], whole.shape[1])
    if keep <= 0:
        outputs, after, _ = network(whole, state)
        asked = outputs if whole is inputs else outputs[:, whole.shape[1] - inputs.shape[1] :]
        return asked, Carry(after.detach())
    split = whole.shape[1] - keep
    first = network(whole[:, :split], state) if split else None
    middle = state if first is None else first.state
    second = network(whole[:, split:], middle)
    parts = [second.outputs] if first is None else [first.outputs, second.outputs]
    outputs = torch.cat(parts, 1)[:, whole.shape[1] - inputs.shape[1] :]  # (N, k1, V)
    return outputs, Carry(None if middle is None else State(middle).detach(), whole[:, split:])
