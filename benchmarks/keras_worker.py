"""The process in which Keras runs on one backend: builds a layer, runs it, times it, hands over what it gave.

``benchmarks.peers.keras_process`` starts it; on our side of the pipe nothing imports this file.
"""

import gc
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import keras
import numpy as np

from benchmarks.timing import wait_until_quiet


def layer_of(cell: str, units: int) -> Any:
    """The Keras layer that computes a cell of ours; Keras takes (N, T, D), as we do."""
    if cell == "lstm":
        return keras.layers.LSTM(units, return_sequences=True)
    if cell in ("gru", "gru_reset_after"):
        return keras.layers.GRU(units, return_sequences=True, reset_after=cell == "gru_reset_after")
    return keras.layers.SimpleRNN(units, return_sequences=True)


def on_torch(layer: Any, mode: str, x: Any, dy: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Run and read, on torch: eager, as Keras runs it."""
    import torch

    tx, tdy = torch.from_numpy(x), torch.from_numpy(dy)
    if mode == "infer":

        @torch.inference_mode()
        def infer() -> Any:
            return layer(tx)

        return infer, lambda outputs: (outputs.numpy(), None)
    leaves = [tx.requires_grad_(), *(weight.value for weight in layer.trainable_weights)]

    def train() -> Any:
        outputs = layer(tx)
        return outputs, torch.autograd.grad(outputs, leaves, tdy)

    return train, lambda result: (result[0].detach().numpy(), [one.numpy() for one in result[1]])


def on_jax(layer: Any, mode: str, x: Any, dy: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Run and read, on jax: ``stateless_call`` jitted whole, as Keras' own training does."""
    import jax
    import jax.numpy as jnp

    weights = [weight.value for weight in layer.trainable_weights]
    still = [weight.value for weight in layer.non_trainable_variables]
    jx, jdy = jnp.asarray(x), jnp.asarray(dy)

    def forward(weights: Any, x: Any) -> Any:
        return layer.stateless_call(weights, still, x)[0]

    if mode == "infer":
        jitted = jax.jit(forward)
        return lambda: jax.block_until_ready(jitted(weights, jx)), lambda outputs: (np.array(outputs), None)

    def loss(weights: Any, x: Any, dy: Any) -> Any:
        outputs = forward(weights, x)
        return (outputs * dy).sum(), outputs

    both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))

    def read(result: Any) -> Any:
        (_, outputs), (gradients, dx) = result
        return np.array(outputs), [np.array(one) for one in (dx, *gradients)]

    return lambda: jax.block_until_ready(both(weights, jx, jdy)), read


class Desk:
    """What is built, and the deeds that can be asked for."""

    def __init__(self) -> None:
        self.number = 0
        self.run_one: Callable[[], Any] = lambda: None
        self.read: Callable[[Any], Any] = lambda result: result
        self.result: Any = None

    def build(self, cell: str, mode: str, weights: list[Any], x: Any, dy: Any) -> int:
        """Make ready; what was built before is gone."""
        layer = layer_of(cell, weights[1].shape[0])
        layer.build(x.shape)
        layer.set_weights(weights)
        self.run_one, self.read = (on_torch if keras.backend.backend() == "torch" else on_jax)(layer, mode, x, dy)
        self.number, self.result = self.number + 1, None
        gc.collect()
        return self.number

    def _checked(self, number: int) -> None:
        if number != self.number:
            raise ValueError(f"layer {number} is asked for, and {self.number} is built")

    def run(self, number: int) -> None:
        """Run once."""
        self._checked(number)
        self.result = self.run_one()

    def time(self, number: int) -> float:
        """Run once; the seconds it took."""
        self._checked(number)
        gc.disable()
        start = time.perf_counter()
        self.run_one()
        taken = time.perf_counter() - start
        gc.enable()
        wait_until_quiet()
        return taken

    def answer(self, number: int) -> Any:
        """What ``run`` computed last, as arrays."""
        self._checked(number)
        return self.read(self.result)


def serve(pipe: Connection) -> None:
    """Answer until the other side hangs up."""
    desk = Desk()
    while True:
        try:
            deed, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = True, getattr(desk, deed)(*arguments)
        except (ValueError, TypeError, RuntimeError, AttributeError, NotImplementedError) as error:
            answer = False, f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        pipe.send(answer)
