"""Tables of the translate recipes, from a few lines as they are published."""

from pathlib import Path

import pytest

from unrolled.data.prepared.table import preparer
from unrolled.errors import UsageError


def test_multi30k_stands_side_by_side(tmp_path: Path) -> None:
    raw = tmp_path / "multi30k_en_de_fr"
    raw.mkdir()
    for name in ("train", "val", "test_2016_flickr"):
        (raw / f"{name}.de.txt").write_text(f"ein \u201eHund\u201c\teins\n{name}\n", encoding="utf-8")
        (raw / f"{name}.en.txt").write_text('a "dog"\nx\n', encoding="utf-8")
    preparer("translate.multi30k")(tmp_path, tmp_path)
    written = (tmp_path / "test.tsv").read_text(encoding="utf-8")
    assert written == 'source\ttarget\nein \u201eHund\u201c eins\ta "dog"\ntest_2016_flickr\tx\n'
    (raw / "val.en.txt").write_text("a\n", encoding="utf-8")
    with pytest.raises(UsageError, match="val.de.txt has 2 lines, and val.en.txt 1"):
        preparer("translate.multi30k")(tmp_path, tmp_path)


def test_sounds_lose_their_stress_and_what_was_two_for_it_is_one(tmp_path: Path) -> None:
    raw = tmp_path / "cmudict_g2p"
    raw.mkdir()
    for name in ("train", "valid", "test"):
        (raw / f"{name}.tsv").write_text("A\tAH0\nA\tEY1\nA\tEY0\nBE\tB IY1\n", encoding="utf-8")
    preparer("translate.spelling")(tmp_path, tmp_path)
    assert (tmp_path / "valid.tsv").read_text(encoding="utf-8") == "source\ttarget\nA\tAH\nA\tEY\nBE\tB IY\n"
