"""Run by theme memory in a fresh process: trains one layer for two steps and prints the bytes that took, as JSON.

python -m benchmarks.memory_probe VARIANT T N H CHECKPOINT THREADS SEED
"""

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.layers.recurrent import Recurrent

STATUS = Path("/proc/self/status")
OURS, CHECKPOINTED, TORCH = "unrolled", "unrolled, checkpoint", "torch.nn"


def peak_bytes() -> int:
    """The highest resident size so far."""
    if STATUS.exists():  # ru_maxrss counts what the parent held before this process began
        return _status("VmHWM")
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else 1024 * highest


def begin_anew() -> int:
    """Forget the peak so far, where the system can (Linux); returns the resident bytes now, or the peak so far."""
    if not STATUS.exists():
        return peak_bytes()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise LookupError(f"{STATUS} has no line {name}")


def layer_of(variant: str, size: int, checkpoint: int) -> Callable[[Tensor], Tensor]:
    """The layer as a function from input to outputs."""
    if variant == TORCH:
        module = nn.LSTM(size, size, batch_first=True)
        return lambda x: module(x)[0]
    options: dict[str, Any] = {"checkpoint": checkpoint} if variant == CHECKPOINTED else {}
    layer = Recurrent("lstm", size, size, **options)
    return lambda x: layer(x).outputs


def train(layer: Callable[[Tensor], Tensor], x: Tensor, dy: Tensor) -> None:
    """Forward, backward; every gradient is kept until the step is over."""
    x = x.detach().requires_grad_()
    layer(x).backward(dy)


def main(variant: str, *numbers: str) -> None:
    steps, batch, size, checkpoint, threads, seed = map(int, numbers)
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    layer = layer_of(variant, size, checkpoint)
    x, dy = torch.randn(batch, steps, size), torch.randn(batch, steps, size)
    train(layer, x[:, :2].contiguous(), dy[:, :2].contiguous())  # loads and compiles what a first call does
    outputs_and_dx = [torch.ones_like(x), torch.ones_like(x)]  # touched, so that the baseline holds them
    baseline = begin_anew()
    del outputs_and_dx
    for _ in range(2):
        train(layer, x, dy)
    print(json.dumps({"baseline": baseline, "extra": max(peak_bytes() - baseline, 0)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
