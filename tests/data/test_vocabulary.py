"""Vocabularies: texts to ids and back, exactly, and the same by `tokenizers` itself."""

import json
import subprocess
import sys
import unicodedata

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from unrolled.data.reading import load_text
from unrolled.data.units import PIECE
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import UsageError

TEXT = "To be, or not to be:\nthat is the question.\n\nWhether 'tis nobler in the mind to suffer\n" * 3
ODD = "a\r\nb\rc\n\n\x00\x1c \u00a0\u3000x\u0301é中😀👩\u200d👩\u200d👧\u2028\x85\ufeff\uffff\U0010ffff<unk>  \t\n "
UNITS = ("char", "word", "bpe")
EXACT = ("char", "bpe")

anything = st.text(st.characters(exclude_categories=["Cs"])) | st.text(st.sampled_from(ODD))


def trained(unit, *texts):
    """Return a vocabulary that knows all characters of these texts, and perhaps not all words."""
    return Vocabulary.train([TEXT, ODD, *texts], unit, size={"char": None, "word": 30, "bpe": 300}[unit])


VOCABULARIES = {unit: trained(unit) for unit in UNITS}


def refusal(call, *arguments):
    """Return the message of the one-line `UsageError` that this call must end with."""
    with pytest.raises(UsageError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without_runs_of_blanks(text):
    """Return the text with one blank between the words of a line and none at its ends."""
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


# There and back.


@given(anything)
def test_characters_and_byte_pairs_give_any_text_back(text):
    for unit in EXACT:
        vocabulary = trained(unit, text) if unit == "char" else VOCABULARIES[unit]
        assert vocabulary.decode(vocabulary.encode(text)) == text


@given(anything.filter(lambda text: set(text.split()) - {"<unk>"}))
def test_words_give_any_text_back_but_for_runs_of_blanks(text):
    vocabulary = Vocabulary.train([text], "word", size=1000)
    assert vocabulary.decode(vocabulary.encode(text)) == without_runs_of_blanks(text)


@pytest.mark.parametrize("unit", UNITS)
def test_ids_are_int64_and_within_the_vocabulary(unit):
    vocabulary = VOCABULARIES[unit]
    for text in (TEXT + ODD, ""):
        ids = vocabulary.encode(text)
        assert ids.dtype == torch.int64
        assert ids.ndim == 1
        assert all(0 <= one < len(vocabulary) for one in ids.tolist())
    assert len(vocabulary.encode("")) == 0
    assert vocabulary.decode([]) == ""
    assert vocabulary.decode(iter(vocabulary.encode("to be").tolist())) == vocabulary.decode(vocabulary.encode("to be"))


@given(anything)
def test_byte_offsets_cover_exact_units_without_a_gap(text):
    for unit in EXACT:
        vocabulary = trained(unit, text) if unit == "char" else VOCABULARIES[unit]
        ids, starts, ends = vocabulary.encode_with_offsets(text)
        assert torch.equal(ids, vocabulary.encode(text))
        assert [0, *ends.tolist()] == [*starts.tolist(), len(text.encode())]
        for one, start, end in zip(ids.tolist(), starts.tolist(), ends.tolist(), strict=True):
            assert text.encode()[start:end].decode("utf-8", "replace") == vocabulary.decode([one])


@given(anything)
def test_byte_offsets_of_words_cut_out_the_words(text):
    vocabulary = VOCABULARIES["word"]
    ids, starts, ends = vocabulary.encode_with_offsets(text)
    assert torch.equal(ids, vocabulary.encode(text))
    cut = [text.encode()[start:end].decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert cut == [word for line in text.split("\n") for word in (*line.split(), "\n")][:-1]
    known = [word if word in vocabulary.tokens else "<unk>" for word in cut]
    assert [vocabulary.tokens[one] for one in ids.tolist()] == known
    for part in (starts, ends):
        assert part.dtype == torch.int64
        assert part.is_contiguous()


def test_byte_offsets_at_the_borders_of_the_lengths_of_utf_8():
    borders = ("\x7f", "\x80", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff")
    text = " ".join(f"a{one}a" for one in borders)
    _, starts, ends = VOCABULARIES["word"].encode_with_offsets(text)
    assert [len(word.encode()) for word in text.split()] == (ends - starts).tolist()
    assert ends[-1] == len(text.encode())


@pytest.mark.parametrize("unit", ["word", "bpe"])
@pytest.mark.parametrize("gap", ["", "\n", "\n\n  ", " \r\n"])
def test_a_long_text_has_the_tokens_of_its_parts(unit, gap):
    """A text longer than one piece, cut at a line end by hand, gives the same tokens."""
    vocabulary = VOCABULARIES[unit]
    text = (TEXT + gap) * (2 * PIECE // len(TEXT) + 2)
    assert len(text) > 2 * PIECE
    lines = [vocabulary.encode(line) for line in text.splitlines(keepends=True) if line]
    assert torch.equal(vocabulary.encode(text), torch.cat(lines))


# Decoding one by one.


@pytest.mark.parametrize("unit", UNITS)
@given(text=st.text(st.sampled_from(ODD + TEXT)))
def test_what_is_streamed_adds_up_to_what_is_decoded(unit, text):
    vocabulary = VOCABULARIES[unit]
    ids, stream = vocabulary.encode(text).tolist(), vocabulary.decode_stream()
    assert "".join(map(stream.push, ids)) == vocabulary.decode(ids)
    assert stream.finish() == ""


def test_a_character_cut_over_tokens_comes_out_whole():
    vocabulary = Vocabulary.train(["abc"], "bpe", size=256)
    stream = vocabulary.decode_stream()
    assert [stream.push(one) for one in vocabulary.encode("é😀!").tolist()] == ["", "é", "", "", "", "😀", "!"]


def test_bytes_that_are_no_character_become_replacement_characters():
    vocabulary = Vocabulary.train(["abc"], "bpe", size=256)
    smile, a = vocabulary.encode("😀").tolist(), vocabulary.encode("a").tolist()
    stream = vocabulary.decode_stream()
    assert [stream.push(one) for one in (*smile[:2], *a, smile[3])] == ["", "", "\ufffda", "\ufffd"]
    assert [stream.push(one) for one in smile[:3]] == ["", "", ""]
    assert (stream.finish(), stream.finish(), stream.push(a[0])) == ("\ufffd", "", "a")
    assert vocabulary.decode(smile[:3]) == "\ufffd"


def test_streamed_words_have_blanks_between_them_and_none_at_line_ends():
    vocabulary = Vocabulary.train(["to be or\nnot"], "word", size=10)
    stream = vocabulary.decode_stream()
    pushed = [stream.push(one) for one in vocabulary.encode(" to  be \n\n not what").tolist()]
    assert pushed == ["to", " be", "\n", "\n", "not", " <unk>"]
    assert (stream.finish(), stream.push(vocabulary.encode("be").item())) == ("", "be")


@pytest.mark.parametrize("unit", UNITS)
def test_an_id_outside_of_the_vocabulary_is_refused(unit):
    vocabulary = VOCABULARIES[unit]
    for one in (-1, len(vocabulary)):
        assert f"token id {one} is outside" in refusal(vocabulary.decode, [0, one])


# Training.


def test_characters_are_sorted_by_code_point():
    vocabulary = Vocabulary.train(["ba\n", "é😀b"], "char")
    assert vocabulary.tokens == ("\n", "a", "b", "é", "😀")
    assert vocabulary.encode("a😀\n").tolist() == [1, 4, 0]
    assert (vocabulary.unit, vocabulary.size, len(vocabulary)) == ("char", 5, 5)


def test_words_are_ranked_by_count_then_code_point():
    text = "b b b c c a a z\n<unk> <unk> <unk> <unk>\ny"
    assert Vocabulary.train([text], "word").tokens == ("<unk>", "\n", "b", "a", "c")
    assert Vocabulary.train([text], "word", size=3).tokens == ("<unk>", "\n", "b")
    assert Vocabulary.train([text], "word", size=6).tokens == ("<unk>", "\n", "b", "a", "c", "y")
    assert Vocabulary.train(["b b b c c a a", "z\n<unk>\ny"], "word").tokens == ("<unk>", "\n", "b", "a", "c")
    assert Vocabulary.train([text], "word").encode("a <unk> y\n").tolist() == [3, 0, 0, 1]


def test_at_most_fifty_thousand_words_are_kept_unless_asked():
    text = " ".join(f"w{one} w{one}" for one in range(60_000))
    assert len(Vocabulary.train([text], "word")) == 50_000
    assert len(Vocabulary.train([text], "word", size=55_000)) == 55_000


def test_byte_pairs_learn_up_to_their_size_and_no_pair_that_comes_once():
    assert len(Vocabulary.train([TEXT], "bpe", size=280)) == 280
    assert len(Vocabulary.train(["abcdefg"], "bpe")) == 256
    assert len(load_text("shakespeare").train) > len(Vocabulary.train(load_text("shakespeare").valid, "bpe")) == 2000


@pytest.mark.parametrize("unit", UNITS)
def test_one_text_is_as_good_as_a_list_of_it(unit):
    size = {"char": None, "word": 20, "bpe": 270}[unit]
    assert Vocabulary.train(TEXT, unit, size).to_json() == Vocabulary.train([TEXT], unit, size).to_json()


@pytest.mark.parametrize("unit", UNITS)
def test_training_again_in_another_process_gives_the_same_vocabulary(unit, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(load_text("shakespeare").valid.encode())
    program = (
        "import sys; from unrolled.data.reading import read_text; from unrolled.data.vocabulary import Vocabulary; "
        "sys.stdout.buffer.write(Vocabulary.train([read_text(sys.argv[1])], sys.argv[2]).to_json().encode())"
    )
    done = subprocess.run([sys.executable, "-c", program, path, unit], capture_output=True, check=True)
    assert done.stdout.decode() == Vocabulary.train([path.read_bytes().decode()], unit).to_json()


@pytest.mark.parametrize(
    ("texts", "unit", "size", "message"),
    [
        (["ab"], "chars", None, "unknown unit 'chars'; known are char, word, bpe. Did you mean 'char'?"),
        ([], "char", None, "there is no text"),
        (["", ""], "bpe", None, "there is no text"),
        (["ab"], "char", 10, "takes no size, but got 10"),
        (["a a"], "word", 2, "give 3 or more"),
        (["a b c"], "word", None, "no word comes twice in the 3 words"),
        ([" <unk>\n "], "word", None, "no word but <unk> in the text"),
        (["ab"], "bpe", 255, "give 256 or more"),
        (["ok", "a\ud83d"], "char", None, r"a lone surrogate, '\ud83d', at character 1"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(texts, unit, size, message):
    assert message in refusal(Vocabulary.train, texts, unit, size)


# Bad text.


def test_unknown_characters_are_named_with_the_first_place():
    vocabulary = Vocabulary.train(["hello\n"], "char")
    message = refusal(vocabulary.encode, "hell中 é中z\t\x07?!")
    assert message.startswith("8 distinct character(s) of the text are not among the 5 characters of the vocabulary: ")
    assert "'中', ' ', 'é', 'z', '\\t' and 3 more, the first at offset 4;" in message
    assert ": '😀', the first at offset 2;" in refusal(vocabulary.encode, "he😀")
    assert ": '\\x00', the first at offset 0;" in refusal(vocabulary.encode_with_offsets, "\0")


def test_every_character_outside_of_the_vocabulary_is_refused():
    vocabulary = Vocabulary.train(["hello\n"], "char")
    for point in (*range(0x400), 0xFFFF, 0x10000, 0x10FFFF):
        if chr(point) not in vocabulary.tokens:
            assert repr(chr(point)) in refusal(vocabulary.encode, f"hell{chr(point)}")


@pytest.mark.parametrize("unit", UNITS)
def test_a_lone_surrogate_is_refused(unit):
    assert "'\\udc80', at character 2" in refusal(VOCABULARIES[unit].encode, "a\n\udc80")


# As JSON.


@pytest.mark.parametrize("unit", UNITS)
@given(text=st.text(st.sampled_from(ODD + TEXT)))
def test_a_vocabulary_comes_back_from_its_json(unit, text):
    vocabulary = VOCABULARIES[unit]
    again = Vocabulary.from_json(vocabulary.to_json())
    assert (again.unit, again.tokens, again.to_json()) == (unit, vocabulary.tokens, vocabulary.to_json())
    assert torch.equal(again.encode(text), vocabulary.encode(text))


@pytest.mark.parametrize("unit", UNITS)
@given(text=st.text(st.sampled_from(ODD + TEXT)))
def test_tokenizers_opens_the_json_and_gives_the_same_ids_and_text(unit, text):
    vocabulary = VOCABULARIES[unit]
    foreign = Tokenizer.from_str(vocabulary.to_json())
    ids = vocabulary.encode(text).tolist()
    assert foreign.encode(text).ids == ids
    assert foreign.decode(ids, skip_special_tokens=False) == vocabulary.decode(ids)


def test_tokenizers_and_python_agree_on_what_is_blank():
    vocabulary = Vocabulary.train(["a a"], "word", size=3)
    doubtful = [chr(point) for point in range(0x11000) if unicodedata.category(chr(point))[0] in "ZC"]
    text = "".join(f"a{one}a\n" for one in doubtful if not 0xD800 <= ord(one) < 0xE000)
    assert vocabulary.tokenizer.encode(text).ids == vocabulary.encode(text).tolist()
    assert vocabulary.decode(vocabulary.encode("a\x1fa\u3000a\x85a\u200ba")) == "a a a <unk>"


def changed(unit, *path, to):
    """Return a vocabulary's JSON with the value at this path replaced."""
    written = json.loads(VOCABULARIES[unit].to_json())
    place = written
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(written)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no JSON"),
        (VOCABULARIES["bpe"].to_json()[:-9], "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1, 2]", "no tokenizers JSON"),
        ('{"model": {"type": "BPE"}}', "no tokenizers JSON"),
        (changed("bpe", "model", "type", to="Unigram"), "that unrolled did not write (a Unigram model"),
        (changed("char", "normalizer", to={"type": "Lowercase"}), "that unrolled did not write"),
        (changed("word", "pre_tokenizer", to={"type": "Whitespace"}), "that unrolled did not write"),
        (changed("char", "model", "vocab", to={}), "0 tokens should have the ids 0, 1, 2"),
        (changed("char", "model", "vocab", to={"a": 0, "b": 2}), "2 tokens should have the ids 0, 1, 2"),
        (changed("char", "model", "vocab", to={"a": 0, "b": 0}), "2 tokens should have the ids 0, 1, 2"),
        (changed("char", "model", "vocab", to={"a": "0"}), "1 tokens should have the ids 0, 1, 2"),
        (changed("char", "model", "vocab", to={"ab": 0}), "tokens of one character"),
        (changed("char", "model", "vocab", to={"\ud800": 0}), "lone surrogate"),
        (changed("word", "model", "vocab", to={"a": 0}), "starts with <unk>"),
        (changed("word", "model", "vocab", to={"<unk>": 0, "\n": 1, "a b": 2}), "has no blanks"),
        (changed("bpe", "model", "vocab", to={"a": 0}), "all 256 bytes"),
        (changed("bpe", "model", "merges", to=[["a", "b", "c"]]), "a list of pairs"),
        (changed("bpe", "model", "merges", to="a b"), "a list of pairs"),
        (changed("bpe", "model", "merges", to=[["q", "q"]]), "joins two tokens to a third"),
    ],
)
def test_what_to_json_did_not_write_is_refused(text, message):
    assert message in refusal(Vocabulary.from_json, text)


def test_switches_that_another_version_adds_do_no_harm():
    written = changed("bpe", "pre_tokenizer", "pretokenizers", 1, "new_switch", to=True)
    assert Vocabulary.from_json(written).tokens == VOCABULARIES["bpe"].tokens


def test_wikitext_2_has_the_published_figures(shared_data):
    """Merity et al. 2016, table 1, and SOURCE.md: 2,088,628 tokens with line ends, 33,278 types."""
    splits = load_text(shared_data("wikitext2"))
    vocabulary = Vocabulary.train([splits.train], "word")
    assert len(vocabulary) == 33_278
    counted = [len(vocabulary.encode(text)) for text in (splits.train, splits.valid, splits.test)]
    assert counted == [2_088_628, 217_646, 245_569]
