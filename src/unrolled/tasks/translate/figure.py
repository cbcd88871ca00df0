"""The figure of the attention: which tokens of the source the decoder looks at for each token that it writes."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from unrolled.model_folder import write_whole


class Looked(NamedTuple):
    """The attention of one sentence."""

    source: list[str]
    target: list[str]
    weights: Tensor
    """(T, S)"""


def draw_attention(sentences: Sequence[Looked], path: Path) -> None:
    """Draw the attention of a few sentences side by side, two in a row; a PNG file."""
    from matplotlib.figure import Figure

    rows = (len(sentences) + 1) // 2
    figure = Figure(figsize=(12, 5.5 * rows), dpi=100, layout="constrained")
    places = [figure.add_subplot(rows, min(2, len(sentences)), place + 1) for place in range(len(sentences))]
    for axes, one in zip(places, sentences, strict=True):
        axes.imshow(one.weights.tolist(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(one.source)), _plain(one.source), rotation=60, ha="left", fontsize=9)
        axes.set_yticks(range(len(one.target)), _plain(one.target), fontsize=9)
        axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
        axes.set(xlabel="read", ylabel="written")
        axes.xaxis.set_label_position("top")
    label = "share of the attention of each written token"
    figure.colorbar(places[0].images[0], ax=places, label=label, location="bottom", fraction=0.03, aspect=60)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the font lacks many scripts, and shows a box for them
        figure.savefig(picture, format="png")
    write_whole(path, picture.getvalue())


def _plain(pieces: Sequence[str]) -> list[str]:
    """Pieces as they are: matplotlib would read dollars as mathematics, and some signs cannot be seen."""
    seen = (piece if piece.isprintable() else repr(piece)[1:-1] for piece in pieces)
    return [piece.replace("$", r"\$") for piece in seen]
