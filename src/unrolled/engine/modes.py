"""Modes of torch that look at each op of a run, so that nothing but the plain loop can serve them."""

from collections.abc import Sequence

from torch import Tensor
from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad


def looks_inside(tensors: Sequence[Tensor]) -> str:
    """Which mode is on that wants to see each op on the tensors; empty where there is none."""
    if peek_interpreter_stack() is not None:
        return "a transform of torch.func looks at each op"
    if forward_ad._current_level < 0:
        return ""
    dual = any(forward_ad.unpack_dual(tensor).tangent is not None for tensor in tensors)
    return "forward-mode derivatives are wanted" if dual else ""
