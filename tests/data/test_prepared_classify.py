"""Raw sets become tables by fixed rules: nothing is lost, and no example is in two splits."""

import csv
from collections.abc import Callable
from pathlib import Path

from unrolled.data.prepared import classify
from unrolled.data.word_vectors import read_word_vectors


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def test_names_of_several_languages_are_left_out(tmp_path: Path) -> None:
    many = "\n".join(f"Name{place}" for place in range(200))
    write(
        tmp_path / "names_nationality",
        {"A.txt": f"{many}\nBoth\nTwice\nTwice\n", "B.txt": "Both\nÉl\n", "LICENSE.txt": "x\n"},
    )
    classify.names(tmp_path, tmp_path / "out")
    train, test = (rows_of(tmp_path / "out" / f"{split}.csv") for split in ("train", "test"))
    names = [row["text"] for row in train + test]
    assert len(names) == len(set(names)) == 202
    assert "Both" not in names
    assert {row["label"] for row in train + test if row["text"] == "Él"} == {"B"}
    assert 5 < len(test) < 40
    assert all(classify.in_test(row["text"]) for row in test)


def test_languages_are_the_core_ones_whole_or_cut(tmp_path: Path) -> None:
    line = "eng\t1\tAll human beings are born free, and equal\nxyz\t1\tno\n"
    files = {f"{split}.tsv": line for split in ("train", "valid", "test")}
    write(tmp_path / "lang_id_udhr", files | {"core_languages.txt": "eng\nfra\n"})
    classify.languages(tmp_path, tmp_path / "whole")
    classify.languages_short(tmp_path, tmp_path / "short")
    whole = [{"text": "All human beings are born free, and equal", "label": "eng"}]
    assert rows_of(tmp_path / "whole" / "test.csv") == rows_of(tmp_path / "short" / "train.csv") == whole
    assert rows_of(tmp_path / "short" / "test.csv") == [{"text": "All human beings are", "label": "eng"}]


def test_the_real_sets(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    data = shared_data(".")
    for prepare, counts in (
        (classify.sentiment, 10_662),
        (classify.questions, 5_952),
        (classify.spoken_digits, 900),
    ):
        out = tmp_path / prepare.__name__
        prepare(data, out)
        parts = [rows_of(out / f"{split}.csv") for split in ("train", "test")]
        assert counts * 0.99 <= sum(map(len, parts)) <= counts
        if prepare is not classify.questions:  # the standard split has a few questions twice
            first = next(iter(parts[0][0]))
            assert not {row[first] for row in parts[0]} & {row[first] for row in parts[1]}
    vectors = read_word_vectors(tmp_path / "sentiment" / "vectors.txt")
    assert vectors.vectors.shape == (20_000, 100)
    assert vectors.words[0] == "the"
    assert len(list((tmp_path / "spoken_digits" / "wav").iterdir())) == 900
    assert len(rows_of(tmp_path / "spoken_digits" / "test.csv")) == 300
