"""The noise of rewritten cells as a layer draws it: how often, over what, and for whom."""

import pytest
import torch
from torch import Tensor

from layers.by_hand import batch
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import drop_connect, variational_dropout, zoneout
from unrolled.errors import UsageError
from unrolled.layers.recurrent import Recurrent

ELMAN = LIBRARY["elman"]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


def drawn(cell: Cell, rows: int, steps: int, inputs: int, hidden: int) -> dict[str, Tensor]:
    """One draw of a layer's noise by name."""
    return Recurrent(cell, inputs, hidden).layers[0][0].draw_noise(batch(rows, steps, inputs))


def assert_tossed(values: Tensor, high: float, share: float) -> None:
    """Raise unless the values are ``high`` with the given share and zero otherwise (five standard deviations)."""
    assert set(values.unique().tolist()) == {0.0, high}
    deviation = (share * (1.0 - share) / values.numel()) ** 0.5
    assert abs(float((values > 0.0).double().mean()) - share) < 5.0 * deviation


def test_zoneout_is_drawn_for_every_row_step_and_unit() -> None:
    (values,) = drawn(zoneout(ELMAN, 0.3), 4, 50, 5, 60).values()
    assert values.shape == (4, 50, 60)
    assert_tossed(values, 1.0, 0.3)
    for dimension in range(3):
        assert not torch.equal(values.select(dimension, 0), values.select(dimension, 1))


def test_variational_dropout_is_drawn_for_every_row_and_unit_once_a_sequence() -> None:
    noise = drawn(variational_dropout(ELMAN, inputs=0.2, recurrent=0.5), 40, 3, 50, 70)
    assert {name: tuple(value.shape) for name, value in noise.items()} == {"drop_x": (40, 50), "drop_h": (40, 70)}
    assert_tossed(noise["drop_x"], 1.25, 0.8)
    assert_tossed(noise["drop_h"], 2.0, 0.5)


def test_drop_connect_is_drawn_for_every_weight_once_for_all() -> None:
    (values,) = drawn(drop_connect(ELMAN, 0.2), 4, 3, 5, 70).values()
    assert values.shape == (70, 70)
    assert_tossed(values, 1.25, 0.8)


def test_layers_directions_and_calls_draw_apart_and_in_eval_nobody_does() -> None:
    layer, x = Recurrent(drop_connect(ELMAN, 0.5), 20, 20, 2, bidirectional=True), batch(2, 3, 20)
    cells = [layer.layers[index][way] for index in (0, 1) for way in (0, 1)]
    drawn_twice = [one.draw_noise(x)["drop_U"] for one in cells for _ in range(2)]
    for at, one in enumerate(drawn_twice):
        assert not any(torch.equal(one, other) for other in drawn_twice[at + 1 :])
    layer.eval()
    assert all(one.draw_noise(x) == {} for one in cells)


def test_noise_comes_in_the_dtype_of_the_input() -> None:
    layer = Recurrent(zoneout(ELMAN, 0.3), 5, 7).double()
    assert layer(batch().double()).outputs.dtype == torch.float64


def test_noise_that_is_given_takes_the_place_of_what_is_drawn() -> None:
    layer, x = Recurrent(zoneout(ELMAN, 0.5), 5, 6, num_layers=2, bidirectional=True), batch(3, 7, 5)
    names = [f"{place}.{side}.zoneout_h" for place in range(2) for side in ("forward", "reverse")]
    kept = {name: torch.ones(3, 7, 6) for name in names}
    whole = layer(x, noise=kept)
    assert not whole.outputs.any()  # every unit keeps its start, which is zero
    some = layer.eval()(x, noise={names[3]: kept[names[3]]})
    assert not some.outputs[..., 6:].any()
    assert some.outputs[..., :6].any()
    first = torch.zeros(3, 7, 6)
    first[:, :3] = 1.0  # steps as they are, in a reverse layer too
    part = Recurrent(zoneout(ELMAN, 0.5), 5, 6, bidirectional=True).eval()(x, noise={"0.reverse.zoneout_h": first})
    assert torch.equal(part.outputs[:, 0, 6:], part.outputs[:, 2, 6:])
    assert not torch.equal(part.outputs[:, 3, 6:], part.outputs[:, 4, 6:])
    for wrong in ("0.forward.h", "2.forward.zoneout_h", "zoneout_h"):
        with pytest.raises(UsageError, match=f"no noise '{wrong}' here; cell elman_zoneout has zoneout_h"):
            layer(x, noise={wrong: first})
