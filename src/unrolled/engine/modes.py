"""Modes of torch that look at each op of a run, so that nothing but the plain loop can serve them."""

import torch
from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad

from unrolled.engine.run import Run


def looks_inside(run: Run, device: torch.device) -> str:
    """Which mode is on that wants to see each op of a run on ``device``; empty where there is none."""
    if torch.is_autocast_enabled(device.type):
        return "autocast is on, which chooses another precision op by op"
    if peek_interpreter_stack() is not None:
        return "a transform of torch.func looks at each op"
    tensors = (run.x, *run.parameters.values(), *run.state.values())
    if forward_ad._current_level >= 0 and any(forward_ad.unpack_dual(tensor).tangent is not None for tensor in tensors):
        return "forward-mode derivatives are wanted"
    return ""
