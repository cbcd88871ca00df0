"""A network taught a toy task by the trainer that every task uses: its curve, its score, when the task was solved."""

import tempfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from unrolled.cells.library import find_cell
from unrolled.data.toys.toy import Batch, Toy
from unrolled.equations.cell import Cell
from unrolled.errors import UnrolledError
from unrolled.lab.experiment import Result, Stopped
from unrolled.layers.recurrent import Recurrent
from unrolled.model_folder import ModelFolder
from unrolled.training.batching import BatchCourse
from unrolled.training.config import TrainingConfig
from unrolled.training.course import Lesson
from unrolled.training.trainer import Progress, Trainer

TESTED = 256
"""Sequences that a network is tested on; nothing is learned from them."""
_APART = 2**31
"""What test seeds lie apart from training seeds."""


class Reader(nn.Module):
    """Recurrent layers, and at each step a linear map of their output to K numbers: (N, T, D) to (N, T, K)."""

    def __init__(self, recurrent: Recurrent, outputs: int) -> None:
        super().__init__()
        self.recurrent, self.readout = recurrent, nn.Linear(recurrent.output_size, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.readout(self.recurrent(x, lengths=lengths).outputs)


class Taught(NamedTuple):
    """How a training went."""

    score: float
    """The toy's metric on sequences of their own, at the end."""
    solved: int | None
    """Updates until the toy counted as solved, if it ever did."""
    steps: int
    """Updates made."""
    curve: list[list[float]]
    """Of each validation: updates, seconds, loss, score."""
    diverged: str
    """Why training ended where numbers did; empty otherwise."""

    @property
    def result(self) -> Result:
        """As JSON-able names and values."""
        return self._asdict()


class _Solved(Exception):
    """The toy counts as solved, and nothing more is to be learned."""


class _Watcher:
    """Follows a training: keeps the curve, reports, and ends it once the toy is solved."""

    def __init__(self, exam: "Exam", report: Callable[[float], None], until_solved: bool) -> None:
        self.exam, self.report, self.until_solved = exam, report, until_solved
        self.curve: list[list[float]] = []
        self.solved: int | None = None

    def stepped(self, progress: Progress) -> None:
        self.report(progress.share)

    def validated(self, progress: Progress, loss: float) -> None:
        score = self.exam.score
        self.curve.append([progress.step, round(progress.seconds, 2), loss, score])
        if self.solved is None and self.exam.toy.is_solved(score):
            self.solved = progress.step
        if self.until_solved and self.solved is not None:
            raise _Solved


class Exam:
    """A test of a network on sequences that are the same for every training."""

    def __init__(self, network: nn.Module, toy: Toy, length: int, count: int = TESTED) -> None:
        self.network, self.toy = network, toy
        self.batch = toy.batch(count, length, _APART)
        self.score = float("nan")

    @torch.inference_mode()
    def take(self) -> float:
        """The loss; the score is in :attr:`score`."""
        found = answers(self.network, self.batch)
        self.score = self.toy.score(found, self.batch)
        return float(self.toy.loss(found, self.batch))


def answers(network: Any, batch: Batch) -> Tensor:
    """A network's outputs on a batch, (N, T, K); lengths are told where they differ."""
    ragged = bool((batch.lengths != batch.x.shape[1]).any())
    return network(batch.x, batch.lengths) if ragged else network(batch.x)


def teach(
    network: nn.Module,
    toy: Toy,
    length: int,
    settings: Mapping[str, Any],
    report: Callable[[float], None] = lambda share: None,
    until_solved: bool = True,
) -> Taught:
    """Teach a network a toy of a length in steps, each batch drawn anew.

    Args:
        network: From (N, T, D) to (N, T, K), and with lengths (N,) where the toy's differ.
        toy: What to learn.
        length: Steps of a sequence.
        settings: Fields of :class:`unrolled.training.config.TrainingConfig`, ``steps`` among them. Weights do not
            decay, and training does not lose patience.
        report: Told the share that is done.
        until_solved: End when the toy counts as solved.

    Raises:
        Stopped: Ctrl-C.
    """
    config = TrainingConfig(**{"weight_decay": 0.0, "patience": 10**9, "device": "cpu", **settings})
    updates = config.steps or 0
    exam = Exam(network, toy, length)

    def learn(ready: Any, places: list[int]) -> Lesson:
        generator = Generator().manual_seed((config.seed << 32) + places[0])
        batch = toy.batch(len(places), length, generator)
        return Lesson(toy.loss(answers(ready, batch), batch), len(places))

    course = BatchCourse([1] * (updates * config.batch), learn, exam.take, config)
    watcher, diverged = _Watcher(exam, report, until_solved), ""
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(network, course, config, ModelFolder(scratch), watcher)
        try:
            if trainer.run().ended == "interrupt":
                raise Stopped("the lab was stopped by Ctrl-C; the same command goes on with what is missing.")
        except _Solved:
            pass
        except Stopped:
            raise
        except UnrolledError as error:  # numbers ended
            diverged = str(error)
    network.eval()
    exam.take()
    return Taught(exam.score, watcher.solved, trainer.progress.step, watcher.curve, diverged)


def like_torch(layer: Recurrent) -> None:
    """Draw all parameters as torch.nn's recurrent layers begin: uniformly within 1 / sqrt(H) of zero."""
    for index, hidden in enumerate(layer.hidden_sizes):
        for value in layer.cell_parameters(index).values():
            nn.init.uniform_(value, -(hidden**-0.5), hidden**-0.5)


def numbers(cell: Cell | str, inputs: int, hidden: int, layers: int = 1) -> int:
    """How many numbers the parameters of stacked layers hold."""
    found = find_cell(cell)
    widths = [inputs, *[hidden] * (layers - 1)]
    return sum(one.numbers for width in widths for one in found.parameters(width, hidden).values())


def hidden_for(wanted: int, cell: Cell | str, inputs: int, layers: int = 1) -> int:
    """The units of a layer with which the parameters hold as near as can be to ``wanted`` numbers."""
    low, high = 1, 2
    while numbers(cell, inputs, high, layers) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if numbers(cell, inputs, middle, layers) < wanted else (low, middle)
    return min((low, high), key=lambda hidden: abs(numbers(cell, inputs, hidden, layers) - wanted))
