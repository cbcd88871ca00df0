"""State: what a recurrent network hands from one step, window or call to the next, as one named, batched value."""

from collections.abc import Callable, Iterator, KeysView, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from unrolled.errors import UsageError, did_you_mean


class State(Mapping[str, Tensor]):
    """Tensors by name, each (N, units), all with the same N.

    One layer in one direction names them as its cell does (``h``, ``c``); a stack puts layer and direction before the
    name (``0.forward.h``). A State is never changed: every method gives a new one.
    """

    def __init__(self, values: Mapping[str, Tensor] | None = None) -> None:
        self._values = dict(values or {})
        for name, value in self._values.items():
            if value.dim() != 2:
                raise UsageError(f"a state's tensors are (N, units), and '{name}' has shape {tuple(value.shape)}.")
        batches = {name: value.shape[0] for name, value in self._values.items()}
        if any(size != self.batch_size for size in batches.values()):
            raise UsageError(f"a state has one batch size, and these differ: {batches}.")

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._values:
            raise KeyError(
                f"the state has no {name!r}.{did_you_mean(name, self._values)} It has: {', '.join(self._values)}."
            )
        return self._values[name]

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._values.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}: {tuple(value.shape)}' for name, value in self.items())})"

    @classmethod
    def of_one_batch(cls, values: dict[str, Tensor]) -> "State":
        """A State of tensors that are known to be (N, units), all with one N: what the engine itself has made."""
        state = cls.__new__(cls)
        state._values = values
        return state

    @property
    def batch_size(self) -> int:
        """N; 0 for the state of a cell that has none."""
        return next((value.shape[0] for value in self.values()), 0)

    def part(self, prefix: str) -> "State":
        """What stands below a prefix: ``state.part("0.forward")["h"]`` is ``state["0.forward.h"]``."""
        start = prefix + "."
        return State({name.removeprefix(start): value for name, value in self.items() if name.startswith(start)})

    @staticmethod
    def join(parts: Mapping[str, Mapping[str, Tensor]]) -> "State":
        """The reverse of :meth:`part`: one state of many, each below its prefix."""
        return State({f"{prefix}.{name}": value for prefix, part in parts.items() for name, value in part.items()})

    def map(self, change: Callable[[Tensor], Tensor]) -> "State":
        """The state with ``change`` applied to each tensor."""
        return State({name: change(value) for name, value in self.items()})

    def detach(self) -> "State":
        """The same numbers, cut from the graph that computed them (truncated backpropagation through time)."""
        return self.map(Tensor.detach)

    def reset(self, mask: Tensor, start: "State | None" = None) -> "State":
        """The state with the rows where ``mask`` (N,) is true put back to ``start``, or to zero where none is given."""
        if mask.shape != (self.batch_size,):
            raise UsageError(f"reset wants a mask of shape ({self.batch_size},), and is given {tuple(mask.shape)}.")

        def one(name: str, value: Tensor) -> Tensor:
            fresh = torch.zeros_like(value) if start is None else start[name]
            return torch.where(mask.to(value.device, torch.bool).unsqueeze(-1), fresh, value)

        return State({name: one(name, value) for name, value in self.items()})

    def reorder(self, index: Tensor) -> "State":
        """The rows that ``index`` (M,) names, in its order (beam search); rows may be left out or repeated."""
        return self.map(lambda value: value.index_select(0, index.to(value.device)))

    def to(self, *args: object, **kwargs: object) -> "State":
        """The state on another device or in another dtype, by the arguments of :meth:`torch.Tensor.to`."""
        return self.map(lambda value: value.to(*args, **kwargs))  # pyright: ignore[reportCallIssue, reportArgumentType]

    def save(self, path: str | Path) -> None:
        """Write a safetensors file."""
        apart = self.detach().map(lambda value: value.cpu().clone(memory_format=torch.contiguous_format))
        try:
            save_file(dict(apart), str(path))
        except (OSError, SafetensorError) as error:
            raise UsageError(f"the state cannot be written to {path}: {error}.") from None

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "State":
        """Read a file that :meth:`save` wrote. Raises UsageError where there is none, or another kind of file."""
        try:
            return cls(load_file(str(path), device=str(device)))
        except FileNotFoundError:
            raise UsageError(f"there is no state file {path}.") from None
        except (OSError, SafetensorError) as error:
            raise UsageError(f"{path} is no state file (safetensors): {error}.") from None
