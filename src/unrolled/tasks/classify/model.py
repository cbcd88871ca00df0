"""ClassifyModel, the classify task's estimator: one class for a whole sequence."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.holdout import hold_out
from unrolled.data.splits import Splits
from unrolled.data.tables import KINDS as TABLES
from unrolled.data.word_vectors import read_word_vectors
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.model_folder import CONFUSION, ModelFolder
from unrolled.tasks.card import SPLITS
from unrolled.tasks.choose import chosen, given_as_it_is, part_of
from unrolled.tasks.classify.baselines import Baseline, baselines_of, kept_by, known_from, learned
from unrolled.tasks.classify.baselines import Known as KnownBaselines
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.draw import draw_confusion
from unrolled.tasks.classify.examples import KINDS, Examples, Form
from unrolled.tasks.classify.network import Numbers, begin_from, build_network
from unrolled.tasks.classify.read import read_examples
from unrolled.tasks.classify.score import baseline_figures, figures_of
from unrolled.tasks.classify.subject import subject_of
from unrolled.tasks.classify.teach import Known, Teaching, balanced, scores_of
from unrolled.tasks.classify.words import Coder
from unrolled.tasks.estimator import Kept, KnowledgeError, Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.training.batching import BatchCourse
from unrolled.wirings.many_to_one import ManyToOne
from unrolled.wirings.tokens import Embedding


class ClassifyModel(Trainable[ClassifyConfig, Examples]):
    """A network that says of which class a sequence is: :meth:`fit` or :meth:`load` one, then predict and evaluate.

    What it trains on: a table (file, or frame of polars or pandas), a ``.ts`` or ``.npz`` file, a folder with a folder
    of wav or picture files for each class, or ``(inputs, labels)`` in memory.

    Attributes:
        form: What it reads.
        classes: The classes, in the order of its scores.
        frequencies: How many training examples each has.
        coder: Between texts and ids; None for numbers.
    """

    TASK, CONFIG = "classify", ClassifyConfig
    JUDGED_BY = {"accuracy": True}
    FILES = (*TABLES, ".ts", ".npz", "/")
    network: ManyToOne

    def __init__(
        self,
        config: ClassifyConfig,
        cell: Cell,
        form: Form,
        classes: Sequence[str],
        counts: Sequence[int],
        coder: Coder | None,
    ) -> None:
        network = build_network(config, cell, form, coder.size if coder else 0, len(classes))
        super().__init__(config, network.recurrent.cell, network)
        self.form, self.classes, self.frequencies, self.coder = form, list(classes), list(counts), coder
        self.notes: list[str] = []
        self._teaching: Teaching | None = None
        self._beside: KnownBaselines | None = None

    # What the estimator asks of a task

    @classmethod
    def read(cls, sources: Sources, config: ClassifyConfig) -> Splits[Examples]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if sources.train is None:
            raise UsageError("name the data to train on: a table, a .ts or .npz file, or a folder.")
        whole = read_examples(sources.train, config, split="train")
        assert whole is not None
        whole = whole.of_classes()
        notes = list(whole.notes)
        parts = {}
        for split, source in (("valid", sources.valid), ("test", sources.test)):
            part = None
            if source is not None:
                part = read_examples(source, config, whole.form, split=split)
            elif _is_npz(sources.train):
                part = read_examples(sources.train, config, whole.form, split=split)
            if source is not None and part is None:  # an npz file of its own bears no split's name
                part = read_examples(source, config, whole.form)
            if part is not None:
                part.targets(whole.classes)  # raises for a class that training lacks
                notes += [note for note in part.notes if note not in notes]
            parts[split] = part
        train, valid = whole, parts["valid"]
        if valid is None:
            learned, held = hold_out(whole.labels or (), config.validation_fraction, config.seed)
            train, valid = whole.some(learned), whole.some(held)
            notes.append(f"{len(held)} of {len(whole)} examples validate (by chance, each class its share; --valid)")
        prints = [one.fingerprint for one in (whole, parts["valid"], parts["test"]) if one is not None]
        fingerprint = prints[0] if len(prints) == 1 else hashlib.sha256("".join(prints).encode()).hexdigest()
        return Splits(whole.name, train, valid, parts["test"], fingerprint, tuple(notes))

    @classmethod
    def begin(cls, splits: Splits[Examples], config: ClassifyConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        train = splits.train
        classes = list(train.classes)
        counts = torch.bincount(train.targets(classes), minlength=len(classes)).tolist()
        if train.form.kind != "text":
            model = cls(config, cell, train.form, classes, counts, None)
            side = model.network.input_side
            assert isinstance(side, Numbers)
            side.learn(train.inputs, together=train.form.kind == "pictures")
            return model
        return cls._begin_texts(train, config, cell, classes, counts)

    @classmethod
    def _begin_texts(
        cls, train: Examples, config: ClassifyConfig, cell: Cell, classes: list[str], counts: list[int]
    ) -> Self:
        """A model of texts; its word vectors begin from a file where one is given."""
        if config.vectors is None:
            coder = Coder.learn(train.inputs, config.unit, config.vocabulary, config.lowers)
            return cls(config, cell, train.form, classes, counts, coder)
        file = _beside(train.folder, config.vectors)
        if config.unit != "word":
            raise UsageError(f"--vectors are of words, and the texts are read by --unit {config.unit}; leave one out.")
        words, vectors, _ = read_word_vectors(file)
        width = vectors.shape[1]
        if "embedding" in config.model_fields_set and config.embedding != width:
            raise UsageError(f"--embedding is {config.embedding}, and the vectors in {file} have {width}.")
        config = config.model_copy(update={"embedding": width})
        coder = Coder.learn(train.inputs, "word", config.vocabulary, config.lowers, words)
        model = cls(config, cell, train.form, classes, counts, coder)
        side = model.network.input_side
        assert isinstance(side, Embedding)
        begin_from(side, coder.vocabulary.tokens, words, vectors)
        read = {word for text in train.inputs for word in coder.cut(text)}
        met = len(read.intersection(words))
        model.notes.append(f"vectors: {met:,} of {len(read):,} words of the texts are in {file.name}")
        return model

    @classmethod
    def assemble(cls, config: ClassifyConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        try:
            known = json.loads(knowledge)
            form = Form(known["kind"], known["width"], known["rate"], dict(known["columns"]))
            classes, counts = list(known["classes"]), list(known["counts"])
            coder = Coder.from_json(known["texts"]) if form.kind == "text" else None
        except (ValueError, KeyError, TypeError) as error:
            raise KnowledgeError(f"{type(error).__name__} {error}") from None
        except UsageError as error:
            raise KnowledgeError(str(error)) from None
        if form.kind not in KINDS or len(counts) != len(classes) or len(classes) < 2:
            raise KnowledgeError("kind, classes and counts do not fit each other")
        return cls(config, cell, form, classes, counts, coder)

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        form = self.form
        said = {"kind": form.kind, "width": form.width, "rate": form.rate, "columns": form.columns}
        said |= {"classes": self.classes, "counts": self.frequencies, "texts": self.coder and self.coder.to_json()}
        return json.dumps(said, ensure_ascii=False)

    def course(self, splits: Splits[Examples]) -> BatchCourse:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        config, network = self.config, self.network
        side = network.input_side
        if isinstance(side, Embedding):
            side.weight.requires_grad_(config.vectors is None or config.tune)
        train, valid = (Known(self._encoded(part), part.targets(self.classes)) for part in (splits.train, splits.valid))
        weights = balanced(self.frequencies) if config.balance else None
        self._teaching = Teaching(network, train, valid, weights, self.coder and self.coder.unknown, config)
        lengths = [len(one) for one in train.sequences]
        return BatchCourse(lengths, self._teaching.learn, self._teaching.validate, config)

    def _encoded(self, examples: Examples) -> list[Tensor]:
        """Sequences as the network reads them: ids (T_n,), or numbers (T_n, D)."""
        if self.coder is not None:
            return [self.coder.encode(text) for text in examples.inputs]
        dtype = next(self.network.parameters()).dtype
        return [one.to(dtype) for one in examples.inputs]

    def _scores(self, examples: Examples, report: Callable[[int, int], None] | None = None) -> Tensor:
        return scores_of(self.network, self._encoded(examples), self.config.batch, report)

    def figures(self, splits: Splits[Examples], report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        train = splits.train
        queries = len(splits.valid) + (0 if splits.test is None else len(splits.test))
        self._beside = learned(train, train.targets(self.classes), self.config)
        methods = baselines_of(self._beside, self.frequencies, self.config.seed, queries)
        scored = {}
        for split, part in zip(SPLITS, (splits.valid, splits.test), strict=True):
            if part is not None:
                scored[split] = self._figures(part, split, methods, report)
        return scored

    def baselines(self) -> Kept | None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return kept_by(self._beside)

    def take_baselines(self, kept: Kept) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        self._beside = known_from(kept)

    def _figures(self, part: Examples, what: str, methods: Sequence[Baseline], report: Report) -> dict[str, Any]:
        targets = part.targets(self.classes)
        beside = {one.name: baseline_figures(targets, one.choose(part.inputs), self.classes) for one in methods}
        scores = self._scores(part, lambda done, total: report(what, done, total))
        own = figures_of(targets, scores.argmax(1), self.classes) | {"loss": float(cross_entropy(scores, targets))}
        return own | {"baselines": beside}

    def predict(self, data: Any) -> Iterator[dict[str, Any]]:
        """The class of each sequence and the probability of every class, in order, with its id where it has one.

        Args:
            data: As in training, classes not needed; or a list of sequences. For texts also a file with one a line.
        """
        examples = self._read(data, answers=False)
        for place, row in enumerate(self._scores(examples)):
            shares = torch.softmax(row, 0).tolist()
            said = {} if examples.ids is None else {"id": examples.ids[place]}
            chosen = self.classes[int(row.argmax())]
            yield said | {"label": chosen, "probabilities": dict(zip(self.classes, shares, strict=True))}

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """Accuracy, macro F1, each class's figures, the confusion, over data with classes; the baselines beside it."""
        examples = self._read(data, answers=True)
        methods = baselines_of(self._beside, self.frequencies, self.config.seed, len(examples))
        return self._figures(examples, "evaluation", methods, report)

    def _read(self, data: Any, answers: bool) -> Examples:
        """Data of the form that the model reads; of an npz file with several parts, the test part."""
        parted = read_examples(data, self.config, self.form, answers, "test") if _is_npz(data) else None
        examples = parted or read_examples(data, self.config, self.form, answers)
        assert examples is not None
        return examples

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part_of(part, self.PARTS)
        given = [data] if self._is_one(data) else data
        try:
            examples = self._read(given, answers=True)
        except UsageError:  # without classes
            examples = self._read(given, answers=False)
        one = examples.some([chosen(row, len(examples), examples.ids, examples.name)])
        (sequence,) = self._encoded(one)
        steps = self.coder.shown(one.inputs[0]) if self.coder else [str(step) for step in range(len(sequence))]
        right = self.classes.index(one.labels[0]) if one.labels and one.labels[0] in self.classes else None
        return subject_of(self.network, sequence, steps, self.classes, right)

    def _is_one(self, data: Any) -> bool:
        """Whether data are one sequence as it is: a text, or numbers (T,) or (T, D)."""
        if self.form.kind == "text":
            return given_as_it_is(data)
        return isinstance(data, np.ndarray | Tensor) and data.ndim <= 2

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return KINDS[self.form.kind][0]

    @property
    def loss_name(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        plain = f"nats a {self.unit}"
        return plain if self.config.select == "loss" else f"{plain}; validation: share of errors"

    def describe(self, splits: Splits[Examples]) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        sizes = f"{len(splits.train):,} to learn, {len(splits.valid):,} to validate"
        return [f"{splits.name}: {len(self.classes)} classes, {sizes}", *splits.notes, *self.notes]

    def counts(self, splits: Splits[Examples]) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"examples": len(splits.train), "classes": len(self.classes)}

    def sample(self, step: int) -> str:  # noqa: ARG002
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        accuracy = self._teaching.accuracy if self._teaching else None
        return "" if accuracy is None else f"accuracy {accuracy:.4f}"

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        lines = []
        for split in SPLITS:
            if split in self.metrics:
                one = self.metrics[split]
                lines.append(f"{split}: {_told(one)}, over {one['examples']:,} {KINDS[self.form.kind][1]}")
                lines += [f"  {name}: {_told(beside)}" for name, beside in one["baselines"].items()]
        return lines

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        shown = ", ".join(self.classes[:6]) + (f" and {len(self.classes) - 6} more" if len(self.classes) > 6 else "")
        return f"A recurrent network that says of which class a {self.unit} is ({shown})"

    def draw(self, folder: ModelFolder) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        split = next((split for split in reversed(SPLITS) if split in self.metrics), None)
        if split is None:
            return []
        one = self.metrics[split]
        title = f"{split}: accuracy {one['accuracy']:.4f} over {one['examples']:,} {KINDS[self.form.kind][1]}"
        draw_confusion(one["confusion"], self.classes, title, folder.path / CONFUSION)
        return [CONFUSION]


def _beside(folder: Path | None, name: str) -> Path:
    """A file by its name, or where there is none, by its name beside the data."""
    file = Path(name)
    return file if folder is None or file.exists() or not (folder / file).exists() else folder / file


def _told(figures: dict[str, Any]) -> str:
    return f"accuracy {figures['accuracy']:.4f}, macro F1 {figures['macro_f1']:.4f}"


def _is_npz(source: Any) -> bool:
    return isinstance(source, str | Path) and str(source).endswith(".npz")
