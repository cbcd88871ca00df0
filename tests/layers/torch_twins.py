"""Pairs of one torch.nn module and its drop-in with the same weights, what to feed both, and their comparison."""

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import unrolled
from tolerance import assert_close

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "RNN": ("RNN", {}),
    "RNN relu": ("RNN", {"nonlinearity": "relu"}),
    "GRU": ("GRU", {}),
    "LSTM": ("LSTM", {}),
    "LSTM projected": ("LSTM", {"proj_size": 2}),
}
"""Every function that torch.nn's three classes compute, by its class and options."""

STEPS, BATCH, WIDTH, HIDDEN = 5, 3, 2, 4
INPUTS = ("batched", "unbatched", "packed", "packed, unsorted", "packed, all as long")
LENGTHS = {"packed": [5, 3, 1], "packed, unsorted": [2, 5, 4], "packed, all as long": [5, 5, 5]}

Result = tuple[Any, Any]


def grid() -> list[tuple[str, dict[str, Any]]]:
    """Every kind in one layer and two, in one direction and both, with biases and without."""
    return [
        (kind, {"num_layers": layers, "bidirectional": both, "bias": bias})
        for kind, layers, both, bias in product(KINDS, (1, 2), (False, True), (True, False))
    ]


def twins(kind: str, **options: Any) -> tuple[nn.Module, nn.Module]:
    """torch's module and ours, in float64, with the same weights."""
    name, own = KINDS[kind]
    sizes = (WIDTH, HIDDEN)
    theirs = getattr(nn, name)(*sizes, **own, **options, dtype=torch.float64)
    ours = getattr(unrolled, name)(*sizes, **own, **options, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def feed(what: str, batch_first: bool) -> tuple[Tensor, Callable[[Tensor], Tensor | PackedSequence]]:
    """A leaf that wants its gradient, and the function from it to the input of one of INPUTS."""
    shape = (BATCH, STEPS, WIDTH) if batch_first else (STEPS, BATCH, WIDTH)
    x = torch.randn((STEPS, WIDTH) if what == "unbatched" else shape, dtype=torch.float64)
    if what not in LENGTHS:
        return x, lambda leaf: leaf
    sort = what == "packed"
    return x, lambda leaf: pack_padded_sequence(leaf, LENGTHS[what], batch_first, enforce_sorted=sort)


def states(module: Any, what: str) -> tuple[Tensor, ...]:
    """Random states to begin from: h, or h and c."""
    places = module.num_layers * (1 + module.bidirectional)
    rows = () if what == "unbatched" else (BATCH,)
    units = (module.proj_size or HIDDEN, HIDDEN)[: 2 if isinstance(module, nn.LSTM) else 1]
    return tuple(torch.randn(places, *rows, size, dtype=torch.float64) for size in units)


def parts(result: Result) -> list[Tensor]:
    """The tensors of ``output, h_n`` or ``output, (h_n, c_n)``, in order."""
    output, last = result
    data = output.data if isinstance(output, PackedSequence) else output
    return [data, *(last if isinstance(last, tuple) else (last,))]


def loss(result: Result) -> Tensor:
    """A sum in which every number has a weight of its own, so that no gradient equals another's."""
    return sum(((part * torch.linspace(-1, 1, part.numel()).view(part.shape)).sum() for part in parts(result)), 0.0)


def agree(
    theirs: nn.Module,
    ours: nn.Module,
    x: Tensor,
    given: Callable[[Tensor], Any] = lambda leaf: leaf,
    hx: tuple[Tensor, ...] | None = None,
) -> None:
    """Raise AssertionError unless outputs, last states and every gradient of the two are equal."""
    results, gradients = [], []
    for module in (theirs, ours):
        leaves = [one.clone().requires_grad_() for one in (x, *(hx or ()))]
        start = tuple(leaves[1:]) if isinstance(module, nn.LSTM) else leaves[-1]
        result = module(given(leaves[0]), start) if hx else module(given(leaves[0]))
        names, weights = zip(*module.named_parameters(), strict=True)
        found = torch.autograd.grad(loss(result), [*leaves, *weights])
        results.append(result)
        gradients.append(dict(zip((*range(len(leaves)), *names), found, strict=True)))
    expected, actual = results
    assert type(actual[0]) is type(expected[0])
    assert type(actual[1]) is type(expected[1])
    if isinstance(expected[0], PackedSequence):
        for one, other in zip(actual[0][1:], expected[0][1:], strict=True):
            assert (one is None) == (other is None)
            assert one is None or torch.equal(one, other)
    for one, other in zip(parts(actual), parts(expected), strict=True):
        assert_close(one, other, "loop, torch.nn")
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert_close(gradients[1][name], gradient, "loop, torch.nn")
