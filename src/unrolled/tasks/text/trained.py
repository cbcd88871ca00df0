"""A trained network with its vocabulary: it writes, it scores, it is saved and loaded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Generator, Tensor

from unrolled.data.vocabulary import Vocabulary
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.model_folder import (
    CARD,
    CONFIG,
    FIGURE,
    FORMAT,
    FORMAT_VERSION,
    METRICS,
    VOCABULARY,
    WEIGHTS,
    ModelFolder,
    check_tensors,
)
from unrolled.tasks.text.card import write_card
from unrolled.tasks.text.config import UNIT_NAMES, TextConfig
from unrolled.tasks.text.network import build_network
from unrolled.tasks.text.score import Score, score_tokens
from unrolled.tasks.text.write import Written, write_on
from unrolled.training.config import make_config
from unrolled.training.history import draw_loss, write_history
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.sampling import Sampling

TASK = "text"


@dataclass
class TrainedText:
    """A network that says what comes next in a text, and all that can be done with it once it is trained."""

    network: ManyToMany
    vocabulary: Vocabulary
    config: TextConfig
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cell(self) -> Cell:
        """The equations of the network's layers."""
        return self.network.recurrent.cell

    def stream(
        self,
        prompt: str = "",
        length: int = 500,
        sampling: Sampling | None = None,
        seed: int | None = None,
        stop: str | None = None,
    ) -> Iterator[str]:
        """Write on from a prompt, piece by piece as it comes.

        Args:
            prompt: What stands before; it is not given back.
            length: Tokens to write at most.
            sampling: How each token is drawn; as the network says, where left out.
            seed: The same seed writes the same text; another each time where left out.
            stop: End before this text would be written.

        Raises:
            UsageError: the prompt holds characters that the vocabulary lacks, or a value is out of range.
        """
        if length < 1:
            raise UsageError(f"length is 1 or more, and is {length}.")
        self.network.eval()
        generator = Generator()
        _ = generator.seed() if seed is None else generator.manual_seed(seed)
        written = Written(self.vocabulary, stop)
        ids = write_on(self.network, self.first_ids(prompt, generator), sampling or Sampling(), generator)
        yield from written.take(ids, prompt, length)

    def generate(self, prompt: str = "", **how: Any) -> str:
        """The whole of what :meth:`stream` writes (the same arguments)."""
        return "".join(self.stream(prompt, **how))

    def score(self, text: str, window: int = 256, report: Callable[[int, int], None] | None = None) -> Score:
        """How surprising a text is to the model; its state is carried over the whole text.

        Args:
            text: What to score, at least one token.
            window: Tokens read at once; only memory depends on it.
            report: Called with tokens read and tokens in all.
        """
        if not text:
            raise UsageError("there is nothing to score: the text is empty.")
        self.network.eval()
        if window < 1:
            raise UsageError(f"window is 1 or more, and is {window}.")
        ids, starts, ends = self.vocabulary.encode_with_offsets(text)
        if not ids.numel():
            raise UsageError(f"there is nothing to score: the text holds no {UNIT_NAMES[self.config.unit]}.")
        surprisals = score_tokens(self.network, ids, self.start_id, self.vocabulary.size, window, report)
        return Score(surprisals, ids, starts, ends, len(text), self.vocabulary)

    @property
    def start_id(self) -> int | None:
        """The token that stands before a text: a line end, where the vocabulary has one."""
        if self.vocabulary.unit == "char" and "\n" not in self.vocabulary.tokens:
            return None
        return int(self.vocabulary.encode("\n"))

    def first_ids(self, prompt: str, generator: Generator) -> Tensor:
        """The ids to read before writing: the prompt's, or the start of a text where there is none."""
        if prompt:
            ids = self.vocabulary.encode(prompt)
            if not ids.numel():
                raise UsageError(f"the prompt {prompt!r} holds no token.")
            return ids
        start = self.start_id
        return (
            torch.randint(self.vocabulary.size, (1,), generator=generator) if start is None else torch.tensor([start])
        )

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write a model folder. Raises UsageError where something stands there already (see ``force``)."""
        folder = ModelFolder.create(path, force)
        try:
            self.write_config(folder)
            self.write_result(folder)
        finally:
            if not (folder.path / METRICS).exists():
                folder.discard()

    def write_config(self, folder: ModelFolder) -> None:
        """Write what a run needs from its beginning: configuration and vocabulary."""
        described = {"format": FORMAT, "format_version": FORMAT_VERSION, "task": TASK, "cell": self.cell.to_dict()}
        folder.write_json(CONFIG, described | {"settings": self.config.model_dump()})
        folder.write_text(VOCABULARY, self.vocabulary.to_json())

    def write_result(self, folder: ModelFolder) -> None:
        """Write what training gave: weights, figure, card, and last the metrics, which say that all is there."""
        folder.write_tensors(self.network.state_dict(), WEIGHTS)
        if self.history:
            write_history(folder, self.history)
            title = f"{self.cell.name} on {self.metrics.get('data', {}).get('name', 'text')}"
            draw_loss(self.history, folder.path / FIGURE, title, UNIT_NAMES[self.config.unit])
        folder.write_text(CARD, write_card(self.cell, self.config.model_dump(), self.metrics, bool(self.history)))
        folder.write_json(METRICS, self.metrics)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> Self:
        """Open a model folder. Raises UsageError or UnrolledError that names the file that is missing or damaged."""
        folder, described = ModelFolder.open(path)
        model = cls.load_untrained(folder, described)
        tensors = folder.read_tensors(WEIGHTS)
        check_tensors(model.network.state_dict(), tensors, folder.path / WEIGHTS)
        model.network.load_state_dict(tensors)
        model.network.to(device).eval()
        model.metrics = folder.read_json(METRICS)
        return model

    @classmethod
    def load_untrained(cls, folder: ModelFolder, described: dict[str, Any]) -> Self:
        """The model that a folder's configuration and vocabulary describe, its weights not yet read."""
        if described.get("task") != TASK:
            raise UsageError(
                f"{folder.path} holds a model of the task '{described.get('task')}', and a text model is wanted."
            )
        try:
            cell, settings = dict(described["cell"]), dict(described["settings"])
        except KeyError as missing:
            raise UsageError(f"{folder.path / CONFIG} is incomplete: {missing} is missing.") from None
        except (TypeError, ValueError):
            raise UsageError(f"{folder.path / CONFIG} is damaged: cell and settings are JSON objects.") from None
        written = folder.read_text(VOCABULARY)
        try:
            vocabulary = Vocabulary.from_json(written)
        except UsageError as error:
            raise UsageError(f"{folder.path / VOCABULARY} is damaged or foreign: {error}") from None
        try:
            config = make_config(TextConfig, settings)
            network = build_network(config, Cell.from_dict(cell), vocabulary.size)
        except UsageError as error:
            raise UsageError(f"{folder.path / CONFIG} describes no model: {error}") from None
        return cls(network, vocabulary, config)
