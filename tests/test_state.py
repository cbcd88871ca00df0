"""State: named, batched, never changed; every method gives a new one, and a file gives back what was written."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent
from unrolled.state import State


@pytest.fixture
def state() -> State:
    """Two layers' states for three rows, by the numbers 0 to 20."""
    h, c = torch.arange(6.0).reshape(3, 2), torch.arange(6.0, 12.0).reshape(3, 2)
    return State({"0.forward.h": h, "0.forward.c": c, "10.forward.h": torch.arange(12.0, 21.0).reshape(3, 3)})


def plain(state: State) -> dict[str, list]:
    return {name: value.tolist() for name, value in state.items()}


def test_it_reads_like_a_dictionary(state: State) -> None:
    assert list(state) == ["0.forward.h", "0.forward.c", "10.forward.h"]
    assert len(state) == 3
    assert state["0.forward.c"].tolist() == [[6.0, 7.0], [8.0, 9.0], [10.0, 11.0]]
    assert "0.forward.h" in state
    assert "h" not in state
    assert state.get("h") is None
    assert set(dict(state)) == set(state.keys())
    assert repr(state) == "State(0.forward.h: (3, 2), 0.forward.c: (3, 2), 10.forward.h: (3, 3))"
    with pytest.raises(
        KeyError, match="the state has no '0.forward.g'. Did you mean '0.forward.*It has: 0.forward.h, "
    ):
        state["0.forward.g"]


def test_it_has_one_batch_size(state: State) -> None:
    assert state.batch_size == 3
    assert State({}).batch_size == 0
    assert State().batch_size == 0
    with pytest.raises(UsageError, match="one batch size, and these differ: {'h': 3, 'c': 2}"):
        State({"h": torch.zeros(3, 2), "c": torch.zeros(2, 2)})
    for shape in ((), (3,), (3, 1, 2)):
        with pytest.raises(UsageError, match=r"are \(N, units\), and 'h' has shape \(.*\)\.$"):
            State({"h": torch.zeros(shape)})


def test_nothing_changes_it(state: State) -> None:
    before = plain(state)
    values = dict(state)
    held = State(values)
    values["new"] = torch.zeros(3, 1)
    assert list(held) == list(state)
    with pytest.raises(TypeError, match="does not support item assignment"):
        state["0.forward.h"] = torch.zeros(3, 2)  # pyright: ignore[reportIndexIssue]
    with pytest.raises(TypeError, match="does not support item deletion"):
        del state["0.forward.h"]  # pyright: ignore[reportIndexIssue]
    state.map(lambda value: value + 1.0)
    state.reset(torch.tensor([True, True, True]))
    state.reorder(torch.tensor([2, 1, 0]))
    state.to(torch.float64)
    state.part("0.forward")
    assert plain(state) == before


def test_part_takes_what_is_below_a_prefix_and_join_puts_it_back(state: State) -> None:
    part = state.part("0.forward")
    assert list(part) == ["h", "c"]
    assert part["h"] is state["0.forward.h"]
    assert list(state.part("10.forward")) == ["h"]
    assert list(state.part("1")) == []
    assert list(state.part("0")) == ["forward.h", "forward.c"]
    joined = State.join({"0.forward": part, "10.forward": state.part("10.forward")})
    assert plain(joined) == plain(state)
    assert list(joined) == list(state)
    assert len(State.join({})) == 0


def test_map_and_to_change_every_tensor(state: State) -> None:
    assert plain(state.map(lambda value: -value)) == {
        name: [[-one for one in row] for row in rows] for name, rows in plain(state).items()
    }
    assert {value.dtype for value in state.to(torch.float64).values()} == {torch.float64}
    assert {value.device.type for value in state.to("meta").values()} == {"meta"}
    assert {value.dtype for value in state.to("cpu", torch.bfloat16).values()} == {torch.bfloat16}
    assert {value.dtype for value in state.to(dtype=torch.float16).values()} == {torch.float16}


def test_detach_keeps_the_numbers_and_cuts_the_graph(state: State) -> None:
    computed = state.map(lambda value: value.requires_grad_() * 2.0)
    assert all(value.requires_grad for value in computed.values())
    detached = computed.detach()
    assert not any(value.requires_grad for value in detached.values())
    assert plain(detached) == plain(computed)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8])
def test_reset_puts_the_marked_rows_back_to_zero(state: State, dtype: torch.dtype) -> None:
    fresh = state.reset(torch.tensor([1, 0, 1]).to(dtype))
    assert fresh["0.forward.h"].tolist() == [[0.0, 0.0], [2.0, 3.0], [0.0, 0.0]]
    assert fresh["10.forward.h"].tolist() == [[0.0] * 3, [15.0, 16.0, 17.0], [0.0] * 3]


def test_reset_puts_them_back_to_a_start_where_one_is_given(state: State) -> None:
    start = state.map(lambda value: torch.full_like(value, 0.5))
    fresh = state.reset(torch.tensor([False, False, True]), start)
    assert fresh["0.forward.c"].tolist() == [[6.0, 7.0], [8.0, 9.0], [0.5, 0.5]]
    with pytest.raises(KeyError, match="the state has no '0.forward.h'"):
        state.reset(torch.tensor([True, False, False]), state.part("0.forward"))


def test_reset_stops_what_is_not_a_number_and_the_gradient(state: State) -> None:
    spoilt = state.map(lambda value: value.index_fill(0, torch.tensor([1]), float("nan")).requires_grad_())
    fresh = spoilt.reset(torch.tensor([False, True, False]))
    torch.stack([value.sum() for value in fresh.values()]).sum().backward()
    assert all(value.isfinite().all() for value in fresh.values())
    for value in spoilt.values():
        assert value.grad is not None
        assert value.grad[:, 0].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("mask", [torch.tensor([True, False]), torch.ones(3, 1), torch.tensor(True)])
def test_reset_wants_one_mark_a_row(state: State, mask: torch.Tensor) -> None:
    with pytest.raises(UsageError, match=r"reset wants a mask of shape \(3,\), and is given \("):
        state.reset(mask)


def test_reorder_takes_rows_in_any_order_and_number(state: State) -> None:
    beams = state.reorder(torch.tensor([2, 0, 0, 2]))
    assert beams["0.forward.h"].tolist() == [[4.0, 5.0], [0.0, 1.0], [0.0, 1.0], [4.0, 5.0]]
    assert beams.batch_size == 4
    assert state.reorder(torch.tensor([], dtype=torch.int32)).batch_size == 0
    with pytest.raises(IndexError):
        state.reorder(torch.tensor([3]))


# Files


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_saved_equals_loaded(tmp_path: Path, state: State, dtype: torch.dtype) -> None:
    written = state.to(dtype).map(lambda value: value / 3.0)
    for path in (tmp_path / "a.safetensors", str(tmp_path / "b.safetensors")):
        written.save(path)
        loaded = State.load(path)
        assert set(loaded) == set(written)
        for name, value in written.items():
            assert loaded[name].dtype == dtype
            assert torch.equal(loaded[name], value)
    assert set(State.load(path, torch.device("cpu"))) == set(written)


def test_no_state_and_no_rows_are_saved_too(tmp_path: Path, state: State) -> None:
    State().save(tmp_path / "nothing")
    assert len(State.load(tmp_path / "nothing")) == 0
    state.reorder(torch.tensor([], dtype=torch.long)).save(tmp_path / "no rows")
    assert State.load(tmp_path / "no rows")["10.forward.h"].shape == (0, 3)


def test_states_that_share_memory_or_carry_a_gradient_are_saved(tmp_path: Path) -> None:
    cell = Cell("alias", "c' = tanh(W @ x + U @ c + V @ h)\nh' = c'")
    layer = Recurrent(cell, 3, 4, learn_initial_state=True)
    for state in (layer(torch.ones(2, 5, 3)).state, layer.initial_state(2)):
        state.save(tmp_path / "state")
        loaded = State.load(tmp_path / "state")
        assert plain(loaded) == {name: plain(state)[name] for name in loaded}
        assert set(loaded) == set(state)
    columns = State({"h": torch.arange(6.0).reshape(2, 3).T})
    columns.save(tmp_path / "columns")
    assert State.load(tmp_path / "columns")["h"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no state file .*nowhere\.safetensors\.$"):
        State.load(tmp_path / "nowhere.safetensors")


def test_a_truncated_file(tmp_path: Path, state: State) -> None:
    path = tmp_path / "state.safetensors"
    state.save(path)
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 9, 1, 0):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match=r"state\.safetensors is no state file \(safetensors\): "):
            State.load(path)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("To be, or not to be, that is the question.", encoding="utf-8")
    torch.save({"h": torch.zeros(3, 2)}, tmp_path / "pickle")
    for name in ("text", "pickle"):
        with pytest.raises(UsageError, match=f"{name} is no state file"):
            State.load(tmp_path / name)
    save_file({"weight": torch.zeros(3, 2), "bias": torch.zeros(3)}, tmp_path / "weights")
    with pytest.raises(UsageError, match=r"are \(N, units\), and 'bias' has shape \(3,\)"):
        State.load(tmp_path / "weights")


def test_a_folder_is_no_file(tmp_path: Path, state: State) -> None:
    with pytest.raises(UsageError, match="is no state file"):
        State.load(tmp_path)
    for path in (tmp_path, tmp_path / "nowhere" / "state"):
        with pytest.raises(UsageError, match="the state cannot be written to "):
            state.save(path)
    assert list(tmp_path.iterdir()) == []
