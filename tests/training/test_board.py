"""The TensorBoard file, read by TensorBoard's own reader."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from unrolled.training.board import Board


def shown(folder: Path, name: str) -> list[tuple[int, float]]:
    """What TensorBoard shows of a number: steps and values."""
    return [(event.step, event.value) for event in EventAccumulator(str(folder)).Reload().Scalars(name)]


def test_numbers_are_shown_by_name_and_step(tmp_path: Path) -> None:
    board = Board(tmp_path / "log", 1)
    for step in (1, 2, 5):
        board.add(step, {"train": step / 2, "valid": -step} if step > 1 else {"train": step / 2})
    board.close()
    assert shown(tmp_path / "log", "train") == [(1, 0.5), (2, 1.0), (5, 2.5)]
    assert shown(tmp_path / "log", "valid") == [(2, -2.0), (5, -5.0)]


def test_numbers_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    board = Board(tmp_path, 1)
    board.add(1, {"train": 0.5})
    assert shown(tmp_path, "train") == [(1, 0.5)]
    board.close()


def test_a_resumed_run_takes_back_what_was_told_behind_its_checkpoint(tmp_path: Path) -> None:
    for first, value in ((1, 1.0), (4, 2.0), (5, 3.0)):
        board = Board(tmp_path, first)
        for step in range(first, 8 - (first == 5)):
            board.add(step, {"train": value})
        board.close()
    assert shown(tmp_path, "train") == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 3.0), (6, 3.0)]


def test_a_folder_that_cannot_be_made_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("in the way", encoding="utf-8")
    with pytest.raises(FileExistsError):
        Board(tmp_path / "log", 1)
