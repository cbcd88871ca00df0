"""The threads that share a pass: torch's own OpenMP team, so that no two teams fight for one processor."""

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from llvmlite import ir

from unrolled.engine.cpu.compiled import COMPILING, Library, host, machine_code
from unrolled.engine.cpu.emit import I64, Body, Value, declare, whole

ARGUMENTS = 7
"""What a job is given: its table, its number, how many there are, rows from and to, its part of the units and of how
many parts."""
_CODE, _COUNT, _REFUSED, _JOBS = range(4)
_PATIENCE = 1 << 15
"""Looks at a barrier, some hundred microseconds together, before the processor is offered to others: whoever takes it
keeps it for milliseconds, and those who are waited for are mostly about to come."""
_PROCESS = os.getpid()


def job_type() -> ir.FunctionType:
    """The type of a job's code."""
    return ir.FunctionType(ir.VoidType(), [I64.as_pointer(), *[I64] * (ARGUMENTS - 1)])


def emit_barrier(body: Body, counter: Value, parties: Value) -> None:
    """Wait until all parties have come here; the counter begins at zero and only grows."""
    b = body.b
    with b.if_then(b.icmp_signed(">", parties, whole(1))):
        before = b.atomic_rmw("add", counter, whole(1), "acq_rel")
        goal = b.mul(b.add(b.sdiv(before, parties), whole(1)), parties)
        entry, look, again, behind = b.block, *(b.append_basic_block(name) for name in ("look", "again", "met"))
        b.branch(look)
        b.position_at_end(look)
        count = b.phi(I64)
        count.add_incoming(whole(0), entry)
        b.cbranch(b.icmp_signed(">=", b.load_atomic(counter, "acquire", 8), goal), behind, again)
        b.position_at_end(again)
        module = body.function.module
        if module.triple.startswith("x86_64"):
            b.call(declare(module, "llvm.x86.sse2.pause", []), [])
        more = b.add(count, whole(1))
        with b.if_then(b.icmp_signed("==", b.and_(more, whole(_PATIENCE - 1)), whole(0))):
            b.call(_system(module, "sched_yield"), [])  # the other may be waiting for this very processor
        count.add_incoming(more, b.block)
        b.branch(look)
        b.position_at_end(behind)


def _system(module: ir.Module, name: str) -> ir.Function:
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(ir.IntType(32), []), name)


def _emit_member() -> ir.Module:
    """What each thread of the team runs: its own job, if the team has as many threads as there are jobs."""
    module = ir.Module("unrolled_team")
    function = declare(module, "unrolled_member", [I64.as_pointer()])
    (orders,) = function.args
    body = Body(function)
    b = body.b
    here = b.sext(b.call(_system(module, "omp_get_num_threads"), []), I64)
    number = b.sext(b.call(_system(module, "omp_get_thread_num"), []), I64)
    with b.if_else(b.icmp_signed("==", here, body.load(orders, whole(_COUNT)))) as (complete, short):
        with complete:
            code = b.inttoptr(body.load(orders, whole(_CODE)), job_type().as_pointer())
            job = body.at(orders, body.add(whole(_JOBS), body.mul(number, whole(ARGUMENTS))))
            table, *rest = (body.load(job, whole(place)) for place in range(ARGUMENTS))
            b.call(code, [b.inttoptr(table, I64.as_pointer()), *rest])
        with short:
            b.store(whole(1), body.at(orders, whole(_REFUSED)))
    body.done()
    return module


class _Team(NamedTuple):
    library: Library
    member: int
    """The address of the function that each thread runs."""
    parallel: Callable[[int, int, int, int], None]


def _team() -> _Team | None:
    """The compiled member function, or None where torch has no OpenMP team that can be asked."""
    with COMPILING:
        return _made_team()


@cache
def _made_team() -> _Team | None:
    system = ctypes.CDLL(None)
    if not all(hasattr(system, name) for name in ("GOMP_parallel", "omp_get_num_threads", "omp_get_thread_num")):
        return None
    library = Library(machine_code(_emit_member(), host()), host())
    types = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel = ctypes.CFUNCTYPE(None, *types)(("GOMP_parallel", system))
    return _Team(library, library.address("unrolled_member"), parallel)


def threads_there(wanted: int) -> int:
    """How many of the wanted threads can be had: one where there is no team, or where it was lost in a fork."""
    return wanted if wanted > 1 and os.getpid() == _PROCESS and _team() is not None else 1


def orders_for(code: int, shares: Sequence[tuple[int, int, int, int]]) -> ctypes.Array[ctypes.c_int64]:
    """Orders for one job a share (rows from and to, part of the units, of how many parts); their table is missing."""
    count = len(shares)
    flat = [number for thread, share in enumerate(shares) for number in (0, thread, count, *share)]
    return (ctypes.c_int64 * (_JOBS + len(flat)))(code, count, 0, *flat)


def run_jobs(orders: ctypes.Array[ctypes.c_int64], table: int) -> bool:
    """Run jobs side by side, one a thread; false, with nothing done, where the team has too few threads just now."""
    own, count = type(orders).from_buffer_copy(orders), orders[_COUNT]
    for place in range(_JOBS, _JOBS + ARGUMENTS * count, ARGUMENTS):
        own[place] = table
    team = _team()
    assert team is not None
    team.parallel(team.member, ctypes.addressof(own), count, 0)
    return not own[_REFUSED]
