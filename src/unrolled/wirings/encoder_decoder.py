"""Encoder-decoder: a source is read, and a recurrence writes a target from where that ended, and looks back."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.state import State
from unrolled.wirings.apart import rows_alone, valid_steps
from unrolled.wirings.attention import ATTENTIONS, Attended, Attention
from unrolled.wirings.bridge import Bridge, Encoder
from unrolled.wirings.steps import SteadyLinear


class Memory(NamedTuple):
    """What an encoder leaves for a decoder."""

    values: Tensor
    """Its outputs, (N, S, E)."""
    keys: Tensor
    """What queries are held against, (N, S, H); the values themselves without attention."""
    lengths: Tensor
    """Valid steps of each row, (N,)."""
    state: State
    """What the decoder begins from, N rows."""


class EncoderDecoder(nn.Module):
    """Source side, encoder, bridge; target side, decoder, attention; output side.

    The output reads o = tanh(W @ [h; c]), where h is the decoder's output and c what attention finds with it in the
    encoder's outputs (Luong et al. 2015, arXiv:1508.04025, eq. 5); o = tanh(W @ h) without attention. As long as o is
    not fed back, a target that is known is read in one scan, and looked up at all steps at once.

    Args:
        sides: Input side of the source (its steps are the encoder's inputs) and of the target.
        encoder: Reads the source: a Recurrent, in one direction or both, or a module that gives what a decoder looks
            back at and begins from in one go (:class:`unrolled.wirings.pictures.PictureEncoder`).
        decoder: Reads the target so far, (N, T, D), forward; D grows by H with input feeding.
        output_side: From o, (…, H), to scores, (…, V).
        attention: ``none``, or a kind of :class:`unrolled.wirings.attention.Attention`.
        bridge: A kind of :class:`unrolled.wirings.bridge.Bridge`.
        input_feeding: The decoder reads o of the step before beside its input (Luong et al. 2015, section 3.3); steps
            then wait for each other.

    Raises:
        UsageError: kinds or sizes do not fit each other.
    """

    def __init__(
        self,
        sides: tuple[nn.Module, nn.Module],
        encoder: Recurrent | Encoder,
        decoder: Recurrent,
        output_side: nn.Module,
        attention: str = "additive",
        bridge: str = "learned",
        input_feeding: bool = False,
    ) -> None:
        super().__init__()
        if len(decoder.directions) > 1:
            raise UsageError("a decoder cannot read what it has not written yet; make it one that goes forward only.")
        self.source_side, self.target_side = sides
        self.encoder, self.decoder, self.output_side = encoder, decoder, output_side
        self.bridge, self.input_feeding = Bridge(bridge, encoder, decoder), input_feeding
        size, seen = decoder.output_size, encoder.output_size
        self.attention: Attention | None = None
        if attention != "none":
            if attention not in ATTENTIONS:
                raise UsageError(f"there is no attention '{attention}'; choose from none, {', '.join(ATTENTIONS)}.")
            self.attention = Attention(attention, size, seen)
        self.combine = SteadyLinear(size + seen if self.attention else size, size)
        nn.init.xavier_uniform_(self.combine.weight)

    def encode(self, sources: Tensor, lengths: Tensor | None = None) -> Memory:
        """Read sources (N, ...), of which ``lengths`` (N,) steps are valid; all that there are without it.

        Outside training, each row's numbers are those it has alone, bit by bit.
        """
        inputs = self.source_side(sources)
        if isinstance(self.encoder, Recurrent):
            values, ends, _ = self.encoder(inputs, lengths=lengths)
            assert isinstance(values, Tensor)
        else:
            values, ends = self.encoder(inputs)
        if lengths is None:
            lengths = torch.full((len(values),), values.shape[1], device=values.device)
        keys = values if self.attention is None else self.attention.keys(values)
        state = self.bridge(ends)
        return Memory(values, keys, lengths, self.decoder.initial_state(len(values)) if state is None else state)

    def forward(self, sources: Tensor, source_lengths: Tensor | None, inputs: Tensor, lengths: Tensor) -> Tensor:
        """The scores at every valid step of the targets, row after row, (sum of lengths, V).

        Args:
            sources: (N, ...), of which ``source_lengths`` (N,) steps are valid; all without it.
            inputs: The targets as the decoder reads them, one step late, (N, T, ...), valid up to ``lengths`` (N,).
        """
        memory = self.encode(sources, source_lengths)
        vectors, _ = self.read(memory, inputs, lengths)
        return self.output_side(vectors[valid_steps(vectors, lengths)])

    def read(self, memory: Memory, inputs: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What the output side reads, (N, T, H), and the attention (N, T, S), of targets that are known."""
        values = self.target_side(inputs)  # (N, T, D)
        if not self.input_feeding:
            outputs = self.decoder(values, memory.state, lengths).outputs
            return self.look_back(outputs, memory.keys, memory.values, memory.lengths)
        state, fed = memory.state, values.new_zeros(len(values), self.decoder.output_size)
        vectors, weights = [], []
        for step in values.unbind(1):
            output, state = self.decoder.step(torch.cat([step, fed], -1), state)
            vector, found = self.look_back(output.unsqueeze(1), memory.keys, memory.values, memory.lengths)
            fed = vector.squeeze(1)  # (N, H)
            vectors.append(vector)
            weights.append(found)
        return torch.cat(vectors, 1), torch.cat(weights, 1) if self.attention else None

    def look_back(
        self, outputs: Tensor, keys: Tensor, values: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """From the decoder's outputs (N, T, H) to what the output side reads, (N, T, H), and the attention."""
        if self.attention is None:
            return self.combined(outputs, None), None
        found: Attended = self.attention(outputs, keys, values, lengths)
        return self.combined(outputs, found.context), found.weights

    def combined(self, outputs: Tensor, context: Tensor | None) -> Tensor:
        """o = tanh(W @ [h; c]), (..., H), of the decoder's outputs and what attention found, if there is any."""
        return torch.tanh(self.combine(outputs if context is None else torch.cat([outputs, context], -1)))


class Writer:
    """An encoder-decoder at work: a step function for :mod:`unrolled.wirings.decode` over a batch of memories.

    Attention is computed for each sentence alone, its rows together, over its own steps of the memory, all else by maps
    whose numbers for a row depend on no other: so a sentence's depend on no other sentence, nor on padding, but only on
    how many rows it has.

    Args:
        network: In evaluation mode.
        memory: Of N sentences.
        rows: Rows that each sentence has, which follow each other.
        never: Tokens that are not written, however likely they are.
    """

    def __init__(self, network: EncoderDecoder, memory: Memory, rows: int = 1, never: Sequence[int] = ()) -> None:
        self.network, self.rows = network, rows
        self.never = torch.tensor(list(never), dtype=torch.long, device=memory.values.device)
        self.values, self.keys = (rows_alone(one, memory.lengths) for one in (memory.values, memory.keys))
        count = len(self.values)
        sentences = torch.arange(count, device=memory.values.device)
        parts = {"sentence": {"number": sentences.unsqueeze(1)}, "decoder": memory.state}
        if network.input_feeding:
            parts["fed"] = {"o": memory.values.new_zeros(count, network.decoder.output_size)}
        if network.attention is not None:
            parts["looked"] = {"sum": memory.values.new_zeros(count, memory.values.shape[1])}
        self.state = State.join(parts).reorder(sentences.repeat_interleave(rows))
        """What the first step begins from: ``rows`` rows a sentence."""

    def __call__(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Scores (R, V) of what follows ``tokens`` (R,), and the state behind them."""
        network = self.network
        values = network.target_side(tokens)  # (R, D)
        if network.input_feeding:
            values = torch.cat([values, state["fed.o"]], -1)
        outputs, after = network.decoder.step(values, state.part("decoder"))
        parts, context = {"sentence": state.part("sentence"), "decoder": after}, None
        if network.attention is not None:
            attend, found = network.attention, []
            for sentence, own in zip(self._sentences(state), outputs.split(self.rows), strict=True):
                found.append(attend(own.clone().unsqueeze(0), self.keys[sentence], self.values[sentence]))
            context = torch.cat([one.context.squeeze(0) for one in found])  # (R, E)
            steps = state["looked.sum"].shape[1]
            wide = [nn.functional.pad(one.weights.squeeze(0), (0, steps - one.weights.shape[2])) for one in found]
            parts["looked"] = State({"sum": state["looked.sum"] + torch.cat(wide)})
        vectors = network.combined(outputs, context)  # (R, H)
        if network.input_feeding:
            parts["fed"] = State({"o": vectors})
        scores = network.output_side(vectors)  # (R, V)
        if len(self.never):
            scores = scores.index_fill(1, self.never, -torch.inf)
        return scores, State.join(parts)

    def neglect(self, state: State) -> Tensor:
        """How much of each row's source was looked at too little: sum of log min(attention so far, 1), (R,), 0 or less.

        The coverage penalty of Wu et al. 2016 (arXiv:1609.08144, eq. 14), still without its weight.
        """
        if self.network.attention is None:
            raise UsageError("a coverage penalty wants attention, and this network has none.")
        looked = state["looked.sum"].double()
        penalties = []
        for sentence, own in zip(self._sentences(state), looked.split(self.rows), strict=True):
            penalties.append(own[:, : self.values[sentence].shape[1]].clone().clamp(1e-10, 1.0).log().sum(-1))
        return torch.cat(penalties)

    def _sentences(self, state: State) -> list[int]:
        return [int(one) for one in state["sentence.number"][:: self.rows, 0].tolist()]
