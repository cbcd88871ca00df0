"""Pictures of any size and kind, from files or memory, brought to one size."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from unrolled.errors import UsageError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
CHANNELS = 3
"""Red, green, blue."""
WHITE = (255, 255, 255)


def read_picture(source: Any, size: int) -> Tensor:
    """A picture as bytes, (3, size, size): scaled to fit, in its proportions, upright, in the middle of white.

    Args:
        source: A file, a picture of Pillow, or an array (or tensor) of (H, W), (H, W, 1), (H, W, 3) or (H, W, 4):
            bytes, or numbers from 0 to 1. Transparent points show white; the first of several pictures is taken.
        size: Points a side.

    Raises:
        UsageError: there is no such file, or it is no picture that can be read.
    """
    if isinstance(source, str | Path):
        picture = open_picture(source)
    else:
        picture = _plain(source if isinstance(source, Image.Image) else _of_array(source))
    scaled = ImageOps.contain(picture, (size, size), Image.Resampling.LANCZOS)
    whole = Image.new("RGB", (size, size), WHITE)
    whole.paste(scaled, ((size - scaled.width) // 2, (size - scaled.height) // 2))
    return torch.from_numpy(np.array(whole)).permute(2, 0, 1).contiguous()  # (3, size, size)


def open_picture(file: str | Path) -> Image.Image:
    """A picture file in red, green and blue: upright, its first frame, on white where it is transparent.

    Raises:
        UsageError: there is no such file, or it is no picture that can be read.
    """
    path = Path(file)
    try:
        picture = Image.open(io.BytesIO(path.read_bytes()))
        picture.load()
        return _plain(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise UsageError(f"{path} is no picture that can be read (PNG, JPEG, GIF, WebP, BMP, TIFF can).") from None
    except FileNotFoundError:
        raise UsageError(f"there is no picture {path}.") from None
    except Image.DecompressionBombError as error:
        raise UsageError(f"{path} is too large a picture: {error}") from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises each of them for files that are damaged
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"the picture {path} cannot be read: {reason.rstrip('.')}.") from None


def _plain(picture: Image.Image) -> Image.Image:
    """Red, green and blue, on white where it is transparent."""
    if picture.mode.startswith("I"):  # 16 bits a point, which Pillow would cut off at 255
        return Image.fromarray((np.array(picture).clip(0, 65535) // 257).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        below = Image.new("RGBA", picture.size, (*WHITE, 255))
        return Image.alpha_composite(below, picture).convert("RGB")
    return picture.convert("RGB")


def _of_array(values: Any) -> Image.Image:
    if not isinstance(values, np.ndarray | Tensor):
        raise UsageError(f"a picture is a file or an array, and this is a {type(values).__name__}.")
    array = np.asarray(values)
    shape = array.shape[:2] if array.ndim == 3 and array.shape[2] == 1 else array.shape
    if not array.size or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        raise UsageError(f"a picture is (H, W), (H, W, 3) or (H, W, 4), and this array is {array.shape}.")
    if array.dtype != np.uint8:
        if not (np.issubdtype(array.dtype, np.floating) and array.min() >= 0 and array.max() <= 1):
            raise UsageError(
                f"a picture has bytes, or numbers from 0 to 1, and this array of {array.dtype} has others."
            )
        array = (255 * array).round().astype(np.uint8)
    return Image.fromarray(array.reshape(shape))
