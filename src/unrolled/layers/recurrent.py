"""Recurrent: any cell as a layer; stacked, in one direction or both, over ragged batches; its state goes in and out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.cells.library import find_cell
from unrolled.engine.backends import resolve
from unrolled.engine.explain import Explanation, explain
from unrolled.engine.run import filled
from unrolled.engine.scan import scan
from unrolled.engine.together import Part, run_stack
from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import learned_start
from unrolled.errors import UsageError
from unrolled.layers.initialise import initialise
from unrolled.layers.parameters import CellParameters
from unrolled.layers.reversal import reset_reversed_in_time, reversed_in_time
from unrolled.layers.streaming import Holding, LayerStream
from unrolled.state import State

DIRECTIONS = ("forward", "reverse")


class Recurred(NamedTuple):
    """What a layer gives."""

    outputs: Tensor | PackedSequence
    """The last layer's outputs, (N, T, size), both directions side by side; packed where the input was."""
    state: State
    """Every layer's and direction's state behind the last valid step: ``state["0.forward.h"]``."""
    recorded: dict[str, Tensor]
    """Recorded quantities over time, (N, T, size), by layer, direction and name; reverse ones at the steps they are."""


class Recurrent(nn.Module):
    """A cell run over sequences, stacked in layers.

    Args:
        cell: A name of the library (``unrolled cells`` lists them), a text file of equations, or a Cell.
        input_size: D, the numbers in one step of the input.
        hidden_size: H, the units of a layer; a sequence gives each layer its own.
        num_layers: L; each layer reads the outputs of the one below.
        bidirectional: A second cell a layer reads each sequence backwards; outputs stand side by side.
        dropout: The share of outputs dropped between layers in training.
        residual: Each layer but the first adds its input to its output (both must have one size).
        learn_initial_state: The state begins from learned vectors instead of the cell's start.
        sizes: The cell's named sizes, such as ``{"projection": 64}``.
        chrono: Chrono initialisation for dependencies of up to so many steps (gated cells).
        backend: See :func:`unrolled.scan`.
        checkpoint: See :func:`unrolled.scan`.

    Raises:
        UsageError: a name, size or option does not fit the cell.
    """

    def __init__(
        self,
        cell: str | Path | Cell,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        residual: bool = False,
        learn_initial_state: bool = False,
        sizes: Mapping[str, int] | None = None,
        chrono: float | None = None,
        backend: str = "auto",
        checkpoint: int | None = None,
    ) -> None:
        super().__init__()
        self.cell = learned_start(find_cell(cell)) if learn_initial_state else find_cell(cell)
        self.input_size, self.num_layers = input_size, num_layers
        self.hidden_sizes = _per_layer(hidden_size, num_layers)
        self.directions = DIRECTIONS if bidirectional else DIRECTIONS[:1]
        self.residual, self.chrono, self.backend, self.checkpoint = residual, chrono, backend, checkpoint
        self.sizes = dict(sizes or {})
        resolve(backend)
        if not 0.0 <= dropout < 1.0:
            raise UsageError(f"dropout is a share from 0 to below 1, and is {dropout}.")
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList()
        width = input_size
        for index, hidden in enumerate(self.hidden_sizes):
            both = [CellParameters(self.cell, width, hidden, self.sizes) for _ in self.directions]
            above = sum(one.output_size for one in both)
            if residual and index and above != width:
                raise UsageError(
                    f"residual: layer {index} takes {width} numbers and gives {above}; they must be equal."
                )
            self.layers.append(nn.ModuleList(both))
            width = above
        self.output_size = width
        self._places = [f"{layer}.{direction}" for layer in range(num_layers) for direction in self.directions]
        self._state_names = {f"{place}.{name}" for place in self._places for name in self.cell.states}
        self._stream_names = [[f"{layer}.forward.{name}" for name in self.cell.states] for layer in range(num_layers)]
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter anew (:func:`unrolled.layers.initialise.initialise`)."""
        for layer in range(self.num_layers):
            for direction in self.directions:
                one = self.one(layer, direction)
                initialise(self.cell, one.shapes, one.named(), self.chrono)

    def cell_parameters(self, layer: int = 0, direction: str = "forward") -> dict[str, Tensor]:
        """The parameters of one layer and direction by the equations' names: ``"W_i"``, ``"U_i"``, ``"b_i"``."""
        if not 0 <= layer < self.num_layers or direction not in self.directions:
            have = f"layers 0 to {self.num_layers - 1}, directions {', '.join(self.directions)}"
            raise UsageError(f"there is no layer {layer}, direction '{direction}'; there are {have}.")
        return self.one(layer, direction).named()

    def initial_state(self, batch_size: int) -> State:
        """The state before the first step, for a batch of N rows."""
        parts = {}
        for layer in range(self.num_layers):
            for direction in self.directions:
                one = self.one(layer, direction)
                starts = {name: self.cell.program.starts[name] for name in self.cell.states}
                like = next(self.parameters(), torch.empty(0))
                parts[f"{layer}.{direction}"] = {
                    name: one.named()[start].expand(batch_size, -1)
                    if isinstance(start, str)
                    else filled(like, (batch_size, one.state_sizes[name]), start)
                    for name, start in starts.items()
                }
        return State.join(parts)

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: Mapping[str, Tensor] | None = None,
        lengths: Tensor | None = None,
        reset: Tensor | None = None,
        record: Sequence[str] = (),
        noise: Mapping[str, Tensor] | None = None,
    ) -> Recurred:
        """Run over a batch.

        Args:
            x: (N, T, D), or a PackedSequence, which brings its lengths.
            state: What to begin from, as a former call gave it; the start of the cell where it is left out.
            lengths: Valid steps of each row, (N,), zero allowed. Past them outputs are zero and nothing is read.
            reset: (N, T), true where the state returns to its start before that step.
            record: Quantities of the equations to return over time, for every layer and direction.
            noise: Values of the cell's noise by layer, direction and name, instead of what training would draw.
        """
        packed = x if isinstance(x, PackedSequence) else None
        if isinstance(x, PackedSequence):
            if lengths is not None:
                raise UsageError("a PackedSequence brings its lengths; leave lengths out.")
            x, lengths = pad_packed_sequence(x, batch_first=True)
        if x.dim() != 3 or x.shape[2] != self.input_size:
            raise UsageError(f"x is (N, T, {self.input_size}), and has shape {tuple(x.shape)}.")
        given = None if state is None else self._checked(state)
        for name in noise or ():
            if name.rpartition(".")[2] not in self.cell.noise or name.rpartition(".")[0] not in self._places:
                known = ", ".join(self.cell.noise) or "none"
                raise UsageError(f"there is no noise '{name}' here; cell {self.cell.name} has {known}.")
        states, recorded, values = {}, {}, x
        special = record or noise or lengths is not None or reset is not None
        stack = None if special else self._stacked(x, given)
        if stack is not None:
            return stack
        for layer in range(self.num_layers):
            below = self.dropout(values) if layer else values
            sides = []
            for direction in self.directions:
                place = f"{layer}.{direction}"
                part = None if given is None else given.part(place)
                result = self._run(layer, direction, below, part, lengths, reset, record, _at(place, noise))
                sides.append(result.outputs)
                states |= {f"{place}.{name}": value for name, value in result.state.items()}
                recorded |= {f"{place}.{name}": value for name, value in result.recorded.items()}
            values = torch.cat(sides, -1) if len(sides) > 1 else sides[0]  # (N, T, size)
            values = values + below if self.residual and layer else values
        outputs = values if packed is None else _pack_like(values, lengths, packed)
        return Recurred(outputs, State.of_one_batch(states), recorded)

    def _stacked(self, x: Tensor, state: State | None) -> Recurred | None:
        """All layers side by side; None where that cannot be done, or one by one is as fast."""
        alike = self.num_layers > 1 and len(self.directions) == 1 and not self.residual and not self.checkpoint
        if not alike or self._is_random() or not self._compiles():
            return None
        ones = [self.one(layer, "forward") for layer in range(self.num_layers)]
        given = [None if state is None else state.part(f"{layer}.forward") for layer in range(self.num_layers)]
        found = run_stack([Part(one.repeat, one.named(), own) for one, own in zip(ones, given, strict=True)], x)
        if found is None:
            return None
        states = State.join({f"{layer}.forward": one.state for layer, one in enumerate(found)})
        return Recurred(found[-1].outputs, states, {})

    def step(self, x: Tensor, state: Mapping[str, Tensor] | None = None) -> tuple[Tensor, State]:
        """One step of a stream: x (N, D) and the state so far give the output (N, size) and the next state."""
        self._causal()
        if x.dim() != 2:
            raise UsageError(f"one step takes (N, {self.input_size}), and is given {tuple(x.shape)}.")
        fast = None if state is None or torch.is_grad_enabled() else self._streamed(x, state)
        if fast is not None:
            return fast
        outputs, after, _ = self(x.unsqueeze(1), state)
        return outputs.squeeze(1), after

    def stream(self, batch_size: int = 1, state: Mapping[str, Tensor] | None = None) -> LayerStream:
        """The layer over a stream of so many rows, from a state on: ``y = stream(x)`` for x (N, D) is one step.

        It keeps the state itself, and gives no gradients; a step costs less than one of :meth:`step`.
        """
        self._causal()
        return LayerStream(self, batch_size, None if state is None else self._checked(state))

    @property
    def state_names(self) -> Sequence[Sequence[str]]:
        """Of each layer its states' names, as the State of a layer in one direction has them."""
        return self._stream_names

    def hold(self, x: Tensor, state: Mapping[str, Tensor]) -> list[Holding]:
        """Each layer's stream from a state on; nothing where steps must be general. :meth:`stream` asks for it."""
        held, like = [], x
        general = x.dim() != 2 or x.shape[1] != self.input_size or (self.residual and self.num_layers > 1)
        if general or self._is_random() or self.backend not in ("auto", "cpu"):
            return []
        for layer, names in enumerate(self._stream_names):
            one = self.one(layer, "forward")
            own = one.stream.hold(one.named(), like, [state[name] for name in names])
            if own is None:
                return []
            held.append((own, one.named))
            like = x.new_empty(x.shape[0], one.output_size)
        return held

    def _causal(self) -> None:
        if len(self.directions) > 1:
            raise UsageError("a bidirectional layer reads the future, and cannot go step by step.")

    def _is_random(self) -> bool:
        return self.training and bool(self.cell.noise or (self.num_layers > 1 and self.dropout.p))

    def _compiles(self) -> bool:
        return self.backend in ("auto", "cpu") and not torch.compiler.is_compiling()

    def _streamed(self, x: Tensor, state: Mapping[str, Tensor]) -> tuple[Tensor, State] | None:
        """One step without gradients by each layer's stream; None where that cannot do it."""
        if self._is_random() or not self._compiles() or x.shape[1] != self.input_size:
            return None
        if state.keys() != self._state_names:
            self._checked(state)
        after, values = {}, x
        for layer, names in enumerate(self._stream_names):
            one = self.one(layer, "forward")
            done = one.stream.step(one.named(), values, [state[name] for name in names])
            if done is None:
                return None
            outputs, states = done
            after.update(zip(names, states, strict=True))
            values = outputs + values if self.residual and layer else outputs
        return values, State.of_one_batch(after)

    def explain(self, batch_size: int, steps: int, layer: int = 0) -> Explanation:
        """How one layer is computed over N rows and T steps, and why; the reverse direction is computed alike."""
        like = next(iter(self.cell_parameters(layer).values()), torch.empty(0))
        below = [self.one(layer - 1, direction).output_size for direction in self.directions if layer]
        given = (batch_size, steps, sum(below) or self.input_size, self.hidden_sizes[layer])
        how = {"dtype": like.dtype, "device": like.device, "training": self.training, "backend": self.backend}
        return explain(self.cell, *given, sizes=self.sizes, **how)

    def extra_repr(self) -> str:
        sizes = "-".join(map(str, self.hidden_sizes))
        return f"{self.cell.name}, {self.input_size} -> {sizes}{', bidirectional' * (len(self.directions) > 1)}"

    def _checked(self, state: Mapping[str, Tensor]) -> State:
        if state.keys() != self._state_names:
            wanted = ", ".join(f"{place}.{name}" for place in self._places for name in self.cell.states)
            given = ", ".join(state) or "nothing"
            raise UsageError(f"the state of this layer holds {wanted}, and {given} is given.")
        return state if isinstance(state, State) else State(state)

    def one(self, layer: int, direction: str) -> CellParameters:
        """What holds the parameters of one layer and direction."""
        layers = self._modules["layers"]  # plain look-ups: a stream asks at every step
        assert layers is not None
        both = layers._modules[str(layer)]
        assert both is not None
        one = both._modules[str(DIRECTIONS.index(direction))]
        assert isinstance(one, CellParameters)
        return one

    def _run(
        self,
        layer: int,
        direction: str,
        x: Tensor,
        state: State | None,
        lengths: Tensor | None,
        reset: Tensor | None,
        record: Sequence[str],
        given: dict[str, Tensor],
    ) -> Recurred:
        one, backwards = self.one(layer, direction), direction == "reverse"
        if backwards:
            x = reversed_in_time(x, lengths)
            reset = None if reset is None else reset_reversed_in_time(reset.bool(), lengths)
            steps = {name for name, noise in self.cell.noise.items() if noise.per == "step"}
            given |= {name: reversed_in_time(given[name], lengths) for name in steps & given.keys()}
        own, noise = one.named(), {**one.draw_noise(x), **given}
        special = noise or record or lengths is not None or reset is not None or torch.is_grad_enabled()
        found = None if special or not self._compiles() else one.repeat.run(own, x, state)
        if found is None:
            how = (x, state, lengths, reset, record, self.backend, self.checkpoint)
            found = scan(self.cell, {**own, **noise}, *how)
        outputs, after, recorded = found
        if backwards:
            outputs = reversed_in_time(outputs, lengths)
            recorded = {name: reversed_in_time(value, lengths) for name, value in recorded.items()}
        return Recurred(outputs, after, recorded)


def _per_layer(hidden_size: int | Sequence[int], num_layers: int) -> tuple[int, ...]:
    if num_layers < 1:
        raise UsageError(f"there is at least one layer, and num_layers is {num_layers}.")
    sizes = (hidden_size,) * num_layers if isinstance(hidden_size, int) else tuple(hidden_size)
    if len(sizes) != num_layers:
        raise UsageError(f"{num_layers} layers want {num_layers} hidden sizes, and {len(sizes)} are given: {sizes}.")
    return sizes


def _at(place: str, noise: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    """What is given for one layer and direction, by the cell's own names."""
    start = f"{place}."
    return {name[len(start) :]: value for name, value in (noise or {}).items() if name.startswith(start)}


def _pack_like(values: Tensor, lengths: Tensor | None, packed: PackedSequence) -> PackedSequence:
    """``values`` (N, T, size) packed in the order in which ``packed`` came."""
    assert lengths is not None
    order = packed.sorted_indices
    sorted_values, sorted_lengths = (values, lengths) if order is None else (values[order], lengths[order.cpu()])
    again = pack_padded_sequence(sorted_values, sorted_lengths.cpu(), batch_first=True, enforce_sorted=True)
    return PackedSequence(again.data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
