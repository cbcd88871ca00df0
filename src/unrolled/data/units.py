"""The three units a text is cut into (characters, words, byte pairs): how each is learned, kept and found."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from unrolled.errors import UsageError

UNKNOWN = "<unk>"
NEWLINE = "\n"
WORD = r"\n|[^\s\x1c-\x1f]+"  # a line end, or a run of no blanks: \x1c to \x1f are \s for Python but not for tokenizers
WORDS_AT_MOST = 50_000
BYTE_PAIRS = 2_000
PIECE = 1 << 16  # characters in a piece given to tokenizers: pieces are encoded in parallel, one huge string is not

Ids = NDArray[np.int64]


def _byte_alphabet() -> dict[str, int]:
    """Return the byte behind each sign of the byte-level alphabet: printable latin-1 as it is, the rest from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


BYTES = _byte_alphabet()


class Unit(Protocol):
    """A way to cut a text, made of its tokens (in the order of their ids) and, for byte pairs, the merges.

    tokenizer: the same as an object of `tokenizers`, which writes the JSON.
    pieces: the UTF-8 bytes each token stands for. exact: the pieces of a text, put end to end, are the text.
    fewest: the tokens of the smallest vocabulary there can be.
    """

    name: ClassVar[str]
    exact: ClassVar[bool]
    fewest: ClassVar[tuple[str, ...]]
    tokens: tuple[str, ...]
    pieces: tuple[bytes, ...]
    tokenizer: Tokenizer

    def __init__(self, tokens: Sequence[str], merges: Sequence[tuple[str, str]] = ()) -> None: ...

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self: ...

    def encode(self, text: str) -> Ids: ...


class Characters:
    """Every distinct character of the texts, sorted by code point; a character outside of them is an error."""

    name: ClassVar[str] = "char"
    exact: ClassVar[bool] = True
    fewest: ClassVar[tuple[str, ...]] = ("a",)

    def __init__(self, tokens: Sequence[str], merges: Sequence[tuple[str, str]] = ()) -> None:
        if merges or any(len(token) != 1 for token in tokens):
            raise UsageError(
                "a vocabulary of characters has tokens of one character and no merges, but this one has others."
            )
        self.tokens = tuple(tokens)
        self.pieces = tuple(token.encode() for token in tokens)
        self.tokenizer = Tokenizer(models.WordLevel(_ids(tokens), unk_token=UNKNOWN))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        self.tokenizer.decoder = decoders.Fuse()
        points = [ord(token) for token in tokens]
        self._id_of_point = np.full(max(points) + 2, -1, dtype=np.int64)  # the last place is for all code points above
        self._id_of_point[points] = np.arange(len(points))

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        if size is not None:
            raise UsageError(
                f"a vocabulary of characters holds every character, so it takes no size, but got {size}; leave it out."
            )
        return cls(sorted(set(chain.from_iterable(set(text) for text in texts))))

    def encode(self, text: str) -> Ids:
        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        ids = self._id_of_point[np.minimum(points, len(self._id_of_point) - 1)]
        unknown = np.flatnonzero(ids < 0)
        if unknown.size:
            raise UsageError(self._unknown(text, unknown))
        return ids

    def _unknown(self, text: str, places: Ids) -> str:
        distinct = list(dict.fromkeys(text[place] for place in places))
        shown = ", ".join(map(repr, distinct[:5])) + (f" and {len(distinct) - 5} more" if len(distinct) > 5 else "")
        return (
            f"{len(distinct)} distinct character(s) of the text are not among the {len(self.tokens)} characters of the "
            f"vocabulary: {shown}, the first at offset {places[0]}; take them out, or train on a text that has them."
        )


class Words:
    """Runs of what is not blank, and the line end as a token (WikiText's `<eos>`); all other words are `<unk>`."""

    name: ClassVar[str] = "word"
    exact: ClassVar[bool] = False
    fewest: ClassVar[tuple[str, ...]] = (UNKNOWN, NEWLINE)

    def __init__(self, tokens: Sequence[str], merges: Sequence[tuple[str, str]] = ()) -> None:
        if merges or tuple(tokens[:2]) != (UNKNOWN, NEWLINE) or any(not re.fullmatch(WORD, token) for token in tokens):
            raise UsageError(
                rf"a vocabulary of words starts with {UNKNOWN} and '\n' and has no blanks, but this one does not."
            )
        self.tokens = tuple(tokens)
        self.pieces = tuple(token.encode() for token in tokens)
        self._id_of_word = _ids(tokens)
        self.tokenizer = Tokenizer(models.WordLevel(self._id_of_word, unk_token=UNKNOWN))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
        blank_before_each, no_blank_at_line_start = (Regex(r"^(?!\n)"), " "), (Regex(r"(?<![^\n]) "), "")
        self.tokenizer.decoder = decoders.Sequence(
            [decoders.Replace(*blank_before_each), decoders.Fuse(), decoders.Replace(*no_blank_at_line_start)]
        )

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        if size is not None and size < 3:
            raise UsageError(
                rf"a vocabulary of {size} words is too small: {UNKNOWN}, '\n' and one word make 3; give 3 or more."
            )
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(re.findall(WORD, text))
        ranked = sorted(counts.keys() - {UNKNOWN, NEWLINE}, key=lambda word: (-counts[word], word))
        if not ranked:
            raise UsageError(f"there is no word but {UNKNOWN} in the text; a text with words is needed.")
        if size is None and counts[ranked[0]] < 2:
            raise UsageError(
                f"no word comes twice in the {counts.total():,} words and line ends given, so each would be unknown; "
                "give a longer text, a size, or the unit char."
            )
        kept = ranked[: (WORDS_AT_MOST if size is None else size) - 2]
        return cls([UNKNOWN, NEWLINE, *(word for word in kept if size is not None or counts[word] >= 2)])

    def encode(self, text: str) -> Ids:
        id_of_word = self._id_of_word
        return np.fromiter((id_of_word.get(word, 0) for word in re.findall(WORD, text)), dtype=np.int64)


class BytePairs:
    """Byte pairs (Sennrich et al. 2016) over bytes (Radford et al. 2019): nothing is unknown, everything is reversible.

    A line end is a token of its own, so a text can be cut after any line end without a change of its tokens.
    """

    name: ClassVar[str] = "bpe"
    exact: ClassVar[bool] = True
    fewest: ClassVar[tuple[str, ...]] = tuple(sorted(BYTES))

    def __init__(self, tokens: Sequence[str], merges: Sequence[tuple[str, str]] = ()) -> None:
        known = set(tokens)
        if not known >= BYTES.keys() or not BYTES.keys() >= set("".join(tokens)):
            raise UsageError("a vocabulary of byte pairs is made of all 256 bytes, but this one is not.")
        if any(len(pair) != 2 or not known >= {*pair, "".join(pair)} for pair in merges):
            raise UsageError("each merge of byte pairs joins two tokens to a third, but not all of these do.")
        self.tokens = tuple(tokens)
        self.pieces = tuple(bytes(BYTES[sign] for sign in token) for token in tokens)
        self.tokenizer = _byte_pair_tokenizer(models.BPE(_ids(tokens), [(left, right) for left, right in merges]))

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        size = BYTE_PAIRS if size is None else size
        if size < 256:
            raise UsageError(
                f"a vocabulary of {size} byte pairs is too small: the 256 bytes are always in it; give 256 or more."
            )
        trainer = trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, show_progress=False, initial_alphabet=sorted(BYTES)
        )
        tokenizer = _byte_pair_tokenizer(models.BPE())
        tokenizer.train_from_iterator(chain.from_iterable(map(_pieces, texts)), trainer)
        return cls(*tokens_and_merges(tokenizer))

    def encode(self, text: str) -> Ids:
        encodings = self.tokenizer.encode_batch_fast(list(_pieces(text)), add_special_tokens=False)
        return np.concatenate([np.zeros(0, np.int64), *(np.array(one.ids, dtype=np.int64) for one in encodings)])


UNITS: dict[str, type[Unit]] = {unit.name: unit for unit in (Characters, Words, BytePairs)}


def tokens_and_merges(tokenizer: Tokenizer) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the tokens of a tokenizer in the order of their ids, and its merges in the order they were learned."""
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].__getitem__), [(left, right) for left, right in model["merges"]]


def _ids(tokens: Sequence[str]) -> dict[str, int]:
    return {token: index for index, token in enumerate(tokens)}


def _byte_pair_tokenizer(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(NEWLINE, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of about PIECE characters that end with a line end (the last need not)."""
    start = 0
    while start < len(text):
        stop = text.find(NEWLINE, start + PIECE - 1) + 1 or len(text)
        yield text[start:stop]
        start = stop
