"""Writing: the same seed the same text, greedy as by hand, stop texts never shown, pieces that make the whole."""

from copy import copy
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from tasks.samples import EXCERPT
from tasks.test_score import MANY_BYTES, make_model
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError
from unrolled.tasks.text.model import TextModel
from unrolled.tasks.text.write import Written, write_on
from unrolled.wirings.sampling import Sampling

MODELS = {
    "char": make_model("char", EXCERPT),
    "word": make_model("word", EXCERPT),
    "bpe": make_model("bpe", MANY_BYTES),  # half of its tokens are parts of characters
}
GREEDY = Sampling(temperature=0.0)
ABC = Vocabulary.train("ab ", "char")
on_units = pytest.mark.parametrize("unit", MODELS)


def ids_of(model: TextModel, prompt: str, length: int, seed: int, sampling: Sampling | None = None) -> list[int]:
    """The ids that are drawn with a seed."""
    first = model.vocabulary.encode(prompt)
    generator = Generator().manual_seed(seed)
    return list(islice(write_on(model.network, first, sampling or Sampling(), generator), length))


@on_units
def test_the_same_seed_writes_the_same_text(unit: str) -> None:
    model = MODELS[unit]
    for prompt in ("", "S"):
        prompt = "First" if unit == "word" and prompt else prompt
        assert model.generate(prompt, length=40, seed=3) == model.generate(prompt, length=40, seed=3)
        assert model.generate(prompt, length=40, seed=3) != model.generate(prompt, length=40, seed=4)
        assert model.generate(prompt, length=40) != model.generate(prompt, length=40)


@on_units
def test_greedy_writing_is_the_argmax_of_one_long_run(unit: str) -> None:
    model = MODELS[unit]
    ids = model.vocabulary.encode("First Citizen:\nSpeak" if unit != "bpe" else "Süß ").tolist()
    prompt, begun = model.vocabulary.decode(ids), len(ids)
    for _ in range(30):
        with torch.inference_mode():
            scores = model.network.eval()(torch.tensor([ids])).outputs[0, -1]
        ids.append(max(range(len(scores)), key=lambda token: float(scores[token])))
    written = model.generate(prompt, length=30, sampling=GREEDY)
    assert written == model.vocabulary.decode(ids).removeprefix(prompt)
    assert ids[begun:] == ids_of(model, prompt, 30, 0, GREEDY)


def test_a_repetition_penalty_counts_the_prompt() -> None:
    model = make_model("char", "abc" * 9)
    strong = Sampling(temperature=0.0, repetition_penalty=1e6)
    with torch.no_grad():  # whatever was read, all scores are 0 or below, so the penalty puts seen ones last
        model.network.output_side.linear.weight.zero_()
        model.network.output_side.linear.bias.copy_(torch.tensor([-1.0, -2.0, -3.0]))
    assert model.generate("a", length=2, sampling=strong) == "bc"
    assert model.generate("b", length=2, sampling=strong) == "ac"


@on_units
def test_length_counts_tokens(unit: str) -> None:
    model = MODELS[unit]
    prompt = {"char": "S", "word": "First", "bpe": "Sü"}[unit]
    for length in (1, 2, 17):
        text = model.vocabulary.decode([*model.vocabulary.encode(prompt), *ids_of(model, prompt, length, 8)])
        assert prompt + model.generate(prompt, length=length, seed=8) == text


@on_units
def test_pieces_make_the_whole_and_come_as_they_are_drawn(unit: str) -> None:
    model = MODELS[unit]
    prompt = "First" if unit == "word" else "S"
    pieces = list(model.stream(prompt, length=60, seed=2))
    assert "".join(pieces) == model.generate(prompt, length=60, seed=2)
    assert all(pieces)
    assert len(pieces) == 60 if unit != "bpe" else 5 < len(pieces) <= 61


def test_the_first_piece_waits_for_its_token_alone() -> None:
    endless = MODELS["char"].stream("S", length=10**9, seed=2)
    assert len(next(endless)) == 1


def test_characters_of_many_bytes_come_whole() -> None:
    model = MODELS["bpe"]
    ids = ids_of(model, "S", 80, 6)
    pieces = list(model.stream("S", length=80, seed=6))
    assert "".join(pieces) == model.vocabulary.decode(ids)
    decoder, expected = model.vocabulary.decode_stream(), []
    for one in ids:
        expected.append(decoder.push(one))
    assert pieces == [*filter(None, expected), *filter(None, [decoder.finish()])]


@on_units
@given(st.data())
def test_a_stop_text_ends_the_writing_and_is_never_shown(unit: str, data: st.DataObject) -> None:
    vocabulary = MODELS[unit].vocabulary
    few = data.draw(st.lists(st.integers(0, vocabulary.size - 1), min_size=2, max_size=4))
    ids = data.draw(st.lists(st.sampled_from(few), min_size=1, max_size=30))
    whole = "".join(Written(vocabulary, None).take(iter(ids), "", len(ids)))
    begin = data.draw(st.integers(0, len(whole) - 1))
    stop = whole[begin : begin + data.draw(st.integers(1, 6))]
    pieces = Written(vocabulary, stop).take(iter(ids), "", len(ids))
    assert "".join(pieces) == whole[: whole.index(stop)]


@given(st.text("ab ", min_size=1, max_size=5), st.text("ab ", max_size=40))
def test_a_stop_text_that_nearly_comes_is_held_back_and_then_given(stop: str, text: str) -> None:
    ids = ABC.encode(text).tolist()
    pieces = list(Written(ABC, stop).take(iter(ids), "", len(ids)))
    end = text.find(stop)
    assert "".join(pieces) == (text if end < 0 else text[:end])


@given(st.text("ab ", min_size=1, max_size=5), st.text("ab ", min_size=1, max_size=40))
def test_no_more_is_held_back_than_may_become_the_stop_text(stop: str, text: str) -> None:
    ids = ABC.encode(text).tolist()
    given_by_then = ""
    source = iter(ids)
    for piece in Written(ABC, stop).take(source, "", len(ids)):
        given_by_then += piece
        read = text[: len(ids) - len(list(copy(source)))]
        held = read.removeprefix(given_by_then)
        assert held == "" or stop.startswith(held) or stop in read or len(read) == len(text)


def test_a_model_stops_before_its_stop_text() -> None:
    whole = MODELS["char"].generate("S", length=60, seed=1)
    assert MODELS["char"].generate("S", length=60, seed=1, stop=whole[20:23]) == whole[: whole.index(whole[20:23])]


def test_what_cannot_begin_the_stop_text_is_not_held_back() -> None:
    pieces = list(MODELS["char"].stream("S", length=30, seed=1, stop="\x00 never"))
    assert len(pieces) == 30


def test_writing_begins_behind_a_line_end_or_anywhere() -> None:
    assert MODELS["char"].generate(length=30, seed=1) == MODELS["char"].generate("\n", length=30, seed=1)
    model = make_model("char", "abc" * 9)  # no line end: the first token read is drawn, by the same seed
    assert model.generate(length=30, seed=1) == model.generate(length=30, seed=1)
    assert len({model.generate(length=1, seed=seed, sampling=GREEDY) for seed in range(20)}) > 1


def test_a_prompt_of_unknown_characters_names_them() -> None:
    with pytest.raises(UsageError) as caught:
        MODELS["char"].generate("a%é%")
    assert "'%', 'é'" in str(caught.value)
    assert "the first at offset 1" in str(caught.value)
    assert MODELS["word"].generate("unheardof", length=3, seed=1)  # words have <unk>


@pytest.mark.parametrize(
    ("how", "wanted"),
    [({"length": 0}, "length is 1 or more, and is 0."), ({"prompt": "  "}, "the prompt '  ' holds no token.")],
)
def test_what_cannot_be_written_is_refused(how: dict, wanted: str) -> None:
    with pytest.raises(UsageError) as caught:
        MODELS["word"].generate(**how)
    assert str(caught.value) == wanted
