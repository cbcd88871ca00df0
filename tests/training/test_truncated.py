"""Truncated backpropagation through time: each window's gradient is that of an unrolling written out by hand.

TBPTT(k1, k2): the text is read in windows of k1 steps. The gradient of a window's losses goes back through the window
and the k2 - k1 steps before it (or to the stream's beginning, where that is nearer), to a state that is only carried.
"""

from collections.abc import Iterator, Mapping

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tolerance import assert_close
from unrolled.layers.recurrent import Recurrent
from unrolled.training.truncated import Carry, read_window
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.tokens import Embedding, TokenScores

ROWS, STEPS, HIDDEN, TOKENS = 2, 23, 5, 7
Gradients = dict[str, Tensor]

WINDOWS = {
    "k2 = k1": (5, 5),
    "k2 - k1 is less than a window": (5, 8),
    "k2 - k1 is two windows": (4, 12),
    "k2 - k1 is no multiple of k1, and more than two windows": (3, 10),
    "windows of one step": (1, 4),
    "k2 is longer than the text": (5, 64),
    "one window is the text": (23, 23),
}
on_windows = pytest.mark.parametrize(("window", "back"), WINDOWS.values(), ids=WINDOWS)
on_starts = pytest.mark.parametrize("learned_start", [False, True], ids=["start at zero", "learned start"])


def make_network(learned_start: bool) -> ManyToMany:
    """An LSTM in double precision that scores tokens; what is learned of its start is not zero."""
    torch.manual_seed(3)
    recurrent = Recurrent("lstm", 4, HIDDEN, learn_initial_state=learned_start)
    network = ManyToMany(Embedding(TOKENS, 4), recurrent, TokenScores(HIDDEN, TOKENS)).double()
    for parameter in network.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, std=0.5)
    return network.eval()


def make_text() -> tuple[Tensor, Tensor]:
    """Inputs and targets, (N, T) each."""
    ids = torch.randint(TOKENS, (ROWS, STEPS + 1), generator=torch.Generator().manual_seed(4))
    return ids[:, :-1], ids[:, 1:]


def windows(window: int) -> Iterator[slice]:
    """The steps of each window; the last may be shorter."""
    return (slice(first, min(first + window, STEPS)) for first in range(0, STEPS, window))


def loss_of(scores: Tensor, targets: Tensor) -> Tensor:
    """The sum of -log p over rows and steps."""
    return cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="sum")


def gradients(network: ManyToMany, loss: Tensor) -> Gradients:
    """The gradient of every parameter, zeros where the loss does not see it."""
    named = dict(network.named_parameters())
    values = torch.autograd.grad(loss, list(named.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(named, values, strict=True))


def read_in_windows(network: ManyToMany, window: int, back: int) -> tuple[Tensor, list[Gradients]]:
    """What the trainer does: all outputs (N, T, V), and the gradient of each window's loss."""
    inputs, targets = make_text()
    carry: Carry | None = None
    outputs, found = [], []
    for steps in windows(window):
        scores, carry = read_window(network, inputs[:, steps], carry, back)
        outputs.append(scores.detach())
        found.append(gradients(network, loss_of(scores, targets[:, steps])))
    return torch.cat(outputs, 1), found


def lstm_step(p: Mapping[str, Tensor], x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """One step as the paper writes it; x (N, D), h and c (N, H)."""
    i, f, o = (torch.sigmoid(x @ p[f"W_{g}"].T + h @ p[f"U_{g}"].T + p[f"b_{g}"]) for g in "ifo")
    c = f * c + i * torch.tanh(x @ p["W_g"].T + h @ p["U_g"].T + p["b_g"])
    return o * torch.tanh(c), c


def unrolled_by_hand(network: ManyToMany, steps: slice, extra: int) -> Gradients:
    """The gradient of a window's loss with the state cut loose ``extra`` steps before the window."""
    inputs, targets = make_text()
    p = network.recurrent.cell_parameters()
    table, linear = network.input_side.weight, network.output_side.linear
    h, c = (
        p[f"{name}_0"].expand(ROWS, -1) if f"{name}_0" in p else torch.zeros(ROWS, HIDDEN).double() for name in "hc"
    )
    loss = torch.zeros(()).double()
    for t in range(steps.stop):
        if t == steps.start - extra and t > 0:
            h, c = h.detach(), c.detach()
        h, c = lstm_step(p, table[inputs[:, t]], h, c)
        if t >= steps.start:
            loss = loss + loss_of(linear(h).unsqueeze(1), targets[:, t : t + 1])
    return gradients(network, loss)


@on_starts
@on_windows
def test_each_window_has_the_gradient_of_its_unrolling(window: int, back: int, learned_start: bool) -> None:
    network = make_network(learned_start)
    _, found = read_in_windows(network, window, back)
    assert len(found) == len(list(windows(window)))
    for steps, one in zip(windows(window), found, strict=True):
        expected = unrolled_by_hand(network, steps, back - window)
        for name, value in one.items():
            assert_close(value, expected[name], "loop, torch.nn")


@on_starts
@on_windows
def test_outputs_are_those_of_one_uninterrupted_run(window: int, back: int, learned_start: bool) -> None:
    network = make_network(learned_start)
    outputs, _ = read_in_windows(network, window, back)
    assert_close(outputs, network(make_text()[0]).outputs.detach(), "loop, other batch")


@on_starts
def test_with_k2_beyond_the_text_the_windows_add_up_to_full_backpropagation(learned_start: bool) -> None:
    network = make_network(learned_start)
    inputs, targets = make_text()
    whole = gradients(network, loss_of(network(inputs).outputs, targets))
    _, found = read_in_windows(network, 4, STEPS + 4)
    for name, value in whole.items():
        assert_close(torch.stack([one[name] for one in found]).sum(0), value, "loop, torch.nn")


def test_a_longer_k2_is_another_gradient() -> None:
    """Else the tests above could not tell one truncation from another."""
    network = make_network(False)
    found = [read_in_windows(network, 4, back)[1][-1]["input_side.table.weight"] for back in (4, 6, 12, STEPS)]
    for shorter, longer in zip(found, found[1:], strict=False):
        assert (shorter - longer).norm() > 1e-4 * longer.norm()


def test_a_carry_holds_k2_minus_k1_inputs_and_no_graph() -> None:
    network, (inputs, _) = make_network(False), make_text()
    carry: Carry | None = None
    held = []
    for steps in windows(4):
        _, carry = read_window(network, inputs[:, steps], carry, 10)
        assert carry.inputs is not None
        assert torch.equal(carry.inputs, inputs[:, max(0, steps.stop - carry.inputs.shape[1]) : steps.stop])
        assert carry.state is None or not any(value.requires_grad for value in carry.state.values())
        held.append(carry.inputs.shape[1])
    assert held == [4, 6, 6, 6, 6, 7]  # the last window is short, and nothing comes behind it
    _, plain = read_window(network, inputs[:, :4], None, 4)
    assert plain.inputs is None
