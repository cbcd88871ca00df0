"""Word vectors from files in GloVe's form, whole and broken."""

import gzip
from pathlib import Path

import pytest

from unrolled.data.word_vectors import read_word_vectors
from unrolled.errors import UsageError


def test_words_and_their_vectors(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("the 0.5 -1\n, 2 3e-1\n\nthe 9 9\n", encoding="utf-8")
    found = read_word_vectors(path)
    assert found.words == ["the", ","]
    assert found.vectors.tolist() == [[0.5, -1.0], [2.0, pytest.approx(0.3)]]
    packed = tmp_path / "vectors.txt.gz"
    packed.write_bytes(gzip.compress(b"2 2\n" + path.read_bytes()))
    assert read_word_vectors(packed).vectors.tolist() == found.vectors.tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a 1 2\nb 1\n", "line 2 has 1 numbers behind its word, the first 2"),
        (b"a 1 x\n", "line 1 is no word with its numbers"),
        (b"a\n", "line 1 holds no word with numbers behind it"),
        (b"a 1 nan\n", "line 1: a number of 'a' is not finite"),
        (b"a 1\n\xff 1\n", "line 2 is not UTF-8"),
        (b"7 2\n", "holds no word vectors"),
        (b"", "is empty"),
    ],
)
def test_broken_files_are_refused_by_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_word_vectors(path)
