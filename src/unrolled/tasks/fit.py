"""A training from data to a model folder, new or resumed; the same for every task."""

import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import torch

from unrolled.cells.library import find_cell
from unrolled.data.folders import find_splits
from unrolled.data.splits import Splits, shortened
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.run import in_a_line, of_looks, of_updates
from unrolled.inspection.verdict import of_training
from unrolled.model_folder import METRICS, SOURCE, ModelFolder
from unrolled.tasks.estimator import Config, Estimator, Part, Sources
from unrolled.tasks.observer import Observer, Silent, Told
from unrolled.training.config import BUDGETS, make_config
from unrolled.training.device import resolve_device
from unrolled.training.pulse import lately
from unrolled.training.trainer import LAST, Progress, Trainer
from unrolled.wirings.recurrence import rewritten

Model = TypeVar("Model", bound=Estimator)


def fit(
    kind: type[Model],
    sources: Sources,
    *,
    out: str | Path | None = None,
    cell: str | Path | Cell | None = None,
    force: bool = False,
    resume: bool = False,
    observer: Observer | None = None,
    fingerprint: str | None = None,
    examples: int | None = None,
    settings: Mapping[str, Any],
) -> Model:
    """Train a model of a task.

    Args:
        kind: The task's estimator.
        sources: The data. A resumed run reads what it read before, and may leave them out.
        out: The model folder to write; without it nothing is kept on disk.
        cell: A cell of the library, a text file of equations, or a Cell of one's own.
        force: Replace a model that stands at ``out``.
        resume: Go on with the run that ``out`` holds, by its settings; only the budget may be given anew.
        observer: Who is told how it goes.
        fingerprint: The sha256 (hex) that the data must have.
        examples: Only about so many of each split, to see whether all runs through.
        settings: The fields of the task's configuration.

    Raises:
        UsageError: a setting, file or folder does not fit; nothing is written then.
        UnrolledError: the loss or a gradient became no finite number.
    """
    observer = observer or Silent()
    if resume:
        if out is None:
            raise UsageError("--resume goes on with the run in --out DIR; name the folder.")
        return _Run.resumed(kind, sources, ModelFolder.open(out), cell, settings).train(observer, resume=True)
    run = _Run.fresh(kind, sources, cell, _read_by(kind, fingerprint, examples), settings)
    if out is None:
        with tempfile.TemporaryDirectory() as scratch:
            return run.into(ModelFolder.create(Path(scratch) / "model")).train(observer)
    folder = ModelFolder.create(out, force)
    try:
        return run.into(folder).train(observer)
    finally:
        if not (folder.path / LAST).exists():
            folder.discard()


class Trainable(Estimator[Config, Part]):
    """An estimator that can be trained."""

    @classmethod
    def fit(
        cls,
        train: Any = None,
        valid: Any = None,
        test: Any = None,
        *,
        out: str | Path | None = None,
        cell: str | Path | Cell | None = None,
        force: bool = False,
        resume: bool = False,
        observer: Observer | None = None,
        **settings: Any,
    ) -> Self:
        """Train a model.

        Args:
            train: The data, as the class says. A resumed run reads what it read before, and may leave them out.
            valid: The same to validate on; a part of ``train`` where left out.
            test: The same for the final figures, looked at once.
            out, cell, force, resume, observer: See :func:`fit`.
            **settings: The fields of the task's configuration.

        Raises:
            UsageError: a setting, file, row or column does not fit; nothing is written then.
            UnrolledError: the loss or a gradient became no finite number.
        """
        how = {"out": out, "cell": cell, "force": force, "resume": resume, "observer": observer}
        return fit(cls, Sources(train, valid, test), settings=settings, **how)


class _Run(Generic[Model]):
    """Data, a model to train on them, and the folder that takes the result."""

    def __init__(self, splits: Splits, sources: Sources, model: Model) -> None:
        self.splits, self.sources, self.model = splits, sources, model
        self.folder: ModelFolder | None = None
        self.device = resolve_device(model.config.device)
        self.course = model.course(splits)

    @classmethod
    def fresh(
        cls,
        kind: type[Model],
        sources: Sources,
        cell: str | Path | Cell | None,
        read: Callable[[Sources, Any], Splits],
        settings: Mapping[str, Any],
    ) -> "_Run[Model]":
        """A new run."""
        if cell is not None:
            settings = {**settings, "cell": cell.name if isinstance(cell, Cell) else str(cell)}
        config = make_config(kind.CONFIG, settings)
        chosen = rewritten(find_cell(config.cell if cell is None else cell), config)
        splits = read(sources, config)
        torch.manual_seed(config.seed)
        return cls(splits, sources, kind.begin(splits, config, chosen))

    @classmethod
    def resumed(
        cls,
        kind: type[Model],
        sources: Sources,
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
            model.config = make_config(kind.CONFIG, old | dict.fromkeys(BUDGETS) | budget)
        said = folder.read_json(SOURCE)
        where = sources
        if sources.train is None:
            if not isinstance(said.get("source"), str):
                if "source" in said:
                    raise UsageError(f"{folder.path} was trained on values in memory; give them again.")
                raise UsageError(f"{folder.path / SOURCE} is damaged: it names no source.")
            where = Sources(said["source"], said.get("valid"), said.get("test"))
        splits = _read_by(kind)(where, model.config)
        if splits.fingerprint != said.get("fingerprint"):
            shown = where.train if isinstance(where.train, str | Path) else "this"
            raise UsageError(f"{shown} is not what {folder.path} was trained on: its fingerprint differs.")
        run = cls(splits, where, model)
        run.folder = folder
        return run

    def into(self, folder: ModelFolder) -> "_Run[Model]":
        """The run with a fresh folder, into which what it begins from is written."""
        self.folder = folder
        self.model.write_config(folder)
        named = [str(one) if isinstance(one, str | Path) else None for one in self.sources]
        said = dict(zip(("source", "valid", "test"), named, strict=True))
        folder.write_json(SOURCE, {**said, "fingerprint": self.splits.fingerprint})
        return self

    def train(self, observer: Observer, resume: bool = False) -> Model:
        """Train, make the final figures, and write them to the folder."""
        assert self.folder is not None
        model = self.model
        trainer = Trainer(model.network, self.course, model.config, self.folder, _Watcher(observer, model))
        if resume:
            written = _steps_written(self.folder)
            trainer.resume(written)
            if trainer.progress.share >= 1.0 and trainer.progress.step == written:
                raise UsageError(f"the budget of {trainer.budget} is used up; give a larger one to go on.")
            model.write_config(self.folder)
        observer.begun(self.told(str(trainer.budget)))
        progress = trainer.run()
        model.history = trainer.history.rows
        model.metrics = model.figures(self.splits, observer.scoring) | self.circumstances(progress)
        model.network.to("cpu").eval()
        model.write_result(self.folder)
        return model

    def told(self, budget: str) -> Told:
        """What is said before the first update."""
        model, config = self.model, self.model.config
        shape = f"{config.layers} layer{'s' * (config.layers > 1)} of {config.hidden} units"
        heading = f"{model.cell.name}, {shape}, {model.parameters:,} parameters, {budget}"
        return Told(heading, model.describe(self.splits), model.unit, model.loss_name)

    def circumstances(self, progress: Progress) -> dict[str, Any]:
        """What ``metrics.json`` holds beside the figures."""
        model, splits = self.model, self.splits
        return {
            "training": {
                "steps": progress.step,
                "epochs": round(progress.step / len(self.course), 4),
                "seconds": round(progress.seconds, 3),
                "ended": progress.ended,
                "best_step": progress.best_step,
                "loss": progress.loss,
                "per_second": round(progress.per_second, 1),
                "parameters": model.parameters,
                "verdict": _verdict(model.history, model.config.clip),
            },
            "data": {"name": splits.name, "fingerprint": splits.fingerprint, "notes": list(splits.notes)}
            | model.counts(splits),
            "seed": model.config.seed,
            "versions": versions(),
            "machine": machine(self.device),
        }


class _Watcher:
    """Passes a trainer's news on to an observer, with a line that shows what the network can do."""

    def __init__(self, observer: Observer, model: Estimator) -> None:
        self.observer, self.model = observer, model
        self.stepped = observer.stepped

    def validated(self, progress: Progress, loss: float) -> None:
        """See :class:`unrolled.training.trainer.Watcher`."""
        training = self.model.network.training
        sample = self.model.sample(progress.step)
        self.model.network.train(training)
        self.observer.validated(progress, loss, sample)


def _read_by(
    kind: type[Estimator], fingerprint: str | None = None, examples: int | None = None
) -> Callable[[Sources, Any], Splits]:
    """How the task reads, the fingerprint checked, and cut down to so many examples."""

    def read(sources: Sources, config: Any) -> Splits:
        inside, said = _in_folder(sources, kind.FILES)
        splits = kind.read(inside, config)
        splits = replace(splits, notes=(*said, *splits.notes)) if said else splits
        if fingerprint not in (None, splits.fingerprint):
            seen = f"its sha256 is {splits.fingerprint}, and not {fingerprint}"
            raise UsageError(f"{splits.name} is not what is wanted: {seen}.")
        return splits if examples is None else shortened(splits, examples)

    return read


def _in_folder(sources: Sources, endings: Sequence[str]) -> tuple[Sources, tuple[str, ...]]:
    """The files of a folder that holds one for each split, and a word on them; other sources as they are."""
    if not endings or not isinstance(sources.train, str | Path) or not Path(sources.train).is_dir():
        return sources, ()
    found = find_splits(Path(sources.train), endings)
    if "train" not in found:
        return sources, ()
    given = {name: one for name, one in sources._asdict().items() if one is not None and name != "train"}
    inside = Sources(**(found | given))
    named = [f"{split}: {found[split].name}" for split in found if split not in given]
    return inside, (f"{', '.join(named)} (found by their names)",)


def _steps_written(folder: ModelFolder) -> int:
    """The updates behind the result that a folder holds, 0 without one; ``metrics.json`` is written last."""
    if not (folder.path / METRICS).exists():
        return 0
    return folder.read_json(METRICS).get("training", {}).get("steps", 0)


def _verdict(rows: Sequence[Mapping[str, Any]], clip: float) -> str | None:
    """What is wrong inside by the rows of a run, in a line, or ``healthy``; None where nobody looked."""
    late = lately(rows)
    found = in_a_line([*of_training(rows), *of_updates(rows, clip), *of_looks(late)])
    return found or ("healthy" if late else None)


def versions() -> dict[str, str]:
    """What computed, for a record of figures."""
    return {"unrolled": version("unrolled"), "torch": torch.__version__, "python": platform.python_version()}


def machine(device: str) -> dict[str, Any]:
    """On what, for a record of figures."""
    system = {"system": platform.platform(), "processor": _processor()}
    return system | {"threads": torch.get_num_threads(), "device": device}


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
