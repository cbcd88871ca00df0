"""torch.nn's RNN, LSTM and GRU with another forward: all else is theirs; every layer and direction goes by `scan`."""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.engine.scan import Scanned, scan
from unrolled.layers.recurrent import DIRECTIONS
from unrolled.layers.reversal import reversed_in_time
from unrolled.layers.torch_weights import cell_of, torch_parameters

States = tuple[Tensor, ...]
"""The hidden state, and the LSTM's cell state behind it, each (L * directions, N, units) as torch.nn stacks them."""


class RNN(nn.RNN):
    """``torch.nn.RNN`` by :func:`unrolled.scan`, with the cells elman and elman_relu.

    Constructor, weights, ``state_dict``, call, results and kinds of errors are torch's. It raises RuntimeError or
    ValueError where shapes or dtypes do not fit, and UsageError where ``backend`` names none or cannot run.
    """

    backend: str = "auto"
    """See :func:`unrolled.scan`; an instance may be given its own."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """``output, h_n`` as torch.nn.RNN gives them."""
        output, (h_n,) = _recur(self, input, None if hx is None else (hx,))
        return output, h_n


class LSTM(nn.LSTM):
    """``torch.nn.LSTM`` by :func:`unrolled.scan`, with the cells lstm and lstm_projected; see :class:`RNN`."""

    backend: str = "auto"

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """``output, (h_n, c_n)`` as torch.nn.LSTM gives them."""
        output, (h_n, c_n) = _recur(self, input, None if hx is None else (hx[0], hx[1]))
        return output, (h_n, c_n)


class GRU(nn.GRU):
    """``torch.nn.GRU`` by :func:`unrolled.scan`, with the cell gru_reset_after; see :class:`RNN`."""

    backend: str = "auto"

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """``output, h_n`` as torch.nn.GRU gives them."""
        output, (h_n,) = _recur(self, input, None if hx is None else (hx,))
        return output, h_n


def _recur(
    module: RNN | LSTM | GRU, given: Tensor | PackedSequence, hx: States | None
) -> tuple[Tensor | PackedSequence, States]:
    if isinstance(given, PackedSequence):
        return _recur_packed(module, given, hx)
    if given.dim() not in (2, 3):
        wanted = f"(T, {module.input_size}) or, with a batch, {_batched(module)}"
        raise ValueError(f"the input is {wanted}, and has shape {tuple(given.shape)}.")
    for one in hx or ():
        if one.dim() != given.dim():
            raise RuntimeError(f"an input of {given.dim()} dimensions wants states of as many; one has {one.dim()}.")
    if given.dim() == 2:
        sides, last = _layers(module, given.unsqueeze(0), hx and tuple(one.unsqueeze(1) for one in hx), None)
        return _joined(sides).squeeze(0), tuple(one.squeeze(1) for one in last)
    if module.batch_first:
        sides, last = _layers(module, given, hx, None)
        return _joined(sides), last
    sides, last = _layers(module, given.transpose(0, 1), hx, None)
    output = _joined([side.transpose(0, 1) for side in sides])  # (T, N, size)
    return output.contiguous(), last  # as torch's, whose callers go on with output.view(-1, size)


def _recur_packed(module: RNN | LSTM | GRU, given: PackedSequence, hx: States | None) -> tuple[PackedSequence, States]:
    data, batch_sizes, order, back = given
    if data.dim() != 2:
        raise RuntimeError(f"packed data is (steps, {module.input_size}), and has shape {tuple(data.shape)}.")
    # In the packed order, longest first: the batch is padded, run and packed again without moving a row.
    x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes), batch_first=True)
    if hx is not None and order is not None:
        _check_states(module, hx, x)
        hx = tuple(one.index_select(1, order) for one in hx)
    ragged = None if batch_sizes[0] == batch_sizes[-1] else lengths.to(x.device)
    sides, last = _layers(module, x, hx, ragged)
    packed = pack_padded_sequence(_joined(sides), lengths, batch_first=True).data
    last = last if back is None else tuple(one.index_select(1, back) for one in last)
    return PackedSequence(packed, batch_sizes, order, back), last


def _layers(
    module: RNN | LSTM | GRU, x: Tensor, hx: States | None, lengths: Tensor | None
) -> tuple[list[Tensor], States]:
    """Run x (N, T, D): the last layer's outputs by direction, each (N, T, size), and the states after the last step."""
    cell, directions = cell_of(module), DIRECTIONS if module.bidirectional else DIRECTIONS[:1]
    places = list(product(range(module.num_layers), directions))
    parameters = [torch_parameters(module, layer, direction) for layer, direction in places]
    _check(module, x, hx, next(iter(parameters[0].values())).dtype)
    names = ("h", "c")[: len(cell.states)]
    last: dict[str, list[Tensor]] = {name: [] for name in names}
    sides = [x]
    for at, (layer, direction) in enumerate(places):
        if direction == DIRECTIONS[0]:
            x = _joined(sides)  # (N, T, size)
            x = _dropped(x, module.dropout) if layer and module.dropout and module.training else x
            sides = []
        start = None if hx is None else {name: value[at] for name, value in zip(names, hx, strict=True)}
        result = _one_way(module, parameters[at], x, start, lengths, direction)
        sides.append(result.outputs)
        for name, values in last.items():
            values.append(result.state[name])
    return sides, tuple(torch.stack(values) for values in last.values())


def _one_way(
    module: RNN | LSTM | GRU,
    parameters: dict[str, Tensor],
    x: Tensor,
    start: dict[str, Tensor] | None,
    lengths: Tensor | None,
    direction: str,
) -> Scanned:
    backwards = direction == "reverse"
    x = reversed_in_time(x, lengths) if backwards else x
    result = scan(cell_of(module), parameters, x, start, lengths, backend=module.backend)
    return result._replace(outputs=reversed_in_time(result.outputs, lengths)) if backwards else result


def _dropped(x: Tensor, chance: float) -> Tensor:
    """Dropout of (N, T, size) that drops what torch.nn drops after the same seed: it draws step after step."""
    return functional.dropout(x.transpose(0, 1).contiguous(), chance).transpose(0, 1)


def _joined(sides: list[Tensor]) -> Tensor:
    """The outputs of both directions side by side, or of the one there is."""
    return torch.cat(sides, -1) if len(sides) > 1 else sides[0]


def _check(module: RNN | LSTM | GRU, x: Tensor, hx: States | None, dtype: torch.dtype) -> None:
    """What torch.nn refuses, by the kinds of errors that it raises; x is (N, T, D)."""
    if x.dtype != dtype and not torch.is_autocast_enabled(x.device.type):
        raise ValueError(
            f"the input is {x.dtype} and the weights are {dtype}; bring one to the other's, by input.to({dtype}) "
            f"or module.to({x.dtype})."
        )
    if x.shape[2] != module.input_size:
        raise RuntimeError(f"a step of the input has input_size = {module.input_size} numbers, and has {x.shape[2]}.")
    if not x.shape[1]:
        raise RuntimeError("a sequence has at least one step here, and T is 0.")
    if hx is not None:
        _check_states(module, hx, x)
        for one in hx:
            if one.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
                raise RuntimeError(f"the input is {x.dtype} and a state given is {one.dtype}; bring both to one dtype.")


def _check_states(module: RNN | LSTM | GRU, hx: States, x: Tensor) -> None:
    places = module.num_layers * (2 if module.bidirectional else 1)
    for name, one, units in zip("hc", hx, (module.proj_size or module.hidden_size, module.hidden_size), strict=False):
        wanted = (places, x.shape[0], units)
        if one.shape != wanted:
            raise RuntimeError(
                f"the state {name} is (layers * directions, N, units) = {wanted}, and has shape {tuple(one.shape)}."
            )


def _batched(module: nn.RNNBase) -> str:
    return f"(N, T, {module.input_size})" if module.batch_first else f"(T, N, {module.input_size})"
