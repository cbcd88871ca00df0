"""Pictures as an input side: places in order, the same bits alone, changes by chance in training only."""

import numpy as np
import pytest
import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.attention import ATTENTIONS
from unrolled.wirings.bridge import Bridge
from unrolled.wirings.decode import Search, beam
from unrolled.wirings.encoder_decoder import EncoderDecoder, Writer
from unrolled.wirings.pictures import PictureEncoder, PictureInput, Unseeing
from unrolled.wirings.tokens import Embedding, TokenScores

PICTURES = torch.randint(0, 256, (5, 3, 20, 20), generator=torch.Generator().manual_seed(4), dtype=torch.uint8)
INPUTS = torch.tensor([[1, 2, 3, 4], [1, 4, 0, 0], [1, 6, 6, 0], [1, 0, 0, 0], [1, 2, 2, 2]])
COUNTS = torch.tensor([4, 2, 3, 1, 4])


def made(attention: str = "additive", bridge: str = "learned", blind: bool = False) -> EncoderDecoder:
    torch.manual_seed(5)
    encoder = Unseeing(8) if blind else PictureEncoder(3, 20, 2)
    decoder = Recurrent("lstm", 6, 8, 2)
    sides = PictureInput(3), Embedding(7, 6)
    return EncoderDecoder(sides, encoder, decoder, TokenScores(8, 7), attention, bridge)


def with_statistics(network: EncoderDecoder) -> EncoderDecoder:
    """The network after a batch in training, so that its normalisation is that of no fresh one; in evaluation mode."""
    network.train()(PICTURES, None, INPUTS, COUNTS)
    return network.eval()


@pytest.mark.parametrize("size", [16, 17, 20, 47, 48])
def test_the_grid_is_as_large_as_it_says(size: int) -> None:
    encoder = PictureEncoder(1, size, 2)
    values, state = encoder(torch.randn(2, 1, size, size))
    assert values.shape == (2, encoder.grid**2, encoder.output_size)
    assert {name: one.shape for name, one in state.items()} == {"pooled": (2, encoder.ends["pooled"])}
    torch.testing.assert_close(state["pooled"], values.mean(1))


def test_places_go_row_by_row() -> None:
    """What differs in the lower left corner alone changes the places there, and not those of the upper rows."""
    encoder = PictureEncoder(1, 48, 2).eval()
    one = torch.randn(1, 1, 48, 48)
    other = one.clone()
    other[..., 40:, :8] += 1
    with torch.no_grad():
        changed = (encoder(one).values != encoder(other).values).any(-1)[0].reshape(6, 6)
    assert changed[5, 0]
    assert not changed[:2].any()
    assert not changed[:, 4:].any()


def test_a_picture_is_seen_alone_as_beside_others() -> None:
    network = with_statistics(made())
    with torch.no_grad():
        together = network.encode(PICTURES)
        for row in range(5):
            alone = network.encode(PICTURES[row : row + 1])
            assert torch.equal(alone.values[0], together.values[row])
            assert torch.equal(alone.keys[0], together.keys[row])
            assert all(torch.equal(value[0], together.state[name][row]) for name, value in alone.state.items())


@pytest.mark.parametrize("attention", ["none", *ATTENTIONS])
def test_a_known_caption_in_one_scan_is_as_step_by_step(attention: str) -> None:
    network = with_statistics(made(attention).double())
    with torch.no_grad():
        whole = network(PICTURES, None, INPUTS, COUNTS)
        stepped: list[Tensor] = []
        for row in range(5):
            writer = Writer(network, network.encode(PICTURES[row : row + 1]))
            state = writer.state
            for token in INPUTS[row, : COUNTS[row]]:
                scores, state = writer(token.unsqueeze(0), state)
                stepped.append(scores)
    torch.testing.assert_close(whole, torch.cat(stepped))


def test_what_is_written_does_not_depend_on_other_pictures() -> None:
    network = with_statistics(made())

    def written(rows: list[int]) -> list:
        with torch.inference_mode():
            writer = Writer(network, network.encode(PICTURES[rows]), 3)
            return beam(writer, writer.state, 1, 0, [9] * len(rows), Search(3, 0.6, 0.2, 3), writer.neglect)

    together = written([0, 1, 2])
    assert written([2, 0, 1]) == [together[2], together[0], together[1]]
    assert [written([row])[0] for row in range(3)] == together


@pytest.mark.parametrize("bridge", ["zero", "learned"])
def test_every_parameter_learns(bridge: str) -> None:
    network = made(bridge=bridge)
    network(PICTURES, None, INPUTS, COUNTS).pow(2).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def test_who_sees_nothing_says_the_same_of_every_picture() -> None:
    network = made(blind=True).eval()
    with torch.no_grad():
        one = network(PICTURES, None, INPUTS, COUNTS)
        other = network(PICTURES.flip(0), None, INPUTS, COUNTS)
    assert torch.equal(one, other)
    assert made(blind=True).double()(PICTURES, None, INPUTS, COUNTS).dtype == torch.float64


def test_a_bridge_from_a_picture_of_another_size_is_refused_or_learned() -> None:
    encoder, decoder = PictureEncoder(3, 16, 2), Recurrent("lstm", 6, 5)
    with pytest.raises(UsageError, match=r"bridge last: .* \(5\) has no match among pooled \(8\)"):
        Bridge("last", encoder, decoder)
    state = encoder(PICTURES[..., :16, :16].float()).state
    learned = Bridge("learned", encoder, decoder)
    change = learned.maps["0_forward_c"]
    found = learned(state)
    assert found is not None
    torch.testing.assert_close(found["0.forward.c"], torch.tanh(state["pooled"] @ change.weight.T + change.bias))


def test_a_tiny_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 16 by 16 points here, and is 15"):
        PictureEncoder(3, 15, 4)


def test_the_scale_is_that_of_the_training_pictures() -> None:
    pictures = PICTURES.clone()
    pictures[:, 2] = 7  # a channel that never varies is only shifted
    side = PictureInput(3)
    side.learn(pictures)
    values = pictures.numpy().astype(np.float64)
    means, deviations = values.mean((0, 2, 3)), np.array([*values.std((0, 2, 3))[:2], 1.0])
    expected = (values - means.reshape(-1, 1, 1)) / deviations.reshape(-1, 1, 1)
    torch.testing.assert_close(side.eval()(pictures).double(), torch.from_numpy(expected), atol=1e-5, rtol=1e-5)


def test_pictures_are_changed_in_training_only_and_only_when_asked() -> None:
    values = PICTURES.float()
    assert torch.equal(PictureInput(3).train()(PICTURES), values)
    for how in ({"shift": 0.2}, {"zoom": 0.3}, {"mirror": True}, {"colour": 0.5}):
        side = PictureInput(3, **how)
        assert torch.equal(side.eval()(PICTURES), values), how
        assert not torch.equal(side.train()(PICTURES), values), how


def test_a_mirrored_picture_is_itself_from_right_to_left() -> None:
    torch.manual_seed(1)
    seen = PictureInput(3, mirror=True).train()(PICTURES)
    kinds = []
    for one, picture in zip(seen, PICTURES.float(), strict=True):
        same, turned = (torch.allclose(one, other, atol=0.01) for other in (picture, picture.flip(-1)))
        assert same != turned
        kinds.append(turned)
    assert 0 < sum(kinds) < len(kinds)


def test_a_moved_picture_goes_no_further_than_it_may() -> None:
    """A point at (10, 10) of 20 by 20, moved by up to a tenth: two points each way."""
    point = torch.zeros(64, 1, 20, 20)
    point[..., 10, 10] = 200
    seen = PictureInput(1, shift=0.1).train()(point)
    rows, columns = torch.nonzero(seen.sum((0, 1)) > 0.01, as_tuple=True)
    assert (int(rows.min()), int(rows.max())) == (8, 12)
    assert (int(columns.min()), int(columns.max())) == (8, 12)


def test_colours_change_channel_by_channel_within_their_share() -> None:
    grey = torch.full((50, 3, 16, 16), 100.0)
    seen = PictureInput(3, colour=0.2).train()(grey)[..., 0, 0]
    assert 80 <= float(seen.min()) < 85
    assert 115 < float(seen.max()) <= 120
    assert not torch.equal(seen[:, 0], seen[:, 1])
