"""Plans of wirings: what each step reads and gives, and what fits."""

import re

import pytest

from unrolled.drawing.wiring import plan
from unrolled.errors import UsageError


def shape(wiring: str, steps: int) -> list[str]:
    """Each step as letters: r(eads x), f(ed with what was given), g(ives), d(ecodes)."""
    return [("f" if one.fed else "r") + "g" * one.gives + "d" * one.decodes for one in plan(wiring, steps).columns]


def test_what_each_step_reads_and_gives() -> None:
    assert shape("one-to-one", 1) == ["rg"]
    assert shape("one-to-many", 3) == ["rg", "fg", "fg"]
    assert shape("many-to-one", 3) == ["r", "r", "rg"]
    assert shape("many-to-many", 2) == ["rg", "rg"]
    assert shape("encoder-decoder", 2) == ["r", "r", "fgd", "fgd"]


def test_steps_suit_a_slide_where_none_are_asked_for() -> None:
    assert len(plan().columns) == 4
    assert len(plan(inside=True).columns) == 3
    assert len(plan("encoder-decoder").columns) == 6
    assert len(plan("one-to-one").columns) == 1
    assert plan(inside=True).opened == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"steps": 0}, "1 to 100 steps, and 0"),
        ({"steps": 101}, "1 to 100 steps, and 101"),
        ({"layers": 0}, "1 to 20 layers, and 0"),
        ({"wiring": "one-to-one", "steps": 2}, "one-to-one has one step, and 2 are asked for"),
        ({"wiring": "many-to-mny"}, "Did you mean 'many-to-many'?"),
        ({"wiring": "encoder-decoder", "bidirectional": True}, "its decoder writes from the beginning"),
        ({"wiring": "one-to-many", "bidirectional": True}, "each output is the next input"),
        ({"wiring": "one-to-one", "bidirectional": True}, "it has one step"),
    ],
)
def test_what_does_not_fit_is_told(arguments: dict, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        plan(**arguments)
