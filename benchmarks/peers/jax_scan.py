"""jax.lax.scan, jitted, the input's products hoisted before it; training by jax.value_and_grad, jitted whole."""

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax
from torch import Tensor

from benchmarks.cases import Problem
from benchmarks.contender import Answer, Contender, Setting
from benchmarks.packing import pack, unpack
from benchmarks.steps import RECIPES


def layer_norm(a: Any) -> Any:
    away = a - a.mean(-1, keepdims=True)
    return away * lax.rsqrt((away * away).mean(-1, keepdims=True) + 1e-5)


FUNCTIONS = SimpleNamespace(
    add_product=lambda a, h, matrix: a + h @ matrix,
    exp=jnp.exp,
    layer_norm=layer_norm,
    log_sigmoid=jax.nn.log_sigmoid,
    maximum=jnp.maximum,
    relu=jax.nn.relu,
    sigmoid=jax.nn.sigmoid,
    split=lambda a, parts: jnp.split(a, parts, axis=-1),
    tanh=jnp.tanh,
)


def build(name: str, problem: Problem, mode: str, setting: Setting, variant: str) -> Contender:  # noqa: ARG001
    recipe = RECIPES[problem.case.cell]
    p = {key: jnp.asarray(value.numpy()) for key, value in pack(problem.parameters, recipe.stacks).items()}
    x, dy = jnp.asarray(problem.x_by_time.numpy()), jnp.asarray(problem.dy_by_time.numpy())
    shape = (problem.case.N, problem.case.H)

    def forward(p: Any, x: Any) -> Any:
        """x (T, N, D) -> outputs (T, N, H)."""

        def step(states: Any, now: Any) -> Any:
            states = recipe.step(FUNCTIONS, p, states, now)
            return states, states[0]

        starts = tuple(jnp.full(shape, start, x.dtype) for start in recipe.starts)
        return lax.scan(step, starts, recipe.hoist(FUNCTIONS, p, x))[1]

    if mode == "infer":
        jitted = jax.jit(forward)
        return Contender(name, lambda: jitted(p, x).block_until_ready(), lambda y: Answer(_tensor(y).transpose(0, 1)))

    def loss(p: Any, x: Any, dy: Any) -> Any:
        outputs = forward(p, x)
        return (outputs * dy).sum(), outputs

    both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))

    def answer(result: Any) -> Answer:
        (_, outputs), (gradients, dx) = result
        named = unpack({key: _tensor(value) for key, value in gradients.items()}, recipe.stacks)
        return Answer(_tensor(outputs).transpose(0, 1), {"x": _tensor(dx).transpose(0, 1), **named})

    return Contender(name, lambda: jax.block_until_ready(both(p, x, dy)), answer)


def _tensor(value: Any) -> Tensor:
    return torch.from_numpy(np.array(value))
