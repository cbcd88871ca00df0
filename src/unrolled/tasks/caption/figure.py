"""The figure of the captions: pictures with what is written of them, and where the decoder looks for each token."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from unrolled.model_folder import write_whole

MOST = 9
"""Tokens of a caption whose looks are drawn."""


class Looked(NamedTuple):
    """A picture and what was written of it."""

    picture: Tensor
    """Bytes, (3, size, size)."""
    caption: str
    wanted: str
    tokens: list[str]
    weights: Tensor | None
    """How much each place of the grid counted for each token, (T, rows, columns); None without attention."""


def draw_captions(pictures: Sequence[Looked], path: Path) -> None:
    """Draw each picture with its caption, and beside it once for each token, lit where the decoder looked; a PNG."""
    from matplotlib.figure import Figure

    columns = 1 + max(len(one.tokens[:MOST]) if one.weights is not None else 0 for one in pictures)
    figure = Figure(figsize=(3.2 + 1.5 * (columns - 1), 2.1 * len(pictures)), dpi=100, layout="constrained")
    widths = {"width_ratios": [2, *[1] * (columns - 1)]}
    grid = figure.add_gridspec(len(pictures), columns, **widths)
    for row, one in enumerate(pictures):
        shown = one.picture.permute(1, 2, 0).numpy()
        axes = figure.add_subplot(grid[row, 0])
        axes.imshow(shown)
        axes.set_title(f"{_plain(one.caption)}\n(given: {_plain(one.wanted)})", fontsize=9)
        axes.axis("off")
        for place, token in enumerate(one.tokens[:MOST] if one.weights is not None else []):
            assert one.weights is not None
            axes = figure.add_subplot(grid[row, place + 1])
            size = shown.shape[0]
            axes.imshow(shown.mean(-1), cmap="gray", vmin=-255, vmax=255)  # pale, under the colours of the look
            looked = one.weights[place]
            where = {"extent": (-0.5, size - 0.5, size - 0.5, -0.5), "interpolation": "bilinear"}
            axes.imshow(looked.tolist(), cmap="inferno", alpha=0.6, vmin=0, vmax=float(looked.max()), **where)
            axes.set_title(_plain(token), fontsize=9)
            axes.axis("off")
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the font lacks many scripts, and shows a box for them
        figure.savefig(picture, format="png")
    write_whole(path, picture.getvalue())


def _plain(text: str) -> str:
    """A text as it is: matplotlib would read dollars as mathematics."""
    return (text if text.isprintable() else repr(text)[1:-1]).replace("$", r"\$")
