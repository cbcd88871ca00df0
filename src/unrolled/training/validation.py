"""The loss of a network on a text that it does not learn from."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.streams import Streams
from unrolled.wirings.many_to_many import ManyToMany


@torch.inference_mode()
def stream_loss(network: ManyToMany, streams: Streams, device: torch.device | str = "cpu") -> float:
    """Mean loss, nats a token, over streams read side by side, each with its state carried from its beginning."""
    state, total, count = None, 0.0, 0
    for index in range(len(streams)):
        inputs, targets = (ids.to(device) for ids in streams[index])  # (N, t)
        outputs, state, _ = network(inputs, state)
        total += float(cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="sum"))
        count += targets.numel()
    return total / count


@torch.inference_mode()
def surprisal(network: ManyToMany, inputs: Tensor, targets: Tensor, state=None, device: torch.device | str = "cpu"):
    """-log p of each target (N, t) after its input, in nats, and the state behind."""
    outputs, after, _ = network(inputs.to(device), state)
    losses = cross_entropy(outputs.transpose(1, 2), targets.to(device), reduction="none")  # (N, t)
    return losses.cpu(), after
