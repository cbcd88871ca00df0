"""What explain says is what a run does."""

import json
import re
from typing import Any

import pytest
import torch

from engine.cases import CELLS, gradients, make_case
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.engine.cpu import compiled, execute
from unrolled.engine.cpu.form import Form
from unrolled.engine.explain import Explanation, explain
from unrolled.engine.plan import make_plan
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent


def explained(cell: Cell, *sizes: int, **how: Any) -> Explanation:
    """Of a cell whose named sizes are 3."""
    return explain(cell, *sizes, sizes=dict.fromkeys(cell.program.named_sizes, 3), **how)


# What a run does


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "name", ["elman", "lstm", "lstm_projected", "gru_layer_norm", "gru_drop_connect", "lstm_zoneout"]
)
def test_a_run_has_the_memory_and_threads_that_are_named(
    name: str, training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(CELLS[name], "cpu", torch.float32, rows=5, steps=9, inputs=5, hidden=33)
    case = case if training else case.but(noise={})
    forms: list[Form] = []

    def note(*given: Any) -> Form:
        forms.append(real(*given))
        return forms[-1]

    real = execute.form_of
    monkeypatch.setattr(execute, "form_of", note)
    _ = gradients(case) if training else case.scan()
    monkeypatch.undo()
    found = explained(case.cell, 5, 9, 5, 33, training=training, record=case.cell.quantities)
    assert found.machine is not None
    assert list(found.machine.scratch_bytes) == (["forward", "backward"] if training else ["forward"])
    assert [form.layout.scratch.size * 4 for form in forms] == list(found.machine.scratch_bytes.values())
    assert forms[0].layout.numbers["chunk",] == found.machine.chunk
    assert {form.share.threads for form in forms} == {found.machine.threads}
    if found.memory is not None:
        assert found.memory.bytes == forms[0].layout.tape.size * 4
    assert (found.memory is None) is (not training)


@pytest.mark.parametrize("name", CELLS)
def test_the_formula_counts_what_is_kept(name: str) -> None:
    found = explained(CELLS[name], 4, 10, 5, 6)
    memory = found.memory
    assert memory is not None
    factors = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", memory.formula)
    assert eval(factors, {}, dict(found.sizes)) == memory.numbers
    plan = make_plan(CELLS[name], (CELLS[name].output,), frozenset(CELLS[name].noise))
    assert set(plan.kept) <= set(memory.kept)
    assert not set(memory.kept) & set(memory.again)
    assert 0 < memory.numbers * 4 <= memory.bytes


@pytest.mark.parametrize("name", LIBRARY)
def test_the_statements_of_all_stages_are_the_cell(name: str) -> None:
    """Read as a text, in their order, they compute what the cell computes."""
    case = make_case(LIBRARY[name])
    found = explained(case.cell, 3, 9, 5, 7, dtype=torch.float64, training=False)
    (only,) = found.passes
    lines = "\n".join(line for stage in only.stages for line in stage.statements)
    for short, matrix in (line.split(" = ") for line in found.before):
        lines = lines.replace(short, matrix)
    text = re.sub(r"(?<![\w.])_(?=\w)", "of_", lines)  # a text's own names begin with no underscore
    text = text.replace("row_max(", "mean(")  # softmax may take off either
    again = case.cell.replaced("again", text)
    ours, theirs = case.but(cell=again).scan(), case.scan()
    assert_close(ours.outputs, theirs.outputs, "loop, numpy")
    assert set(ours.state) == set(theirs.state)
    for name, value in theirs.state.items():
        assert_close(ours.state[name], value, "loop, numpy")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", CELLS)
def test_what_is_read_or_kept_is_computed_or_given(name: str, training: bool) -> None:
    found = explained(CELLS[name], training=training)
    plan = make_plan(CELLS[name], (CELLS[name].output,), frozenset(CELLS[name].noise if training else ()))
    parts = plan.split
    given = {*parts.matrices, *parts.vectors, *parts.rows, *parts.steps, *parts.states, *parts.numbers}
    given |= {f"arrive.{key}" for key in parts.over_time} | {f"carry.{state}" for state in parts.states}
    for one in found.passes:
        statements = [line for stage in one.stages for line in stage.statements]
        computed = {line.split()[0] for line in statements}
        if one.name == "forward":
            assert set(found.memory.kept if found.memory else ()) <= computed
        products = [*one.hoisted, *one.sunk, *one.summed, *(text for stage in one.stages for text in stage.products)]
        assert read([*statements, *products]) <= computed | given
        given |= computed


def read(lines: list[str]) -> set[str]:
    """The names right of the equals signs; functions and ``.T`` are none."""
    texts = [re.sub(r"^\S+ [+-]?= ", "", line).replace(".T", "") for line in lines]
    return {name for text in texts for name in re.findall(r"(?<![\w.])[A-Za-z_][\w.]*'?(?![\w(])", text)}


def test_the_plan_of_an_lstm() -> None:
    found = explain(LIBRARY["lstm"], training=False)
    (only,) = found.passes
    (stage,) = only.stages
    assert list(stage.statements) == [str(one) for one in LIBRARY["lstm"].statements]
    assert stage.products == ("[U_i, U_f, U_o, U_g] @ h",)
    assert len(only.hoisted) == 1
    assert sorted(re.findall(r"W_\w", only.hoisted[0])) == ["W_f", "W_g", "W_i", "W_o"]
    assert (only.sunk, only.summed) == ((), ())


def test_the_plan_of_a_gru_has_a_stage_for_the_reset_state() -> None:
    forward, backward = explain(LIBRARY["gru"]).passes
    assert [stage.products for stage in forward.stages] == [("[U_r, U_z] @ h",), ("U_h @ _g2",)]
    assert len(backward.stages) == 3
    assert backward.sunk == ("d_x = W_h.T @ d__g5 + W_z.T @ d__z4 + W_r.T @ d__r4",)
    assert {line.split()[0] for line in backward.summed} == {
        f"d_{name}" for name in LIBRARY["gru"].parameters(1, 1)
    } - {
        "d_b_r",
        "d_b_z",
        "d_b_h",
    }


def test_what_torch_computes_beforehand_and_what_is_computed_again() -> None:
    found = explain(CELLS["gru_drop_connect"])
    assert found.before == ("_r2 = drop_U_r * U_r", "_z2 = drop_U_z * U_z", "_g2 = drop_U_h * U_h")
    assert found.memory is not None
    assert found.memory.again == ("_h2",)
    assert "torch, beforehand\n  _r2 = drop_U_r * U_r\n" in str(found)
    assert "computed again: _h2\n" in str(found)


def test_a_product_that_is_taken_off_shows_its_sign() -> None:
    (only,) = explain(LIBRARY["slstm"], training=False).passes
    assert only.stages[0].products == ("[R_i, -R_f, R_o, R_z] @ h",)


@pytest.mark.parametrize(
    ("name", "sizes", "shared", "threads"),
    [
        ("gru", (64, 100, 64, 64), "rows", 2),
        ("gru", (1, 1000, 512, 512), "units", 2),
        ("gru", (1, 10, 8, 8), "all", 1),
        ("gru_layer_norm", (1, 1000, 512, 512), "all", 1),
    ],
)
def test_threads_share_rows_or_units(name: str, sizes: tuple[int, ...], shared: str, threads: int) -> None:
    machine = explain(CELLS[name], *sizes, threads=2).machine
    assert machine is not None
    assert (machine.shared, machine.threads, machine.available) == (shared, threads, 2)
    alone = explain(CELLS[name], *sizes, threads=1)
    assert alone.machine is not None
    assert (alone.machine.shared, alone.machine.threads) == ("all", 1)
    assert "threads: 1 of 1\n" in str(alone)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7, 13, 25])
def test_the_register_tile_holds_the_rows_in_equal_blocks(rows: int) -> None:
    machine = explain(LIBRARY["lstm"], rows, threads=1).machine
    assert machine is not None
    assert machine.tile_rows <= rows
    assert machine.tile_panels == 1 or rows <= 3
    blocks = -(-rows // machine.tile_rows)
    assert blocks * (machine.tile_rows - 1) < rows  # no block of that size could be smaller by a row


def test_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "machine_code", None)
    monkeypatch.setattr("unrolled.engine.cpu.form.machine_code", None)
    assert explain(LIBRARY["cornn"], 3, 5, 4, 11).backend == "cpu"


def test_it_is_read_and_it_is_data() -> None:
    found = explained(CELLS["lstm_projected"], 2, 3, 4, 5)
    assert json.loads(json.dumps(found.to_dict()))["memory"]["kept"] == list(found.memory.kept if found.memory else ())
    text = str(found)
    assert text.startswith("lstm_projected: N 2, T 3, D 4, H 5, projection 3; float32, with gradients\nbackend: cpu")
    assert text.endswith(found.plan)
    assert all(len(line) <= 120 for line in text.splitlines())


# Which backend


def test_the_loop_is_chosen_with_its_reason() -> None:
    eighth = explain(LIBRARY["lstm"], dtype=torch.float8_e5m2)
    assert (eighth.backend, eighth.machine, eighth.passes) == ("loop", None, ())
    assert "torch.float8_e5m2" in eighth.reason
    assert str(eighth).splitlines()[1:] == [
        "backend: loop (plain torch, one op at a time), as its numbers are torch.float8_e5m2, and compiled code takes "
        "float16, bfloat16, float32 and float64",
        "kept for the way back: every step, whatever checkpoint is",
    ]
    assert len(str(explain(LIBRARY["lstm"], dtype=torch.float8_e5m2, training=False)).splitlines()) == 2
    assert explain(LIBRARY["lstm"], backend="loop").reason == "it is asked for"
    assert explain(LIBRARY["lstm"], backend="cpu").reason == "it is asked for"


def test_a_device_that_is_not_there_is_explained() -> None:
    found = explain(LIBRARY["lstm"], device="cuda")
    assert (found.backend, found.machine, found.passes, found.memory) == ("torch", None, (), None)
    assert str(found).splitlines()[1:] == [
        "backend: torch (torch's own kernel for all steps; on CUDA cuDNN's), as its tensors are on cuda, and torch has "
        "a kernel for its equations",
        "kept for the way back: every step, whatever checkpoint is",
    ]
    paper = explain(LIBRARY["gru"], device=torch.device("cuda", 1))
    assert paper.backend == "loop"
    assert paper.reason.startswith("its tensors are on cuda:1, and torch has kernels for the LSTM")
    assert "c, i is recorded" in explain(LIBRARY["lstm"], device="cuda", record=["h", "c", "i"]).reason
    assert explain(LIBRARY["lstm"], device="mps").reason == "its tensors are on mps"
    assert explain(LIBRARY["lstm"], backend="torch").reason == "it is asked for"


@pytest.mark.parametrize(
    ("backend", "stored", "numbers"),
    [
        ("torch", torch.float32, "float32, cast to bfloat16 by autocast"),
        ("torch", torch.float16, "float16, cast to bfloat16 by autocast"),
        ("torch", torch.bfloat16, "bfloat16"),
        ("torch", torch.float64, "float64"),
        ("loop", torch.float32, "float32"),
        ("cpu", torch.float32, "float32, apart from autocast"),
    ],
)
def test_what_autocast_makes_of_numbers(backend: str, stored: torch.dtype, numbers: str) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert explain(LIBRARY["lstm"], dtype=stored, backend=backend).numbers == numbers
    assert explain(LIBRARY["lstm"], dtype=torch.bfloat16, device="cuda").numbers == "bfloat16"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"backend": "cpu", "dtype": torch.float8_e5m2},
            "the backend cpu cannot do this run: its numbers are torch.float8_e5m2",
        ),
        ({"backend": "cpu", "device": "cuda"}, "the backend cpu cannot do this run: its tensors are on cuda"),
        ({"backend": "torch", "record": ["c"]}, "the backend torch cannot do this run: torch's kernels give the state"),
        ({"device": "cud"}, "there is no device 'cud'; torch's are called cpu, cuda"),
        ({"backend": "cup"}, "there is no backend 'cup' here"),
        ({"batch": 0}, "batch is a whole number from 1 on, and is 0"),
        ({"steps": -1}, "steps is a whole number from 1 on, and is -1"),
        ({"threads": 0}, "threads is a whole number from 1 on, and is 0"),
        ({"hidden_size": 0}, "the hidden size is a whole number from 1 on"),
        ({"sizes": {"projection": 3}}, "cell lstm has no size 'projection'"),
        ({"record": ["j"]}, "cell lstm has no quantity 'j' to record"),
    ],
)
def test_what_does_not_fit_is_said(how: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        explain(LIBRARY["lstm"], **how)


def test_a_layer_explains_itself() -> None:
    layer = Recurrent("gru", 8, [16, 4], num_layers=2, bidirectional=True)
    assert layer.explain(3, 7).sizes == {"N": 3, "T": 7, "D": 8, "H": 16}
    above = layer.explain(3, 7, layer=1)
    assert above.sizes == {"N": 3, "T": 7, "D": 32, "H": 4}
    assert above.training
    assert not layer.eval().explain(3, 7).training
    assert layer.half().explain(3, 7).numbers == "float16 storage, float32 arithmetic"
    layer.backend = "loop"
    assert layer.float().explain(3, 7).reason == "it is asked for"
    with pytest.raises(UsageError, match="there is no layer 2"):
        layer.explain(3, 7, layer=2)
    assert Recurrent("lstm_projected", 8, 16, sizes={"projection": 5}).explain(1, 1).sizes["projection"] == 5
