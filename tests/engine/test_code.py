"""The code that is printed: every statement stands in it, and it is the same text in every process."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.cases import CELLS
from unrolled.cells.library import LIBRARY
from unrolled.engine.cpu.compiled import Target
from unrolled.engine.explain import PASSES, code
from unrolled.engine.plan import make_plan
from unrolled.errors import UsageError

GOLDEN = Path(__file__).with_name("golden") / "elman_forward.ll"
EIGHT_WIDE = Target("x86_64-unknown-linux-gnu", "", "", 8)


def elman() -> str:
    return code(LIBRARY["elman"], target=EIGHT_WIDE)


def test_the_code_of_an_elman_cell_is_the_golden_file() -> None:
    """Where the emitter was changed on purpose, renew it, and read what changed:

    PYTHONPATH=tests python -c "from engine.test_code import GOLDEN, elman; GOLDEN.write_text(elman())"
    """
    assert elman() == GOLDEN.read_text(encoding="utf-8")


COMMENTED = ["elman", "lstm", "gru_layer_norm", "slstm_blocks", "gru_zoneout"]


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("name", COMMENTED)
def test_every_statement_stands_above_its_code(name: str, which: str) -> None:
    cell = CELLS[name]
    text = code(cell, which, target=EIGHT_WIDE)
    own = getattr(make_plan(cell, (cell.output,), frozenset(cell.noise if which != "forward" else ())), which)
    comments = re.findall(r"^  ; (.*)$", text, re.MULTILINE)
    assert comments == [str(one) for one in own.statements]
    head = [line.removeprefix(";").removeprefix(" ") for line in text.split("; ModuleID")[0].splitlines()]
    assert "\n".join(head[1:]).startswith(cell.text())


def test_code_is_for_a_width_and_a_dtype() -> None:
    assert "<8 x float>" in elman()
    assert "<4 x double>" in code(LIBRARY["elman"], dtype=torch.float64, target=EIGHT_WIDE)
    assert "<16 x float>" in code(LIBRARY["elman"], target=Target("x86_64-unknown-linux-gnu", "", "", 16))
    with pytest.raises(UsageError, match="there is no pass 'foward'; .* Did you mean 'forward'"):
        code(LIBRARY["elman"], "foward")


EMIT_ALL = """
import hashlib, sys
from engine.cases import CELLS
from engine.test_code import EIGHT_WIDE
from unrolled.engine.explain import code
found = {}
for name in sorted(CELLS, reverse=sys.argv[1] == "backwards"):
    for which in ("training", "backward"):
        text = code(CELLS[name], which, record=CELLS[name].quantities, target=EIGHT_WIDE)
        found[f"{name} {which}"] = hashlib.sha256(text.encode()).hexdigest()
print(*(f"{key} {found[key]}" for key in sorted(found)), sep="\\n")
"""


def test_every_cell_has_the_same_code_in_every_process() -> None:
    """Whatever the order in which Python's sets come, and whatever was emitted before."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", EMIT_ALL, order],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, order in (("1", "forwards"), ("2", "backwards"))
    ]
    one, other = (process.communicate(timeout=300)[0].splitlines() for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert len(one) == 2 * len(CELLS)
    assert [line for line, twin in zip(one, other, strict=True) if line != twin] == []
