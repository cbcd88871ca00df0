"""What is looked at of a classify model: its recurrence, and the classes as if the sequence ended at each step."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.inspection.examine import Subject, of_chances
from unrolled.inspection.gradients import Loss, WholeLoss
from unrolled.layers.recurrent import Recurred
from unrolled.tasks.choose import with_steps
from unrolled.training.course import device_of
from unrolled.wirings.many_to_one import ManyToOne


def subject_of(
    network: ManyToOne, sequence: Tensor, steps: Sequence[str], classes: Sequence[str], right: int | None
) -> Subject:
    """A network reading ids (T,) or numbers (T, D); ``right`` is the class, where it is known.

    A network in one direction is asked at each step, one in both directions at the end, when it has read all.
    """
    with_steps(len(sequence), "the sequence")
    network.eval()
    with torch.no_grad():
        x = network.input_side(sequence.to(device_of(network)).unsqueeze(0))  # (1, T, D)
    one_way = len(network.recurrent.directions) == 1

    def said(outputs: Tensor) -> Tensor:
        """Scores at each step, (R, T, C), or at the end, (R, 1, C)."""
        if one_way:
            return network.output_side(network.pooling.so_far(outputs))
        return network.output_side(network.pooling(outputs)).unsqueeze(1)

    with torch.no_grad():
        outputs = network.recurrent(x).outputs
        assert isinstance(outputs, Tensor)
        target = int(said(outputs)[0, -1].argmax()) if right is None else right

    def loss(outputs: Tensor) -> Tensor:
        scores = said(outputs).transpose(1, 2)  # (R, C, T)
        return cross_entropy(scores, scores.new_full(scores.shape[::2], target, dtype=torch.long), reduction="none")

    def whole_loss(recurred: Recurred) -> Tensor:
        assert isinstance(recurred.outputs, Tensor)
        return loss(recurred.outputs).sum()

    def tell(outputs: Tensor) -> list[dict[str, Any]]:
        chances = torch.softmax(said(outputs)[0].double(), -1)
        rows = of_chances(chances, classes, [right] * len(chances))
        return [*({} for _ in range(outputs.shape[1] - len(rows))), *rows]

    losses: tuple[Loss | None, WholeLoss | None] = (loss, None) if one_way else (None, whole_loss)
    ended = "if the sequence ended there" if one_way else "at the end of the sequence"
    about = {"task": "classify", "part": "network", "loss": f"nats of the class {ended}"}
    return Subject(
        network.recurrent,
        x,
        list(steps),
        losses[0],
        whole_loss=losses[1],
        tell=tell,
        everywhere=network.pooling.kind != "last",
        about=about,
    )
