"""The training loop: lesson after lesson, validations, checkpoints that a killed run goes on from."""

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import torch
from torch import nn

from unrolled.errors import UnrolledError
from unrolled.model_folder import CHECKPOINTS, ModelFolder
from unrolled.training.checkpoint import load_checkpoint, random_state, restore_random_state, save_checkpoint
from unrolled.training.config import Budget, TrainingConfig, learning_rate
from unrolled.training.course import Course
from unrolled.training.device import make_fabric
from unrolled.training.history import History
from unrolled.training.interrupt import Interrupt
from unrolled.training.pulse import Pulse, columns

LAST, BEST = f"{CHECKPOINTS}/last.safetensors", f"{CHECKPOINTS}/best.safetensors"
CONTENT = ("network", "optimizer", "progress", "course", "history", "losses", "count", "random")
"""What a checkpoint to resume from holds."""
ROWS = 200
"""Rows of history in a whole budget."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    step: int = 0
    epoch: int = 0
    lesson: int = 0
    """The next lesson of the epoch."""
    seconds: float = 0.0
    share: float = 0.0
    best: float = math.inf
    """The lowest validation loss so far."""
    best_step: int = 0
    since_best: int = 0
    """Validations since then."""
    loss: float = math.nan
    """Training loss since the last row of history."""
    per_second: float = 0.0
    """Tokens, sequences or steps learned from in a second since then."""
    ended: str = ""
    """Why the run ended: ``budget``, ``patience`` or ``interrupt``."""
    clipped: int = 0
    """Updates since the last row of history whose gradient was clipped."""
    inside: dict[str, float] | None = None
    """What a look into the network since then gave."""


class Watcher(Protocol):
    """Shows a run to whoever waits for it."""

    def stepped(self, progress: Progress) -> None:
        """Called behind every update."""
        ...

    def validated(self, progress: Progress, loss: float) -> None:
        """Called behind every validation with its loss."""
        ...


class Trainer:
    """Trains a network until its budget is used, its patience ends, or Ctrl-C.

    Args:
        network: What to train; after :meth:`run` it holds the best weights.
        course: What it learns.
        config: The settings.
        folder: Where checkpoints and history go.
        watcher: Who is told.
    """

    def __init__(
        self,
        network: nn.Module,
        course: Course,
        config: TrainingConfig,
        folder: ModelFolder,
        watcher: Watcher,
    ) -> None:
        self.network, self.course = network, course
        self.config, self.folder, self.watcher = config, folder, watcher
        self.budget = Budget(config, len(course))
        self.fabric = make_fabric(config)
        optimizer = torch.optim.AdamW(_decayed_and_not(network, config.weight_decay), lr=config.rate, fused=True)
        self.ready, self.optimizer = self.fabric.setup(network, optimizer)
        self.progress = Progress()
        self.history = History(folder)
        self.pulse = Pulse(network, config.inspect)
        self._losses: list[float] = []
        self._count = 0

    def resume(self, written: int) -> None:
        """Go on from the folder's last checkpoint: weights, optimizer, position, randomness, history.

        Args:
            written: The updates behind the result that the folder holds, 0 without one. A run that had ended, and was
                killed before its result was written, only ends again.
        """
        content = load_checkpoint(self.folder.path / LAST, CONTENT)
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        old = Progress(**content["progress"])
        share = self.budget.share(old.step, old.seconds)
        again = old.ended == "patience" and old.step == written
        ended = "budget" if share >= 1.0 else "patience" if old.ended == "patience" and not again else ""
        self.progress = replace(old, ended=ended, share=share, since_best=0 if again else old.since_best)
        self.course.restore(content["course"])
        self.history = History(self.folder, content["history"])
        self._losses, self._count = content["losses"], content["count"]
        restore_random_state(content["random"])

    def run(self) -> Progress:
        """Train to the end of the budget. Raises UnrolledError where the loss or a gradient is no finite number."""
        self.network.train()
        try:
            with Interrupt() as interrupt:
                self._train(interrupt)
            self.history.write()
        finally:
            self.history.close()
        self.network.load_state_dict(load_checkpoint(self.folder.path / BEST, ("network",))["network"])
        return self.progress

    def _train(self, interrupt: Interrupt) -> None:
        before, started, saved = self.progress.seconds, time.monotonic(), time.monotonic()
        while not self.progress.ended:
            share = self.progress.share
            self._update(learning_rate(self.config, share))
            seconds = before + time.monotonic() - started
            share_now = self.budget.share(self.progress.step, seconds)
            self.progress = replace(self.progress, seconds=seconds, share=share_now)
            asked = interrupt.asked  # once: what is asked from here on ends the run behind the next update, validated
            due = _crossed(share, share_now, self.config.validations) or asked
            if due or _crossed(share, share_now, ROWS):
                self._keep_row(self._validated() if due else None)
            self.watcher.stepped(self.progress)
            self._end_if_due(asked)
            if due or self.progress.ended or time.monotonic() - saved > self.config.checkpoint_seconds:
                self.save()
                saved = time.monotonic()

    def save(self) -> None:
        """Write the last checkpoint."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "course": self.course.content(),
            "history": self.history.rows,
            "losses": self._losses,
            "count": self._count,
            "random": random_state(),
        }
        save_checkpoint(self.folder.path / LAST, content)
        self.history.write()

    def _update(self, rate: float) -> None:
        progress, config = self.progress, self.config
        with self.pulse.watching(progress.inside is None) as seen:
            loss, count = self.course.lesson(self.ready, progress.epoch, progress.lesson)
            self.optimizer.zero_grad()
            self.fabric.backward(loss)
        norm = nn.utils.get_total_norm([one.grad for one in self.network.parameters() if one.grad is not None])
        value = loss.item()
        if not math.isfinite(value) or not torch.isfinite(norm):
            raise UnrolledError(_why_diverged(self.network, progress.step + 1, f"the loss is {value:g}", rate))
        nn.utils.clip_grads_with_norm_(self.network.parameters(), config.clip, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        inside = self.pulse.look(seen, self.optimizer.step)
        self._losses.append(value)
        self._count += count
        self._rate, self._norm = rate, float(norm)
        last = progress.lesson + 1 == len(self.course)
        epoch, lesson = (progress.epoch + 1, 0) if last else (progress.epoch, progress.lesson + 1)
        self.progress = replace(progress, step=progress.step + 1, epoch=epoch, lesson=lesson)
        clipped = progress.clipped + (self._norm > config.clip)
        self.progress = replace(self.progress, clipped=clipped, inside=inside or progress.inside)

    def _validated(self) -> float:
        self.network.eval()
        loss = self.course.validate()
        self.network.train()
        progress = self.progress
        if not math.isfinite(loss):
            seen = f"the validation loss is {loss:g}"
            raise UnrolledError(_why_diverged(self.network, progress.step, seen, self._rate))
        if loss < progress.best:
            self.progress = replace(progress, best=loss, best_step=progress.step, since_best=0)
            save_checkpoint(self.folder.path / BEST, {"network": self.network.state_dict()})
        else:
            self.progress = replace(progress, since_best=progress.since_best + 1)
        return loss

    def _keep_row(self, valid: float | None) -> None:
        progress, rows = self.progress, self.history.rows
        since = progress.seconds - (rows[-1]["seconds"] if rows else 0.0)
        speed = self._count / since if since > 0 else 0.0
        loss = sum(self._losses) / len(self._losses)
        inside, clipped = progress.inside, progress.clipped / len(self._losses)
        self.progress = progress = replace(progress, loss=loss, per_second=speed, clipped=0, inside=None)
        row: dict[str, Any] = {
            "step": progress.step,
            "epoch": progress.epoch,
            "seconds": progress.seconds,
            "train": loss,
            "valid": valid,
        }
        row |= {"rate": self._rate, "gradient_norm": self._norm, "per_second": speed, "clipped": clipped}
        self.history.add(row | columns(inside) | {"inside": inside})
        self._losses, self._count = [], 0
        if valid is not None:
            self.watcher.validated(progress, valid)

    def _end_if_due(self, interrupted: bool) -> None:
        if self.progress.share >= 1.0:
            ended = "budget"
        elif self.progress.since_best >= self.config.patience:
            ended = "patience"
        else:
            ended = "interrupt" if interrupted else ""
        self.progress = replace(self.progress, ended=ended)


def _crossed(before: float, now: float, parts: int) -> bool:
    """Whether a boundary between equal parts of the budget lies between the two shares."""
    return math.floor(before * parts + 1e-9) < math.floor(now * parts + 1e-9)


def _decayed_and_not(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Parameter groups: matrices lose weight, vectors (biases, gains, peepholes, starts) do not."""
    parameters = list(network.parameters())
    matrices = [parameter for parameter in parameters if parameter.dim() > 1]
    vectors = [parameter for parameter in parameters if parameter.dim() < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def _why_diverged(network: nn.Module, step: int, seen: str, rate: float) -> str:
    """What to say when a number is no number: at which step, in which parameter, and what to try."""
    named = list(network.named_parameters())
    gradients = [(name, one.grad) for name, one in named if one.grad is not None]
    lost = [name for name, one in named if not torch.isfinite(one).all()]
    bad = [name for name, gradient in gradients if not torch.isfinite(gradient).all()]
    if lost:
        where = f"'{lost[0]}' holds numbers that are not finite"
    elif bad:
        where = f"the gradient of '{bad[0]}' is not finite"
    else:
        where = f"the largest gradient is that of '{max(gradients, key=lambda pair: float(pair[1].abs().max()))[0]}'"
    tries = f"try a smaller --rate (it is {rate:.2g}), a smaller --clip, or --precision 32-true"
    return f"step {step}: {seen} and {where}; {tries}."
