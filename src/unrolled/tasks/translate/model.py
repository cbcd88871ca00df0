"""TranslateModel, the translate task's estimator: reads a sequence of tokens and writes another."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.batches import POOL, by_length, padded
from unrolled.data.parallel import Pair, read_pairs, read_sources
from unrolled.data.splits import Splits
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.model_folder import ATTENTION, ModelFolder
from unrolled.tasks.choose import chosen, given_as_it_is, part_of
from unrolled.tasks.estimator import Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.tasks.translate.config import TranslateConfig
from unrolled.tasks.translate.figure import Looked, draw_attention
from unrolled.tasks.translate.knowledge import Knowledge
from unrolled.tasks.translate.network import build_network
from unrolled.tasks.translate.reading import read_splits, sides_of
from unrolled.tasks.writing import Writing, late, search_of, searched, told
from unrolled.tasks.writing_subject import decoder_of, encoder_of
from unrolled.tasks.written import written_figures
from unrolled.training.batching import BatchCourse
from unrolled.training.course import Lesson, device_of
from unrolled.wirings.decode import Hypothesis, greedy, sample
from unrolled.wirings.encoder_decoder import EncoderDecoder, Writer
from unrolled.wirings.sampling import Sampling

SHOWN = 4
"""Validation sentences whose attention is drawn."""


class Coded(NamedTuple):
    """Pairs as ids, each sentence with the end token."""

    sources: list[Tensor]
    targets: list[Tensor]


class TranslateModel(Trainable[TranslateConfig, list[Pair]]):
    """A network that translates: :meth:`fit` or :meth:`load` one, then predict, or :meth:`translate`.

    What it trains on: pairs, see :func:`unrolled.data.parallel.read_pairs`, or a folder with a pair of files a split.
    """

    TASK, CONFIG = "translate", TranslateConfig
    PARTS = ("decoder", "encoder")
    JUDGED_BY = {"bleu": True}
    network: EncoderDecoder

    def __init__(self, config: TranslateConfig, cell: Cell, knowledge: Knowledge) -> None:
        search_of(config)
        network = build_network(config, cell, knowledge.source.vocabulary.size, knowledge.target.vocabulary.size)
        super().__init__(config, network.decoder.cell, network)
        self.known = knowledge
        self.left_out, self.example = 0, ""
        self.looked: list[Looked] = []

    @classmethod
    def read(cls, sources: Sources, config: TranslateConfig) -> Splits[list[Pair]]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return read_splits(sources, config)

    @classmethod
    def begin(cls, splits: Splits[list[Pair]], config: TranslateConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return cls(config, cell, Knowledge.learn(splits.train, config))

    @classmethod
    def assemble(cls, config: TranslateConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return cls(config, cell, Knowledge.from_json(knowledge, config.lower))

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return self.known.to_json()

    def course(self, splits: Splits[list[Pair]]) -> BatchCourse:
        """Batches of pairs of like lengths; the decoder reads the targets as they should be (teacher forcing)."""
        every, valid, longest = self._coded(splits.train), self._coded(splits.valid), self.config.longest
        fits = [max(map(len, both)) <= longest for both in zip(*every, strict=True)]
        train = Coded(*([one for one, fit in zip(side, fits, strict=True) if fit] for side in every))
        self.left_out, self.example = len(fits) - len(train.sources), splits.valid[0].source
        if not train.sources:
            raise UsageError(f"every pair has more than {longest} tokens on a side; give a larger --longest.")

        def learn(ready: Any, places: list[int]) -> Lesson:
            scores, wanted = self._scores(ready, train, places)
            loss = cross_entropy(scores.float(), wanted, label_smoothing=self.config.label_smoothing)
            return Lesson(loss, wanted.numel())

        lengths = [len(source) + len(target) for source, target in zip(*train, strict=True)]
        return BatchCourse(lengths, learn, lambda: self._nats_a_token(valid), self.config)

    def figures(self, splits: Splits[list[Pair]], report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        self.network.eval()
        if self.network.attention is not None:
            self.looked = self._look(dict.fromkeys(pair.source for pair in splits.valid))
        named = {"validation": splits.valid, "test": splits.test}
        return {name: self._measured(pairs, report, name) for name, pairs in named.items() if pairs}

    def predict(self, data: Any) -> Iterator[dict[str, Any]]:
        """Translate sources: a list of sentences, a file or ``-`` with one a line, a table with the source's column.

        Each row has ``source``, ``translation``, ``score`` (what the search ranked it by) and ``log_probability`` in
        nats; with ``n_best`` above 1 also ``n_best``, a list of the best translations with the same figures.
        """
        sentences, size = read_sources(data, sides_of(self.config)), self.config.batch * POOL
        for start in range(0, len(sentences), size):
            chunk = sentences[start : start + size]
            for sentence, found in zip(chunk, self._search(chunk), strict=True):
                yield {"source": sentence, **told(found, self.known.target, "translation", self.config.n_best)}

    def translate(self, sentence: str, sampling: Sampling | None = None, seed: int = 1) -> str:
        """The translation of one sentence: the best that the search finds, or one drawn as ``sampling`` says."""
        if sampling is None:
            return next(self.predict([sentence]))["translation"]
        self.network.eval()
        with torch.inference_mode():
            given = self._writing(self.known.source.encode([sentence]), 1)
            drawn = sample(*given, sampling, [Generator().manual_seed(seed)])
        return self.known.target.decode(drawn[0].tokens)

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """BLEU, chrF, exact match, token error rate and perplexity on pairs, and word by word as a baseline."""
        pairs = read_pairs(data, sides_of(self.config)).pairs
        return self._measured(pairs, report, "the pairs")

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part, given = part_of(part, self.PARTS), [data] if given_as_it_is(data) else data
        try:
            pairs = read_pairs(given, sides_of(self.config)).pairs
            sources, targets = [pair.source for pair in pairs], [pair.target for pair in pairs]
        except UsageError:  # without targets: it writes its own
            sources, targets = read_sources(given, sides_of(self.config)), []
        place, device = chosen(row, len(sources), None, "the data"), device_of(self.network)
        source = self.known.source.encode([sources[place]])[0].to(device)
        end = self.known.target.end
        if targets:
            written = self.known.target.encode([targets[place]])[0].to(device)
        else:
            written = torch.tensor([*self._search([sources[place]])[0][0].tokens, end], device=device)
        if part == "encoder":
            return encoder_of(self.network, source, written, (self.known.source, self.known.target), self.TASK)
        with torch.no_grad():
            memory = self.network.eval().encode(source.unsqueeze(0), torch.tensor([len(source)], device=device))
        pieces = self.known.source.pieces(source.tolist())
        return decoder_of(self.network, memory, written, self.known.target, pieces, self.TASK)

    def check_use(self, config: TranslateConfig) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        search_of(config)

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return "token"

    def describe(self, splits: Splits[list[Pair]]) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        sizes = f"{self.known.source.vocabulary.size:,} and {self.known.target.vocabulary.size:,} tokens"
        lines = [f"{splits.name}: {len(splits.train):,} pairs to learn, {len(splits.valid):,} to validate, {sizes}"]
        if self.left_out:
            lines.append(f"{self.left_out:,} pairs of more than {self.config.longest} tokens are left out (--longest)")
        return [*lines, *splits.notes]

    def counts(self, splits: Splits[list[Pair]]) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"pairs": len(splits.train), "pairs_left_out": self.left_out}

    def sample(self, step: int) -> str:  # noqa: ARG002
        """The first validation sentence, by the likeliest tokens."""
        self.network.eval()
        source = self.known.source.encode([self.example])
        with torch.inference_mode():
            found = greedy(*self._writing(source, 1))
        return f"{self.example} -> {self.known.target.decode(found[0].tokens)}"

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        lines = []
        for split in ("validation", "test"):
            if split in self.metrics:
                one = self.metrics[split]
                lines += [f"{split}: {_line(one)}, perplexity {one['perplexity']:.2f}"]
                lines += [f"  {name}: {_line(base)}" for name, base in one["baselines"].items()]
                lines += [f"  {one['bleu_signature']}", f"  {one['chrf_signature']}"]
        return lines

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return (
            "A recurrent encoder and decoder that translate. The baseline puts each word's likeliest translation by "
            "IBM model 1 in its place"
        )

    def draw(self, folder: ModelFolder) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if not self.looked:
            return []
        draw_attention(self.looked, folder.path / ATTENTION)
        return [ATTENTION]

    def _coded(self, pairs: Sequence[Pair]) -> Coded:
        sides = self.known.source, self.known.target
        return Coded(*(side.encode([pair[place] for pair in pairs]) for place, side in enumerate(sides)))

    def _scores(self, network: Any, coded: Coded, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The scores of every target token of some pairs, (M, V), and these tokens, (M,)."""
        device = device_of(self.network)
        targets = [coded.targets[place] for place in places]
        sources, lengths = padded([coded.sources[place] for place in places])
        inputs, counts = padded(late(targets, self.known.target.end))
        scores = network(sources.to(device), lengths.to(device), inputs.to(device), counts.to(device))
        return scores, torch.cat(targets).to(device)

    @torch.inference_mode()
    def _nats_a_token(self, coded: Coded) -> float:
        total = 0.0
        for places in by_length([len(one) for one in coded.targets], self.config.batch):
            scores, wanted = self._scores(self.network, coded, places)
            total += float(cross_entropy(scores.double(), wanted, reduction="sum"))
        return total / sum(map(len, coded.targets))

    def _writing(self, sources: list[Tensor], rows: int) -> Writing:
        device, end = device_of(self.network), self.known.target.end
        inputs, lengths = padded(sources)
        writer = Writer(self.network, self.network.encode(inputs.to(device), lengths.to(device)), rows)
        limits = [self.known.limit(one, self.config.longest) for one in sources]
        return writer, writer.state, end, end, limits

    @torch.inference_mode()
    def _search(self, sentences: Sequence[str], report: Any = None) -> list[list[Hypothesis]]:
        """The best hypotheses of each sentence; ``report`` is told the places that are done."""
        self.network.eval()
        sources, search = self.known.source.encode(sentences), search_of(self.config)
        found: list[list[Hypothesis]] = [[] for _ in sources]
        for places in by_length([len(one) for one in sources], self.config.batch):
            given = self._writing([sources[place] for place in places], search.beam)
            for place, best in zip(places, searched(given, search), strict=True):
                found[place] = best
            if report is not None:
                report(places)
        return found

    def _measured(self, pairs: Sequence[Pair], report: Report, name: str) -> dict[str, Any]:
        self.network.eval()
        coded = self._coded(pairs)
        sentences = list(dict.fromkeys(pair.source for pair in pairs))
        done = 0

        def scored(places: list[int]) -> None:
            nonlocal done
            done += len(places)
            report(name, done, len(sentences))

        found = dict(zip(sentences, (best[0] for best in self._search(sentences, scored)), strict=True))
        answers: dict[Any, list[str]] = {}
        for place, pair in enumerate(pairs):
            answers.setdefault(pair.source if self.config.alternatives else (place, pair.source), []).append(
                pair.target
            )
        asked = [key if self.config.alternatives else key[1] for key in answers]
        references, side = list(answers.values()), self.known.target
        mine = [side.decode(found[one].tokens) for one in asked]
        theirs = [self.known.word_by_word(one) for one in asked]
        nats = self._nats_a_token(coded)
        more = {"perplexity": math.exp(nats), "nats_per_token": nats}
        more |= {"sentences": len(asked), "tokens": sum(map(len, coded.targets))}
        figures = [written_figures(one, references, side.words, self.config.lower) for one in (mine, theirs)]
        return figures[0] | more | {"baselines": {"word by word": figures[1]}}

    @torch.inference_mode()
    def _look(self, sentences: Any) -> list[Looked]:
        """What the decoder looks at while it writes the translations of a few sentences."""
        looked = []
        for sentence in list(sentences)[:SHOWN]:
            source, end = self.known.source.encode([sentence])[0], self.known.target.end
            tokens = [*self._search([sentence])[0][0].tokens, end]
            inputs = torch.tensor([[end, *tokens[:-1]]])
            device = device_of(self.network)
            memory = self.network.encode(source.unsqueeze(0).to(device), torch.tensor([len(source)], device=device))
            _, weights = self.network.read(memory, inputs.to(device))
            assert weights is not None
            pieces = self.known.source.pieces(source.tolist()), self.known.target.pieces(tokens)
            looked.append(Looked(*pieces, weights[0].cpu()))
        return looked


def _line(one: dict[str, Any]) -> str:
    share = f"{one['exact_match']:.1%} exact, token error rate {one['token_error_rate']:.1%}"
    return f"BLEU {one['bleu']:.2f}, chrF {one['chrf']:.2f}, {share}"
