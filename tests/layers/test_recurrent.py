"""Recurrent against the same layers run by hand, one scan after the other."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from laws import assert_same
from layers.by_hand import batch, by_hand, perturbed, some_state
from unrolled.cells.library import LIBRARY
from unrolled.engine.backends import BACKENDS
from unrolled.engine.loop import loop
from unrolled.engine.run import Run
from unrolled.layers.recurrent import Recurrent


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


# Layers upon layers


def test_a_stack_is_one_scan_upon_the_other() -> None:
    layer = perturbed(Recurrent("lstm", 5, [7, 4, 3], 3))
    x, state, lengths = batch(), some_state(layer), torch.tensor([9, 0, 4])
    result = layer(x, state, lengths, record=layer.cell.quantities)
    below = x
    for index in range(3):
        one = by_hand(layer, f"{index}.forward", below, state, lengths=lengths)
        assert_same(result.state.part(f"{index}.forward"), one.state)
        assert_same({q: result.recorded[f"{index}.forward.{q}"] for q in layer.cell.quantities}, one.recorded)
        below = one.outputs
    assert_same({"outputs": result.outputs}, {"outputs": below})
    assert (layer.output_size, layer.hidden_sizes) == (3, (7, 4, 3))
    assert list(result.state) == [f"{i}.forward.{name}" for i in range(3) for name in ("c", "h")]
    assert len(result.recorded) == 3 * 6


def test_two_directions_stand_side_by_side_and_the_next_layer_reads_both() -> None:
    layer = perturbed(Recurrent("gru", 5, [7, 4], 2, bidirectional=True))
    x, state = batch(), some_state(layer)
    result = layer(x, state, record=("z", "h"))
    below = x
    for index in range(2):
        ahead = by_hand(layer, f"{index}.forward", below, state)
        back = by_hand(layer, f"{index}.reverse", below.flip(1), state)
        assert_same(result.state.part(f"{index}.forward"), ahead.state)
        assert_same(result.state.part(f"{index}.reverse"), back.state)
        for name in ("z", "h"):
            assert torch.equal(result.recorded[f"{index}.forward.{name}"], ahead.recorded[name])
            assert torch.equal(result.recorded[f"{index}.reverse.{name}"], back.recorded[name].flip(1))
        below = torch.cat([ahead.outputs, back.outputs.flip(1)], -1)
    assert_same({"outputs": result.outputs}, {"outputs": below})
    assert layer.output_size == 8
    assert list(result.state) == [f"{i}.{way}.h" for i in (0, 1) for way in ("forward", "reverse")]


def test_a_ragged_row_is_read_backwards_from_its_own_end() -> None:
    layer = perturbed(Recurrent("lstm", 5, 7, bidirectional=True))
    x, state, lengths = batch(), some_state(layer), torch.tensor([9, 4, 0])
    outputs, after, recorded = layer(x, state, lengths, record=("c",))
    for row, length in enumerate(lengths.tolist()):
        back = by_hand(layer, "0.reverse", x[:, :length].flip(1), state)
        assert torch.equal(outputs[row, :length, 7:], back.outputs[row].flip(0))
        assert torch.equal(recorded["0.reverse.c"][row, :length], back.recorded["c"][row].flip(0))
        assert torch.equal(after["0.reverse.c"][row], back.state["c"][row])
        assert not outputs[row, length:].any()
        assert not recorded["0.reverse.c"][row, length:].any()


def test_two_directions_with_resets_are_each_document_alone() -> None:
    layer = perturbed(Recurrent("gru", 5, 7, 2, bidirectional=True, learn_initial_state=True))
    x, lengths = batch(), torch.tensor([9, 7, 3])
    reset = torch.zeros(3, 9, dtype=torch.bool)
    documents = {0: [0, 2, 6, 9], 1: [0, 1, 7], 2: [0, 3]}
    for row, edges in documents.items():
        reset[row, edges[1:-1]] = True
        reset[row, edges[-1] :] = True  # in the padding, where marks mean nothing
    outputs = layer(x, lengths=lengths, reset=reset).outputs
    for row, edges in documents.items():
        for start, stop in zip(edges, edges[1:], strict=False):
            alone = layer(x[:, start:stop]).outputs[row]
            assert torch.equal(outputs[row, start:stop], alone)


def test_padding_changes_no_number_of_a_stack() -> None:
    layer = perturbed(Recurrent("lstm", 5, 6, 2, bidirectional=True, residual=False))
    x, lengths = batch(), torch.tensor([9, 4, 0])
    padding = torch.arange(9) >= lengths.unsqueeze(1)
    results = []
    for number in (0.0, float("nan")):
        one = x.masked_fill(padding.unsqueeze(-1), number).requires_grad_()
        outputs, state, _ = layer(one, lengths=lengths)
        found = torch.autograd.grad(outputs.sum() + state["1.reverse.c"].sum(), [one, *layer.parameters()])
        results.append({"outputs": outputs, **state, **{str(at): value for at, value in enumerate(found)}})
    assert_same(results[1], results[0])
    assert not results[1]["0"][padding].any()


def test_residual_adds_what_a_layer_reads_to_what_it_gives_above_the_first() -> None:
    layer = perturbed(Recurrent("gru", 5, 7, 3, residual=True))
    x, lengths = batch(), torch.tensor([9, 4, 0])
    values = by_hand(layer, "0.forward", x, lengths=lengths).outputs
    for index in (1, 2):
        values = values + by_hand(layer, f"{index}.forward", values, lengths=lengths).outputs
    outputs = layer(x, lengths=lengths).outputs
    assert_same({"outputs": outputs}, {"outputs": values})
    assert not outputs[1, 4:].any()


def test_dropout_is_between_layers_and_in_training_alone() -> None:
    layer, x = perturbed(Recurrent("elman", 5, 7, 3, dropout=0.5)), batch()
    torch.manual_seed(1)
    outputs = layer(x).outputs
    torch.manual_seed(1)
    values = by_hand(layer, "0.forward", x).outputs
    for index in (1, 2):
        values = by_hand(layer, f"{index}.forward", functional.dropout(values, 0.5)).outputs
    assert_same({"outputs": outputs}, {"outputs": values})
    assert not torch.equal(layer(x).outputs, outputs)
    layer.eval()
    whole = layer(x).outputs
    assert torch.equal(layer(x).outputs, whole)
    layer.dropout.p = 0.0
    assert torch.equal(layer.train()(x).outputs, whole)
    single = Recurrent("elman", 5, 7, dropout=0.5)
    assert torch.equal(single(x).outputs, single(x).outputs)


def test_sizes_of_the_cell_are_handed_on_to_every_layer() -> None:
    layer = Recurrent("lstm_projected", 5, 7, 2, bidirectional=True, sizes={"projection": 3})
    outputs, state, _ = layer(batch())
    assert outputs.shape == (3, 9, 6)
    assert layer.output_size == 6
    assert layer.cell_parameters(1)["W_i"].shape == (7, 6)
    assert {name: value.shape[1] for name, value in state.items()} == dict.fromkeys(state, 7) | {
        f"{i}.{way}.h": 3 for i in (0, 1) for way in ("forward", "reverse")
    }
    assert_same(layer.initial_state(3).map(torch.zeros_like), state.map(torch.zeros_like))


def test_a_cell_comes_by_name_as_itself_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(LIBRARY["gru"].text(), encoding="utf-8")
    assert Recurrent("gru", 3, 4).cell == Recurrent(LIBRARY["gru"], 3, 4).cell == Recurrent(file, 3, 4).cell
    assert Recurrent("gru", 3, [4, 5], 2, bidirectional=True).extra_repr() == "gru, 3 -> 4-5, bidirectional"


def test_the_backend_asked_for_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Run] = []

    def counted(run: Run) -> tuple:
        runs.append(run)
        return loop(run)

    monkeypatch.setitem(BACKENDS, "counted", counted)
    layer = Recurrent("gru", 5, 4, 2, bidirectional=True, backend="counted")
    assert layer(batch()).outputs.shape == (3, 9, 8)
    assert len(runs) == 4
