"""The input side for words: a vector of the word beside what its characters give, and rare words read as unknown."""

import pytest
import torch
from torch import Tensor, nn

from unrolled.layers.recurrent import Recurrent
from unrolled.wirings.many_to_one import ManyToOne
from unrolled.wirings.tokens import Embedding
from unrolled.wirings.words import Words, WordsAndCharacters

IDS = torch.tensor([[1, 2, 1], [3, 0, 0]])
WORDS = Words(
    IDS,
    torch.tensor([3, 1]),
    torch.tensor([[0, 1, 0], [2, 0, 0]]),
    torch.tensor([[1, 2, 0, 0], [3, 3, 1, 2], [2, 0, 0, 0]]),
    torch.tensor([2, 4, 1]),
)


def side(unknown: float = 0.25, dropout: float = 0.0) -> WordsAndCharacters:
    torch.manual_seed(3)
    spelling = ManyToOne(Embedding(5, 3), Recurrent("gru", 3, 2, bidirectional=True), "last", nn.Identity())
    return WordsAndCharacters(Embedding(4, 6), spelling, dropout, unknown)


def table_part(one: WordsAndCharacters) -> Tensor:
    return one(WORDS)[..., :6]


def test_a_vector_of_the_word_stands_beside_one_of_its_characters() -> None:
    one = side().eval()
    assert one.output_size == 10
    vectors = one(WORDS)
    assert vectors.shape == (2, 3, 10)
    assert torch.equal(vectors[..., :6], one.table.weight[IDS])
    assert one.spelling is not None
    for row, step, spelled in ((0, 0, [1, 2]), (0, 1, [3, 3, 1, 2]), (0, 2, [1, 2]), (1, 0, [2])):
        outputs = one.spelling.recurrent(one.spelling.input_side(torch.tensor([spelled]))).outputs
        assert isinstance(outputs, Tensor)
        expected = torch.cat([outputs[0, -1, :2], outputs[0, 0, 2:]])  # where each direction ends
        assert torch.equal(vectors[row, step, 6:], expected)


def test_without_a_spelling_there_is_the_word_alone() -> None:
    one = WordsAndCharacters(Embedding(4, 6), None, 0.0, 0.0).eval()
    assert one.output_size == 6
    assert torch.equal(one(WORDS), one.table.weight[IDS])


def test_a_rare_word_is_read_as_unknown_now_and_then_in_training() -> None:
    one = side(unknown=1.0)
    one.learn(torch.tensor([5.0, 1.0, 3.0, 1e9]))
    assert one.chances.tolist() == pytest.approx([1 / 6, 1 / 2, 1 / 4, 0.0], abs=1e-6)
    seen = torch.stack([(table_part(one) == one.table.weight[0]).all(-1) for _ in range(400)]).double().mean(0)
    assert seen[0].tolist() == pytest.approx([1 / 2, 1 / 4, 1 / 2], abs=0.1)
    assert seen[1, 0] == 0.0
    assert torch.equal(table_part(one.eval()), one.table.weight[IDS])


def test_with_nothing_to_be_unknown_all_words_are_read() -> None:
    one = side(unknown=0.0)
    one.learn(torch.tensor([0.0, 1.0, 1.0, 0.0]))
    assert not one.chances.any()
    assert torch.equal(table_part(one), one.table.weight[IDS])


def test_vectors_are_dropped_in_training_only() -> None:
    one = side(unknown=0.0, dropout=0.5)
    assert (one(WORDS) == 0).any()
    assert not (one.eval()(WORDS)[0] == 0).any()


def test_given_vectors_take_their_places() -> None:
    one = side()
    before = one.table.weight.detach().clone()
    one.begin_from({2: 0, 0: 1}, torch.tensor([[1.0] * 6, [2.0] * 6]))
    assert torch.equal(one.table.weight[[0, 2]], torch.tensor([[2.0] * 6, [1.0] * 6]))
    assert torch.equal(one.table.weight[[1, 3]], before[[1, 3]])
