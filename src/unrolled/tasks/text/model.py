"""TextModel, the text task's estimator: what comes next in a text; it writes and scores."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import torch
from torch import Generator, Tensor

from unrolled.data.reading import TextSplits, load_text, read_text
from unrolled.data.streams import Streams
from unrolled.data.vocabulary import Vocabulary
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.tasks.choose import chosen, given_as_it_is, part_of
from unrolled.tasks.estimator import KnowledgeError, Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.tasks.text.config import UNIT_NAMES, TextConfig
from unrolled.tasks.text.network import build_network
from unrolled.tasks.text.ngram import beside
from unrolled.tasks.text.score import Score, score_tokens
from unrolled.tasks.text.subject import subject_of
from unrolled.tasks.text.write import Written, write_on
from unrolled.training.course import device_of
from unrolled.training.streaming import StreamCourse
from unrolled.training.validation import stream_loss
from unrolled.wirings.many_to_many import ManyToMany
from unrolled.wirings.sampling import Sampling

VALIDATION_ROWS, VALIDATION_TOKENS = 32, 40_000
"""Validations during training read at most so many tokens, in parallel rows; the final figure reads all, in one."""


class TextModel(Trainable[TextConfig, str]):
    """A network that says what comes next in a text: :meth:`fit` or :meth:`load` one, then generate and score.

    What it trains on: a text file, a folder with train/valid/test texts, or a bundled set's name.
    """

    TASK, CONFIG = "text", TextConfig
    JUDGED_BY = {"nats_per_character": False}
    network: ManyToMany

    def __init__(self, config: TextConfig, cell: Cell, vocabulary: Vocabulary) -> None:
        self.check_use(config)
        network = build_network(config, cell, vocabulary.size)
        super().__init__(config, network.recurrent.cell, network)
        self.vocabulary = vocabulary

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

    def predict(self, data: Any, **how: Any) -> Iterator[dict[str, Any]]:
        """What the model writes behind each prompt; for ``how`` see :meth:`stream`, in place of what the settings say.

        Args:
            data: Texts, or a file with a prompt a line.
        """
        config = self.config
        how = {"seed": config.seed, "length": config.length, "sampling": _sampling(config), "stop": config.stop} | how
        for prompt in read_text(data, config.encoding).splitlines() if isinstance(data, str | Path) else data:
            yield {"prompt": prompt, "text": self.generate(prompt, **how)}

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """How surprising the text in a file is: the figures of :meth:`score`, and those of an n-gram model that learns
        the text as it reads it."""
        text = read_text(data, self.config.encoding)
        figures = self.score(text, report=lambda done, total: report("text", done, total)).figures()
        return figures | {"baselines": beside(self.vocabulary, text)}

    def write(self, prompt: str, seed: int | None) -> Iterator[str]:
        """Write on from a prompt as the settings say; see :meth:`stream`."""
        config = self.config
        return self.stream(prompt, config.length, _sampling(config), seed, config.stop)

    # What the estimator asks of a task

    def check_use(self, config: TextConfig) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        _sampling(config)
        if config.length < 1:
            raise UsageError(f"length is 1 or more, and is {config.length}.")

    @classmethod
    def read(cls, sources: Sources, config: TextConfig) -> TextSplits:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if sources.train is None:
            known = "a file, a folder, or a bundled set ('unrolled data' lists them)"
            raise UsageError(f"name a text to train on: {known}.")
        if sources.valid is not None or sources.test is not None:
            raise UsageError("a text brings its splits as a folder with train.txt, valid.txt and test.txt.")
        return load_text(sources.train, config.encoding, config.validation_fraction)

    @classmethod
    def begin(cls, splits: TextSplits, config: TextConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        texts = [text for text in (splits.train, splits.valid, splits.test) if text]
        learned_from = texts if config.unit == "char" else [splits.train]
        vocabulary = Vocabulary.train(learned_from, config.unit, config.vocabulary)
        if config.ties and "embedding" not in config.model_fields_set:
            known = cell.known_sizes(config.embedding or 1, config.hidden, **config.sizes)
            config = config.model_copy(update={"embedding": cell.size_of(cell.output, known)})
        return cls(config, cell, vocabulary)

    @classmethod
    def assemble(cls, config: TextConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        try:
            vocabulary = Vocabulary.from_json(knowledge)
        except UsageError as error:
            raise KnowledgeError(str(error)) from None
        return cls(config, cell, vocabulary)

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return self.vocabulary.to_json()

    def course(self, splits: TextSplits) -> StreamCourse:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        config, network = self.config, self.network
        streams = Streams(self.vocabulary.encode(splits.train), config.batch, config.window)
        checks = _validation_streams(self.vocabulary, splits.valid, config.window)
        return StreamCourse(network, streams, lambda: stream_loss(network, checks, device_of(network)), config)

    def figures(self, splits: TextSplits, report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        scored = {}
        for split, text in (("validation", splits.valid), ("test", splits.test)):
            if text:
                figures = self.score(text, report=_reporter(report, split)).figures()
                scored[split] = figures | {"baselines": beside(self.vocabulary, text, splits.train)}
        return scored

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part_of(part, self.PARTS)
        text = data if given_as_it_is(data) else read_text(data, self.config.encoding)
        chosen(row, 1, None, "a text")
        return subject_of(self.network, self.vocabulary, text, self.unit)

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return UNIT_NAMES[self.config.unit]

    def describe(self, splits: TextSplits) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return [f"{splits.name}: {len(splits.train):,} characters to learn, {len(splits.valid):,} to validate"]

    def counts(self, splits: TextSplits) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"characters": len(splits.train)}

    def sample(self, step: int) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return self.generate(length=60, sampling=Sampling(temperature=0.8), seed=step)

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        one = self.metrics["validation"]
        others = [f"  {name}: {_nats(simple)}" for name, simple in one["baselines"].items()]
        return [f"validation: {_nats(one)}, over {one['characters']:,} characters", *others]

    def specimen(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        length = 400 if self.config.unit != "word" else 80
        return ["", self.generate(length=length, seed=self.config.seed).strip(), ""]

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return f"A recurrent network that says what comes next in a text, by {self.config.unit}"

    def usage(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return ["unrolled generate . --prompt 'To be'", "unrolled score . FILE"]


def _sampling(config: TextConfig) -> Sampling:
    return Sampling(config.temperature, config.top_k, config.top_p, config.min_p, config.repetition_penalty)


def _nats(figures: Mapping[str, Any]) -> str:
    nats, bits = f"{figures['nats_per_character']:.4f} nats", f"{figures['bits_per_character']:.4f} bits"
    return f"{nats} a character ({bits}), perplexity {figures['perplexity']:.2f}"


def _reporter(report: Report, split: str) -> Callable[[int, int], None]:
    return lambda done, total: report(split, done, total)


def _validation_streams(vocabulary: Vocabulary, text: str, window: int) -> Streams:
    ids = vocabulary.encode(text)[:VALIDATION_TOKENS]
    if ids.numel() < 2:
        raise UsageError(f"the validation text has {ids.numel()} token(s), too few to validate on; give a longer text.")
    window = min(window, ids.numel() - 1)
    return Streams(ids, min(VALIDATION_ROWS, ids.numel() // (window + 1)), window)
