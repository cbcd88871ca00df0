"""Modes of torch that look at each op of a run, so that nothing but the plain loop can serve them."""

from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad

from unrolled.engine.run import Run


def looks_inside(run: Run) -> str:
    """Which mode is on that wants to see each op of a run; empty where there is none."""
    if peek_interpreter_stack() is not None:
        return "a transform of torch.func looks at each op"
    if forward_ad._current_level < 0:
        return ""
    tensors = (run.x, *run.parameters.values(), *run.state.values())
    dual = any(forward_ad.unpack_dual(tensor).tangent is not None for tensor in tensors)
    return "forward-mode derivatives are wanted" if dual else ""
