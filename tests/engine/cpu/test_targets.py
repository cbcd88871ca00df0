"""Every cell of the library becomes machine code for other processors, with their vectors and fused multiply-adds."""

import re

import llvmlite.binding as llvm
import pytest
import torch

from unrolled.cells.library import LIBRARY
from unrolled.engine.cpu.compiled import Target, optimised
from unrolled.engine.cpu.form import shape_for
from unrolled.engine.cpu.kernel import emit_kernel
from unrolled.engine.cpu.outer import emit_outer
from unrolled.engine.cpu.product import emit_products
from unrolled.engine.passes import op_of
from unrolled.engine.plan import make_plan

TARGETS = {
    "aarch64": Target("aarch64-unknown-linux-gnu", "generic", "", 4),
    "haswell": Target("x86_64-unknown-linux-gnu", "haswell", "", 8),
    "skylake-avx512": Target("x86_64-unknown-linux-gnu", "skylake-avx512", "", 16),
}
FUSED = {
    "aarch64": r"\bfml[as]\s+v\d+\.4s",
    "haswell": r"\bvfn?m(add|sub)\w*ps\b.*%ymm",
    "skylake-avx512": r"\bvfn?m(add|sub)\w*ps\b.*%zmm",
}
DIVISION = {
    "aarch64": r"\bfdiv\s+v\d+\.4s",
    "haswell": r"\bvdivps\b.*%ymm",
    "skylake-avx512": r"\bvdivps\b.*%zmm",
}
DIVIDE = {"tanh", "sigmoid", "div"}
"""Ops whose code divides vectors."""

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()


def calls(assembly: str) -> set[str]:
    """The functions that are called by name and lie in another module."""
    found = set(re.findall(r"^\s*(?:bl|b|callq|jmp)[ \t]+([A-Za-z_]\w*)", assembly, re.MULTILINE))
    own = set(re.findall(r"^([A-Za-z_]\w*):", assembly, re.MULTILINE))
    return found - own


@pytest.mark.parametrize("name", TARGETS)
def test_the_products(name: str) -> None:
    target = TARGETS[name]
    shape = shape_for(torch.float32, target)
    module = emit_products(shape)
    emit_outer(module, shape)
    module.triple = target.triple
    assembly = target.machine().emit_assembly(optimised(module, target))
    tiles = sum(1 for _ in re.finditer(r"^tile_\d+_\d+:", assembly, re.MULTILINE))
    assert tiles > shape.rows
    assert len(re.findall(FUSED[name], assembly)) > tiles
    assert not calls(assembly)


CASES = [(cell, name) for name in TARGETS for cell in (list(LIBRARY)[::3] if name == "haswell" else LIBRARY)]
"""The host is like haswell, or like skylake, for most who run these tests: every cell is compiled for it elsewhere."""


@pytest.mark.parametrize(("cell", "name"), CASES)
def test_a_cell(cell: str, name: str) -> None:
    target = TARGETS[name]
    shape = shape_for(torch.float32, target)
    plan = make_plan(LIBRARY[cell], (LIBRARY[cell].output,))
    known = {f"unrolled_{what}_{shape.suffix}" for what in ("product", "pack", "outer")}
    for which in ("training", "backward"):
        own = getattr(plan, which)
        kernel = emit_kernel(plan.split, own, which, shape, which == "backward", target.triple)
        assembly = target.machine().emit_assembly(optimised(kernel.module, target))
        assert f"{which}_run" in assembly
        assert calls(assembly) <= {*known, "sched_yield", "memset", "memcpy"}
        ops = {op_of(one.expression) for one in own.statements}
        if ops & DIVIDE:
            assert re.search(DIVISION[name], assembly)
            assert re.search(FUSED[name], assembly) or which == "backward"
