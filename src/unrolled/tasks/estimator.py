"""Estimator: what every task's model can do. Fit, predict, evaluate, save, load; a task fills in what is its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from torch import Tensor, nn

from unrolled.data.splits import Splits
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError, did_you_mean
from unrolled.inspection.examine import Subject
from unrolled.model_folder import (
    BASELINES,
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
from unrolled.tasks.card import write_card
from unrolled.tasks.config import TaskConfig
from unrolled.training.config import make_config
from unrolled.training.course import Course
from unrolled.training.history import draw_loss, read_history, write_history

Config = TypeVar("Config", bound=TaskConfig)
Part = TypeVar("Part")
Report = Callable[[str, int, int], None]
"""Told what is scored, how much of it is done, and how much there is."""


class Sources(NamedTuple):
    """Where the data are: files, or values that the task takes in their place."""

    train: Any
    valid: Any = None
    test: Any = None


class Kept(NamedTuple):
    """What a method learned from the training data that is shown beside a network: numbers by name, and a text."""

    tensors: dict[str, Tensor]
    said: str = ""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.nbytes for one in self.tensors.values()) + len(self.said.encode())


class Estimator(ABC, Generic[Config, Part]):
    """A network, all that it needs to be used on data as they come, and what is known of how well it does.

    Attributes:
        config: The settings it was made with.
        cell: The equations of its layers, rewrites included.
        network: What is trained.
        metrics: All figures, by split and name; empty before training.
        history: The rows of its training.
    """

    TASK: ClassVar[str]
    """The task's name on the command line, and in ``config.json``."""
    CONFIG: ClassVar[type[TaskConfig]]
    PARTS: ClassVar[tuple[str, ...]] = ("network",)
    """The recurrences that can be looked into, the most telling one first."""
    FILES: ClassVar[tuple[str, ...]] = ()
    """How files end of which a folder may hold one for each split; empty where the task finds them itself."""
    JUDGED_BY: ClassVar[Mapping[str, bool]] = {}
    """Metrics that say whether a baseline is better, the first that there is; whether more of it is better."""

    def __init__(self, config: Config, cell: Cell, network: nn.Module) -> None:
        self.config, self.cell = config, cell
        self.network = network.double() if config.precision == "64-true" else network
        self.metrics: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []

    # What a task fills in

    @classmethod
    @abstractmethod
    def read(cls, sources: Sources, config: Config) -> Splits[Part]:
        """The data, checked and cut into splits. Raises UsageError that names file, row and column."""

    @classmethod
    @abstractmethod
    def begin(cls, splits: Splits[Part], config: Config, cell: Cell) -> Self:
        """An untrained model for the data: vocabularies and scales are learned from the training part."""

    @classmethod
    @abstractmethod
    def assemble(cls, config: Config, cell: Cell, knowledge: str) -> Self:
        """An untrained model from what :meth:`knowledge` gave."""

    @abstractmethod
    def knowledge(self) -> str:
        """What was learned from the data beside the weights (vocabularies, labels, scales), as JSON."""

    @abstractmethod
    def course(self, splits: Splits[Part]) -> Course:
        """What is learned, and how it is validated."""

    @abstractmethod
    def figures(self, splits: Splits[Part], report: Report) -> dict[str, Any]:
        """The final figures by split (``validation``, ``test``), each with the ``baselines`` beside it."""

    @abstractmethod
    def predict(self, data: Any) -> Iterator[dict[str, Any]]:
        """What the model says of each sequence, in order, as rows that JSON can hold."""

    @abstractmethod
    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """The field's metrics by their usual names over data whose answers are known."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned that the predictions need."""
        return sum(one.numel() for one in self.network.parameters())

    @property
    @abstractmethod
    def unit(self) -> str:
        """What losses are means of, and what is counted: character, sentence, step."""

    @abstractmethod
    def summary(self) -> list[str]:
        """The final figures in a few lines."""

    @abstractmethod
    def about(self) -> str:
        """What the model does, in one sentence, for its card."""

    @abstractmethod
    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """What :func:`unrolled.inspect` looks at: the network at work on one sequence.

        Args:
            data: As for :meth:`predict`; one sequence may be given as it is, a text for example. Where the data say
                what is right, it is told beside what the network says.
            row: The sequence: its number in the data, from 1, or its id.
            part: Which recurrence, one of ``PARTS``; the first where left out.

        Raises:
            UsageError: the data hold no such sequence, or the network has no such part.
        """

    def specimen(self) -> list[str]:
        """Something that it made, to be read after the figures."""
        return []

    def describe(self, splits: Splits[Part]) -> list[str]:
        """The data in a few lines, before training."""
        return [splits.name, *splits.notes]

    def counts(self, splits: Splits[Part]) -> dict[str, int]:  # noqa: ARG002
        """How much there is to learn from, for ``metrics.json``."""
        return {}

    def sample(self, step: int) -> str:  # noqa: ARG002 (a task may draw by it)
        """A line that shows what the network can do by now."""
        return ""

    def usage(self) -> list[str]:
        """Commands that use the model, for its card."""
        return ["unrolled predict . FILE", "unrolled evaluate . FILE"]

    def draw(self, folder: ModelFolder) -> list[str]:  # noqa: ARG002
        """Draw figures of the result beside the loss; the names of their files."""
        return []

    def baselines(self) -> Kept | None:
        """What :meth:`evaluate` measures baselines by that learned from the training data; it goes into the folder."""
        return None

    def take_baselines(self, kept: Kept) -> None:
        """Take back what :meth:`baselines` gave. Raises KnowledgeError where it is damaged."""

    def check_use(self, config: Config) -> None:
        """Raise UsageError where settings that are given anew do not fit the model."""

    # What they share

    def use_by(self, **settings: Any) -> None:
        """Give settings anew: those of ``CONFIG.TO_PREDICT`` and ``CONFIG.TO_EVALUATE``.

        Raises:
            UsageError: a setting is another one, or its value does not fit.
        """
        may = dict.fromkeys((*self.CONFIG.TO_PREDICT, *self.CONFIG.TO_EVALUATE))
        for name in settings:
            if name not in may:
                known = f"a trained {self.TASK} model takes {', '.join(may)}"
                raise UsageError(f"'{name}' is not to be given anew; {known}.{did_you_mean(name, may)}")
        config = make_config(type(self.config), self.config.model_dump() | settings)
        self.check_use(config)
        self.config = config

    @property
    def loss_name(self) -> str:
        """What the losses of training are."""
        return f"nats a {self.unit}"

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
        described = {"format": FORMAT, "format_version": FORMAT_VERSION, "task": self.TASK, "cell": self.cell.to_dict()}
        folder.write_json(CONFIG, described | {"settings": self.config.model_dump()})
        folder.write_text(VOCABULARY, self.knowledge())

    def write_result(self, folder: ModelFolder) -> None:
        """Write what training gave: weights, figures, card, and last the metrics, which say that all is there."""
        folder.write_tensors(self.network.state_dict(), WEIGHTS)
        if kept := self.baselines():
            folder.write_tensors(kept.tensors, BASELINES, kept.said)
        drawn = []
        if self.history:
            write_history(folder, self.history)
            title = f"{self.cell.name} on {self.metrics.get('data', {}).get('name', 'data')}"
            draw_loss(self.history, folder.path / FIGURE, title, self.loss_name)
            drawn = [FIGURE, *self.draw(folder)]
        folder.write_text(CARD, write_card(self, drawn))
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
        if (folder.path / BASELINES).exists():
            kept = Kept(*folder.read_tensors_and_text(BASELINES))
            try:
                model.take_baselines(kept)
            except KnowledgeError as error:
                raise UsageError(f"{folder.path / BASELINES} is damaged or foreign: {error}") from None
        model.history = read_history(folder)
        return model

    @classmethod
    def load_untrained(cls, folder: ModelFolder, described: Mapping[str, Any]) -> Self:
        """The model that a folder's configuration and vocabulary describe, its weights not yet read."""
        if described.get("task") != cls.TASK:
            raise UsageError(
                f"{folder.path} holds a model of the task '{described.get('task')}', and a {cls.TASK} model is wanted."
            )
        try:
            cell, settings = dict(described["cell"]), dict(described["settings"])
        except KeyError as missing:
            raise UsageError(f"{folder.path / CONFIG} is incomplete: {missing} is missing.") from None
        except (TypeError, ValueError):
            raise UsageError(f"{folder.path / CONFIG} is damaged: cell and settings are JSON objects.") from None
        knowledge = folder.read_text(VOCABULARY)
        try:
            config, known = make_config(cls.CONFIG, settings), Cell.from_dict(cell)
        except UsageError as error:
            raise UsageError(f"{folder.path / CONFIG} describes no model: {error}") from None
        try:
            return cls.assemble(config, known, knowledge)  # pyright: ignore[reportArgumentType]
        except KnowledgeError as error:
            raise UsageError(f"{folder.path / VOCABULARY} is damaged or foreign: {error}") from None
        except UsageError as error:
            raise UsageError(f"{folder.path / CONFIG} describes no model: {error}") from None


class KnowledgeError(UsageError):
    """What a folder says of its vocabulary is not what the task wrote."""
