"""The network of the tag task: words in, a score for each tag at each word out, and a CRF behind where asked for."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unrolled.equations.cell import Cell
from unrolled.layers.recurrent import Recurrent
from unrolled.tasks.tag.config import TagConfig
from unrolled.wirings.apart import apart, side_by_side, valid_steps
from unrolled.wirings.crf import Crf
from unrolled.wirings.many_to_one import ManyToOne
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.tokens import Embedding, TokenScores
from unrolled.wirings.words import Words, WordsAndCharacters


class TagNetwork(nn.Module):
    """Many-to-many in step over words.

    Outside training each sentence is scored alone behind the recurrence, so that no score depends on its neighbours.
    """

    def __init__(self, input_side: WordsAndCharacters, recurrent: Recurrent, output_side: TokenScores, crf: Crf | None):
        super().__init__()
        self.input_side, self.recurrent, self.output_side, self.crf = input_side, recurrent, output_side, crf
        self.weights: Tensor  # of each tag in the loss without a CRF
        self.register_buffer("weights", torch.ones(output_side.linear.out_features))

    def balance(self, counts: Tensor) -> None:
        """Let every tag weigh the same in the loss, given how often each comes, (K,)."""
        self.weights.copy_(counts.sum() / (len(counts) * counts))

    def forward(self, words: Words, tags: Tensor | None = None) -> Tensor:
        """Scores (N, T, K); or the loss where the tags (N, T) are given: the mean over all words, in nats."""
        values = self.recurrent(self.input_side(words), lengths=words.lengths).outputs
        assert isinstance(values, Tensor)
        if self.training:
            scores = self.output_side(values)
        else:
            scores = side_by_side(apart(self.output_side, values, words.lengths), values.shape[1])
        return scores if tags is None else self.loss(scores, tags, words.lengths)

    def loss(self, scores: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """-log p of the tags (N, T), the mean over all words, weighed by their tags."""
        if self.crf is not None:
            return (
                -self.crf(scores.float() if scores.element_size() < 4 else scores, tags, lengths).sum() / lengths.sum()
            )
        valid = valid_steps(scores, lengths)
        return cross_entropy(scores[valid], tags[valid], self.weights)


def build_network(config: TagConfig, cell: Cell, words: int, characters: int, tags: int) -> TagNetwork:
    """The network for so many words, characters and tags. ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """
    spelling = None
    if config.characters:
        reader = recurrent_layers(
            config.model_copy(update={"hidden": config.characters, "layers": 1}),
            cell,
            config.character_embedding,
            bidirectional=True,
        )
        spelling = ManyToOne(Embedding(characters, config.character_embedding), reader, "last", nn.Identity())
    input_side = WordsAndCharacters(Embedding(words, config.embedding), spelling, config.dropout_input, config.unknown)
    recurrent = recurrent_layers(config, cell, input_side.output_size, config.bidirectional)
    scores = TokenScores(recurrent.output_size, tags, config.dropout_output)
    return TagNetwork(input_side, recurrent, scores, Crf(tags) if config.crf else None)
