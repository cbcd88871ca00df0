"""The backend torch: runs whose equations are those of a kernel that torch has, cuDNN's where tensors are on CUDA."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, _cudnn_rnn_flatten_weight, _use_cudnn_rnn_flatten_weight  # pyright: ignore
from torch._C._autograd import _get_current_graph_task_keep_graph as graph_is_kept
from torch.backends import cudnn
from torch.backends.cudnn import rnn as cudnn_rnn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.engine.loop import loop
from unrolled.engine.modes import looks_inside
from unrolled.engine.precision import narrowed
from unrolled.engine.run import Run, Values, prepare
from unrolled.engine.torch_functions import Function, stacking
from unrolled.equations.cell import Cell

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_CUDNN_MODES = {"rnn_tanh": "RNN_TANH", "rnn_relu": "RNN_RELU", "lstm": "LSTM", "gru": "GRU"}


def why_not(run: Run, _device: torch.device) -> str:
    """Why torch's kernels cannot do a run, the same on any device; empty where they can."""
    lacking = lacks(run.cell, run.record, run.reset is not None)
    if lacking:
        return lacking
    if run.x.dtype not in _DTYPES:
        return f"its numbers are {run.x.dtype}, which torch's kernels have not"
    stacks = stacking(run.cell)
    assert stacks is not None
    first, *rest = (run.units[name] for name in stacks.states)
    if stacks.projection and first >= rest[0]:
        return f"torch projects to fewer units, and here to {first} from {rest[0]}"
    return looks_inside(run.tensors)


def lacks(cell: Cell, record: Sequence[str], resets: bool) -> str:
    """What torch has no kernel for, whatever the sizes of a run; empty where it has one."""
    stacks = stacking(cell)
    if stacks is None:
        return (
            "torch has kernels for the LSTM, also with a projection, the GRU that resets behind the product and the "
            f"simple network with tanh or relu, and the equations of {cell.name} are none of these"
        )
    if cell.output not in stacks.over_time:
        return f"torch's kernels give the state {stacks.states[0]} over time, and the output is {cell.output}"
    others = [name for name in record if name not in stacks.over_time]
    if others:
        return f"torch's kernels give the state {stacks.states[0]} over time, and {', '.join(others)} is recorded"
    return "torch's kernels have no reset inside a sequence" if resets else ""


def by_torch(run: Run) -> tuple[Tensor, Values, Values]:
    """Compute a run by torch's kernel; the same results as the loop's, to rounding.

    Under autocast numbers are cast to its dtype, which is that of the results. All steps are kept for the way back,
    whatever ``checkpoint`` is.
    """
    kind = run.x.device.type
    if torch.is_autocast_enabled(kind):
        with torch.autocast(kind, enabled=False):
            return by_torch(narrowed(run))
    stacks = stacking(run.cell)
    assert stacks is not None
    if not run.x.numel() or (run.lengths is not None and not run.lengths.any()):
        return loop(run)  # torch refuses sequences without steps
    call = _Call(stacks.function, run.lengths)
    tensors = (run.x, *(run.state[name] for name in stacks.states), *stacks.stacked(run.parameters))
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        outputs, *last = _Kernel.apply(call, *tensors)
    else:
        outputs, *last = call.results(call.laid(tensors))
    final = dict(zip(stacks.states, last, strict=True))
    return outputs, {name: final[name] for name in run.cell.states}, dict.fromkeys(run.record, outputs)


@dataclass(frozen=True)
class _Call:
    """A call of a function of torch. Its tensors are x, the states before the first step, and stacked weights."""

    function: Function
    lengths: Tensor | None

    def parts(self, tensors: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """x, states, weights."""
        x, *others = tensors
        count = len(self.function.states)
        return x, others[:count], others[count:]

    def results(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The first state over time (N, T, units), zero past the lengths, and the last states, (N, units)."""
        x, states, weights = self.parts(tensors)
        if self.lengths is None:
            return self._run((x,), states, weights, (True,))
        lengths = self.lengths.cpu()
        order = lengths.argsort(descending=True, stable=True)[: int(lengths.count_nonzero())]
        rows = order.to(x.device)  # torch wants rows by length, and at least one step in each
        packed = pack_padded_sequence(x[rows], lengths[order], batch_first=True)
        data, *last = self._run((packed.data, packed.batch_sizes), [state[rows] for state in states], weights)
        padded = PackedSequence(data, packed.batch_sizes)
        outputs, _ = pad_packed_sequence(padded, batch_first=True, total_length=x.shape[1])
        everywhere = outputs.new_zeros(x.shape[0], *outputs.shape[1:]).index_copy(0, rows, outputs)  # (N, T, units)
        return [everywhere, *(state.index_copy(0, rows, one) for state, one in zip(states, last, strict=True))]

    def _run(
        self, x: tuple[Tensor, ...], states: list[Tensor], weights: list[Tensor], batch_first: tuple[bool, ...] = ()
    ) -> list[Tensor]:
        """x is a tensor, and whether its batch is first is said; or it is packed."""
        begin = [state.unsqueeze(0).contiguous() for state in states]
        biased = len(weights) - self.function.projected > 2
        # biases or not, one layer, no dropout, kept for the way back or not, one direction
        options = (biased, 1, 0.0, torch.is_grad_enabled(), False, *batch_first)
        function = getattr(torch, self.function.name)
        outputs, *last = function(*x, begin if len(begin) > 1 else begin[0], weights, *options)
        return [outputs, *(one.squeeze(0) for one in last)]

    def laid(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors without their history, and for cuDNN the weights in one piece, as it wants them."""
        own = [tensor.detach() for tensor in tensors]
        x, states, weights = self.parts(own)
        if x.is_cuda and cudnn.is_acceptable(x) and _use_cudnn_rnn_flatten_weight():
            mode = cudnn_rnn.get_cudnn_mode(_CUDNN_MODES[self.function.name])
            first, last = states[0].shape[1], states[-1].shape[1]
            sizes = (x.shape[2], mode, last, first if self.function.projected else 0, 1)  # of one layer
            with torch.no_grad(), torch.cuda.device_of(x):
                _cudnn_rnn_flatten_weight(weights, len(weights), *sizes, self.lengths is None, False)
        return own


class _Kernel(torch.autograd.Function):
    """The kernel as autograd sees it. Its gradients are those of torch; theirs, which cuDNN has not, are the loop's."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Tensor) -> tuple[Tensor, ...]:  # pyright: ignore
        own = call.laid(tensors)
        for tensor, need in zip(own, ctx.needs_input_grad[1:], strict=True):
            tensor.requires_grad_(need)
        with torch.enable_grad():
            results = call.results(own)
        ctx.save_for_backward(*tensors)
        ctx.call, ctx.own, ctx.results = call, own, results
        return tuple(result.detach() for result in results)

    @staticmethod
    def backward(ctx: Any, *arriving: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        tensors = ctx.saved_tensors  # raises where they are given back
        if torch.is_grad_enabled():  # somebody will differentiate these gradients once more
            with torch.autocast(tensors[0].device.type, enabled=False):
                results, inputs, how = _by_the_loop(ctx.call, tensors), tensors, {"create_graph": True}
        else:
            results, inputs, how = ctx.results, ctx.own, {"retain_graph": graph_is_kept()}
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        pairs = [pair for pair in zip(results, arriving, strict=True) if pair[0].requires_grad]
        results, arriving = zip(*pairs, strict=True)  # one step's c does not depend on a projection
        found = iter(torch.autograd.grad(results, wanted, arriving, **how))
        return None, *(next(found) if tensor.requires_grad else None for tensor in inputs)


def _by_the_loop(call: _Call, tensors: Sequence[Tensor]) -> list[Tensor]:
    """What the kernel gives, by the plain loop over the equations of torch's function."""
    x, states, weights = call.parts(tensors)
    function = call.function
    stacks = stacking(function.cell)
    assert stacks is not None
    begin = dict(zip(function.states, states, strict=True))
    outputs, final, _ = loop(prepare(function.cell, stacks.parted(weights), x, begin, call.lengths))
    return [outputs, *(final[name] for name in function.states)]
