"""A tagger learns what it is to learn, says how well, and every option of its own changes something one can see."""

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cli.commands import run
from tasks.samples import options
from tasks.samples_tag import TINY, columns, conllu, sentences, write
from unrolled.errors import UsageError
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.estimator import KnowledgeError
from unrolled.tasks.tag.config import TagConfig
from unrolled.tasks.tag.lexicon import LONGEST, Lexicon
from unrolled.tasks.tag.model import TagModel
from unrolled.tasks.tag.read import read_tagged
from unrolled.tasks.tag.sentences import Sentence

SHORT: dict[str, Any] = TINY | {"steps": 4, "validations": 1}
LEARNS: dict[str, Any] = {
    "hidden": 12,
    "embedding": 8,
    "characters": 10,
    "character_embedding": 8,
    "batch": 8,
    "rate": 0.03,
    "steps": 120,
    "validations": 1,
    "dropout_input": 0.0,
    "dropout_output": 0.0,
}
Rows = list[tuple[list[str], list[str]]]


def by_suffix(count: int, seed: int) -> Rows:
    """Sentences of invented words whose last letters say their tags."""
    chance = random.Random(seed)
    endings = {"ly": "ADV", "ing": "VERB", "ness": "NOUN"}

    def word(ending: str) -> str:
        return "".join(chance.choices("abcdefghijkmopqrtuvwxz", k=chance.randrange(2, 6))) + ending

    drawn = [chance.choices(list(endings), k=chance.randrange(2, 6)) for _ in range(count)]
    return [([word(ending) for ending in row], [endings[ending] for ending in row]) for row in drawn]


def chunks(count: int, seed: int) -> Rows:
    """Sentences in which what begins a span is told by the word, and what goes on in it only by what stood before."""
    chance = random.Random(seed)
    rows: Rows = []
    for _ in range(count):
        words, tags = list[str](), list[str]()
        for _ in range(chance.randrange(1, 4)):
            kind = chance.choice(["X", "Y"])
            size = chance.randrange(1, 4)
            words += [f"go{kind}", *["on"] * (size - 1), "stop"]
            tags += [f"B-{kind}", *[f"I-{kind}"] * (size - 1), "O"]
        rows.append((words, tags))
    return rows


# It learns.


@pytest.mark.parametrize("crf", [False, True])
def test_words_never_seen_are_tagged_by_their_characters(crf: bool) -> None:
    train, test = by_suffix(150, 1), by_suffix(40, 2)
    figures = TagModel.fit(train, **LEARNS, crf=crf).evaluate(test)
    assert figures["unknown_words"] >= 0.9 * figures["words"]
    assert figures["unknown_accuracy"] > 0.95
    assert figures["baselines"]["most_frequent_tag"]["accuracy"] < 0.6
    blind = TagModel.fit(train, **LEARNS | {"steps": 20, "characters": 0}, crf=crf).evaluate(test)
    assert blind["unknown_accuracy"] < 0.6


@pytest.mark.parametrize("crf", [False, True])
def test_spans_are_learned_across_words(crf: bool) -> None:
    figures = TagModel.fit(chunks(120, 1), **LEARNS, crf=crf).evaluate(chunks(30, 2))
    assert figures["span_f1"] > 0.95
    assert figures["scheme_breaks"] == 0
    assert figures["baselines"]["most_frequent_tag"]["span_f1"] < 0.9


def test_a_crf_learns_what_stands_behind_what() -> None:
    model = TagModel.fit(chunks(120, 1), **LEARNS, crf=True)
    assert model.network.crf is not None
    place = model.lexicon.tags.index
    transitions = model.network.crf.transitions
    assert transitions[place("B-X"), place("I-X")] > transitions[place("B-X"), place("I-Y")] + 0.5


# What it says.


@pytest.fixture(scope="module")
def tagger() -> TagModel:
    return TagModel.fit(sentences(), **SHORT, crf=True)


def test_a_prediction_has_a_tag_and_a_chance_for_each_word(tagger: TagModel) -> None:
    (row,) = tagger.predict(["the cat sees a small dog ."])
    assert row["words"] == ["the", "cat", "sees", "a", "small", "dog", "."]
    assert set(row["tags"]) <= set(tagger.lexicon.tags)
    assert len(row["tags"]) == len(row["probabilities"]) == 7
    assert all(0 < chance < 1 for chance in row["probabilities"])
    assert json.loads(json.dumps(row)) == row
    assert list(tagger.predict([""])) == [{"words": [], "tags": [], "probabilities": []}]


def test_the_best_sequences_come_with_their_chances(tagger: TagModel) -> None:
    words = ["a", "cat"]
    count = len(tagger.lexicon.tags) ** 2
    (row,) = tagger.predict([words], n_best=count + 3)
    assert len(row["n_best"]) == count
    chances = [one["probability"] for one in row["n_best"]]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1.0, abs=1e-9)
    assert row["n_best"][0]["tags"] == row["tags"]
    for place, tag in enumerate(row["tags"]):  # a word's chance is the sum over all sequences with its tag
        alike = sum(one["probability"] for one in row["n_best"] if one["tags"][place] == tag)
        assert row["probabilities"][place] == pytest.approx(alike, abs=1e-9)
    (few,) = tagger.predict([words], n_best=2)
    assert few["n_best"] == row["n_best"][:2]
    assert list(tagger.predict([""], n_best=2)) == [{"words": [], "tags": [], "probabilities": [], "n_best": []}]
    with pytest.raises(UsageError, match="n_best is how many sequences to give, 0 or more, and is -1"):
        tagger.predict([words], n_best=-1)


def test_sequences_are_ranked_by_a_crf_alone() -> None:
    model = TagModel.fit(sentences(), **SHORT)
    with pytest.raises(UsageError, match="n_best ranks whole sequences of tags, and wants a model trained with --crf"):
        model.predict(["a cat"], n_best=2)
    (row,) = model.predict([["a", "cat"]])
    network = model.network.eval()
    chances = torch.softmax(network(model.lexicon.read([["a", "cat"]]))[0].double(), -1)
    assert row["probabilities"] == chances.max(-1).values.tolist()


def test_words_are_spelled_once_in_a_batch(tagger: TagModel) -> None:
    batch = tagger.lexicon.read([["the", "cat"], ["The", "the", "dog"]])
    assert batch.spelled.shape[0] == batch.spelled_lengths.numel() == 4  # the, cat, The, dog
    assert batch.places.tolist() == [[0, 1, 0], [2, 0, 3]]
    assert batch.ids[0, 0] == batch.ids[1, 0] == batch.ids[1, 1] != 0  # words are known in lower case
    assert batch.lengths.tolist() == [2, 3]


def test_a_long_word_is_read_by_its_ends(tagger: TagModel) -> None:
    long = "a" * 40 + "b" * 40
    batch = tagger.lexicon.read([[long, "a" * 15 + "b" * 15]])
    assert batch.spelled.shape == (2, LONGEST)
    assert torch.equal(batch.spelled[0], batch.spelled[1])


# Data.


def test_figures_and_baseline_by_hand() -> None:
    train = [(["a", "b"], ["X", "Y"]), (["a", "c"], ["X", "X"]), (["a", "b"], ["Y", "Y"])] * 4
    valid = [(["a"], ["X"])]
    train.append((["c"], ["X"]))
    model = TagModel.fit(train, valid, **SHORT)
    figures = model.evaluate([(["a", "b", "new"], ["X", "Y", "Y"])])
    assert figures["baselines"] == {
        "most_frequent_tag": {
            "accuracy": pytest.approx(2 / 3),
            "macro_f1": pytest.approx(2 / 3),
            "unknown_accuracy": 0.0,
        }
    }
    assert model.lexicon.guess(["a", "b", "c", "new"]) == ["X", "Y", "X", "X"]
    given = next(model.predict([["a", "b", "new"]]))["tags"]
    assert figures["accuracy"] == sum(one == other for one, other in zip(given, "XYY", strict=True)) / 3
    assert "notes" not in figures


def test_tags_that_training_lacks_count_as_wrong_and_are_told_of(tmp_path: Path) -> None:
    rows = sentences()
    model = TagModel.fit(rows, **SHORT)
    words, tags = rows[0]
    path = write(tmp_path, columns([(words, ["INTJ", *tags[1:]]), rows[1]]), "test.tsv")
    figures = model.evaluate(path)
    plain = model.evaluate([rows[0], rows[1]])
    first = next(model.predict([words]))["tags"][0]
    assert figures["accuracy"] == pytest.approx(plain["accuracy"] - (first == tags[0]) / plain["words"])
    seen = "1 word(s) of test.tsv have 1 tag(s) that training has not seen; they count as wrong"
    assert figures["notes"] == [f"{seen}; the first in test.tsv, line 1: 'INTJ'"]
    trained = TagModel.fit(rows, valid=path, **SHORT)
    assert figures["notes"][0] in trained.metrics["data"]["notes"]
    with pytest.raises(UsageError, match=r"test.tsv, line 1: 'Q' is a tag that the model does not know.*knows .*NOUN"):
        model.evaluate(write(tmp_path, "a\tQ\nb\tQ\n", "test.tsv"))
    with pytest.raises(UsageError, match="every sentence of the sentences given has a tag that training has not seen"):
        TagModel.fit(rows, valid=[(["a", "cat"], ["DET", "Q"])], **SHORT)


def test_breaks_of_a_scheme_are_told_of(tmp_path: Path) -> None:
    path = write(tmp_path, "a\tB-X\nb\tI-X\nc\tI-Y\n\nd\tI-X\n" * 3 + "\ne\tO\n")
    model = TagModel.fit(path, valid=[(["a"], ["O"])], **SHORT)
    (note,) = (one for one in model.metrics["data"]["notes"] if "scheme" in one)
    place = "train.tsv, line 3: 'I-Y' behind 'I-X'"
    assert note == f"6 tag(s) break the scheme BIO, the first in {place}; spans count as conlleval does"
    first = model.evaluate([(["a", "b"], ["I-X", "O"])])["notes"]
    assert first[0].startswith(
        "1 tag(s) break the scheme BIO, the first in the sentences given, sentence 1: 'I-X' at the begin"
    )


def test_what_cannot_be_learned_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file of tagged sentences to train on"):
        TagModel.fit()
    with pytest.raises(UsageError, match="train.tsv has the one tag 'X' and no other; there is nothing to learn"):
        TagModel.fit(write(tmp_path, "a\tX\n\nb\tX\n"), valid=[(["a"], ["X"])])
    with pytest.raises(UsageError, match=r"1 example\(s\) are too few .* give --valid"):
        TagModel.fit(write(tmp_path, "a\tX\nb\tY\n"))


def test_a_damaged_vocabulary_is_refused(tmp_path: Path) -> None:
    model = TagModel.fit(sentences(), out=tmp_path / "out", **SHORT)
    again = Lexicon.from_json(model.knowledge())
    assert again.to_json() == model.knowledge()
    for damage, said in (
        ("{", "is no JSON"),
        ('{"words": []}', "'characters' is no str"),
        ("[]", "'words' is no list"),
    ):
        with pytest.raises(KnowledgeError, match=said):
            Lexicon.from_json(damage)
    with pytest.raises(KnowledgeError, match="it holds no tags"):
        Lexicon.from_json('{"words": [], "characters": "", "tags": [], "usual": {}}')
    (tmp_path / "out" / "vocabulary.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="vocabulary.json is damaged or foreign: its 'words' is no list of strings"):
        TagModel.load(tmp_path / "out")


# Options.

See = Callable[[TagModel], Any]


def weights(model: TagModel) -> list[float]:
    return torch.cat([one.detach().flatten() for one in model.network.parameters()]).tolist()


def shape(name: str) -> See:
    return lambda model: tuple(dict(model.network.named_parameters())[name].shape)


def spelled_size(model: TagModel) -> int:
    side = model.network.input_side
    return side.output_size - side.table.output_size


CHANGES: dict[str, tuple[Any, See, Any]] = {
    "word": (2, lambda model: set(model.lexicon.usual) == {"DET", "ADJ", "NOUN", "VERB", "PUNCT"}, True),
    "tag": (3, lambda model: model.lexicon.tags[0][:1], "x"),
    "validation_fraction": (0.5, lambda model: model.metrics["data"]["sentences"], 20),
    "hidden": (7, lambda model: model.network.recurrent.output_size, 14),
    "bidirectional": (False, lambda model: len(model.network.recurrent.directions), 1),
    "crf": (True, lambda model: model.network.crf is not None, True),
    "balance": (True, lambda model: model.network.weights.tolist() == [1.0] * 5, False),
    "embedding": (9, lambda model: model.network.input_side.table.output_size, 9),
    "vectors": ("vectors.txt", lambda model: "zebra" in model.lexicon.words, True),
    "least": (9999, lambda model: model.lexicon.words, ()),
    "unknown": (0.0, lambda model: model.network.input_side.chances.abs().sum().item(), 0.0),
    "characters": (5, spelled_size, 10),
    "character_embedding": (2, shape("input_side.spelling.input_side.table.weight"), None),
    "dropout_input": (0.9, weights, None),
    "dropout_output": (0.9, weights, None),
    "rate": (0.5, lambda model: max(row["rate"] for row in model.history), None),
}


def test_every_option_of_the_task_has_its_test() -> None:
    own = TagConfig.model_fields.keys() - TaskConfig.model_fields.keys()
    assert own == CHANGES.keys() - {"hidden", "rate"} | {"encoding", "n_best"}  # tests in test_read.py, test_use_by.py


@pytest.mark.parametrize("name", CHANGES)
def test_an_option_changes_what_it_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(f"{line}\tx{line[:1]}" if line else "" for line in columns(sentences()).split("\n"))
    path = write(tmp_path, text)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "zebra 1 2 3 4 5\n", "vectors.txt")
    settings = SHORT | {"tag": "3" if name == "word" else "2"}
    value, see, seen = CHANGES[name]
    without = see(TagModel.fit(path, **settings))
    found = see(TagModel.fit(path, **settings | {name: value}))
    assert found != without
    assert seen is None or found == seen


def test_word_vectors_of_a_file_are_begun_from(tmp_path: Path) -> None:
    file = write(tmp_path, "the 1 2 3\nUnseen -1 0 4\nunseen 9 9 9\n", "vectors.txt")
    settings = SHORT | {"steps": 1, "rate": 1e-9}
    settings.pop("embedding")
    model = TagModel.fit(sentences(), out=tmp_path / "out", vectors=str(file), **settings)
    table, words = model.network.input_side.table.weight, model.lexicon.words
    assert words[-1] == "unseen"
    expected = torch.tensor([[1.0, 2, 3], [-1, 0, 4]])
    torch.testing.assert_close(table[[words.index("the") + 1, len(words)]], expected)
    assert model.config.embedding == 3
    file.unlink()  # the folder needs no file beside
    assert list(TagModel.load(tmp_path / "out").predict(["the unseen"])) == list(model.predict(["the unseen"]))
    with pytest.raises(UsageError, match="--embedding is 5, and the vectors in .*vectors.txt have 3"):
        TagModel.fit(sentences(), vectors=str(write(tmp_path, "a 1 2 3\n", "vectors.txt")), **SHORT)


def test_balanced_tags_weigh_the_same() -> None:
    rows = sentences()
    model = TagModel.fit(rows, rows, **SHORT, balance=True)
    tags = [tag for _, given in rows for tag in given]
    counts = torch.tensor([tags.count(tag) for tag in model.lexicon.tags])
    shares = model.network.weights * counts / len(tags)
    torch.testing.assert_close(shares, torch.full((5,), 0.2))
    with pytest.raises(UsageError, match="balance weighs each tag alone, and crf scores whole sequences; give one"):
        TagModel.fit(rows, **SHORT, balance=True, crf=True)


def test_unknown_words_are_met_in_training() -> None:
    side = TagModel.fit(sentences(), **SHORT, unknown=1.0).network.input_side
    counts = Lexicon.learn(read_tagged(sentences(), TagConfig()).rows, 2)
    assert side.chances.shape == (len(counts.words) + 1,)
    assert side.chances[1] < side.chances[-1] < 0.5
    row = Sentence(("the", "the", "cat"))
    lexicon = Lexicon(["the"], [], ["X", "Y"], {})
    assert lexicon.counts([row]).tolist() == [1.0, 2.0]
    assert lexicon.tag_ids(row._replace(tags=("Y", "Z", "X"))).tolist() == [1, -1, 0]


# The command line, and real data.


@pytest.mark.parametrize("form", ["tsv", "conllu", "jsonl"])
def test_from_a_file_to_the_answer_by_commands(form: str, tmp_path: Path) -> None:
    train, test = sentences(60), sentences(10, seed=9)
    texts = {"tsv": columns, "conllu": conllu, "jsonl": lines}
    for name, rows in (("train", train), ("test", test)):
        write(tmp_path, texts[form](rows), f"{name}.{form}")
    words = ("train", "tag", f"train.{form}", "--test", f"test.{form}", "--out", "out", *options(LEARNS), "--crf")
    done = run(*words, folder=tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].startswith("test: accuracy 1.0000 (")
    assert "of 60 sentences are held out for validation (--seed 1)" in done.err
    done = run("predict", "out", f"test.{form}", folder=tmp_path)
    given = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["words"], row["tags"]) for row in given] == test
    done = run("predict", "out", "-", folder=tmp_path, stdin=b"a cat sees the dog !\n")
    assert json.loads(done.out)["tags"] == ["DET", "NOUN", "VERB", "DET", "NOUN", "PUNCT"]
    done = run("predict", "out", "-", "--n-best", "2", folder=tmp_path, stdin=b"a cat !\n")
    assert [len(one["tags"]) for one in json.loads(done.out)["n_best"]] == [3, 3]
    write(tmp_path, "a\tDET\nhm\tINTJ\n", "odd.tsv")
    if form == "tsv":
        done = run("evaluate", "out", "odd.tsv", folder=tmp_path)
        assert done.out.startswith("accuracy: 0.5000\n")
        assert "1 word(s) of odd.tsv have 1 tag(s) that training has not seen" in done.err
    done = run("evaluate", "out", f"test.{form}", "--json", folder=tmp_path)
    figures = json.loads(done.out)
    assert figures["accuracy"] == figures["macro_f1"] == 1.0
    assert set(figures["baselines"]) == {"most_frequent_tag"}
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| test: most frequent tag |" in card


def lines(rows: Rows) -> str:
    return "".join(json.dumps({"words": words, "tags": tags}) + "\n" for words, tags in rows)


def test_a_broken_file_ends_the_command_in_a_line(tmp_path: Path) -> None:
    write(tmp_path, "a\tX\nb\n")
    done = run("train", "tag", "train.tsv", "--out", "out", folder=tmp_path)
    assert done.error == "train.tsv, line 2 has 1 column(s), and the first has 2."
    assert not (tmp_path / "out").exists()


def test_real_sentences(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("ud_english_ewt")
    config = TagConfig(tag="upos")
    whole = read_tagged(folder / "dev.conllu", config)
    slim = read_tagged(folder / "dev.tsv", TagConfig(tag="2"))
    assert [row.words for row in whole.rows] == [row.words for row in slim.rows]
    assert [row.tags for row in whole.rows] == [row.tags for row in slim.rows]
    assert (len(whole.rows), whole.words) == (2001, 25147)
    few = replace(slim, rows=slim.rows[:300])
    train = [(list(row.words), list(row.tags)) for row in few.rows]
    model = TagModel.fit(train, **LEARNS | {"steps": 60})
    assert model.metrics["validation"]["accuracy"] > 0.5
    assert math.isfinite(model.metrics["training"]["loss"])
