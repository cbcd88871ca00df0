"""Vocabularies: between a text and its token ids, there and back, kept as tokenizers JSON."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal, Self

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from unrolled.data.units import NEWLINE, UNITS, WORD, Unit
from unrolled.errors import UsageError, did_you_mean


class Vocabulary:
    """V tokens of one unit (`char`, `word` or `bpe`), each with an id from 0 to V - 1.

    Made by `Vocabulary.train` or `Vocabulary.from_json`. Characters and byte pairs give a text back exactly; words
    give it back with one blank between words and none at line ends. A lone surrogate in a text, which UTF-8 cannot
    hold, raises `UsageError`.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._piece_lengths = np.array([len(piece) for piece in unit.pieces], dtype=np.int64)

    @classmethod
    def train(cls, texts: str | Sequence[str], unit: Literal["char", "word", "bpe"], size: int | None = None) -> Self:
        """Return the vocabulary of one text or several; the same texts give the same vocabulary.

        char: every distinct character, sorted by code point; takes no size.
        word: `<unk>`, the line end, then words (what stands between blanks) by falling count, equal counts by code
        point.
        size: V at most; without it all words that come at least twice, V at most 50,000.
        bpe: the 256 bytes, then merges of pairs that come at least twice, until V is size (2,000 unless given) or no
        such pair is left. Raises `UsageError` for an unknown unit, a size that the unit cannot have, or texts with
        nothing to learn from.
        """
        texts = [texts] if isinstance(texts, str) else texts
        if unit not in UNITS:
            raise UsageError(f"unknown unit {unit!r}; known are {', '.join(UNITS)}.{did_you_mean(str(unit), UNITS)}")
        if not any(texts):
            raise UsageError("there is no text to make a vocabulary from: every text given is empty.")
        for text in texts:
            _refuse_surrogates(text)
        return cls(UNITS[unit].train(texts, size))

    @property
    def unit(self) -> str:
        """`char`, `word` or `bpe`."""
        return self._unit.name

    @property
    def size(self) -> int:
        """V, the number of tokens."""
        return len(self._unit.tokens)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token in the order of its id, as in the JSON (byte pairs in their alphabet, where `Ġ` is a blank)."""
        return self._unit.tokens

    @property
    def tokenizer(self) -> Tokenizer:
        """The `tokenizers.Tokenizer` with the same ids, for work with that library."""
        return self._unit.tokenizer

    def __len__(self) -> int:
        return self.size

    def encode(self, text: str) -> Tensor:
        """Return the ids of a text: int64 (S,). A character unknown to a `char` vocabulary raises `UsageError`."""
        _refuse_surrogates(text)
        return torch.from_numpy(self._unit.encode(text))

    def encode_with_offsets(self, text: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return ids, starts and ends: int64 (S,) each; token s is `text.encode()[starts[s] : ends[s]]`."""
        ids = self.encode(text)
        if self._unit.exact:
            ends = np.cumsum(self._piece_lengths[ids.numpy()], dtype=np.int64)
            starts = ends - self._piece_lengths[ids.numpy()]
        else:
            starts, ends = _word_offsets(text)
        return ids, torch.from_numpy(starts), torch.from_numpy(ends)

    def decode(self, ids: Iterable[int] | Tensor) -> str:
        """Return the text of these ids; bytes that are no UTF-8 (byte pairs can make such) become U+FFFD."""
        stream = self.decode_stream()
        listed = ids.tolist() if isinstance(ids, Tensor) else ids
        return "".join([*map(stream.push, listed), stream.finish()])

    def decode_stream(self) -> "DecodeStream":
        """Return a decoder that takes ids one by one."""
        return DecodeStream(self._unit.pieces, spaced=not self._unit.exact)

    def to_json(self) -> str:
        """Return the vocabulary as tokenizers JSON; `tokenizers.Tokenizer.from_str` opens it with the same ids."""
        return self.tokenizer.to_str()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the vocabulary that `to_json` wrote; anything else raises `UsageError`."""
        wanted = "what opens is what Vocabulary.to_json wrote"
        try:
            written = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"the vocabulary is no JSON ({error}); {wanted}.") from error
        model = written.get("model") if isinstance(written, dict) else None
        if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
            raise UsageError(f"the vocabulary is JSON but no tokenizers JSON with a vocabulary in its model; {wanted}.")
        for unit in UNITS.values():
            if _recipe(written) == _recipe(json.loads(unit(unit.fewest).tokenizer.to_str())):
                return cls(unit(_tokens(model["vocab"]), _merges(model.get("merges", []))))
        kind = f"a {model.get('type')} model with other rules"
        raise UsageError(f"the vocabulary is a tokenizers JSON that unrolled did not write ({kind}); {wanted}.")


class DecodeStream:
    """Turns ids into text one by one, giving out complete characters only.

    To go on after a prompt, push the prompt's ids first and leave what they return aside.
    """

    def __init__(self, pieces: Sequence[bytes], spaced: bool) -> None:
        self._pieces = pieces
        self._spaced = spaced
        self._after_word = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """Return the text that this id completes, perhaps none; an id outside of the vocabulary raises `UsageError`."""
        if not 0 <= token < len(self._pieces):
            raise UsageError(
                f"token id {token} is outside of the vocabulary, whose ids go from 0 to {len(self._pieces) - 1}."
            )
        piece = self._pieces[token]
        if not self._spaced:
            return self._utf8.decode(piece)
        blank = " " if self._after_word and piece != NEWLINE.encode() else ""
        self._after_word = piece != NEWLINE.encode()
        return blank + piece.decode()

    def finish(self) -> str:
        """Return what is left of a character that was never completed: U+FFFD, or nothing. The stream starts afresh."""
        self._after_word = False
        return self._utf8.decode(b"", final=True)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = text[error.start]
        raise UsageError(
            f"the text has a lone surrogate, {found!r}, at character {error.start}: take it out."
        ) from error


def _word_offsets(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last + 1 byte of each word and line end."""
    spans = np.fromiter(chain.from_iterable(match.span() for match in re.finditer(WORD, text)), dtype=np.int64)
    if not text.isascii():
        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        lengths = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
        spans = np.concatenate([[0], np.cumsum(lengths)])[spans]
    return spans[0::2].copy(), spans[1::2].copy()


def _recipe(written: dict[str, Any]) -> list[str]:
    """Return every word of a tokenizers JSON but its tokens and merges: two of one unit agree in these.

    Only words, since other versions of tokenizers write more or fewer switches.
    """
    parts = [written.get(part) for part in ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")]
    return list(_strings([parts, written["model"].get("type")]))


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key in sorted(node):
            yield from _strings(node[key])
    elif isinstance(node, list):
        for one in node:
            yield from _strings(one)


def _tokens(vocab: dict[str, Any]) -> list[str]:
    """Return the tokens in the order of their ids, once it is sure that the ids are 0, 1, 2, … without a gap."""
    by_id = {index: token for token, index in vocab.items() if type(index) is int}
    if not vocab or by_id.keys() != set(range(len(vocab))):
        raise UsageError(
            f"the vocabulary's {len(vocab)} tokens should have the ids 0, 1, 2, … without a gap, but have not."
        )
    _refuse_surrogates("".join(vocab))
    return [by_id[index] for index in range(len(vocab))]


def _merges(written: Any) -> list[tuple[str, str]]:
    pairs = written if isinstance(written, list) else [written]
    if not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair) for pair in pairs
    ):
        raise UsageError("the vocabulary's merges should be a list of pairs of tokens, but are not.")
    return [(left, right) for left, right in pairs]
