"""Reading: exact characters from files, standard input, folders and bundled names, and one line for each bad input."""

import codecs
import encodings.aliases
import gzip
import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.reading import load_text, read_text
from unrolled.errors import UsageError

ODD = "first\r\nsecond\rthird\n\ttab \x00 é \u0301 😀\u2028end"


def write(folder, **texts):
    """Write one file a keyword, `_` standing for a dot in its name."""
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_bytes(text.encode())
    return folder


def refusal(call, *arguments, **options):
    """Return the message of the one-line `UsageError` that this call must end with."""
    with pytest.raises(UsageError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_every_character_is_as_written(tmp_path, name):
    raw = ODD.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    assert read_text(tmp_path / name) == ODD
    assert read_text(str(tmp_path / name)) == ODD


def test_only_a_leading_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(codecs.BOM_UTF8 + b"a" + codecs.BOM_UTF8 + b"b")
    assert read_text(path) == "a\ufeffb"
    assert read_text(path, "utf8") == "a\ufeffb"
    assert read_text(path, "latin-1") == "ï»¿aï»¿b"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_a_minus_reads_the_bytes_of_standard_input(encoding):
    text = ODD if encoding.startswith("utf") else "caf\xe9\r\n"
    program = (
        "import sys; from unrolled.data.reading import read_text; "
        "sys.stdout.buffer.write(read_text('-', sys.argv[1]).encode())"
    )
    command = [sys.executable, "-c", program, encoding]
    done = subprocess.run(command, input=text.encode(encoding), capture_output=True, check=True)
    assert done.stdout == text.encode()


def test_empty_standard_input_is_refused():
    program = "from unrolled.data.reading import load_text; load_text('-')"
    done = subprocess.run([sys.executable, "-c", program], input=b"", capture_output=True, check=False)
    assert done.stderr.decode().splitlines()[-1].startswith("unrolled.errors.UsageError: standard input is empty")


def test_reading_loads_no_torch():
    program = "import sys, unrolled.data.reading; sys.exit('torch' in sys.modules or 'tokenizers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    write(tmp_path, input_txt="text")
    assert refusal(read_text, tmp_path / "inptu.txt").endswith("holds input.txt. Did you mean 'input.txt'?")
    assert "there is no folder" in refusal(read_text, tmp_path / "nowhere" / "input.txt")
    assert "there is no folder" in refusal(read_text, tmp_path / "input.txt" / "input.txt")


def test_what_is_no_file_of_text_is_refused(tmp_path):
    write(tmp_path, empty_txt="", mark_txt="\ufeff")
    assert "is a folder" in refusal(read_text, tmp_path)
    assert "is empty" in refusal(read_text, tmp_path / "empty.txt")
    assert "nothing but a byte-order mark" in refusal(read_text, tmp_path / "mark.txt")
    assert "null" in refusal(read_text, "a\0b")
    assert "File name too long" in refusal(read_text, tmp_path / ("x" * 5000))


@given(st.text(alphabet="aé中😀\n"), st.sampled_from([b"\xff", b"\x80", b"\xc3(", b"\xf0\x9f\x98x"]), st.booleans())
def test_the_first_bad_byte_is_named(tmp_path_factory, before, bad, mark):
    path = tmp_path_factory.mktemp("bad") / "a.txt"
    start = (codecs.BOM_UTF8 if mark else b"") + before.encode()
    path.write_bytes(start + bad + b" and \xff")
    for encoding in ("utf-8", "utf-8-sig"):
        message = refusal(read_text, path, encoding)
        line = before.count("\n") + 1
        assert f"{str(path)!r} is not {encoding}: byte 0x{bad[0]:02x} at offset {len(start)} (line {line})" in message
        assert "--encoding latin-1 reads it" in message


@pytest.mark.parametrize(
    ("raw", "encoding", "works"),
    [
        ("café".encode("latin-1"), "utf-8", "latin-1"),
        ("café".encode(), "ascii", "utf-8"),
        ("café".encode("utf-16"), "utf-8", "utf-16"),
    ],
)
def test_the_encoding_that_is_suggested_reads_the_file(tmp_path, raw, encoding, works):
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    assert f"--encoding {works} reads it" in refusal(read_text, path, encoding)
    assert read_text(path, works) == "café"


def test_a_file_of_no_text_is_doubted(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert "byte 0x89 at offset 0 (line 1); it holds NUL bytes" in refusal(read_text, tmp_path / "a.png", "utf-8")


def test_where_no_encoding_can_be_chosen_none_is_suggested(tmp_path):
    (tmp_path / "a.txt").write_bytes("café".encode("latin-1"))
    assert refusal(read_text, tmp_path / "a.txt").endswith("byte 0xe9 at offset 3 (line 1); save it as UTF-8.")


def test_an_unknown_encoding_suggests_a_known_one(tmp_path):
    write(tmp_path, a_txt="text")
    assert refusal(read_text, tmp_path / "a.txt", "utf-9").endswith("Did you mean 'utf-8'?")
    for encoding in ("rot13", "zlib", "", "a\0b"):
        assert f"unknown encoding {encoding!r}" in refusal(read_text, tmp_path / "a.txt", encoding)
    message = refusal(read_text, tmp_path / "a.txt", "undefined")  # known to Python, and no bytes are right for it
    assert "a.txt' is not undefined: " in message
    assert "--encoding utf-8 reads it" in message


def decoded(raw, encoding):
    """Return what Python itself makes of these bytes, None where it refuses them."""
    try:
        return raw.decode(encoding)
    except (LookupError, ValueError):
        return None


@pytest.mark.parametrize("raw", [b"caf\xe9 \x81\xff\\x4", b"plain"], ids=["odd", "plain"])
@pytest.mark.parametrize("encoding", sorted({*encodings.aliases.aliases.values(), "idna", "punycode", "undefined"}))
def test_any_encoding_reads_bytes_or_refuses_them_in_one_line(tmp_path, encoding, raw):
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    expected = decoded(raw, encoding)
    if expected is None:
        assert encoding in refusal(read_text, path, encoding)
    else:
        assert read_text(path, encoding) == expected


def test_a_gzip_file_that_is_none_or_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(b"plain text")
    assert "is no sound gzip file" in refusal(read_text, path)
    path.write_bytes(gzip.compress(ODD.encode())[:-12])
    assert "is a gzip file that is cut short" in refusal(read_text, path)


def test_a_file_keeps_the_last_tenth_of_its_characters_for_validation(tmp_path):
    text = "é" * 899 + "\r\n" + "中" * 99
    splits = load_text(write(tmp_path, a_txt=text) / "a.txt")
    assert (splits.name, splits.train, splits.valid, splits.test) == ("a.txt", text[:900], text[900:], None)
    assert splits.fingerprint == hashlib.sha256(text.encode()).hexdigest()
    assert len(load_text(tmp_path / "a.txt", validation_fraction=0.25).valid) == 250


@given(st.text(min_size=2, max_size=50), st.floats(0.01, 0.99))
def test_train_and_valid_put_end_to_end_are_the_file(tmp_path_factory, text, fraction):
    path = tmp_path_factory.mktemp("cut") / "a.txt"
    path.write_bytes(text.encode())
    if not 0 < int(len(text.removeprefix("\ufeff")) * (1 - fraction)) < len(text.removeprefix("\ufeff")):
        refusal(load_text, path, validation_fraction=fraction)
        return
    splits = load_text(path, validation_fraction=fraction)
    assert splits.train + splits.valid == text.removeprefix("\ufeff")


def test_a_fraction_or_a_text_that_leaves_nothing_is_refused(tmp_path):
    write(tmp_path, a_txt="x", b_txt="long enough")
    assert "1 characters, too few" in refusal(load_text, tmp_path / "a.txt")
    for fraction in (0, 1, -0.1, float("nan")):
        assert "between 0 and 1" in refusal(load_text, tmp_path / "b.txt", validation_fraction=fraction)


@pytest.mark.parametrize(
    "valid", ["valid.txt", "val.txt", "dev.txt", "validation.txt", "wiki.valid.tokens", "x_dev.tsv"]
)
@pytest.mark.parametrize("train", ["train.txt", "wiki.train.tokens", "mytrain.txt", "Train-00.txt"])
def test_a_folder_gives_its_splits(tmp_path, train, valid):
    for name, text in {
        train: "to train",
        valid: "to tune",
        "latest.txt": "?",
        "interval.md": "?",
        ".test.txt": "?",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    splits = load_text(tmp_path)
    assert (splits.name, splits.train, splits.valid, splits.test) == (tmp_path.name, "to train", "to tune", None)
    (tmp_path / "test.txt").write_text("to test", encoding="utf-8")
    assert load_text(str(tmp_path)).test == "to test"


def test_a_name_of_its_own_goes_before_one_that_has_the_word(tmp_path):
    write(tmp_path, train_txt="a", train_log="?", valid_txt="b", old_valid_txt="?", training_txt="?")
    splits = load_text(tmp_path)
    assert (splits.train, splits.valid) == ("a", "b")


def test_the_fingerprint_of_a_folder_is_of_all_its_bytes_packed_or_not(tmp_path):
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.mkdir()
    packed.mkdir()
    write(plain, test_txt="three", train_txt="one", valid_txt="two")
    write(packed, test_txt="three", valid_txt="two")
    (packed / "train.txt.gz").write_bytes(gzip.compress(b"one"))
    assert load_text(plain).fingerprint == hashlib.sha256(b"onetwothree").hexdigest()
    assert load_text(packed).fingerprint == load_text(plain).fingerprint
    write(plain, test_txt="four")
    assert load_text(plain).fingerprint != load_text(packed).fingerprint


def test_a_folder_without_the_expected_files_says_what_it_holds(tmp_path):
    assert "no train and no valid split" in refusal(load_text, tmp_path)
    assert "found no files" in refusal(load_text, tmp_path)
    write(tmp_path, train_txt="a", notes_md="b")
    message = refusal(load_text, tmp_path)
    assert "has no valid split" in message
    assert "expected train.txt, valid.txt" in message
    assert "found files notes.md, train.txt" in message


@pytest.mark.parametrize(
    "names", [("a.train.txt", "b.train.txt"), ("train.txt", "train.txt.gz"), ("val.txt", "dev.txt")]
)
def test_two_files_that_fit_are_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("text", encoding="utf-8")
    assert f"2 files that could be the {'train' if 'train' in names[0] else 'valid'} split" in refusal(
        load_text, tmp_path
    )


def test_a_bundled_name_and_its_alias_give_the_usual_split():
    splits = load_text("tinyshakespeare")
    assert (len(splits.train), len(splits.valid), splits.test) == (1_003_854, 111_540, None)
    assert splits.train.startswith("First Citizen:\n")
    assert load_text("shakespeare") == splits


def test_a_path_goes_before_a_bundled_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, shakespeare="my own text")
    assert load_text("shakespeare").train == "my own te"


def test_what_is_neither_a_path_nor_bundled_lists_the_bundled_names(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, novel_txt="text"))
    message = refusal(load_text, "tinyshakespear")
    assert "no bundled text; bundled: tinyshakespeare, shakespeare. Did you mean 'tinyshakespeare'?" in message
    assert "Did you mean 'novel.txt'?" in refusal(load_text, "novle.txt")
    assert len(refusal(load_text, "To be, or not to be: that is the question.\n" * 500)) < 400


def test_wikitext_2_is_found_packed_as_it_is(shared_data):
    splits = load_text(shared_data("wikitext2"))
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (10_780_437, 1_120_192, 1_255_018)
