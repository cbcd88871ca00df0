"""Writing: what tasks share whose networks write texts; the output side, the search, and what is told of it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import UsageError
from unrolled.state import State
from unrolled.tasks.side import Side
from unrolled.tasks.writing_config import WritingConfig
from unrolled.wirings.decode import Hypothesis, Search, beam
from unrolled.wirings.encoder_decoder import Writer
from unrolled.wirings.tokens import Embedding, TokenScores

Writing = tuple[Writer, State, int, int, list[int]]
"""A writer, and what else the functions of :mod:`unrolled.wirings.decode` take first."""


def output_side(config: WritingConfig, written: Embedding, size: int, vocabulary_size: int) -> TokenScores:
    """Scores of the tokens from what the decoder gives, (…, size); ``written`` is how it reads what it wrote.

    Raises:
        UsageError: one table is asked for, and the sizes differ.
    """
    if config.tie and config.embedding != size:
        raise UsageError(
            f"tie: one table wants one size, and embedding is {config.embedding}, the decoder's output {size}; give "
            f"--embedding {size} or --no-tie."
        )
    return TokenScores(size, vocabulary_size, config.dropout_output, tied=written.weight if config.tie else None)


def search_of(config: WritingConfig) -> Search:
    """How is searched. Raises UsageError for settings that do not go together."""
    if config.coverage_penalty and config.attention == "none":
        raise UsageError("coverage_penalty: what was looked at too little wants attention, and attention is none.")
    return Search(config.beam, config.length_penalty, config.coverage_penalty, config.n_best)


def searched(given: Writing, search: Search) -> list[list[Hypothesis]]:
    """The best hypotheses of each thing read, the best first."""
    return beam(*given, search, given[0].neglect if search.coverage_penalty else None)


def told(found: Sequence[Hypothesis], side: Side, name: str, n_best: int) -> dict[str, Any]:
    """The best text under its name, its score and log-probability; with ``n_best`` above 1 the best ones as a list."""
    rows = [
        {name: side.decode(one.tokens), "score": one.score, "log_probability": one.log_probability} for one in found
    ]
    return {**rows[0], **({"n_best": rows} if n_best > 1 else {})}


def late(targets: Sequence[Tensor], start: int) -> list[Tensor]:
    """Targets (T_n,) as the decoder reads them, one step late: the start first, the last token left out."""
    return [torch.cat([target.new_tensor([start]), target[:-1]]) for target in targets]
