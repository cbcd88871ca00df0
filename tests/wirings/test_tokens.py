"""Input and output sides for tokens, and the network that joins them with a recurrence."""

import pytest
import torch
from torch import nn

from tolerance import assert_close
from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.tokens import Embedding, OneHot, TokenScores

IDS = torch.tensor([[0, 3, 2], [4, 4, 1]])  # (N, T)


def test_one_hot_is_an_embedding_by_the_identity() -> None:
    embedding = Embedding(5, 5)
    with torch.no_grad():
        embedding.weight.copy_(torch.eye(5))
    vectors = OneHot(5)(IDS)
    assert vectors.shape == (2, 3, 5)
    assert torch.equal(vectors, embedding(IDS))
    assert torch.equal(vectors.argmax(-1), IDS)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_one_hot_goes_with_the_networks_dtype_and_into_no_file(dtype: torch.dtype) -> None:
    side = OneHot(5)
    network = ManyToMany(side, Recurrent("lstm", 5, 3), TokenScores(3, 5)).to(dtype)
    assert side(IDS).dtype == dtype
    assert network(IDS).outputs.dtype == dtype
    assert side.state_dict() == {}


def test_an_embedding_is_a_table_and_drops_in_training_only() -> None:
    torch.manual_seed(1)
    side = Embedding(50, 40, dropout=0.5)
    rows = side.weight[IDS]
    assert not torch.equal(side(IDS), rows)
    assert torch.equal(side.eval()(IDS), rows)
    dropped = (side.train()(torch.arange(50).unsqueeze(0)) == 0).double().mean()
    assert 0.4 < dropped < 0.6
    assert side.weight.detach().std() == pytest.approx(40**-0.5, rel=0.1)


def test_scores_are_a_product_and_a_bias() -> None:
    torch.manual_seed(1)
    side = TokenScores(4, 6, dropout=0.5).double()
    nn.init.normal_(side.linear.bias)
    values = torch.randn(2, 3, 4).double()
    assert not torch.equal(side(values), side(values))
    expected = values.numpy() @ side.linear.weight.detach().numpy().T + side.linear.bias.detach().numpy()
    assert_close(side.eval()(values).detach(), expected, "loop, numpy")


def test_tied_scores_are_products_with_the_embeddings() -> None:
    torch.manual_seed(1)
    inputs = Embedding(6, 4)
    network = ManyToMany(inputs, Recurrent("elman", 4, 4), TokenScores(4, 6, tied=inputs.weight)).double()
    assert network.output_side.linear.weight is inputs.weight
    assert len(list(network.parameters())) == len(list(network.recurrent.parameters())) + 2  # the table and a bias
    values = torch.randn(1, 1, 4).double()
    expected = inputs.weight.detach().numpy() @ values.numpy()[0, 0] + network.output_side.linear.bias.detach().numpy()
    assert_close(network.output_side(values)[0, 0].detach(), expected, "loop, numpy")
    loss = network(torch.tensor([[1, 2]])).outputs.logsumexp(-1).sum()
    loss.backward()
    assert inputs.weight.grad is not None
    assert inputs.weight.grad.abs().sum(1).min() > 0, "the table learns as output, also for ids that no input has"


def test_a_network_reads_records_and_carries_like_its_recurrence() -> None:
    torch.manual_seed(1)
    recurrent = Recurrent("gru", 5, 3)
    network = ManyToMany(OneHot(5), recurrent, TokenScores(3, 5)).double()
    lengths, reset = torch.tensor([3, 2]), torch.tensor([[False, True, False]] * 2)
    read = network(IDS, None, lengths, reset, ["z"])
    values, state, recorded = recurrent(network.input_side(IDS), None, lengths, reset, ["z"])
    assert torch.equal(read.outputs, network.output_side(values))
    assert torch.equal(read.recorded["0.forward.z"], recorded["0.forward.z"])
    assert torch.equal(read.state["0.forward.h"], state["0.forward.h"])
    first, second = network(IDS[:, :1]), network(IDS)
    onwards = network(IDS[:, 1:], first.state)
    assert_close(torch.cat([first.outputs, onwards.outputs], 1).detach(), second.outputs.detach(), "loop, other batch")
