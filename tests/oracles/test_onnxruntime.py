"""LSTM, GRU and RNN against onnxruntime: both directions, ragged batches, outputs and final states, float32."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tolerance import assert_close
from unrolled.cells.elman import elman
from unrolled.cells.gru import GRU, GRU_RESET_AFTER
from unrolled.cells.lstm import LSTM, LSTM_COUPLED, LSTM_PEEPHOLE, lstm
from unrolled.equations.cell import Cell
from unrolled.layers.recurrent import Recurrent

N, T, D, H = 4, 9, 5, 6
LENGTHS = (T, 0, 4, 1)
DIRECTIONS = ("forward", "reverse", "bidirectional")
close = partial(assert_close, row="loop, onnxruntime")

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Operator:
    """An ONNX operator, and the cell of ours that it computes.

    ``gates`` are our gates in the operator's order (i o f c; z r h). Where ONNX adds a bias of the input and one of the
    recurrence, ours is split in two parts; ``second_bias`` names the gates where ours has both.
    """

    name: str
    cell: Cell
    gates: tuple[str, ...]
    second_bias: tuple[str, ...] = ()
    peepholes: tuple[str, ...] = ()
    activations: tuple[str, ...] = ()
    alphas: tuple[float, ...] = ()
    betas: tuple[float, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        return ("h", "c") if self.name == "LSTM" else ("h",)


_IOFC = ("_i", "_o", "_f", "_g")
_ZRH = ("_z", "_r", "_h")
OPERATORS = {
    "RNN tanh": Operator("RNN", elman(), ("",), activations=("Tanh",)),
    "RNN relu": Operator("RNN", elman("relu"), ("",), activations=("Relu",)),
    "RNN sigmoid": Operator("RNN", elman("sigmoid"), ("",), activations=("Sigmoid",)),
    "GRU reset before": Operator("GRU", GRU, _ZRH, attributes={"linear_before_reset": 0}),
    "GRU reset after": Operator("GRU", GRU_RESET_AFTER, _ZRH, ("_h",), attributes={"linear_before_reset": 1}),
    "LSTM": Operator("LSTM", LSTM, _IOFC),
    "LSTM with peepholes": Operator("LSTM", LSTM_PEEPHOLE, _IOFC, peepholes=("p_i", "p_o", "p_f")),
    "LSTM hard_sigmoid, softsign, relu": Operator(
        "LSTM",
        lstm("hard_sigmoid", "softsign", "relu"),
        _IOFC,
        activations=("HardSigmoid", "Softsign", "Relu"),
        alphas=(1 / 6,),
        betas=(0.5,),
    ),
    "LSTM coupled": Operator("LSTM", LSTM_COUPLED, _IOFC, attributes={"input_forget": 1}),
}

operators = pytest.mark.parametrize("name", OPERATORS)
directions = pytest.mark.parametrize("direction", DIRECTIONS)


@cache
def session(name: str, direction: str) -> onnxruntime.InferenceSession:
    """A model of the one operator, weights and all as inputs."""
    operator, both = OPERATORS[name], 2 if direction == "bidirectional" else 1
    inputs = ["X", "W", "R", "B", "sequence_lens", *(f"initial_{state}" for state in operator.states)]
    inputs += ["P"] if operator.peepholes else []
    outputs = ["Y", *(f"Y_{state}" for state in operator.states)]
    repeated = {
        "activations": operator.activations,
        "activation_alpha": operator.alphas,
        "activation_beta": operator.betas,
    }
    chosen: dict[str, Any] = {key: list(values * both) for key, values in repeated.items() if values}
    node = helper.make_node(
        operator.name, inputs, outputs, hidden_size=H, direction=direction, **chosen, **operator.attributes
    )
    ranks = {"sequence_lens": 1, "B": 2, "P": 2, "Y": 4}

    def value(one: str) -> onnx.ValueInfoProto:
        kind = TensorProto.INT32 if one == "sequence_lens" else TensorProto.FLOAT
        return helper.make_tensor_value_info(one, kind, [None] * ranks.get(one, 3))

    graph = helper.make_graph([node], "one_operator", [*map(value, inputs)], [*map(value, outputs)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def weights(name: str, ours: Mapping[str, torch.Tensor], rng: np.random.Generator) -> dict[str, Array]:
    """W (4H, D), R (4H, H), B (8H) and P (3H) of one direction, as ONNX stacks them."""
    operator = OPERATORS[name]
    p = {key: value.detach().numpy() for key, value in ours.items()}
    if name == "LSTM coupled":  # ours has the parameters of f, ONNX those of i (f's are read by none): i = 1 - f
        p |= {f"{stem}_i": -p[f"{stem}_f"] for stem in "WUb"} | {f"{stem}_f": 0 * p[f"{stem}_f"] for stem in "WUb"}
    recurrent = {gate: rng.standard_normal(H).astype(np.float32) for gate in operator.gates}
    recurrent |= {gate: p[f"c{gate}"] for gate in operator.second_bias}
    own = {gate: p[f"b{gate}"] for gate in operator.gates}
    own |= {gate: own[gate] - recurrent[gate] for gate in operator.gates if gate not in operator.second_bias}
    stacked = {
        "W": np.concatenate([p[f"W{gate}"] for gate in operator.gates]),
        "R": np.concatenate([p[f"U{gate}"] for gate in operator.gates]),
        "B": np.concatenate([*own.values(), *recurrent.values()]),
    }
    return stacked | ({"P": np.concatenate([p[one] for one in operator.peepholes])} if operator.peepholes else {})


@dataclass(frozen=True)
class Both:
    """One input through our layer and the operator: outputs (N, T, size); states (N, H) by direction and name."""

    start: dict[str, torch.Tensor]
    ours: torch.Tensor
    our_states: dict[str, torch.Tensor]
    theirs: Array
    their_states: dict[str, Array]

    def assert_states_close(self, rows: slice | list[int]) -> None:
        assert set(self.our_states) == set(self.their_states)
        for name, value in self.their_states.items():
            close(self.our_states[name][rows], value[rows])


def run_both(name: str, direction: str, lengths: tuple[int, ...], start_scale: float = 1.0) -> Both:
    operator, rng = OPERATORS[name], np.random.default_rng(1)
    layer = Recurrent(operator.cell, D, H, bidirectional=direction != "forward")
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.from_numpy(0.7 * rng.standard_normal(tuple(parameter.shape))))
    x = rng.standard_normal((N, T, D)).astype(np.float32)
    start = {
        key: torch.from_numpy(start_scale * rng.standard_normal(tuple(value.shape))).float()
        for key, value in layer.initial_state(N).items()
    }
    with torch.no_grad():
        outputs, final, _ = layer(torch.from_numpy(x), start, torch.tensor(lengths))
    wanted = layer.directions if direction == "bidirectional" else (direction,)
    first = layer.directions.index(wanted[0]) * H
    sides = [weights(name, layer.cell_parameters(0, one), rng) for one in wanted]
    feeds = {key: np.stack([side[key] for side in sides]) for key in sides[0]}
    feeds |= {"X": x.swapaxes(0, 1), "sequence_lens": np.asarray(lengths, np.int32)}
    for state in operator.states:
        feeds[f"initial_{state}"] = np.stack([start[f"0.{one}.{state}"].numpy() for one in wanted])
    y, *last = session(name, direction).run(None, feeds)  # Y (T, directions, N, H), Y_h and Y_c (directions, N, H)
    names = [f"0.{one}.{state}" for state in operator.states for one in wanted]
    return Both(
        start,
        outputs[..., first : first + len(wanted) * H],
        {one: final[one] for one in names},
        np.asarray(y).transpose(2, 0, 1, 3).reshape(N, T, len(wanted) * H),
        dict(zip(names, np.concatenate([np.asarray(one) for one in last]), strict=True)),
    )


@directions
@operators
def test_full_length(name: str, direction: str) -> None:
    both = run_both(name, direction, (T,) * N)
    close(both.ours, both.theirs)
    both.assert_states_close(slice(None))


@directions
@operators
def test_ragged_with_a_row_of_length_zero(name: str, direction: str) -> None:
    """ONNX calls Y_h "the last output value of the hidden" and says nothing of a row that has none.

    Ours is the recurrence after no step: the initial state. onnxruntime leaves zero there; that row's state is not
    compared with it here, and below it begins from zero.
    """
    both = run_both(name, direction, LENGTHS)
    close(both.ours, both.theirs)
    both.assert_states_close([row for row, length in enumerate(LENGTHS) if length])
    for key, value in both.our_states.items():
        assert torch.equal(value[LENGTHS.index(0)], both.start[key][LENGTHS.index(0)])


@directions
@operators
def test_ragged_from_zero_states_equals_in_every_row(name: str, direction: str) -> None:
    both = run_both(name, direction, LENGTHS, start_scale=0.0)
    close(both.ours, both.theirs)
    both.assert_states_close(slice(None))
