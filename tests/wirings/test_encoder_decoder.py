"""Encoder-decoder: one scan over a known target is the same as step by step, and a row is as it is alone."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.attention import ATTENTIONS
from unrolled.wirings.bridge import BRIDGES, Bridge
from unrolled.wirings.decode import Search, beam
from unrolled.wirings.encoder_decoder import EncoderDecoder, Writer
from unrolled.wirings.tokens import Embedding, TokenScores

SOURCES = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 0, 0, 0], [5, 3, 5, 0, 0]])
LENGTHS = torch.tensor([5, 2, 3])
INPUTS = torch.tensor([[1, 2, 3, 4], [1, 4, 0, 0], [1, 6, 6, 0]])
COUNTS = torch.tensor([4, 2, 3])
KINDS = [
    (*one, feeding)
    for one in product(("none", *ATTENTIONS), BRIDGES)
    for feeding in (False, True)
    if feeding is False or one[1] == "learned"
]


def made(attention: str = "additive", bridge: str = "learned", feeding: bool = False, **how: Any) -> EncoderDecoder:
    torch.manual_seed(5)
    both = attention != "dot"
    cell, layers, hidden, width = how.get("cell", "lstm"), how.get("layers", 2), 7, 6
    encoder = Recurrent(cell, width, hidden, layers, bidirectional=both)
    decoder = Recurrent(cell, width + hidden if feeding else width, hidden, layers)
    sides = Embedding(8, width), Embedding(7, width)
    return EncoderDecoder(sides, encoder, decoder, TokenScores(hidden, 7), attention, bridge, feeding)


def stepped(network: EncoderDecoder, row: int) -> Tensor:
    """The scores of one row's target (T, V), written step by step."""
    memory = network.encode(SOURCES[row : row + 1, : LENGTHS[row]], LENGTHS[row : row + 1])
    writer = Writer(network, memory)
    state, scores = writer.state, []
    for token in INPUTS[row, : COUNTS[row]]:
        one, state = writer(token.unsqueeze(0), state)
        scores.append(one)
    return torch.cat(scores)


@pytest.mark.parametrize(("attention", "bridge", "feeding"), KINDS)
def test_a_known_target_in_one_scan_is_as_step_by_step(attention: str, bridge: str, feeding: bool) -> None:
    network = made(attention, bridge, feeding).double().eval()
    with torch.no_grad():
        whole = network(SOURCES, LENGTHS, INPUTS, COUNTS)
        expected = torch.cat([stepped(network, row) for row in range(3)])
    torch.testing.assert_close(whole, expected)


@pytest.mark.parametrize("cell", ["gru", "elman"])
def test_any_cell_goes(cell: str) -> None:
    network = made(cell=cell, layers=1).double().eval()
    with torch.no_grad():
        whole = network(SOURCES, LENGTHS, INPUTS, COUNTS)
        torch.testing.assert_close(whole, torch.cat([stepped(network, row) for row in range(3)]))


@pytest.mark.parametrize(("attention", "bridge", "feeding"), KINDS)
def test_every_parameter_learns(attention: str, bridge: str, feeding: bool) -> None:
    network = made(attention, bridge, feeding)
    network(SOURCES, LENGTHS, INPUTS, COUNTS).pow(2).sum().backward()
    for name, parameter in network.named_parameters():
        read = "encoder" not in name and "source_side" not in name
        behind = name.startswith("encoder.layers.1.1.")  # the top of the reverse direction
        unused = attention == "none" and ((bridge == "zero" and not read) or (bridge == "last" and behind))
        assert unused or (parameter.grad is not None and parameter.grad.any()), name


@pytest.mark.parametrize("attention", ["none", *ATTENTIONS])
def test_what_a_row_remembers_is_what_it_has_alone(attention: str) -> None:
    network = made(attention).eval()
    with torch.no_grad():
        together = network.encode(SOURCES, LENGTHS)
        for row, length in enumerate(LENGTHS.tolist()):
            alone = network.encode(SOURCES[row : row + 1, :length], LENGTHS[row : row + 1])
            assert torch.equal(alone.values[0], together.values[row, :length])
            assert torch.equal(alone.keys[0], together.keys[row, :length])
            assert all(torch.equal(value[0], together.state[name][row]) for name, value in alone.state.items())


@pytest.mark.parametrize(("attention", "feeding"), [("none", False), ("additive", False), ("bilinear", True)])
def test_what_is_written_does_not_depend_on_other_sentences(attention: str, feeding: bool) -> None:
    """Bit by bit: alone, together, in another order."""
    network = made(attention, feeding=feeding).eval()
    search = Search(3, 0.6, 0.2 if attention != "none" else 0.0, 3)

    def written(rows: list[int]) -> list[Any]:
        longest = int(LENGTHS[rows].max())
        with torch.inference_mode():
            writer = Writer(network, network.encode(SOURCES[rows, :longest], LENGTHS[rows]), 3)
            return beam(writer, writer.state, 1, 0, [9] * len(rows), search, writer.neglect)

    together = written([0, 1, 2])
    assert written([2, 0, 1]) == [together[2], together[0], together[1]]
    assert [written([row])[0] for row in range(3)] == together


def test_a_token_that_is_never_written_changes_no_other() -> None:
    network = made().eval()
    with torch.inference_mode():
        memory = network.encode(SOURCES, LENGTHS)
        free, bound = Writer(network, memory), Writer(network, memory, never=[2, 5])
        scores, _ = free(INPUTS[:, 0], free.state)
        limited, _ = bound(INPUTS[:, 0], bound.state)
    allowed = [0, 1, 3, 4, 6]
    assert torch.equal(limited[:, allowed], scores[:, allowed])
    assert bool((limited[:, [2, 5]] == -torch.inf).all())


def test_neglect_is_the_formula_of_its_paper() -> None:
    network = made().double().eval()
    with torch.no_grad():
        memory = network.encode(SOURCES, LENGTHS)
        _, weights = network.read(memory, INPUTS[:, :2])
        assert weights is not None
        writer = Writer(network, memory)
        state = writer.state
        for step in range(2):
            _, state = writer(INPUTS[:, step], state)
    for row, length in enumerate(LENGTHS.tolist()):
        expected = sum(torch.log(weights[row, :, place].sum().clamp(max=1)) for place in range(length))
        torch.testing.assert_close(writer.neglect(state)[row], torch.as_tensor(expected))


def test_the_bridge_takes_what_it_says() -> None:
    encoder = Recurrent("lstm", 4, 5, 2, bidirectional=True)
    decoder = Recurrent("lstm", 4, 5, 3)
    ends = encoder(torch.randn(2, 6, 4)).state
    last = Bridge("last", encoder, decoder)(ends)
    assert last is not None
    assert torch.equal(last["0.forward.c"], ends["0.forward.c"])
    assert torch.equal(last["2.forward.h"], ends["1.forward.h"])  # the decoder has one layer more
    assert Bridge("zero", encoder, decoder)(ends) is None
    learned = Bridge("learned", encoder, decoder)
    both = torch.cat([ends["1.forward.h"], ends["1.reverse.h"]], -1)
    change = learned.maps["1_forward_h"]
    found = learned(ends)
    assert found is not None
    torch.testing.assert_close(found["1.forward.h"], torch.tanh(both @ change.weight.T + change.bias))


def test_what_does_not_fit_is_refused() -> None:
    encoder, decoder = Recurrent("lstm", 4, 5), Recurrent("lstm", 4, 6)
    with pytest.raises(UsageError, match=r"bridge last: the decoder's state 0.forward.c \(6\) has no match"):
        Bridge("last", encoder, decoder)
    with pytest.raises(UsageError, match="0.forward.c .* has no match among 0.forward.h"):
        Bridge("learned", Recurrent("gru", 4, 5), decoder)
    with pytest.raises(UsageError, match="no bridge 'lats'.*Did you mean 'last'"):
        Bridge("lats", encoder, encoder)
    sides = Embedding(8, 4), Embedding(7, 4)
    with pytest.raises(UsageError, match="no attention 'aditive'"):
        EncoderDecoder(sides, encoder, encoder, TokenScores(5, 7), "aditive")
    both = Recurrent("lstm", 4, 5, bidirectional=True)
    with pytest.raises(UsageError, match="cannot read what it has not written"):
        EncoderDecoder(sides, both, both, TokenScores(10, 7))
