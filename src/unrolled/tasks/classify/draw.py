"""Who is taken for whom, drawn: a row for each true class, a column for each chosen one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

COUNTED = 80
"""Classes at most whose fields bear their counts."""


def draw_confusion(counts: Sequence[Sequence[int]], names: Sequence[str], title: str, path: Path) -> None:
    """Draw a confusion matrix as a PNG file; a field's shade is its share of the row."""
    from matplotlib.figure import Figure

    matrix = np.array(counts)
    size = len(names)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    side = min(max(5.0, 2.2 + 0.42 * size), 24.0)
    letters = min(10.0, 72 * 0.8 * (side - 2.2) / size / 2)  # three digits fit into a field
    larger = 8 + 0.5 * side
    figure = Figure(figsize=(side + 1, side), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    shown = [name if len(name) <= 16 else f"{name[:15]}…" for name in names]
    axes.set_xticks(range(size), shown, rotation=0 if size <= 4 or max(map(len, shown)) <= 3 else 90, fontsize=letters)
    axes.set_yticks(range(size), shown, fontsize=letters)
    axes.set_xlabel("chosen class", fontsize=larger)
    axes.set_ylabel("true class", fontsize=larger)
    axes.set_title(title, fontsize=larger + 1)
    if size <= COUNTED:
        for row in range(size):
            for column in range(size):
                if matrix[row, column]:
                    colour = "white" if shares[row, column] > 0.55 else "black"
                    words = {"ha": "center", "va": "center", "fontsize": letters, "color": colour}
                    axes.text(column, row, f"{matrix[row, column]:,}", **words)
    figure.colorbar(picture, ax=axes, shrink=0.8).set_label("share of the true class", fontsize=larger)
    figure.savefig(path)
