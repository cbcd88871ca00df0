"""Tables and pictures of the caption recipe, from a few rows as they are published."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unrolled.data.prepared.table import preparer
from unrolled.errors import UsageError


def test_drawings_are_split_by_their_code_points(tmp_path: Path) -> None:
    raw = tmp_path / "openmoji_captions"
    raw.mkdir()
    codes = [f"1F{number:03X}" for number in range(60)]
    lines = [f"{place}\t{code}\tname of “{code}”\n" for place, code in enumerate(codes)]
    (raw / "captions.tsv").write_text("index\thexcode\tannotation\n" + "".join(lines), encoding="utf-8")
    images = np.random.default_rng(1).integers(0, 256, (60, 48, 48, 3), dtype=np.uint8)
    np.savez(raw / "images_48.npz", images=images)
    out = tmp_path / "out"
    preparer("caption.openmoji")(tmp_path, out)
    found = {}
    for part in ("train", "valid", "test"):
        header, *rows = (out / f"{part}.tsv").read_text(encoding="utf-8").splitlines()
        assert header == "file\tcaption"
        found |= dict.fromkeys(rows, part)
    assert len(found) == 60
    for code, image in zip(codes, images, strict=True):
        tenth = int(hashlib.sha256(code.encode()).hexdigest()[:2], 16) % 10
        wanted = "test" if tenth == 0 else "valid" if tenth == 1 else "train"
        assert found[f"pictures/{code}.png\tname of “{code}”"] == wanted
        assert np.array_equal(np.array(Image.open(out / "pictures" / f"{code}.png")), image)
    assert set(found.values()) == {"train", "valid", "test"}
    np.savez(raw / "images_48.npz", images=images[:-1])
    with pytest.raises(UsageError, match=r"60 rows, and images_48.npz 59 pictures"):
        preparer("caption.openmoji")(tmp_path, out)
