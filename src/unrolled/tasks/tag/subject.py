"""What is looked at of a tag model: its recurrence over the words of a sentence, and the tags it gives them."""

import torch
from torch import Tensor

from unrolled.inspection.examine import Subject
from unrolled.tasks.choose import with_steps
from unrolled.tasks.tag.lexicon import Lexicon
from unrolled.tasks.tag.network import TagNetwork
from unrolled.tasks.tag.sentences import Sentence
from unrolled.training.course import device_of


def subject_of(network: TagNetwork, lexicon: Lexicon, sentence: Sentence) -> Subject:
    """A network reading a sentence; tags are right where they are given, else those that it finds likeliest."""
    with_steps(len(sentence.words), "the sentence")
    network.eval()
    device = device_of(network)
    with torch.no_grad():
        x = network.input_side(lexicon.read([sentence.words]).to(device))  # (1, T, D)
    tags = lexicon.tag_ids(sentence).to(device) if sentence.tags else torch.full((x.shape[1],), -1, device=device)

    def chances(outputs: Tensor) -> Tensor:
        scores = network.output_side(outputs)
        return torch.softmax(scores, -1) if network.crf is None else network.crf.marginals(scores)  # (R, T, K)

    def loss(outputs: Tensor) -> Tensor:
        shares = chances(outputs)
        right = torch.where(tags < 0, shares[0].argmax(-1), tags).expand(len(shares), -1)
        return -shares.gather(2, right.unsqueeze(2)).squeeze(2).clamp(min=torch.finfo(shares.dtype).tiny).log()

    return Subject(
        network.recurrent,
        x,
        list(sentence.words),
        loss,
        lambda outputs: chances(outputs)[0],
        lexicon.tags,
        [tag if tag >= 0 else None for tag in tags.tolist()],
        about={"task": "tag", "part": "network", "loss": "nats of each word's tag"},
    )
