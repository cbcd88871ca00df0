"""What is looked at of a text model: its recurrence as it reads a text, and what it expects next."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.vocabulary import Vocabulary
from unrolled.inspection.examine import Subject
from unrolled.tasks.choose import with_steps
from unrolled.training.course import device_of
from unrolled.wirings.many_to_many import ManyToMany


def subject_of(network: ManyToMany, vocabulary: Vocabulary, text: str, unit: str) -> Subject:
    """A network reading a text from its beginning; at each token the next one is right. ``unit`` is what one is."""
    network.eval()
    ids, starts, ends = vocabulary.encode_with_offsets(text)
    with_steps(ids.numel(), "the text")
    raw = text.encode()
    steps = [raw[a:b].decode(errors="replace") for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    ids = ids.to(device_of(network))
    with torch.no_grad():
        x = network.input_side(ids.unsqueeze(0))  # (1, T, D)
    known = ids.numel() - 1

    def loss(outputs: Tensor) -> Tensor:
        scores = network.output_side(outputs)  # (R, T, V)
        targets = torch.cat([ids[1:], scores[0, -1:].argmax(-1)])  # behind the text its own guess
        return cross_entropy(scores.transpose(1, 2), targets.expand(len(scores), -1), reduction="none")

    return Subject(
        network.recurrent,
        x,
        steps,
        loss,
        lambda outputs: torch.softmax(network.output_side(outputs)[0].double(), -1),
        [vocabulary.decode([one]) for one in range(vocabulary.size)],
        [*ids[1:].tolist(), None],
        times=range(known),
        about={"task": "text", "part": "network", "loss": f"nats of the next {unit}"},
    )
