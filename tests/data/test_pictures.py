"""Pictures of all kinds come to one size, upright, on white; what is none is refused in one line."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from unrolled.data.pictures import read_picture
from unrolled.errors import UsageError

RED, GREEN = (255, 0, 0), (0, 255, 0)


def at(picture: torch.Tensor, row: int, column: int) -> list[int]:
    return picture[:, row, column].tolist()


@pytest.mark.parametrize("ending", ["png", "bmp", "webp", "tiff", "gif"])
def test_a_wide_picture_stands_in_the_middle_of_white(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"wide.{ending}"
    Image.new("RGB", (40, 20), RED).save(path, **({"lossless": True} if ending == "webp" else {}))
    picture = read_picture(path, 16)
    assert (picture.dtype, picture.shape) == (torch.uint8, (3, 16, 16))
    assert picture[:, 4:12].flatten(1).unique(dim=1).flatten().tolist() == [255, 0, 0]
    assert int(picture[:, :4].min()) == int(picture[:, 12:].min()) == 255


def test_a_picture_of_the_size_wanted_is_itself() -> None:
    values = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert torch.equal(read_picture(values, 16), torch.from_numpy(values).permute(2, 0, 1))
    assert torch.equal(read_picture(torch.from_numpy(values), 16), read_picture(Image.fromarray(values), 16))
    assert torch.equal(read_picture(values / 255, 16), read_picture(values, 16))
    grey = values[..., 0]
    assert torch.equal(read_picture(grey, 16), torch.from_numpy(grey).expand(3, -1, -1))
    assert torch.equal(read_picture(grey[..., None], 16), read_picture(grey, 16))


def test_transparent_points_are_white() -> None:
    values = np.zeros((16, 16, 4), dtype=np.uint8)
    values[:8, :, :] = (*GREEN, 255)
    picture = read_picture(values, 16)
    assert at(picture, 0, 0) == list(GREEN)
    assert at(picture, 15, 0) == [255, 255, 255]


def test_a_palette_may_have_a_transparent_colour(tmp_path: Path) -> None:
    picture = Image.new("P", (16, 16), 0)
    picture.putpalette([0, 0, 255, *RED])
    picture.paste(1, (0, 0, 16, 8))
    picture.save(tmp_path / "palette.png", transparency=0)
    read = read_picture(tmp_path / "palette.png", 16)
    assert (at(read, 0, 0), at(read, 15, 15)) == (list(RED), [255, 255, 255])


def test_sixteen_bits_a_point_become_eight(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257 * 100], [257 * 200, 65535]], dtype=np.uint16).repeat(8, 0).repeat(8, 1)).save(
        tmp_path / "deep.png"
    )
    read = read_picture(tmp_path / "deep.png", 16)
    assert [at(read, *place)[0] for place in ((0, 0), (0, 15), (15, 0), (15, 15))] == [0, 100, 200, 255]


def test_a_photograph_stands_upright(tmp_path: Path) -> None:
    """Orientation 6 of EXIF: the first row of the file is the right-hand side of the picture."""
    values = np.zeros((16, 16, 3), dtype=np.uint8)
    values[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(tmp_path / "turned.jpg", exif=exif, quality=100)
    read = read_picture(tmp_path / "turned.jpg", 16)
    assert min(at(read, 8, 15)) > 250
    assert max(at(read, 8, 0)) < 5


def test_of_a_moving_picture_the_first_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (GREEN, RED)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert at(read_picture(tmp_path / "moving.gif", 16), 3, 3) == list(GREEN)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(whole, "png")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:2000])
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    (tmp_path / "empty.png").touch()
    said = {
        "cut.png": "the picture .*cut.png cannot be read: ",
        "text.png": "text.png is no picture that can be read",
        "empty.png": "empty.png is no picture that can be read",
        "gone.png": "there is no picture .*gone.png",
        ".": "cannot be read: Is a directory",
    }
    for name, error in said.items():
        with pytest.raises(UsageError, match=error) as raised:
            read_picture(tmp_path / name, 16)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (np.zeros((4, 4, 2), dtype=np.uint8), r"this array is \(4, 4, 2\)"),
        (np.zeros((0, 4), dtype=np.uint8), r"this array is \(0, 4\)"),
        (np.full((4, 4), 2.0), "this array of float64 has others"),
        (np.full((4, 4), np.nan), "this array of float64 has others"),
        (np.zeros((4, 4), dtype=np.int64), "this array of int64 has others"),
        (7, "this is a int"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(values: Any, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        read_picture(values, 16)
