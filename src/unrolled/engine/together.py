"""Layers of a stack side by side: each goes through time a little behind the one below it, on a thread of its own."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.engine.cpu.chain import run_chain
from unrolled.engine.cpu.form import is_small
from unrolled.engine.cpu.team import threads_now
from unrolled.engine.repeat import Begun, Repeat
from unrolled.engine.scan import Scanned


class Part(NamedTuple):
    """One run of a cell, of those that are done together."""

    repeat: Repeat
    parameters: Mapping[str, Tensor]
    state: Mapping[str, Tensor] | None


def run_stack(parts: Sequence[Part], x: Tensor) -> list[Scanned] | None:
    """What each layer of a stack gives, from the lowest, which reads x (N, T, D); None where that is not worth it.

    It is where a layer alone would take one thread: one row, and few units.
    """
    threads = threads_now(torch.get_num_threads())
    if threads == 1 or x.shape[0] != 1:
        return None
    with ExitStack() as stack:
        begun: list[Begun] = []
        for part in parts:
            one = part.repeat.begin(part.parameters, begun[-1].outputs if begun else x, part.state)
            if one is None:
                return None
            begun.append(stack.enter_context(one))
            if not one.call.alone:
                return None
        if is_small(sum(one.call.form.multiplications for one in begun)):
            return None
        for first in range(0, len(begun), threads):
            run_chain([one.call for one in begun[first : first + threads]])
        return [one.result() for one in begun]
