"""What is looked at of networks that write: the decoder as it reads what it has written, and the encoder."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.inspection.examine import Subject
from unrolled.layers.recurrent import Recurred, Recurrent
from unrolled.tasks.side import Side
from unrolled.tasks.writing import late
from unrolled.wirings.encoder_decoder import EncoderDecoder, Memory


def decoder_of(
    network: EncoderDecoder, memory: Memory, written: Tensor, side: Side, looked_at: Sequence[str], task: str
) -> Subject:
    """The decoder over a text that it wrote or was given, ids (T,), each read one step late.

    With input feeding, what is fed back is taken as it came: gradients do not go through it.
    """
    network.eval()
    inputs = torch.stack(late([written], side.end))  # (1, T)
    with torch.no_grad():
        x = network.target_side(inputs)  # (1, T, D)
        if network.input_feeding:
            vectors, _ = network.read(memory, inputs)
            fed = torch.cat([vectors.new_zeros(vectors[:, :1].shape), vectors[:, :-1]], 1)
            x = torch.cat([x, fed], -1)

    def looked(outputs: Tensor) -> tuple[Tensor, Tensor | None]:
        copies = len(outputs)
        keys, values = (one.expand(copies, -1, -1) for one in (memory.keys, memory.values))
        return network.look_back(outputs, keys, values, memory.lengths.expand(copies))

    def scores(outputs: Tensor) -> Tensor:
        return network.output_side(looked(outputs)[0])  # (R, T, V)

    def loss(outputs: Tensor) -> Tensor:
        said = scores(outputs)
        return cross_entropy(said.transpose(1, 2), written.expand(len(said), -1), reduction="none")

    def weights(outputs: Tensor) -> Tensor:
        found = looked(outputs)[1]
        assert found is not None
        return found[0]

    fed = "; what is fed back counts as given" if network.input_feeding else ""
    return Subject(
        network.decoder,
        x,
        side.pieces(inputs[0].tolist()),
        loss,
        lambda outputs: torch.softmax(scores(outputs)[0].double(), -1),
        side.pieces(list(range(side.vocabulary.size))),
        written.tolist(),
        state=memory.state,
        attention=weights if network.attention is not None else None,
        looked_at=looked_at,
        about={"task": task, "part": "decoder", "loss": f"nats of the next token{fed}"},
    )


def encoder_of(
    network: EncoderDecoder, source: Tensor, written: Tensor, sides: tuple[Side, Side], task: str
) -> Subject:
    """The encoder over a source, ids (S,): followed back is what the whole target (T,) costs the decoder."""
    network.eval()
    encoder = network.encoder
    assert isinstance(encoder, Recurrent)
    with torch.no_grad():
        x = network.source_side(source.unsqueeze(0))  # (1, S, D)
    inputs = torch.stack(late([written], sides[1].end))

    def whole_loss(recurred: Recurred) -> Tensor:
        values, state = recurred.outputs, network.bridge(recurred.state)
        assert isinstance(values, Tensor)
        keys = values if network.attention is None else network.attention.keys(values)
        begin = network.decoder.initial_state(1) if state is None else state
        memory = Memory(values, keys, torch.tensor([values.shape[1]], device=values.device), begin)
        vectors, _ = network.read(memory, inputs)
        return cross_entropy(network.output_side(vectors)[0], written, reduction="sum")

    about = {"task": task, "part": "encoder", "loss": "nats of the whole target"}
    return Subject(
        encoder,
        x,
        sides[0].pieces(source.tolist()),
        None,
        whole_loss=whole_loss,
        everywhere=network.attention is not None,
        about=about,
    )
