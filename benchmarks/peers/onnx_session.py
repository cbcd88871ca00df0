"""onnxruntime: one LSTM, GRU or RNN node, weights inside the model; whole sequences, or one step with its state."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, Setting

OPERATORS: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "lstm": ("LSTM", ("_i", "_o", "_f", "_g"), {}),
    "lstm_peephole": ("LSTM", ("_i", "_o", "_f", "_g"), {}),
    "gru_reset_after": ("GRU", ("_z", "_r", "_h"), {"linear_before_reset": 1}),
    "gru": ("GRU", ("_z", "_r", "_h"), {"linear_before_reset": 0}),
    "elman": ("RNN", ("",), {}),
}
"""By cell: the operator, our gates in its order, its attributes."""


def states_of(cell: str) -> tuple[str, ...]:
    """The states that the operator hands on."""
    return ("h", "c") if cell.startswith("lstm") else ("h",)


def model(cell: str, parameters: Mapping[str, Tensor], hidden: int, with_state: bool) -> bytes:
    """A model of one node: X (T, N, D) and, with state, initial_h (1, N, H) go in; Y (T, 1, N, H) and Y_h come out."""
    operator, gates, attributes = OPERATORS[cell]
    p = {name: value.numpy() for name, value in parameters.items()}
    second = [p["c_h"] if f"c{gate}" in p else np.zeros_like(p[f"b{gate}"]) for gate in gates]
    weights = {
        "W": np.concatenate([p[f"W{gate}"] for gate in gates]),
        "R": np.concatenate([p[f"U{gate}"] for gate in gates]),
        "B": np.concatenate([*(p[f"b{gate}"] for gate in gates), *second]),
    }
    if cell == "lstm_peephole":
        weights["P"] = np.concatenate([p["p_i"], p["p_o"], p["p_f"]])
    states = states_of(cell) if with_state else ()
    inputs = ["X", "W", "R", "B", "", *(f"initial_{state}" for state in states)]
    if "P" in weights:
        inputs = [*inputs, *[""] * (7 - len(inputs)), "P"]
    outputs = ["Y", *(f"Y_{state}" for state in states)]
    node = helper.make_node(operator, inputs, outputs, hidden_size=hidden, **attributes)
    fed = ["X", *(f"initial_{state}" for state in states)]
    graph = helper.make_graph(
        [node],
        "one_operator",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 3) for name in fed],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * (4 if name == "Y" else 3))
            for name in outputs
        ],
        [numpy_helper.from_array(value[None], name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def session(made: bytes, threads: int) -> onnxruntime.InferenceSession:
    """The model loaded, on so many threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(made, options, providers=["CPUExecutionProvider"])


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:  # noqa: ARG001
    made = session(model(problem.case.cell, problem.parameters, problem.case.H, with_state=False), setting.threads)
    feeds = {"X": problem.x_by_time.numpy()}

    def answer(outputs: list[Any]) -> Answer:
        return Answer(torch.from_numpy(outputs[0]).squeeze(1).transpose(0, 1))

    return Contender(name, lambda: made.run(["Y"], feeds), answer)
