"""Files of tagged sentences: every form that is read, and one clear line for every form that is broken."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tasks.samples_tag import conllu, sentences, write
from unrolled.errors import UsageError
from unrolled.tasks.tag.config import TagConfig
from unrolled.tasks.tag.read import read_tagged, read_words
from unrolled.tasks.tag.sentences import Sentences

TWO = [(["The", "cat", "."], ["DET", "NOUN", "PUNCT"]), (["Go", "!"], ["VERB", "PUNCT"])]


def read(folder: Path, text: str, name: str = "some.tsv", **settings: Any) -> Sentences:
    return read_tagged(write(folder, text, name), TagConfig(**settings))


def pairs(found: Sentences) -> list[tuple[list[str], list[str]]]:
    return [(list(row.words), list(row.tags)) for row in found.rows]


COLUMNS = "The\tDET\ncat\tNOUN\n.\tPUNCT\n\nGo\tVERB\n!\tPUNCT\n"
FORMS = {
    "tabs": (COLUMNS, "some.tsv", {}),
    "blanks": (COLUMNS.replace("\t", "  "), "some.txt", {}),
    "more empty lines": ("\n\n" + COLUMNS.replace("\n\n", "\n\n \n\n") + "\n\n", "some.conll", {}),
    "no last line end": (COLUMNS.rstrip("\n"), "some.conll", {}),
    "line ends of Windows": (COLUMNS.replace("\n", "\r\n"), "some.conll", {}),
    "a byte-order mark": ("\ufeff" + COLUMNS, "some.conll", {}),
    "comments": ("# a file of\n# sentences\n" + COLUMNS.replace("Go", "# text\nGo"), "some.conll", {}),
    "other columns": (
        COLUMNS.replace("DET", "DT\tDET\tx")
        .replace("NOUN", "N\tNOUN\tx")
        .replace("VERB", "V\tVERB\tx")
        .replace("PUNCT", ".\tPUNCT\tx"),
        "some.tsv",
        {"tag": "3"},
    ),
    "tags before words": (
        "DET The\nNOUN cat\nPUNCT .\n\nVERB Go\nPUNCT !\n",
        "some.txt",
        {"word": 2, "tag": 1},
    ),
    "documents": ("-DOCSTART- O\n\n" + COLUMNS.replace("\t", " "), "some.txt", {}),
    "conllu": (conllu(TWO), "some.conllu", {}),
    "conllu by name": (conllu(TWO), "some.conllu", {"tag": "XPOS"}),
    "JSON lines": ("".join(json.dumps({"words": w, "tags": t}) + "\n" for w, t in TWO), "some.jsonl", {}),
    "JSON lines, other names": (
        "".join(json.dumps({"tokens": w, "ner": t, "id": 1}) + "\n\n" for w, t in TWO),
        "some.jsonl",
        {"tag": "ner"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read(form: str, tmp_path: Path) -> None:
    text, name, settings = FORMS[form]
    found = read(tmp_path, text, name, **settings)
    mark = "X" if settings.get("tag") == "XPOS" else ""
    assert pairs(found) == [(words, [mark + tag for tag in tags]) for words, tags in TWO]
    assert found.name == name
    assert found.words == 5


def test_columns_of_conllu_may_be_named_in_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, "# global.columns = ID FORM XPOS UPOS\n1\tThe\tDT\tDET\n", "some.conllup")
    assert pairs(found) == [(["The"], ["DET"])]


def test_words_of_conllu_are_its_syntactic_words(tmp_path: Path) -> None:
    rest = "\t_\t_\t_\t_\t_\t_"
    lines = ["# text = vámonos # ya", f"1-2\tvámonos\t_\t_{rest}", f"1\tvamos\tir\tVERB{rest}"]
    lines += [f"2\tnos\tyo\tPRON{rest}", f"2.1\tnada\tnada\tNOUN{rest}", f"3\t#\t#\tSYM{rest}", ""]
    found = read(tmp_path, "\n".join(lines), "some.conllu")
    assert pairs(found) == [(["vamos", "nos", "#"], ["VERB", "PRON", "SYM"])]
    assert [found.at(0, place) for place in range(3)] == [f"some.conllu, line {line}" for line in (3, 4, 6)]


def test_a_word_may_be_the_sign_of_a_comment_or_hold_a_blank(tmp_path: Path) -> None:
    assert pairs(read(tmp_path, "#\tSYM\n# and more\n10 000\tNUM\n")) == [(["#", "10 000"], ["SYM", "NUM"])]


def test_a_line_separator_is_part_of_a_word(tmp_path: Path) -> None:
    assert pairs(read(tmp_path, "a\u2028b\tX\nc\x85\tY\n")) == [(["a\u2028b", "c\x85"], ["X", "Y"])]


def test_a_blank_within_a_word_parts_no_columns(tmp_path: Path) -> None:
    assert pairs(read(tmp_path, "10\u00a0000  NUM\nEuro  NN  \n")) == [(["10\u00a0000", "Euro"], ["NUM", "NN"])]
    assert pairs(read(tmp_path, "a X\nb\tY\n")) == [(["a", "b"], ["X", "Y"])]


@pytest.mark.parametrize("mark", ["-DOCSTART- O\n", "-DOCSTART-\n", "-DOCSTART- -X- O O\n", "-DOCSTART- O\n\n"])
def test_a_mark_of_a_document_takes_no_words_with_it(mark: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"{mark}EU B-X\nsays O\n{mark}no O\n", "some.conll")
    assert pairs(found) == [(["EU", "says"], ["B-X", "O"]), (["no"], ["O"])]
    assert found.notes == ("some.conll: 2 mark(s) of documents (-DOCSTART-) left out: no sentences",)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_end_as_on_any_machine(end: str, tmp_path: Path) -> None:
    assert pairs(read(tmp_path, f"a X{end}b Y{end}{end}c X{end}")) == [(["a", "b"], ["X", "Y"]), (["c"], ["X"])]


def test_a_packed_file_and_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "some.conll.gz"
    path.write_bytes(gzip.compress("süß\tADJ\n".encode("latin-1")))
    assert pairs(read_tagged(path, TagConfig(encoding="latin-1"))) == [(["süß"], ["ADJ"])]
    with pytest.raises(UsageError, match="is not utf-8: .* --encoding latin-1 reads it"):
        read_tagged(path, TagConfig())


def test_values_in_memory_are_as_those_of_a_file(tmp_path: Path) -> None:
    rows = sentences()[:3]
    expected = pairs(read_tagged(write(tmp_path), TagConfig()))[:3]
    given = read_tagged(rows, TagConfig())
    assert pairs(given) == expected
    assert pairs(read_tagged([{"words": words, "tags": tags} for words, tags in rows], TagConfig())) == expected
    assert given.at(1, 0) == "the sentences given, sentence 2"
    assert given.fingerprint != read_tagged(rows[:2], TagConfig()).fingerprint


def test_guesses_are_said(tmp_path: Path) -> None:
    three = "a b X\nc d Y\n"
    assert read(tmp_path, three, "some.txt").notes == ("tags: column 3, the last of 3 (guessed; --tag names another)",)
    assert read(tmp_path, three, "some.txt", tag="3").notes == ()
    assert read(tmp_path, COLUMNS).notes == ()
    assert read(tmp_path, conllu(TWO), "some.conllu").notes == (
        "tags: column 'upos' of 10 (guessed; --tag names another)",
    )
    found = read(tmp_path, '{"tokens": ["a"], "labels": ["X"]}\n', "some.jsonl")
    assert found.notes == (
        "words: field 'tokens' (guessed; --word names another)",
        "tags: field 'labels' (guessed; --tag names another)",
    )
    (note,) = read(tmp_path, "-DOCSTART- X\n\na X\n", "some.txt").notes
    assert note == "some.txt: 1 mark(s) of documents (-DOCSTART-) left out: no sentences"


BROKEN = {
    "fewer columns": ("a\tX\nb\n", "some.tsv", {}, "some.tsv, line 2 has 1 column(s), and the first has 2."),
    "more columns": ("a X\n\nb c Y\n", "some.txt", {}, "some.txt, line 3 has 3 column(s), and the first has 2."),
    "no word": ("a\tX\n\tY\n", "some.tsv", {}, "some.tsv, line 2 has an empty word in column 1."),
    "no tag": ("# x\na\tX\nb\t \n", "some.tsv", {}, "some.tsv, line 3 has an empty tag in column 2."),
    "one column": ("a\nb\n", "some.txt", {}, "some.txt: words and tags are both in column 1 of 1; name another."),
    "no such number": ("a X\n", "some.txt", {"tag": "3"}, "--tag 3: some.txt has 2 column(s), counted from 1."),
    "number 0": ("a X\n", "some.txt", {"word": "0"}, "--word 0: some.txt has 2 column(s), counted from 1."),
    "a name": (
        "a X\n",
        "some.txt",
        {"tag": "upos"},
        "--tag upos: the columns of some.txt have no names; give a number from 1 to 2.",
    ),
    "no such name": (
        conllu(TWO),
        "some.conllu",
        {"tag": "uppos"},
        "--tag uppos: some.conllu has no such column; it has id, form, lemma, upos, xpos, feats, head, deprel, deps, "
        "misc. Did you mean 'upos'?",
    ),
    "no CoNLL-U": (
        "# x\n1 The the DET\n",
        "some.conllu",
        {},
        "some.conllu, line 2 has 1 column(s) between tabs, and CoNLL-U has 10: id, form, lemma, upos, xpos, feats, "
        "head, deprel, deps, misc.",
    ),
    "no number of a word": (
        conllu(TWO).replace("2\tcat", "x\tcat"),
        "some.conllu",
        {},
        "some.conllu, line 4: a word of CoNLL-U begins with its number, and is 'x'.",
    ),
    "comments alone": ("# nothing\n\n", "some.conll", {}, "some.conll holds no sentence."),
    "no JSON": ('{"words": ["a"], "tags": ["X"]}\n{"words"\n', "some.jsonl", {}, "some.jsonl, line 2 is no JSON: "),
    "no object": (
        '["a"]\n',
        "some.jsonl",
        {},
        'some.jsonl, line 1: a sentence is an object {"words": [...], "tags": [...]}.',
    ),
    "tags too few": (
        '{"words": ["a", "b"], "tags": ["X"]}\n',
        "some.jsonl",
        {},
        "some.jsonl, line 1 has 2 words and 1 tags; each word has one.",
    ),
    "no words": (
        '\n{"words": [], "tags": []}\n',
        "some.jsonl",
        {},
        "some.jsonl, line 2: a sentence without words.",
    ),
    "no such field": (
        '{"words": ["a"], "tag": ["X"]}\n',
        "some.jsonl",
        {},
        "some.jsonl: name the field of the tags with --tag; it has words, tag.",
    ),
    "another field": (
        '{"words": ["a"], "tag": ["X"]}\n',
        "some.jsonl",
        {"tag": "tags"},
        "some.jsonl has no field 'tags' (--tag); it has words, tag. Did you mean 'tag'?",
    ),
    "no strings": (
        '{"words": ["a"], "tags": [1]}\n',
        "some.jsonl",
        {},
        "some.jsonl, line 1: 'tags' is a list of strings, and is [1].",
    ),
    "an empty string": (
        '{"words": [""], "tags": ["X"]}\n',
        "some.jsonl",
        {},
        "some.jsonl, line 1: 'words' holds an empty string.",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_a_line(case: str, tmp_path: Path) -> None:
    text, name, settings, said = BROKEN[case]
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text, name, **settings)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_values_that_are_no_sentences_are_refused() -> None:
    with pytest.raises(UsageError, match="sentence 1 is a pair of words and tags, and is 'a b'"):
        read_tagged(["a b"], TagConfig())
    with pytest.raises(UsageError, match="tagged sentences are a file, or a list .* this is a int"):
        read_tagged(3, TagConfig())
    with pytest.raises(UsageError, match="sentence 2 is a text or a list of words, and is 5"):
        read_words(["a", 5], TagConfig(), [])


def words(found: list) -> list[list[str]]:
    return [list(row.words) for row in found]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("I sleep\n\nYou  wake up\n", "some.txt", [["I", "sleep"], [], ["You", "wake", "up"]]),
        ("I sleep\n", "-", [["I", "sleep"]]),
        ("I\tPRON\nsleep\tVERB\n", "some.txt", [["I", "sleep"]]),
        ("I PRON\nsleep VERB\n\nGo VERB\n", "some.txt", [["I", "sleep"], ["Go"]]),
        ("I PRON\nsleep deeply\n", "some.txt", [["I", "PRON"], ["sleep", "deeply"]]),
        ("I\nsleep\n\nGo\n", "some.conll", [["I", "sleep"], ["Go"]]),
        ("I\tx\ty\nsleep\tx\ty\n", "some.tsv", [["I", "sleep"]]),
        ('{"words": ["I", "sleep"]}\n{"words": []}\n', "some.jsonl", [["I", "sleep"], []]),
        (conllu(TWO), "some.conllu", [["The", "cat", "."], ["Go", "!"]]),
    ],
)
def test_words_alone_are_read_to_be_tagged(
    text: str, name: str, expected: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, text, "input" if name == "-" else name)
    if name == "-":
        with open(path, encoding="utf-8") as stream:
            monkeypatch.setattr("sys.stdin", stream)
            assert words(read_words("-", TagConfig(), ["PRON", "VERB"])) == expected
        return
    assert words(read_words(path, TagConfig(), ["PRON", "VERB"])) == expected


def test_sentences_in_memory_are_texts_or_lists() -> None:
    assert words(read_words(["I sleep", ["I", "sleep well"], ""], TagConfig(), [])) == [
        ["I", "sleep"],
        ["I", "sleep well"],
        [],
    ]
