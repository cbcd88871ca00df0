"""Pictures: files read row by row, each row a step, in shades of grey."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")


def read_picture(path: str | Path) -> Tensor:
    """The rows of a picture, (H, W), float32, from 0 (black) to 255. Raises UsageError where it cannot be read."""
    raw = read_bytes(path)
    try:
        with Image.open(io.BytesIO(raw)) as picture:
            return torch.from_numpy(np.array(picture.convert("L"), dtype=np.float32))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        reason = str(error).partition(" <")[0]  # it names an object of Python
        raise UsageError(f"{path} is no picture that can be read: {reason}.") from None
