"""Memory that is used again: fresh pages for what a pass keeps cost more time than the arithmetic."""

import ctypes
import mmap
import weakref
from collections import deque
from math import prod
from threading import Lock

import torch
from torch import Tensor

_HUGE = 1 << 21
_KEPT = 1 << 30
"""Bytes that may lie idle before the longest unused block is given back to the system."""


_SMALL = 1 << 20
"""Bytes up to which a borrowed block stays ready: above, an arithmetic that needs it takes longer than to find one."""
_LARGE = 1 << 19
"""Bytes from which on the system gives and takes memory page by page, and fresh pages cost more than the arithmetic."""
_LEAST = 1 << 12
"""Bytes of the smallest block."""
_SIZES = 64
"""Sizes of blocks that may lie ready."""


class Block:
    """A piece of memory with huge pages where the system has them."""

    def __init__(self, size: int) -> None:
        self.size = size
        private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
        self._map = mmap.mmap(-1, size + _HUGE, **private)  # shared, a forked child would write into its parent
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.address = -(-start // _HUGE) * _HUGE


class Arena:
    """Blocks that are lent out as tensors and come back when the last view of the tensor is gone.

    Args:
        least: Bytes from which a tensor is a block; smaller ones torch's own allocator has at hand.
    """

    def __init__(self, least: int = _LARGE) -> None:
        self._least = least
        self._idle: list[Block] = []
        self._returned: deque[Block] = deque()  # a tensor may end at any moment, even while the lock is held
        self._ready: dict[tuple[int, torch.dtype], list[Tensor]] = {}
        self._lock = Lock()

    def tensor(self, numbers: int, dtype: torch.dtype) -> Tensor:
        """A tensor of so many numbers, of any value."""
        size = numbers * dtype.itemsize
        if size < self._least:
            return torch.empty(max(1, numbers), dtype=dtype)
        block = self._take(max(_LEAST, size))
        memory = (ctypes.c_char * block.size).from_address(block.address)
        weakref.finalize(memory, self._returned.append, block).atexit = False
        return torch.frombuffer(memory, dtype=dtype, count=numbers)

    def array(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """A new tensor of any value, for a result; a large one lies in memory that was used before."""
        numbers = prod(shape)
        if numbers * dtype.itemsize < _LARGE:
            return torch.empty(shape, dtype=dtype)
        # No view of another tensor: autograd lets nobody change a view that a function gives.
        storage = self.tensor(numbers, dtype).untyped_storage()
        return torch.empty(0, dtype=dtype).set_(storage, 0, shape)  # pyright: ignore[reportCallIssue, reportArgumentType]

    def borrow(self, numbers: int, dtype: torch.dtype) -> Tensor:
        """A tensor for one pass, which :meth:`give_back` keeps as it is for the next of its size."""
        try:
            return self._ready[numbers, dtype].pop()
        except LookupError:
            with torch.inference_mode(False):  # the next pass may be outside of it
                return self.tensor(numbers, dtype)

    def give_back(self, memory: Tensor, numbers: int) -> None:
        """End what :meth:`borrow` began; nobody may hold a view of the tensor any longer. Large ones are let go."""
        if memory.nbytes <= _SMALL:
            if len(self._ready) == _SIZES and (numbers, memory.dtype) not in self._ready:
                self._ready.clear()
            self._ready.setdefault((numbers, memory.dtype), []).append(memory)

    def _take(self, size: int) -> Block:
        """The smallest idle block that is large enough and not wastefully large, or a new one."""
        with self._lock:
            while self._returned:
                self._idle.append(self._returned.popleft())
            while sum(one.size for one in self._idle) > _KEPT:
                self._idle.pop(0)
            fits = [block for block in self._idle if size <= block.size <= 2 * size]
            if fits:
                best = min(fits, key=lambda block: block.size)
                self._idle.remove(best)
                return best
        rounded = 1 << (size - 1).bit_length() if size < _HUGE else -(-size // _HUGE) * _HUGE
        return Block(rounded)


ARENA = Arena()
"""The process's own; blocks lent out before a fork stay each process's own after it."""
