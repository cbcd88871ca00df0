"""TagModel, the tag task's estimator: many-to-many in step over words, each word given its tag."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import torch

from unrolled.data.batches import by_length, padded
from unrolled.data.holdout import hold_out
from unrolled.data.splits import Splits
from unrolled.data.word_vectors import read_word_vectors
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.tasks.choose import chosen, given_as_it_is, part_of
from unrolled.tasks.estimator import Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.tasks.tag.answer import answer
from unrolled.tasks.tag.config import TagConfig
from unrolled.tasks.tag.lexicon import Lexicon
from unrolled.tasks.tag.metrics import tag_figures
from unrolled.tasks.tag.network import TagNetwork, build_network
from unrolled.tasks.tag.read import COLUMN_KINDS, JSON_LINES, read_tagged, read_words
from unrolled.tasks.tag.sentences import Sentence, Sentences
from unrolled.tasks.tag.subject import subject_of
from unrolled.training.batching import BatchCourse
from unrolled.training.course import Lesson, device_of

VALIDATION_WORDS = 40_000
"""Validations during training read at most so many words, or a sentence more; the final figures read all."""
BASELINE = "most_frequent_tag"


class TagModel(Trainable[TagConfig, Sentences]):
    """A network that gives each word of a sentence its tag: :meth:`fit` or :meth:`load` one, then predict.

    What it trains on: a file of columns, CoNLL-U or JSON lines, or pairs of words and tags; see
    :func:`unrolled.tasks.tag.read.read_tagged`.
    """

    TASK, CONFIG = "tag", TagConfig
    JUDGED_BY = {"span_f1": True, "accuracy": True}
    FILES = (*COLUMN_KINDS, *JSON_LINES, ".txt")
    network: TagNetwork

    def __init__(self, config: TagConfig, cell: Cell, lexicon: Lexicon) -> None:
        sizes = (len(lexicon.words) + 1, len(lexicon.characters) + 1, len(lexicon.tags))
        network = build_network(config, cell, *sizes)
        super().__init__(config, network.recurrent.cell, network)
        self.lexicon = lexicon

    def predict(self, data: Any, n_best: int | None = None) -> Iterator[dict[str, Any]]:
        """The tag of each word, and how sure the model is of it.

        Args:
            data: A file as in training, its tags not needed, or a text with a sentence a line; or sentences in memory,
                each a text (words between blanks) or a list of words.
            n_best: With a CRF, so many of the best whole sequences beside, each with its probability; where left
                out, as many as the settings say.

        Returns:
            Rows ``{"words": [...], "tags": [...], "probabilities": [...]}``; with a CRF the tags are those of the best
            sequence, and a probability is that of a tag whatever the others are.

        Raises:
            UsageError: the data are no sentences, or ``n_best`` is asked of a model without a CRF.
        """
        n_best = self.config.n_best if n_best is None else n_best
        if n_best and self.network.crf is None:
            raise UsageError("n_best ranks whole sequences of tags, and wants a model trained with --crf.")
        if n_best < 0:
            raise UsageError(f"n_best is how many sequences to give, 0 or more, and is {n_best}.")
        rows = read_words(data, self.config, self.lexicon.tags)
        return answer(self.network, self.lexicon, [row.words for row in rows], self.config.batch, n_best)

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part_of(part, self.PARTS)
        given = [data] if given_as_it_is(data) else data
        try:
            rows = list(read_tagged(given, self.config).rows)
        except UsageError:  # without tags
            rows = read_words(given, self.config, self.lexicon.tags)
        return subject_of(self.network, self.lexicon, rows[chosen(row, len(rows), None, "the data")])

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """The figures of :func:`unrolled.tasks.tag.metrics.tag_figures`, and under ``baselines`` those of giving each
        word its most frequent tag. Tags that training has not seen count as wrong; ``notes`` tells of them."""
        sentences = read_tagged(data, self.config)
        notes = [*sentences.unseen(self.lexicon.tags), *sentences.said()]
        return self._figures(sentences, sentences.name, report) | ({"notes": notes} if notes else {})

    def _figures(self, sentences: Sentences, split: str, report: Report) -> dict[str, Any]:
        given: list[Sequence[str]] = []
        done = 0
        for row in answer(self.network, self.lexicon, [row.words for row in sentences.rows], self.config.batch):
            given.append(row["tags"])
            done += len(row["words"])
            report(split, done, sentences.words)
        seen = self.lexicon.usual
        guessed = [self.lexicon.guess(row.words) for row in sentences.rows]
        counted = ("words", "unknown_words", "sentences")
        baseline = tag_figures(sentences.rows, guessed, seen)
        beside = {BASELINE: {name: value for name, value in baseline.items() if name not in counted}}
        return tag_figures(sentences.rows, given, seen) | {"baselines": beside}

    # What the estimator asks of a task

    @classmethod
    def read(cls, sources: Sources, config: TagConfig) -> Splits[Sentences]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if sources.train is None:
            raise UsageError("name a file of tagged sentences to train on: columns, .conllu or .jsonl.")
        train = read_tagged(sources.train, config)
        valid = None if sources.valid is None else read_tagged(sources.valid, config)
        test = None if sources.test is None else read_tagged(sources.test, config)
        read = [one for one in (train, valid, test) if one is not None]
        fingerprint = hashlib.sha256("".join(one.fingerprint for one in read).encode()).hexdigest()
        notes = list(dict.fromkeys(note for one in read for note in one.notes))
        notes += [note for one in read for note in one.said()]
        whole = train
        if valid is None:
            kept, held = hold_out([None] * len(train.rows), config.validation_fraction, config.seed)
            train, valid = whole.chosen(kept), whole.chosen(held)
            notes.append(
                f"{len(held):,} of {len(whole.rows):,} sentences are held out for validation (--seed {config.seed})"
            )
        tags = sorted({tag for row in train.rows for tag in row.tags})
        if len(tags) < 2:
            raise UsageError(f"{train.name} has the one tag '{tags[0]}' and no other; there is nothing to learn.")
        notes += [note for one in (valid, test) if one is not None for note in one.unseen(tags)]
        return Splits(whole.name, train, valid, test, fingerprint, tuple(notes))

    @classmethod
    def begin(cls, splits: Splits[Sentences], config: TagConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        found = None if config.vectors is None else read_word_vectors(config.vectors)
        lexicon = Lexicon.learn(splits.train.rows, config.least, () if found is None else found.words)
        if found is not None:
            width = found.vectors.shape[1]
            if "embedding" in config.model_fields_set and config.embedding != width:
                raise UsageError(
                    f"--embedding is {config.embedding}, and the vectors in {config.vectors} have {width}."
                )
            config = config.model_copy(update={"embedding": width})
        model = cls(config, cell, lexicon)
        if found is not None:
            model.network.input_side.begin_from(lexicon.rows_of(found.words), found.vectors)
        model.network.input_side.learn(lexicon.counts(splits.train.rows))
        if config.balance:
            tags = torch.cat([lexicon.tag_ids(row) for row in splits.train.rows])
            model.network.balance(torch.bincount(tags, minlength=len(lexicon.tags)))
        return model

    @classmethod
    def assemble(cls, config: TagConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return cls(config, cell, Lexicon.from_json(knowledge))

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return self.lexicon.to_json()

    def course(self, splits: Splits[Sentences]) -> BatchCourse:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        rows, checks = splits.train.rows, self._checks(splits.valid)

        def learn(ready: Any, places: list[int]) -> Lesson:
            chosen = [rows[place] for place in places]
            return Lesson(self._loss(ready, chosen), sum(len(row.words) for row in chosen))

        return BatchCourse([len(row.words) for row in rows], learn, lambda: self._validate(checks), self.config)

    def _checks(self, valid: Sentences) -> list[list[Sentence]]:
        """Batches to validate on: sentences whose tags are all known."""
        known, rows, words = set(self.lexicon.tags), list[Sentence](), 0
        for row in valid.rows:
            if known.issuperset(row.tags) and words < VALIDATION_WORDS:
                rows.append(row)
                words += len(row.words)
        if not rows:
            raise UsageError(
                f"every sentence of {valid.name} has a tag that training has not seen; give other --valid."
            )
        return [
            [rows[place] for place in places] for places in by_length([len(r.words) for r in rows], self.config.batch)
        ]

    @torch.inference_mode()
    def _validate(self, checks: list[list[Sentence]]) -> float:
        """Mean loss, nats a word."""
        counts = [sum(len(row.words) for row in rows) for rows in checks]
        losses = [float(self._loss(self.network, rows)) for rows in checks]
        return sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)

    def _loss(self, ready: Callable[..., torch.Tensor], rows: Sequence[Sentence]) -> torch.Tensor:
        device = device_of(self.network)
        tags, _ = padded([self.lexicon.tag_ids(row) for row in rows])
        return ready(self.lexicon.read([row.words for row in rows]).to(device), tags.to(device))

    def figures(self, splits: Splits[Sentences], report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        parts = {"validation": splits.valid, "test": splits.test}
        return {split: self._figures(part, split, report) for split, part in parts.items() if part is not None}

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return "word"

    def describe(self, splits: Splits[Sentences]) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        train, valid = splits.train, splits.valid
        learned = f"{len(train.rows):,} sentences of {train.words:,} words to learn"
        known = f"{len(self.lexicon.tags)} tags, {len(self.lexicon.words):,} words with a vector of their own"
        return [f"{splits.name}: {learned}, {len(valid.rows):,} sentences to validate", known, *splits.notes]

    def counts(self, splits: Splits[Sentences]) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"sentences": len(splits.train.rows), "words": splits.train.words, "tags": len(self.lexicon.tags)}

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        lines = []
        for split in ("validation", "test"):
            if split in self.metrics:
                figures = self.metrics[split]
                baseline = figures["baselines"][BASELINE]
                names = [name for name in ("accuracy", "unknown_accuracy", "macro_f1", "span_f1") if name in figures]
                shown = [f"{name.replace('_', ' ')} {figures[name]:.4f} ({baseline[name]:.4f})" for name in names]
                lines.append(f"{split}: {', '.join(shown)}")
        return [*lines, "in brackets: each word's most frequent tag"]

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        crf = ", by whole sequences of tags (CRF)" if self.config.crf else ""
        return f"A recurrent network that gives each word of a sentence one of {len(self.lexicon.tags)} tags{crf}"
