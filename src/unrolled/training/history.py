"""What a run went through: rows for CSV and TensorBoard, and the loss drawn over time."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unrolled.errors import UsageError
from unrolled.model_folder import HISTORY, LOGS, ModelFolder, write_whole
from unrolled.training.board import Board

COLUMNS: tuple[str, ...] = ("step", "epoch", "seconds", "train", "valid", "rate", "gradient_norm", "per_second")


class History:
    """Rows by step; ``train`` and ``valid`` are losses. Checkpoints keep them, so a resumed run has all."""

    def __init__(self, folder: ModelFolder, rows: Sequence[dict[str, Any]] = ()) -> None:
        self.folder, self.rows = folder, list(rows)
        self.board: Board | None = None

    def add(self, row: dict[str, Any]) -> None:
        """Take a row in, and show it to TensorBoard."""
        self.rows.append(row)
        if self.board is None:
            self.board = Board(self.folder.path / LOGS, row["step"])
        shown = {name: row[name] for name in COLUMNS if name not in ("step", "epoch") and row[name] is not None}
        self.board.add(row["step"], shown)

    def write(self) -> None:
        """Write the CSV file anew."""
        write_history(self.folder, self.rows)

    def close(self) -> None:
        """End the TensorBoard file."""
        if self.board is not None:
            self.board.close()


def write_history(folder: ModelFolder, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows of a run as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        plain = {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()}
        writer.writerow(plain)
    folder.write_text(HISTORY, text.getvalue())


def read_history(folder: ModelFolder) -> list[dict[str, Any]]:
    """The rows that :func:`write_history` wrote; none where a model was not trained here.

    Raises:
        UsageError: the file is damaged.
    """
    if not (folder.path / HISTORY).exists():
        return []
    try:
        return [
            {name: _number(name, value) for name, value in row.items()}
            for row in csv.DictReader(io.StringIO(folder.read_text(HISTORY)))
        ]
    except (ValueError, TypeError):
        raise UsageError(f"{folder.path / HISTORY} is damaged: it holds something that is no number.") from None


def _number(name: str, value: str) -> float | int | None:
    return None if value == "" else int(value) if name in ("step", "epoch") else float(value)


def draw_loss(rows: Sequence[dict[str, Any]], path: Path, title: str, loss: str) -> None:
    """Draw training and validation loss over the minutes of training; a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    minutes = [row["seconds"] / 60 for row in rows]
    axes.plot(minutes, [row["train"] for row in rows], color="#0072b2", linewidth=1.4, alpha=0.85, label="training")
    checked = [(time, row["valid"]) for time, row in zip(minutes, rows, strict=True) if row["valid"] is not None]
    if checked:
        times, losses = zip(*checked, strict=True)
        axes.plot(times, losses, color="#d55e00", marker="o", markersize=5, linewidth=1.8, label="validation")
        best = min(checked, key=lambda pair: pair[1])
        axes.annotate(
            f"{best[1]:.3f}", best, xytext=(0, -9), textcoords="offset points", ha="center", va="top", color="#d55e00"
        )
        axes.margins(y=0.1)
    axes.set(title=title, xlabel="minutes of training", ylabel=f"loss, {loss}")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_whole(path, picture.getvalue())
