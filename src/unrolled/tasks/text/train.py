"""Training a text model: from a file to a model folder, new or resumed."""

import platform
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from unrolled.cells.library import find_cell
from unrolled.data.reading import TextSplits, load_text
from unrolled.data.streams import Streams
from unrolled.data.vocabulary import Vocabulary
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.model_folder import METRICS, SOURCE, ModelFolder
from unrolled.tasks.text.config import TextConfig
from unrolled.tasks.text.network import build_network, rewritten
from unrolled.tasks.text.trained import TrainedText
from unrolled.training.config import BUDGETS, make_config
from unrolled.training.device import resolve_device
from unrolled.training.trainer import LAST, Progress, Trainer
from unrolled.training.validation import stream_loss
from unrolled.wirings.sampling import Sampling

VALIDATION_ROWS, VALIDATION_TOKENS = 32, 40_000
"""Validations during training read at most so many tokens, in parallel rows; the final figure reads all, in one."""
Model = TypeVar("Model", bound=TrainedText)


class Observer(Protocol):
    """Shows a training to whoever waits for it."""

    def begun(self, model: TrainedText, splits: TextSplits, budget: str) -> None:
        """Called once before the first step."""
        ...

    def stepped(self, progress: Progress) -> None:
        """Called behind every update."""
        ...

    def validated(self, progress: Progress, loss: float, sample: str) -> None:
        """Called behind every validation with its loss, nats a token, and a line that the network wrote."""
        ...

    def scoring(self, split: str, done: int, total: int) -> None:
        """Called while the final figures are made."""
        ...


class Silent:
    """An observer that shows nothing."""

    def begun(self, model: TrainedText, splits: TextSplits, budget: str) -> None: ...

    def stepped(self, progress: Progress) -> None: ...

    def validated(self, progress: Progress, loss: float, sample: str) -> None: ...

    def scoring(self, split: str, done: int, total: int) -> None: ...


def train(
    kind: type[Model],
    source: str | Path | None,
    *,
    out: str | Path | None,
    cell: str | Path | Cell | None,
    force: bool,
    resume: bool,
    observer: Observer | None,
    settings: Mapping[str, Any],
) -> Model:
    """Train a text model of a kind: what :meth:`unrolled.tasks.text.model.TextModel.train` does."""
    observer = observer or Silent()
    if resume:
        if out is None:
            raise UsageError("--resume goes on with the run in --out DIR; name the folder.")
        run = _Run.resumed(kind, source, ModelFolder.open(out), cell, settings)
        return run.train(observer, resume=True)
    if source is None:
        raise UsageError("name a text to train on: a file, a folder, or a bundled set ('unrolled data' lists them).")
    run = _Run.fresh(kind, source, cell, settings)
    if out is None:
        with tempfile.TemporaryDirectory() as scratch:
            return run.into(ModelFolder.create(Path(scratch) / "model")).train(observer)
    folder = ModelFolder.create(out, force)
    try:
        return run.into(folder).train(observer)
    finally:
        if not (folder.path / LAST).exists():
            folder.discard()


class _Run(Generic[Model]):
    """A text, a model to train on it, and the folder that takes the result."""

    def __init__(self, splits: TextSplits, source: str, model: Model) -> None:
        self.splits, self.source, self.model = splits, source, model
        self.folder: ModelFolder | None = None
        config = model.config
        self.device = resolve_device(config.device)
        self.streams = Streams(model.vocabulary.encode(splits.train), config.batch, config.window)
        self.checks = _validation_streams(model.vocabulary, splits.valid, config.window)

    @classmethod
    def fresh(
        cls, kind: type[Model], source: str | Path, cell: str | Path | Cell | None, settings: Mapping[str, Any]
    ) -> "_Run[Model]":
        """A new run."""
        if cell is not None:
            settings = {**settings, "cell": cell.name if isinstance(cell, Cell) else str(cell)}
        config = make_config(TextConfig, settings)
        chosen = rewritten(find_cell(config.cell if cell is None else cell), config)
        splits = load_text(source, config.encoding, config.validation_fraction)
        texts = [text for text in (splits.train, splits.valid, splits.test) if text]
        learned_from = texts if config.unit == "char" else [splits.train]
        vocabulary = Vocabulary.train(learned_from, config.unit, config.vocabulary)
        if config.ties and "embedding" not in config.model_fields_set:
            config = config.model_copy(update={"embedding": _output_size(config, chosen)})
        torch.manual_seed(config.seed)
        model = kind(build_network(config, chosen, vocabulary.size), vocabulary, config)
        return cls(splits, str(source), model)

    @classmethod
    def resumed(
        cls,
        kind: type[Model],
        source: str | Path | None,
        opened: tuple[ModelFolder, dict[str, Any]],
        cell: str | Path | Cell | None,
        settings: Mapping[str, Any],
    ) -> "_Run[Model]":
        """The run that a folder holds, with a new budget if one is given."""
        folder, described = opened
        model = kind.load_untrained(folder, described)
        old = model.config.model_dump()
        changed = [name for name, value in settings.items() if name not in BUDGETS and old.get(name) != value]
        if cell is not None and not (isinstance(cell, str) and cell == old["cell"]):
            changed.append("cell")
        if changed:
            raise UsageError(f"--resume goes on with the settings of {folder.path}; leave out {', '.join(changed)}.")
        budget = {name: settings[name] for name in BUDGETS if settings.get(name) is not None}
        if budget:
            model.config = make_config(TextConfig, old | dict.fromkeys(BUDGETS) | budget)
        said = folder.read_json(SOURCE)
        if not isinstance(said.get("source"), str):
            raise UsageError(f"{folder.path / SOURCE} is damaged: it names no source.")
        where = said["source"] if source is None else str(source)
        splits = load_text(where, model.config.encoding, model.config.validation_fraction)
        if splits.fingerprint != said.get("fingerprint"):
            raise UsageError(f"{where} is not the text that {folder.path} was trained on: its fingerprint differs.")
        run = cls(splits, where, model)
        run.folder = folder
        return run

    def into(self, folder: ModelFolder) -> "_Run[Model]":
        """The run with a fresh folder, into which what it begins from is written."""
        self.folder = folder
        self.model.write_config(folder)
        folder.write_json(SOURCE, {"source": self.source, "fingerprint": self.splits.fingerprint})
        return self

    def train(self, observer: Observer, resume: bool = False) -> Model:
        """Train, make the final figures, and write them to the folder."""
        assert self.folder is not None
        model = self.model
        watcher = _Watcher(observer, model)
        trainer = Trainer(model.network, self.streams, self.validate, model.config, self.folder, watcher)
        if resume:
            written = _steps_written(self.folder)
            trainer.resume(written)
            if trainer.progress.share >= 1.0 and trainer.progress.step == written:
                raise UsageError(f"the budget of {trainer.budget} is used up; give a larger one to go on.")
            model.write_config(self.folder)
        observer.begun(model, self.splits, str(trainer.budget))
        progress = trainer.run()
        model.history = trainer.history.rows
        model.metrics = self.figures(progress, observer)
        model.network.to("cpu").eval()
        model.write_result(self.folder)
        return model

    def validate(self) -> float:
        """Nats a token on the validation text, or on its beginning where it is long."""
        return stream_loss(self.model.network, self.checks, self.device)

    def figures(self, progress: Progress, observer: Observer) -> dict[str, Any]:
        """All that ``metrics.json`` holds."""
        model, config, splits = self.model, self.model.config, self.splits
        scored = {}
        for split, text in (("validation", splits.valid), ("test", splits.test)):
            if text:
                report = _reporter(observer, split)
                scored[split] = model.score(text, report=report).figures()
        return scored | {
            "training": {
                "steps": progress.step,
                "epochs": round(progress.step / len(self.streams), 4),
                "seconds": round(progress.seconds, 3),
                "ended": progress.ended,
                "best_step": progress.best_step,
                "nats_per_token": progress.loss,
                "tokens_per_second": round(progress.tokens_per_second, 1),
                "parameters": sum(one.numel() for one in model.network.parameters()),
            },
            "data": {"name": splits.name, "fingerprint": splits.fingerprint, "characters": len(splits.train)},
            "seed": config.seed,
            "versions": {
                "unrolled": version("unrolled"),
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
            "machine": {"system": platform.platform(), "processor": _processor(), "threads": torch.get_num_threads()}
            | {"device": self.device},
        }


class _Watcher:
    """Passes a trainer's news on to an observer, with a line that the network writes."""

    def __init__(self, observer: Observer, model: TrainedText) -> None:
        self.observer, self.model = observer, model
        self.stepped = observer.stepped

    def validated(self, progress: Progress, loss: float) -> None:
        """See :class:`unrolled.training.trainer.Watcher`."""
        training = self.model.network.training
        sample = self.model.generate(length=60, sampling=Sampling(temperature=0.8), seed=progress.step)
        self.model.network.train(training)
        self.observer.validated(progress, loss, sample)


def _reporter(observer: Observer, split: str) -> Callable[[int, int], None]:
    return lambda done, total: observer.scoring(split, done, total)


def _output_size(config: TextConfig, cell: Cell) -> int:
    known = cell.known_sizes(config.embedding or 1, config.hidden, **config.sizes)
    return cell.size_of(cell.output, known)


def _steps_written(folder: ModelFolder) -> int:
    """The updates behind the result that a folder holds, 0 without one; ``metrics.json`` is written last."""
    if not (folder.path / METRICS).exists():
        return 0
    return folder.read_json(METRICS).get("training", {}).get("steps", 0)


def _validation_streams(vocabulary: Vocabulary, text: str, window: int) -> Streams:
    ids = vocabulary.encode(text)[:VALIDATION_TOKENS]
    if ids.numel() < 2:
        raise UsageError(f"the validation text has {ids.numel()} token(s), too few to validate on; give a longer text.")
    window = min(window, ids.numel() - 1)
    return Streams(ids, min(VALIDATION_ROWS, ids.numel() // (window + 1)), window)


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
