"""The network of the classify task, built from its settings."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unrolled.equations.cell import Cell
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import Form
from unrolled.wirings.many_to_one import ManyToOne
from unrolled.wirings.recurrence import recurrent_layers
from unrolled.wirings.tokens import Embedding, OneHot, TokenScores
from unrolled.wirings.vectors import Standardised


def build_network(config: ClassifyConfig, cell: Cell, form: Form, tokens: int, classes: int) -> ManyToOne:
    """Sequences in, a score for each class out. ``cell`` is used as it is.

    Raises:
        UsageError: the settings do not fit the cell or each other.
    """
    if form.kind != "text":
        side = Numbers(form.width, config.dropout_input, config.noise)
    elif config.embedding:
        side = Embedding(tokens, config.embedding, config.dropout_input)
    else:
        side = OneHot(tokens)
    recurrent = recurrent_layers(config, cell, side.output_size, config.bidirectional)
    return ManyToOne(
        side, recurrent, config.pooling, TokenScores(recurrent.output_size, classes, config.dropout_output)
    )


def begin_from(table: Embedding, tokens: Sequence[str], words: Sequence[str], vectors: Tensor) -> None:
    """Give the rows of tokens that are among the words those words' vectors, (words, D)."""
    place = {word: index for index, word in enumerate(words)}
    found = {row: place[token] for row, token in enumerate(tokens) if token in place}
    with torch.no_grad():
        table.weight[list(found)] = vectors[list(found.values())].to(table.weight)


class Numbers(nn.Module):
    """Numbers (N, T, D) in their standard form, in training with noise and dropout."""

    def __init__(self, size: int, dropout: float, noise: float) -> None:
        super().__init__()
        self.output_size, self.noise = size, noise
        self.standardised = Standardised(size)
        self.dropout = nn.Dropout(dropout)

    def learn(self, sequences: Sequence[Tensor], together: bool) -> None:
        """Take mean and deviation from sequences (T_n, D): of each number, or of all ``together``, as of a picture."""
        if not together:
            self.standardised.learn(list(sequences))
            return
        one = Standardised(1)
        one.learn([torch.cat(list(sequences)).reshape(-1, 1)])
        self.standardised.mean.copy_(one.mean.expand(self.output_size))
        self.standardised.deviation.copy_(one.deviation.expand(self.output_size))

    def forward(self, values: Tensor) -> Tensor:
        values = self.standardised(values)
        if self.training and self.noise:
            values = values + self.noise * torch.randn_like(values)
        return self.dropout(values)  # (N, T, D)
