"""The unrolled net: tidy for every cell and wiring, each arrow where the wiring has one, named as the equations do."""

import pytest
from hypothesis import given, settings

from drawing.tidy import check
from equations.programs import Draft, drafts
from unrolled.cells.library import LIBRARY
from unrolled.drawing.net import unroll
from unrolled.drawing.scene import Scene
from unrolled.drawing.wiring import WIRINGS, plan
from unrolled.equations.cell import Cell
from unrolled.inspection.coloured import random_run


def texts(scene: Scene) -> list[str]:
    return [one.text for one in scene.texts if one.text]


@pytest.mark.parametrize("name", LIBRARY)
def test_every_cell_is_tidy_in_every_wiring(name: str) -> None:
    cell = LIBRARY[name]
    for number, wiring in enumerate(WIRINGS):
        both = wiring.startswith("many")
        planned = plan(wiring, layers=1 + number % 2, bidirectional=both and number % 2 == 0, inside=number % 2 == 0)
        check(unroll(cell, planned))
    planned = plan("many-to-many", 2, 2, bidirectional=True, inside=True)
    check(unroll(cell, planned, random_run(cell, planned)))
    planned = plan("encoder-decoder", 2, inside=True)
    check(unroll(cell, planned, random_run(cell, planned)))


@pytest.mark.parametrize("name", ["lstm_output_fed_back", "slstm", "sru", "cornn"])
def test_matplotlib_measures_the_same(name: str) -> None:
    planned = plan("many-to-many", 2, 2, inside=True)
    check(unroll(LIBRARY[name], planned, random_run(LIBRARY[name], planned)), rendered=True)


@settings(max_examples=8)
@given(drafts())
def test_every_text_is_tidy(draft: Draft) -> None:
    cell = Cell("random", draft.text)
    check(unroll(cell, plan(inside=True)))
    check(unroll(cell, plan("many-to-one", 2, 2, bidirectional=True)))


@pytest.mark.parametrize(
    "cell",
    [
        Cell("a $ very long name_of_something " + "that_never_ends_" * 8 + "x" * 40, "h' = tanh(W @ x + U @ h)"),
        Cell("long", "a_rather_long_name' = tanh(Weights_of_the_input @ x + Weights_of_the_past @ a_rather_long_name)"),
        Cell("read", "h' = h + tanh(Weights_of_the_input_that_go_on @ x)"),
        Cell("letters", "α' = tanh(Ω @ x + Ψ_größe @ α)"),
        Cell("many", "\n".join(f"s{i}' = tanh(W_{i} @ x + U_{i} @ s{i} + V_{i} @ s{(i + 1) % 7})" for i in range(7))),
    ],
    ids=lambda cell: cell.name[:6],
)
def test_names_of_any_length_and_any_number_of_states_have_room(cell: Cell) -> None:
    check(unroll(cell, plan()))
    check(unroll(cell, plan("encoder-decoder", 5)))
    check(unroll(cell, plan("many-to-one", bidirectional=True)))
    check(unroll(cell, plan(inside=True, steps=2, layers=2, bidirectional=True)))


def test_an_lstm_over_three_steps() -> None:
    scene = unroll(LIBRARY["lstm"], plan(steps=3))
    expected = ["lstm, many-to-many", *["lstm"] * 3]
    expected += [f"${name}_{{{step}}}$" for name in "ch" for step in range(4)]
    expected += [f"${name}_{{{step}}}$" for name in "xyh" for step in (1, 2, 3)]
    expected += ["$U_{i,f,o,g}$", "$W_{i,f,o,g}$"] * 3
    assert sorted(texts(scene)) == sorted(expected)
    assert len(scene.lines) == 2 * 4 + 3 + 3
    x, c, y = ({one.text: one for one in scene.texts}[name] for name in ("$x_{2}$", "$c_{1}$", "$y_{2}$"))
    assert y.y < c.y < x.y
    assert c.x < x.x == y.x < {one.text: one for one in scene.texts}["$c_{2}$"].x


def test_time_runs_backwards_in_the_reverse_direction() -> None:
    scene = unroll(LIBRARY["elman"], plan(steps=2, bidirectional=True))
    found = {one.text: one for one in scene.texts}
    assert (
        found[r"$\overleftarrow{h}_{1}$"].x < found[r"$\overleftarrow{h}_{2}$"].x < found[r"$\overleftarrow{h}_{3}$"].x
    )
    carried = [one.points for one in scene.lines if one.colour == "#2b6cb0"]
    assert [begin[0] < end[0] for begin, end in carried] == [True] * 3 + [False] * 3
    assert r"$[\overrightarrow{h}_{1};\, \overleftarrow{h}_{1}]$" in found
    last = unroll(LIBRARY["elman"], plan("many-to-one", 2, bidirectional=True))
    assert r"$[\overrightarrow{h}_{2};\, \overleftarrow{h}_{1}]$" in texts(last)


def test_layers_are_stacked_and_told_apart() -> None:
    scene = unroll(LIBRARY["gru"], plan(steps=1, layers=2))
    found = {one.text: one for one in scene.texts}
    assert found["$h_{1}^{(2)}$"].y < found["$h_{1}^{(1)}$"].y
    assert found["$W_{r,z,h}^{(2)}$"].y < found["$W_{r,z,h}^{(1)}$"].y


def test_what_each_wiring_reads_gives_and_feeds_back() -> None:
    elman = LIBRARY["elman"]
    assert [text for text in texts(unroll(elman, plan("one-to-one"))) if "$" in text] == ["$W$", "$x$", "$y$", "$h$"]
    many = unroll(elman, plan("one-to-many", 3))
    assert [text for text in texts(many) if text[1] in "xy"] == [
        "$x$",
        "$y_{1}$",
        "$y_{2}$",
        "$y_{1}$",
        "$y_{2}$",
        "$y_{3}$",
    ]
    assert sum(one.dashed for one in many.lines) == 2
    one = unroll(elman, plan("many-to-one", 3))
    assert [text for text in texts(one) if text[1] in "xy"] == ["$x_{1}$", "$x_{2}$", "$x_{3}$", "$y$"]
    both = unroll(elman, plan("encoder-decoder", 2))
    assert [text for text in texts(both) if text[1] in "xy"] == [
        "$x_{1}$", "$x_{2}$", "$y_{0}$", "$y_{1}$", "$y_{1}$", "$y_{2}$",
    ]  # fmt: skip
    assert {"encoder", "decoder", r"$U^{\mathrm{d}}$", r"$h_{2}^{\mathrm{d}}$"} <= set(texts(both))


def test_the_output_is_called_what_it_is() -> None:
    """Where the cell's own output is y, it stands above; else an output side's y, with a hat if the cell has one."""
    own = texts(unroll(LIBRARY["unit"], plan(steps=1)))
    assert own.count("$y_{1}$") == 1
    assert "$W_{3}$" in own
    assert r"$y_{1}^{\mathrm{d}}$" not in texts(unroll(LIBRARY["unit"], plan("encoder-decoder")))
    hidden = Cell("c", "y = tanh(W @ x)\nh' = y + U @ h")
    assert {r"$\hat{y}_{1}$", "$h_{1}$"} <= set(texts(unroll(hidden, plan(steps=1))))


def test_values_stand_on_the_arrows_that_carry_them() -> None:
    planned = plan(steps=3, bidirectional=True)
    run = random_run(LIBRARY["elman"], planned, seed=3)
    scene = unroll(LIBRARY["elman"], planned, run)
    for direction, order in (("forward", 1), ("reverse", -1)):
        series = [tuple(step) for step in run.quantities[False, 0, direction, "h"]]
        rows = [sorted((one for one in scene.strips if one.values == step), key=lambda one: one.y) for step in series]
        places = [one.x for row in rows[1:] for one in row]  # what they begin with are zeros, twice
        assert places == sorted(places)[::order]
        assert len(places) == 3
    assert [one.values for one in scene.strips if one.values == tuple(run.inputs[1])] == [tuple(run.inputs[1])]


def test_a_run_of_many_numbers_is_coloured_by_all_but_a_few() -> None:
    planned = plan(steps=3)
    run = random_run(LIBRARY["slstm"], planned)
    assert run.is_cut  # m begins at -1e6
    assert run.reach < 10
    assert any(text.startswith("≤ −") for text in texts(unroll(LIBRARY["slstm"], planned, run)))
