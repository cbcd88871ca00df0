"""What is looked at of a frames model: its recurrence over the steps of a recording, and what it says of each."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from unrolled.inspection.examine import LIKELY, Subject, of_chances
from unrolled.tasks.choose import with_steps
from unrolled.tasks.frames.answers import UNKNOWN, Answers, LabelSets, Numbers, OneLabel
from unrolled.tasks.frames.network import FrameNetwork
from unrolled.training.course import device_of


class Frames:
    """A network over the steps of one recording, and what is right at each.

    Args:
        network: The network.
        answers: The kind of its answers.
        features: What it reads, (T, D), steps behind the end that it waits for included.
        right: The answers as numbers, (T, ...), as far as they are known; step by step what is said then.
        known: Where they are known, (T,).
    """

    def __init__(self, network: FrameNetwork, answers: Answers, features: Tensor, right: Tensor, known: Tensor) -> None:
        self.network, self.answers = network.eval(), answers
        self.right, self.known = right.to(device_of(network)), known.to(device_of(network))
        self.features = features.to(device_of(network))

    def subject(self, steps: list[str]) -> Subject:
        """The whole of it; ``steps`` are what each step is called."""
        with_steps(len(steps), "the sequence")
        network = self.network
        with torch.no_grad():
            values = network.scale(self.features.unsqueeze(0))
            x = values if network.projection is None else network.projection(values)
        times = self.known.nonzero().flatten().tolist()
        about = {"task": "frames", "part": "network", "loss": self.answers.loss_name}
        return Subject(network.recurrent, x, steps, self.loss, tell=self.tell, times=times, about=about)

    def loss(self, outputs: Tensor) -> Tensor:
        """What each step costs, (R, T); where nobody knows what is right, its own answer counts as right."""
        scores = self.network.scores(outputs)  # (R, T, size)
        if isinstance(self.answers, OneLabel):
            own = scores[0].argmax(-1)
            right = torch.where(self.known, self.right.long(), own) if len(self.right) else own
            return cross_entropy(scores.transpose(1, 2), right.expand(len(scores), -1), reduction="none")
        known = self.known.unsqueeze(-1)
        if isinstance(self.answers, LabelSets):
            own = (scores[0] >= 0).to(scores)
            right = torch.where(known, self.right.to(scores), own).expand_as(scores)
            return binary_cross_entropy_with_logits(scores, right, reduction="none").sum(-1)
        return (scores - self._standard(scores)).square().mean(-1)

    def _standard(self, scores: Tensor) -> Tensor:
        """The right numbers, less their mean, over their deviation; zeros where they are not known."""
        assert isinstance(self.answers, Numbers)
        means, deviations = self.answers.means.to(scores), self.answers.deviations.to(scores)
        right = (self.right.to(scores) - means) / deviations
        return torch.where(self.known.unsqueeze(-1), right, 0)

    def tell(self, outputs: Tensor) -> list[dict[str, Any]]:
        """Rows of predictions."""
        scores = self.network.scores(outputs)[0]  # (T, size)
        if isinstance(self.answers, OneLabel):
            wanted = [int(one) if there else None for one, there in zip(self.right, self.known, strict=True)]
            return of_chances(torch.softmax(scores.double(), -1), self.answers.names, wanted)
        losses = self.loss(outputs)[0].tolist()
        rows = []
        for step, (said, there) in enumerate(zip(scores.cpu(), self.known.tolist(), strict=True)):
            rows.append(self._row(said, self.right[step].cpu(), losses[step], there))
        return rows

    def _row(self, said: Tensor, right: Tensor, loss: float, known: bool) -> dict[str, Any]:
        if isinstance(self.answers, LabelSets):
            names = self.answers.names
            shares = torch.sigmoid(said.double())
            likely = shares.argsort(descending=True)[:LIKELY].tolist()
            row: dict[str, Any] = {"top": [[names[one], float(shares[one])] for one in likely]}
            holds = [name for name, one in zip(names, right.tolist(), strict=True) if one]
            return row | ({"right": holds, "surprisal": loss} if known else {})
        assert isinstance(self.answers, Numbers)
        row = {"said": self.answers.tell(said)["values"]}
        return row | (
            {"observed": dict(zip(self.answers.names, right.tolist(), strict=True)), "loss": loss} if known else {}
        )


def aligned(answers: Answers, encoded: Tensor | None, steps: int, late: int, ahead: int) -> tuple[Tensor, Tensor]:
    """What is right of what is said at each step, (T, ...), and where that is known, (T,).

    Args:
        answers: Their kind.
        encoded: The answers at their own steps; None where nobody knows them.
        steps: T, those behind the end included.
        late: At a step that of so many steps before is said.
        ahead: At a step that of so many steps later is said.
    """
    own = torch.arange(steps) - late + ahead
    wide = () if isinstance(answers, OneLabel) else (answers.size,)
    if encoded is None:
        return torch.zeros(steps, *wide), torch.zeros(steps, dtype=torch.bool)
    known = (own >= ahead) & (own < len(encoded))
    right = encoded[own.clamp(0, len(encoded) - 1)]
    if isinstance(answers, OneLabel):
        known = known & (right != UNKNOWN)
    if isinstance(answers, Numbers):
        known = known & ~right.isnan().any(-1)
        right = right.nan_to_num()
    return right, known
