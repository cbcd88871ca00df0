"""FramesModel, the frames task's estimator: what holds at every step of a sequence."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import by_length, padded
from unrolled.data.splits import Splits
from unrolled.data.tables import KINDS as TABLES
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.tasks.beside import train_beside
from unrolled.tasks.choose import chosen, part_of
from unrolled.tasks.estimator import Kept, KnowledgeError, Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.tasks.frames.answers import Answers, LabelSets, Numbers, OneLabel, from_dict
from unrolled.tasks.frames.config import FramesConfig
from unrolled.tasks.frames.network import FrameNetwork
from unrolled.tasks.frames.pieces import Piece, at_tempo, pieces, with_future
from unrolled.tasks.frames.recordings import Form, Recording, Recordings
from unrolled.tasks.frames.sources import from_values, prepared, read_one, read_splits
from unrolled.tasks.frames.stream import FrameStream
from unrolled.tasks.frames.subject import Frames, aligned
from unrolled.training.batching import BatchCourse
from unrolled.training.course import Lesson, device_of

ALONE = "no recurrence"
"""What the network that reads each step alone is called among the baselines."""


class FramesModel(Trainable[FramesConfig, Recordings]):
    """A network that says what holds at each step: :meth:`fit` or :meth:`load` one, then predict, stream, evaluate.

    What it trains on: a long table (file, or frame of polars or pandas), an npz file or a mapping of arrays, a JSON
    file of label sets, or videos: a table of files and their label tracks, or a folder.
    """

    TASK, CONFIG = "frames", FramesConfig
    JUDGED_BY = {"accuracy": True, "nll": False, "rmse": False}
    FILES = (*TABLES, ".npz", ".json")
    network: FrameNetwork

    def __init__(self, config: FramesConfig, cell: Cell, form: Form, answers: Answers, alone: bool = False) -> None:
        width = answers.size if form.own else len(form.features)
        network = FrameNetwork(width, answers.size, config, cell, alone)
        super().__init__(config, network.recurrent.cell, network)
        self.form, self.answers = form, answers
        self._plain: FramesModel | None = None
        """The same network without recurrence."""

    def predict(self, data: Any) -> Iterator[dict[str, Any]]:
        """What holds at each step of each sequence.

        Args:
            data: A file, frame or mapping as in training (answers are not needed, and not looked at), or a list of
                sequences: (T, D) numbers each, or T lists of labels where these are what is read.

        Yields:
            ``id`` (not of sequences in memory), ``time`` where a column says it, and for the T steps ``labels`` and
            ``probabilities`` by label, or ``values``. With ``ahead`` they are those of so many steps later. Of video
            files a row a frame: ``id``, ``frame`` (from 0), ``time`` (seconds), ``label``, ``probabilities``.
        """
        if isinstance(data, list | tuple):
            read = from_values(data, self.form, self.config)
        else:
            read = read_one(data, self.config, self.form, answers=False)
        sequences, size = read.sequences, self.config.batch
        for start in range(0, len(sequences), size):
            batch = sequences[start : start + size]
            for one, scores in zip(batch, self._scores([self._features(each) for each in batch]), strict=True):
                named = {} if one.id is None else {"id": one.id}
                timed = {"time": list(one.times)} if one.times else {}
                if "video" in self.form.columns and one.id is not None:
                    clock = enumerate(zip(one.times, scores, strict=True))
                    yield from (named | {"frame": f, "time": t} | self.answers.tell(said) for f, (t, said) in clock)
                else:
                    yield named | timed | self._row(scores)

    def stream(self) -> FrameStream:
        """One sequence, step by step: ``stream.step(features)`` gives what :meth:`predict` gives for the whole of it.

        Raises:
            UsageError: the network is bidirectional.
        """
        self.network.eval()
        return FrameStream(self.network, self._encoded_step, self.answers.tell, self.config.lookahead)

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """The metrics over a file, frame or mapping with answers: accuracy, macro_f1, edit_score and nll; of label sets
        nll and micro_f1; of numbers mae, rmse and r2. Beside them the ``baselines``.
        """
        read = prepared(read_one(data, self.config, self.form), self.config)
        notes = {"notes": list(read.notes)} if read.notes else {}
        return self._compared(read, lambda done, total: report("frames", done, total)) | notes

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part_of(part, self.PARTS)
        read = self._read_any(data)
        one = read.sequences[chosen(row, len(read), [one.id for one in read.sequences], read.name)]
        features, late, ahead = self._features(one), self.config.lookahead, self.config.ahead
        encoded = None if one.answers is None else self.answers.encode(one)
        right, known = aligned(self.answers, encoded, len(features) + late, late, ahead)
        steps = [str(step) for step in one.times or range(len(features))] + ["after the end"] * late
        inputs = with_future(features, 0, len(features), late)
        return Frames(self.network, self.answers, inputs, right, known).subject(steps)

    def _read_any(self, data: Any) -> Recordings:
        """Sequences in memory or in a file, with their answers where it has them."""
        if isinstance(data, np.ndarray | Tensor):
            data = [data]
        if isinstance(data, list | tuple):
            return from_values(data, self.form, self.config)
        try:
            return read_one(data, self.config, self.form)
        except UsageError:  # without answers
            return read_one(data, self.config, self.form, answers=False)

    # What the estimator asks of a task

    @classmethod
    def read(cls, sources: Sources, config: FramesConfig) -> Splits[Recordings]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return read_splits(sources, config)

    @classmethod
    def begin(cls, splits: Splits[Recordings], config: FramesConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        train, form = splits.train.sequences, splits.train.form
        if config.multilabel:
            others = [one for part in (splits.valid, splits.test) if part is not None for one in part.sequences]
            answers = LabelSets.learned(train, others)
        elif config.regression:
            answers = Numbers.learned(train, _number_names(train, form))
        else:
            answers = OneLabel.learned(train, config.balanced)
        model = cls(config, cell, form, answers)
        if not form.own:
            model.network.scale.learn([model._features(one).float() for one in train])
        return model

    @classmethod
    def assemble(cls, config: FramesConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        try:
            known = json.loads(knowledge)
            said = known["form"]
            form = Form(tuple(said["features"]), dict(said["columns"]), bool(said["own"]))
            answers = from_dict(known["answers"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KnowledgeError(f"it does not say what is read and answered ({error})") from None
        return cls(config, cell, form, answers)

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        form = {"features": list(self.form.features), "columns": self.form.columns, "own": self.form.own}
        return json.dumps({"form": form, "answers": self.answers.to_dict()}, ensure_ascii=False, indent=1) + "\n"

    def course(self, splits: Splits[Recordings]) -> BatchCourse:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        learned = [self._pair(one) for one in splits.train.sequences]
        checked = [self._pair(one) for one in splits.valid.sequences]
        cut = pieces([len(answers) for _, answers in learned], self.config.window)

        def learn(ready: Any, places: list[int]) -> Lesson:
            return self._lesson(ready, learned, [cut[place] for place in places])

        return BatchCourse([piece.steps for piece in cut], learn, lambda: self._loss(checked), self.config)

    def figures(self, splits: Splits[Recordings], report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        self._plain = self._without_recurrence(splits, report) if self.config.baseline else None
        figures = {}
        for split, part in (("validation", splits.valid), ("test", splits.test)):
            if part is not None:
                figures[split] = self._compared(part, _reporter(report, split))
        return figures

    def baselines(self) -> Kept | None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return None if self._plain is None else Kept(self._plain.network.state_dict())

    def take_baselines(self, kept: Kept) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        self._plain = self._alone()
        try:
            self._plain.network.load_state_dict(kept.tensors)
        except RuntimeError as error:
            raise KnowledgeError(str(error)) from None
        self._plain.network.eval()

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return "frame"

    @property
    def loss_name(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return self.answers.loss_name

    def describe(self, splits: Splits[Recordings]) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        named = (("to learn", splits.train), ("to validate", splits.valid), ("to test", splits.test))
        counted = [f"{len(one.sequences):,} sequences ({one.steps:,} steps) {what}" for what, one in named if one]
        said = f"{self.answers.size} {'numbers' if self.config.regression else 'labels'}"
        read = "the labels of a step are read" if self.form.own else f"{len(self.form.features)} numbers are read"
        return [f"{splits.name}: {', '.join(counted)}; {read}, {said} are said", *splits.notes]

    def counts(self, splits: Splits[Recordings]) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"sequences": len(splits.train.sequences), "steps": splits.train.steps}

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        lines = []
        for split in ("validation", "test"):
            if split in self.metrics:
                figures = self.metrics[split]
                lines.append(f"{split}: {_shown(figures)}")
                lines += [f"  {name}: {_shown(one)}" for name, one in figures["baselines"].items()]
        return lines

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        when = f" {self.config.ahead} step(s) later" if self.config.ahead else ""
        what = {"label": "which label holds", "labels": "which labels hold", "numbers": "which numbers hold"}
        return f"A recurrent network that says {what[self.answers.KIND]} at every step{when}"

    # Its own

    def _encoded_step(self, step: Any) -> Tensor:
        """One step as the user has it, to features (D,)."""
        (one,) = from_values([[step]], self.form, self.config).sequences
        return self._features(one)[0].to(device_of(self.network))

    def _features(self, one: Recording) -> Tensor:
        """What is read, (T, D)."""
        return self.answers.encode(one) if one.features is None else one.features

    def _pair(self, one: Recording) -> tuple[Tensor, Tensor]:
        """What is read and what is to be said of it, step by step: (T, D) and (T, ...)."""
        features, answers = self._features(one), self.answers.encode(self._aligned(one))
        return features[: len(answers)], answers

    def _aligned(self, one: Recording) -> Recording:
        """The recording whose answers are those to be given, where labels are both read and said."""
        return one.cut(self.config.ahead, len(one)) if self.form.own else one

    def _lesson(self, ready: Any, learned: Sequence[tuple[Tensor, Tensor]], cut: Sequence[Piece]) -> Lesson:
        """The loss of some pieces, each begun a little before or behind its place."""
        late, features, answers = self.config.lookahead, [], []
        for piece in cut:
            start, stop = piece.moved(len(learned[piece.sequence][1]))
            read, said = with_future(learned[piece.sequence][0], start, stop, late), learned[piece.sequence][1]
            read, said = at_tempo(read, said[start:stop], self.config.tempo)
            features.append(read)
            answers.append(said)
        device = device_of(self.network)
        inputs, lengths = padded(features)
        scores = ready(inputs.to(device), lengths)[:, late:]
        valid = torch.arange(scores.shape[1]) < (lengths - late).unsqueeze(1)
        return Lesson(self.answers.loss(scores[valid.to(device)], torch.cat(answers).to(device)), int(valid.sum()))

    def _loss(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> float:
        """The mean loss over sequences."""
        total, count = 0.0, 0
        for places in by_length([len(answers) for _, answers in pairs], self.config.batch):
            scores = torch.cat(self._scores([pairs[place][0] for place in places]))
            total += float(self.answers.loss(scores, torch.cat([pairs[place][1] for place in places]))) * len(scores)
            count += len(scores)
        return total / count

    @torch.inference_mode()
    def _scores(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The scores (T, size) of sequences (T, D)."""
        self.network.eval()
        late = self.config.lookahead
        inputs, lengths = padded([with_future(one, 0, len(one), late) for one in features])
        scores = self.network(inputs.to(device_of(self.network)), lengths).cpu()
        return [row[late : late + len(one)] for row, one in zip(scores, features, strict=True)]

    def _row(self, scores: Tensor) -> dict[str, Any]:
        told = [self.answers.tell(step) for step in scores]
        plural = {"label": "labels"}
        return {plural.get(name, name): [one[name] for one in told] for name in told[0]}

    def _compared(self, part: Recordings, report: Callable[[int, int], None]) -> dict[str, Any]:
        """The figures over a part, and those of all baselines."""
        figures = self._measured(part, report)
        if self._plain is not None:
            measured = self._plain._measured(part, lambda *_: None)
            figures["baselines"][ALONE] = {name: one for name, one in measured.items() if name != "baselines"}
            if "accuracy" in measured:
                figures["accuracy_by_recurrence"] = figures["accuracy"] - measured["accuracy"]
        return figures

    def _measured(self, part: Recordings, report: Callable[[int, int], None]) -> dict[str, Any]:
        """The figures over a part, and those of the cheapest baseline."""
        sequences = part.sequences
        pairs = [self._pair(one) for one in sequences]
        scores: list[Tensor] = [torch.empty(0)] * len(pairs)
        done, total = 0, sum(len(answers) for _, answers in pairs)
        for places in by_length([len(answers) for _, answers in pairs], self.config.batch):
            for place, one in zip(places, self._scores([pairs[each][0] for each in places]), strict=True):
                scores[place] = one
                done += len(one)
            report(done, total)
        true = [self._aligned(one) for one in sequences]
        figures = self.answers.figures(scores, true)
        figures["sequences"] = len(sequences)
        figures["baselines"] = {self.answers.chance: self.answers.figures(self.answers.by_chance(true), true)}
        return figures

    def _alone(self) -> "FramesModel":
        return type(self)(self.config, self.cell, self.form, self.answers, alone=True)

    def _without_recurrence(self, splits: Splits[Recordings], report: Report) -> "FramesModel":
        """The same network, trained for as many updates, that reads every step alone."""
        torch.manual_seed(self.config.seed)
        plain = self._alone()
        plain.network.scale.load_state_dict(self.network.scale.state_dict())
        steps = int(self.history[-1]["step"])
        told = _reporter(report, "the network without recurrence (its training)")
        train_beside(plain.network, plain.course(splits), self.config, steps, told)
        return plain


def _number_names(train: Sequence[Recording], form: Form) -> list[str]:
    """What the numbers to be predicted are called."""
    label = form.columns["label"]
    assert isinstance(train[0].answers, Tensor)
    count = train[0].answers.shape[1]
    named = label.split(",")
    return named if len(named) == count else [f"{label}[{place}]" for place in range(count)]


def _shown(figures: dict[str, Any]) -> str:
    numbers = [(name, one) for name, one in figures.items() if isinstance(one, float)]
    return ", ".join(f"{name.replace('_', ' ')} {one:.4f}" for name, one in numbers)


def _reporter(report: Report, split: str) -> Callable[[int, int], None]:
    return lambda done, total: report(split, done, total)
