"""CaptionModel, the caption task's estimator: looks at a picture and writes what it shows."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.batches import by_length, padded
from unrolled.data.splits import Splits
from unrolled.data.tables import KINDS as TABLES
from unrolled.data.tables import is_table
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.model_folder import CAPTIONS, ModelFolder
from unrolled.tasks.beside import train_beside
from unrolled.tasks.caption.config import CaptionConfig
from unrolled.tasks.caption.figure import Looked, draw_captions
from unrolled.tasks.caption.knowledge import Knowledge
from unrolled.tasks.caption.network import CaptionNetwork
from unrolled.tasks.caption.reading import Captioned, read_captioned, read_pictures, read_splits
from unrolled.tasks.choose import chosen, part_of
from unrolled.tasks.estimator import Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.tasks.writing import Writing, late, search_of, searched, told
from unrolled.tasks.writing_subject import decoder_of
from unrolled.tasks.written import written_figures
from unrolled.training.batching import BatchCourse
from unrolled.training.course import Lesson, device_of
from unrolled.wirings.decode import Hypothesis, greedy
from unrolled.wirings.encoder_decoder import EncoderDecoder, Writer

WITHOUT = "without picture"
"""What the decoder that sees no picture is called among the baselines."""
SHOWN = 6
"""Validation pictures that are drawn with their captions."""


class Coded(NamedTuple):
    """Captions as ids, each with the end token, and the picture of each."""

    pictures: list[Tensor]
    captions: list[Tensor]


class CaptionModel(Trainable[CaptionConfig, list[Captioned]]):
    """A network that writes captions: :meth:`fit` or :meth:`load` one, then predict, or :meth:`caption`.

    What it trains on: a table with a picture file and a caption a row, or pairs of a picture and its captions; see
    :func:`unrolled.tasks.caption.reading.read_captioned`.
    """

    TASK, CONFIG = "caption", CaptionConfig
    PARTS = ("decoder",)
    JUDGED_BY = {"perplexity": False}
    FILES = TABLES
    network: CaptionNetwork

    def __init__(self, config: CaptionConfig, cell: Cell, knowledge: Knowledge) -> None:
        search_of(config)
        network = CaptionNetwork(config, cell, knowledge.side.vocabulary.size)
        super().__init__(config, network.seeing.decoder.cell, network)
        self.known = knowledge
        self.left_out = 0
        self.example: Captioned | None = None
        self.looked: list[Looked] = []

    @classmethod
    def read(cls, sources: Sources, config: CaptionConfig) -> Splits[list[Captioned]]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return read_splits(sources, config)

    @classmethod
    def begin(cls, splits: Splits[list[Captioned]], config: CaptionConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        model = cls(config, cell, Knowledge.learn([said for one in splits.train for said in one.captions], config))
        model.network.input.learn(torch.stack([one.picture for one in splits.train]))
        return model

    @classmethod
    def assemble(cls, config: CaptionConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return cls(config, cell, Knowledge.from_json(knowledge, config.lower))

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return self.known.to_json()

    def course(self, splits: Splits[list[Captioned]]) -> BatchCourse:
        """Batches of captions by chance; the decoder reads them as they should be (teacher forcing)."""
        self.example = splits.valid[0]
        return self._course(self.network.seeing, splits)

    def figures(self, splits: Splits[list[Captioned]], report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        self.network.eval()
        if self.network.blind is not None:
            torch.manual_seed(self.config.seed)
            steps = int(self.history[-1]["step"])
            course = self._course(self.network.blind, splits)
            name = "the decoder without the picture (its training)"
            train_beside(self.network.blind, course, self.config, steps, lambda done, total: report(name, done, total))
        self.looked = [self._look(one) for one in splits.valid[:SHOWN]]
        named = {"validation": splits.valid, "test": splits.test}
        return {name: self._measured(part, report, name) for name, part in named.items() if part}

    def predict(self, data: Any) -> Iterator[dict[str, Any]]:
        """Caption pictures: a list of files or arrays, a picture file, a folder of them, or a table as in training.

        Each row has ``picture`` (its name; not of pictures in memory), ``caption``, ``score`` (what the search ranked
        it by) and ``log_probability`` in nats; with ``n_best`` above 1 also ``n_best``, a list of the best captions
        with the same figures.
        """
        pictures = read_pictures(data, self.config)
        while batch := [one for _, one in zip(range(self.config.batch), pictures, strict=False)]:
            found = self._search(self.network.seeing, [picture for _, picture in batch])
            for (name, _), best in zip(batch, found, strict=True):
                named = {} if name is None else {"picture": name}
                yield named | told(best, self.known.side, "caption", self.config.n_best)

    def caption(self, picture: Any) -> str:
        """The caption of one picture: a file, a picture of Pillow, or an array."""
        return next(self.predict([picture]))["caption"]

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """BLEU, chrF, exact match, token error rate, perplexity over pictures with captions; the same of the decoder
        without the picture, and ``perplexity_by_picture``: ours over its.
        """
        read = read_captioned(data, self.config)
        notes = {"notes": list(read.notes)} if read.notes else {}
        return self._measured(read.pictures, report, "the pictures") | notes

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part_of(part, self.PARTS)
        given = data if isinstance(data, list | tuple | str | Path) or is_table(data) else [data]
        try:
            pictures = read_captioned(given, self.config).pictures
        except UsageError:  # without captions: it writes its own
            pictures = [Captioned(name, picture, ()) for name, picture in read_pictures(given, self.config)]
        names = [one.name for one in pictures]
        one = pictures[chosen(row, len(pictures), names, "the data")]
        network, side, device = self.network.seeing.eval(), self.known.side, device_of(self.network)
        if one.captions:
            written = side.encode([one.captions[0]])[0].to(device)
        else:
            written = torch.tensor([*self._search(network, [one.picture])[0][0].tokens, side.end], device=device)
        with torch.no_grad():
            memory = network.encode(one.picture.unsqueeze(0).to(device))
        size = self.network.grid
        grid = [f"row {row}, column {column}" for row in range(size) for column in range(size)]
        return decoder_of(network, memory, written, side, grid, self.TASK)

    def check_use(self, config: CaptionConfig) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        search_of(config)

    @property
    def parameters(self) -> int:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return sum(one.numel() for one in self.network.seeing.parameters())

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return "token"

    def describe(self, splits: Splits[list[Captioned]]) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        many = sum(len(one.captions) for one in splits.train)
        side = f"{self.config.points} by {self.config.points} points, {self.known.side.vocabulary.size:,} tokens"
        learned = f"{len(splits.train):,} pictures ({many:,} captions) to learn"
        lines = [f"{splits.name}: {learned}, {len(splits.valid):,} to validate; {side}"]
        if self.left_out:
            lines.append(
                f"{self.left_out:,} captions of more than {self.config.longest} tokens are left out (--longest)"
            )
        return [*lines, *splits.notes]

    def counts(self, splits: Splits[list[Captioned]]) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"pictures": len(splits.train), "captions_left_out": self.left_out}

    def sample(self, step: int) -> str:  # noqa: ARG002
        """The first validation picture, by the likeliest tokens."""
        self.network.eval()
        assert self.example is not None
        with torch.inference_mode():
            found = greedy(*self._writing(self.network.seeing, [self.example.picture], 1))
        return f"{self.example.name or self.example.captions[0]} -> {self.known.side.decode(found[0].tokens)}"

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        lines = []
        for split in ("validation", "test"):
            if split in self.metrics:
                one = self.metrics[split]
                lines += [f"{split}: {_line(one)}"]
                lines += [f"  {name}: {_line(base)}" for name, base in one["baselines"].items()]
                lines += [f"  {one['bleu_signature']}", f"  {one['chrf_signature']}"]
        return lines

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        beside = ". The baseline is the same decoder, trained as long without the picture" * self.config.baseline
        return f"A convolutional network that looks at pictures, and a recurrent one that writes their captions{beside}"

    def draw(self, folder: ModelFolder) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if not self.looked:
            return []
        draw_captions(self.looked, folder.path / CAPTIONS)
        return [CAPTIONS]

    def _coded(self, part: Sequence[Captioned]) -> Coded:
        both = [(one.picture, said) for one in part for said in one.captions]
        return Coded([picture for picture, _ in both], self.known.side.encode([said for _, said in both]))

    def _course(self, network: EncoderDecoder, splits: Splits[list[Captioned]]) -> BatchCourse:
        every, valid, longest = self._coded(splits.train), self._coded(splits.valid), self.config.longest
        kept = [place for place, one in enumerate(every.captions) if len(one) <= longest]
        train = Coded([every.pictures[place] for place in kept], [every.captions[place] for place in kept])
        self.left_out = len(every.captions) - len(kept)
        if not kept:
            raise UsageError(f"every caption has more than {longest} tokens; give a larger --longest.")

        def learn(ready: Any, places: list[int]) -> Lesson:
            scores, wanted = self._scores(ready, train, places)
            loss = cross_entropy(scores.float(), wanted, label_smoothing=self.config.label_smoothing)
            return Lesson(loss, wanted.numel())

        alike = [1] * len(kept)  # pictures that stand together are drawn by chance: a batch's mean depends on them all
        return BatchCourse(alike, learn, lambda: self._nats_a_token(network, valid), self.config)

    def _scores(self, network: Any, coded: Coded, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The scores of every token of some captions, (M, V), and these tokens, (M,)."""
        device = device_of(self.network)
        captions = [coded.captions[place] for place in places]
        pictures = torch.stack([coded.pictures[place] for place in places])
        inputs, counts = padded(late(captions, self.known.side.end))
        scores = network(pictures.to(device), None, inputs.to(device), counts.to(device))
        return scores, torch.cat(captions).to(device)

    @torch.inference_mode()
    def _nats_a_token(self, network: EncoderDecoder, coded: Coded) -> float:
        total = 0.0
        for places in by_length([len(one) for one in coded.captions], self.config.batch):
            scores, wanted = self._scores(network, coded, places)
            total += float(cross_entropy(scores.double(), wanted, reduction="sum"))
        return total / sum(map(len, coded.captions))

    def _writing(self, network: EncoderDecoder, pictures: Sequence[Tensor], rows: int) -> Writing:
        """A writer, and what else the functions of :mod:`unrolled.wirings.decode` take first."""
        end = self.known.side.end
        memory = network.encode(torch.stack(list(pictures)).to(device_of(network)))
        writer = Writer(network, memory, rows, self.known.never)
        return writer, writer.state, end, end, [min(self.config.longest, self.known.longest)] * len(pictures)

    @torch.inference_mode()
    def _search(self, network: EncoderDecoder, pictures: Sequence[Tensor]) -> list[list[Hypothesis]]:
        """The best hypotheses of each picture of a batch."""
        network.eval()
        search = search_of(self.config)
        return searched(self._writing(network, pictures, search.beam), search)

    def _written(self, network: EncoderDecoder, pictures: Sequence[Tensor], told: Any) -> list[str]:
        """The caption of each picture; ``told`` how many are done."""
        written: list[str] = []
        for start in range(0, len(pictures), self.config.batch):
            batch = pictures[start : start + self.config.batch]
            written += [self.known.side.decode(best[0].tokens) for best in self._search(network, batch)]
            told(len(written))
        return written

    def _measured(self, part: Sequence[Captioned], report: Report, name: str) -> dict[str, Any]:
        """The figures of both networks over pictures with captions."""
        coded, pictures = self._coded(part), [one.picture for one in part]
        references = [one.captions for one in part]

        def figures(network: EncoderDecoder, written: list[str]) -> dict[str, Any]:
            network.eval()
            nats = self._nats_a_token(network, coded)
            found = written_figures(written, references, self.known.side.words, self.config.lower)
            return found | {"perplexity": math.exp(nats), "nats_per_token": nats}

        network, blind = self.network.seeing, self.network.blind
        mine = figures(network, self._written(network, pictures, lambda done: report(name, done, len(part))))
        mine |= {"pictures": len(part), "captions": len(coded.captions), "tokens": sum(map(len, coded.captions))}
        if blind is None:
            return mine | {"baselines": {}}
        said = self._written(blind, pictures[:1], lambda _: None)  # it sees none, and says the same of all
        theirs = figures(blind, said * len(part))
        ratio = mine["perplexity"] / theirs["perplexity"]
        return mine | {"perplexity_by_picture": ratio, "baselines": {WITHOUT: theirs}}

    @torch.inference_mode()
    def _look(self, one: Captioned) -> Looked:
        """What is written of a picture, and where the decoder looks at each token."""
        network, side = self.network.seeing, self.known.side
        tokens = [*self._search(network, [one.picture])[0][0].tokens, side.end]
        memory = network.encode(one.picture.unsqueeze(0).to(device_of(network)))
        inputs = torch.stack(late([torch.tensor(tokens)], side.end))
        _, weights = network.read(memory, inputs.to(device_of(network)))
        grid = self.network.grid
        places = None if weights is None else weights[0].unflatten(-1, (grid, grid)).cpu()
        return Looked(one.picture, side.decode(tokens), one.captions[0], side.pieces(tokens), places)


def _line(one: dict[str, Any]) -> str:
    by = f" ({one['perplexity_by_picture']:.2f} of that without picture)" if "perplexity_by_picture" in one else ""
    return f"BLEU {one['bleu']:.2f}, {one['exact_match']:.1%} exact, perplexity {one['perplexity']:.2f}{by}"
