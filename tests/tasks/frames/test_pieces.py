"""Pieces of long sequences: together they are all of it, and none reaches past an end."""

import pytest
import torch

from unrolled.tasks.frames.pieces import Piece, at_tempo, pieces, with_future


@pytest.mark.parametrize("window", [None, 2, 3, 7, 50])
def test_pieces_hold_every_step(window: int | None) -> None:
    lengths = [1, 7, 20, 21]
    cut = pieces(lengths, window)
    for number, length in enumerate(lengths):
        mine = [piece for piece in cut if piece.sequence == number]
        held = {step for piece in mine for step in range(piece.start, piece.start + piece.steps)}
        assert held == set(range(length))
        assert {piece.steps for piece in mine} == {min(length, window or length)}
    assert window is not None or len(cut) == len(lengths)


def test_a_piece_moves_within_its_sequence() -> None:
    torch.manual_seed(1)
    seen = {Piece(0, start, 6).moved(20) for start in (0, 6, 14) for _ in range(60)}
    assert all(stop - start == 6 and start >= 0 and stop <= 20 for start, stop in seen)
    assert len(seen) > 10
    assert Piece(0, 0, 20).moved(20) == (0, 20)


def test_the_future_is_missing_behind_the_end() -> None:
    features = torch.arange(10.0).reshape(5, 2)
    assert torch.equal(with_future(features, 1, 3, 0), features[1:3])
    assert torch.equal(with_future(features, 1, 3, 2), features[1:5])
    late = with_future(features, 3, 5, 2)
    assert torch.equal(late[:2], features[3:])
    assert bool(late[2:].isnan().all())
    assert late.shape == (4, 2)
    assert with_future(features.to(torch.uint8), 4, 5, 1).dtype == torch.float32


def test_at_another_tempo_steps_stay_in_order_from_the_first_to_the_last() -> None:
    torch.manual_seed(1)
    said, counts = torch.arange(40), set()
    read = torch.arange(43.0).unsqueeze(1)  # with three steps of the future
    for _ in range(60):
        own, seen = at_tempo(read, said, 0.25)
        assert (seen[0], seen[-1]) == (0, 39)
        assert bool((seen.diff() >= 0).all())
        assert own.flatten().tolist() == [*seen.tolist(), 40, 41, 42]
        counts.add(len(seen))
    assert 30 <= min(counts) < 34 < 46 < max(counts) <= 50
    assert at_tempo(read[:1], said[:1], 0.9)[1].tolist() == [0]
    assert at_tempo(read, said, 0.0) == (read, said)
