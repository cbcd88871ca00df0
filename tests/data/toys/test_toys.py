"""Toy tasks: each batch follows its rule, a perfect answer scores perfectly, the trivial one as is said."""

import math
import re

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from unrolled.data.toys.grammars import REBER
from unrolled.data.toys.table import TOYS, find_toy
from unrolled.data.toys.toy import Batch, Toy
from unrolled.errors import UsageError

LENGTH = 60


def perfect(toy: Toy, batch: Batch) -> Tensor:
    """Outputs that are right everywhere."""
    if batch.allowed is not None:
        return 30.0 * batch.allowed - 15.0
    if toy.kind == "class":
        return 30.0 * one_hot(batch.targets, toy.outputs).float()
    return 30.0 * batch.targets - 15.0 if toy.kind == "events" else batch.targets


@pytest.mark.parametrize("name", sorted(TOYS))
def test_the_contract(name: str) -> None:
    toy = TOYS[name]
    batch, again = toy.batch(7, LENGTH, 3), toy.batch(7, LENGTH, 3)
    assert all(torch.equal(one, other) for one, other in zip(batch, again, strict=True) if one is not None)
    assert not torch.equal(toy.batch(7, LENGTH, 4).x, batch.x)
    count, steps, inputs = batch.x.shape
    assert (count, inputs) == (7, toy.inputs)
    assert batch.x.dtype is torch.float32
    assert batch.counts.shape == batch.targets.shape[:2] == (7, steps)
    assert batch.counts.any(1).all()
    valid = torch.arange(steps) < batch.lengths.unsqueeze(1)
    assert not (batch.counts & ~valid).any()
    assert not batch.x[~valid].any()
    outputs = perfect(toy, batch)
    assert toy.is_solved(toy.score(outputs, batch))
    assert not toy.is_solved(toy.trivial(LENGTH))
    assert not toy.is_solved(toy.score(torch.zeros_like(outputs), batch))
    assert toy.loss(outputs, batch).isfinite()
    with pytest.raises(UsageError, match=f"{name}.*asked for 1 of {toy.shortest - 1}"):
        toy.batch(1, toy.shortest - 1, 0)
    toy.batch(1, toy.shortest, 0)


@pytest.mark.parametrize("name", ["adding", "spikes-measure", "periodic"])
def test_the_trivial_error_is_that_of_the_mean(name: str) -> None:
    toy = TOYS[name]
    batch = toy.batch(4000, LENGTH, 1)
    wanted = batch.targets[batch.counts].double()
    assert float(wanted.var(correction=0)) == pytest.approx(toy.trivial(LENGTH), rel=0.06)


def test_the_trivial_error_of_sines_is_that_of_the_last_value() -> None:
    toy = TOYS["sines"]
    batch = toy.batch(4000, LENGTH, 1)
    assert toy.score(batch.x, batch) == pytest.approx(toy.trivial(LENGTH), rel=0.03)


def test_the_trivial_loss_of_copy_is_a_guess_at_the_symbols_alone() -> None:
    toy = TOYS["copy"]
    batch = toy.batch(50, LENGTH, 1)
    outputs = torch.full((50, LENGTH, 9), -100.0)
    outputs[:, :-10, 8] = 0.0
    outputs[:, -10:, :8] = 0.0
    assert toy.score(outputs, batch) == pytest.approx(toy.trivial(LENGTH), rel=1e-6)
    ids = batch.x.argmax(-1)
    assert torch.equal(batch.targets[:, -10:], ids[:, :10])
    assert (ids[:, 10:-11] == 8).all()
    assert (ids[:, -11] == 9).all()


def test_adding_by_hand() -> None:
    batch = TOYS["adding"].batch(50, 11, 2)
    for row in batch.x:
        marked = row[:, 1].nonzero().flatten().tolist()
        assert len(marked) == 2
        assert marked[0] < 5 <= marked[1]
    sums = (batch.x[..., 0] * batch.x[..., 1]).sum(1)
    torch.testing.assert_close(batch.targets[:, -1, 0], sums)


@pytest.mark.parametrize("relevant", [2, 3, 4])
def test_temporal_order_by_hand(relevant: int) -> None:
    batch = TOYS[f"temporal-order-{relevant}"].batch(64, 30, 2)
    for ids, target in zip(batch.x.argmax(-1).tolist(), batch.targets[:, -1].tolist(), strict=True):
        told = [one for one in ids if one < 2]
        assert len(told) == relevant
        assert target == sum(one << place for place, one in enumerate(told))
    assert len(batch.targets[:, -1].unique()) == 2**relevant


def test_lag_latch_parity_and_reverse_by_hand() -> None:
    batch = TOYS["lag"].batch(20, 30, 2)
    ids = batch.x.argmax(-1)
    assert torch.equal(ids[:, 0], batch.targets[:, -1])
    assert (ids[:, 1:] == ids[:1, 1:]).all()
    batch = TOYS["latch"].batch(200, 30, 2)
    assert ((batch.x[:, 0, 0] > 0) == batch.targets[:, -1].bool()).double().mean() > 0.99
    batch = TOYS["parity"].batch(5, 30, 2)
    for bits, targets in zip(batch.x[..., 0].tolist(), batch.targets.tolist(), strict=True):
        assert targets == [int(sum(bits[: step + 1])) % 2 for step in range(30)]
    batch = TOYS["reverse"].batch(5, 31, 2)
    ids = batch.x.argmax(-1)
    assert torch.equal(batch.targets[:, 15:], ids[:, :15].flip(1))
    assert (ids[:, 15:] == 8).all()


def strings(batch: Batch) -> list[str]:
    last = batch.targets[torch.arange(len(batch.targets)), batch.lengths - 1]
    read = batch.x.argmax(-1)
    return [
        "".join(REBER[one] for one in (*ids[:length].tolist(), int(end)))
        for ids, length, end in zip(read, batch.lengths.tolist(), last, strict=True)
    ]


def test_reber_strings_are_of_the_grammar() -> None:
    for text in strings(TOYS["reber"].batch(200, LENGTH, 5)):
        assert re.fullmatch(r"B([TP])B[BTPSXV]+E\1E", text), text
        walk(text[2:-2])


def walk(text: str) -> None:
    """Go through Reber's finite automaton as Cleeremans et al. 1989, figure 1, draw it."""
    arcs = ["0B1", "1T2", "1P3", "2S2", "2X4", "3T3", "3V5", "4X3", "4S6", "5P4", "5V6", "6E7"]
    node = "0"
    for symbol in text:
        (node,) = [arc[2] for arc in arcs if arc[0] == node and arc[1] == symbol]
    assert node == "7"


def test_what_is_allowed_in_reber_strings() -> None:
    batch = TOYS["reber"].batch(200, LENGTH, 5)
    assert batch.allowed is not None
    for row, text in enumerate(strings(batch)):
        sets = [{REBER[one] for one in could.nonzero().flatten().tolist()} for could in batch.allowed[row]]
        assert sets[0] == {"T", "P"}
        assert sets[1] == {"B"}
        assert sets[2] == {"T", "P"}
        assert sets[len(text) - 3] == {text[1]}  # what must be remembered
        assert all(symbol in could for symbol, could in zip(text[1:], sets, strict=False))


def test_continual_reber_is_whole_strings_in_a_row() -> None:
    batch = TOYS["continual-reber"].batch(20, 100, 5)
    assert (batch.lengths == 100).all()
    for text in strings(batch):
        whole = re.findall(r"B[TP]B[TPSXV]+E[TP]E(?=BTB|BPB|B$|BT$|BP$|$)", text)
        assert "".join(whole) == text[: len("".join(whole))]
        assert len("".join(whole)) > 40


@pytest.mark.parametrize("letters", ["ab", "abc"])
def test_counted_strings(letters: str) -> None:
    batch = TOYS["-".join(f"{one}n" for one in letters)].batch(200, 31, 5)
    alphabet = f"S{letters}T"
    assert batch.allowed is not None
    seen = set()
    for row, length in enumerate(batch.lengths.tolist()):
        text = "".join(
            alphabet[one] for one in (*batch.x[row, :length].argmax(-1).tolist(), int(batch.targets[row, length - 1]))
        )
        times = text.count("a")
        seen.add(times)
        assert text == "S" + "".join(one * times for one in letters) + "T"
        sets = [
            "".join(alphabet[one] for one in could.nonzero().flatten().tolist())
            for could in batch.allowed[row, :length]
        ]
        wanted = ["a", *["ab"] * times, *["b"] * (times - 1)]
        wanted += ["c"] * times if "c" in letters else []
        assert sets == [*wanted, "T"]
    assert seen == set(range(1, 30 // len(letters) + 1))


def test_spikes_by_hand() -> None:
    batch = TOYS["spikes-measure"].batch(20, 80, 2)
    for row in range(20):
        at = batch.x[row, :, 0].nonzero().flatten()
        torch.testing.assert_close(batch.targets[row, at[1:], 0], (at.diff() - 5) / 10.0)
        assert torch.equal(batch.counts[row].nonzero().flatten(), at[1:])
    batch = TOYS["spikes-give"].batch(20, 80, 2)
    for row in range(20):
        delay = round(5 + 10 * float(batch.x[row, 0, 0]))
        assert batch.targets[row, :, 0].nonzero().flatten().tolist() == list(range(delay, 80, delay))
    batch = TOYS["periodic"].batch(20, 80, 2)
    for row in range(20):
        period = round(5 + 10 * float(batch.x[row, 0, 0]))
        wanted = [math.cos(2 * math.pi * step / period) for step in range(80)]
        assert batch.targets[row, :, 0].tolist() == pytest.approx(wanted, abs=1e-5)


def test_a_toy_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="Did you mean 'adding'"):
        find_toy("ading")
