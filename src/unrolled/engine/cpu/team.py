"""The threads that share a pass: torch's own OpenMP team, so that no two teams fight for one processor.

A team whose threads wait for each other is only as fast as its slowest one. Where other programs hold a processor, or
two threads were put on one, waiting takes milliseconds. So a thread that finds itself on the processor of the one that
called it moves away; and a pass in which somebody was waited for too long is the last on several threads for a while.
Results do not depend on how many there are.
"""

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from llvmlite import ir

from unrolled.engine.cpu.compiled import COMPILING, Library, host, machine_code
from unrolled.engine.cpu.emit import I64, Body, Value, declare, whole

ARGUMENTS = 7
"""What a job is given: its table, its number, how many there are, rows from and to, its part of the units and of how
many parts."""
_CODE, _COUNT, _REFUSED, _STARTED, _PROCESSOR, _LATE, _JOBS = range(7)
_PATIENCE = 1 << 15
"""Looks at a barrier, some hundred microseconds together, before the processor is offered to others: whoever takes it
keeps it for milliseconds, and those who are waited for are mostly about to come."""
_LOOKS = 64
"""Looks at whether the others have begun, before the processor is offered to them."""
_ALONE = (0.1, 5.0)
"""Seconds in which passes take one thread after one in which somebody was late; doubled each time, and at most."""
_MASKS = 128
"""Bytes of a set of processors, as Linux takes it."""
_PROCESS = os.getpid()


Meeting = ctypes.Array[ctypes.c_int64]
"""Where jobs wait for each other: a counter, and how often somebody's patience ended there."""


def new_meeting() -> Meeting:
    """A meeting to which nobody has come."""
    return (ctypes.c_int64 * 2)()


def job_type() -> ir.FunctionType:
    """The type of a job's code."""
    return ir.FunctionType(ir.VoidType(), [I64.as_pointer(), *[I64] * (ARGUMENTS - 1)])


def emit_barrier(body: Body, counter: Value, parties: Value) -> None:
    """Wait until all parties have come here; the counter begins at zero and only grows."""
    b = body.b
    with b.if_then(b.icmp_signed(">", parties, whole(1))):
        before = b.atomic_rmw("add", counter, whole(1), "acq_rel")
        emit_wait(body, counter, b.mul(b.add(b.sdiv(before, parties), whole(1)), parties))


def emit_wait(body: Body, counter: Value, goal: Value) -> None:
    """Wait until a counter has come so far. Behind it stands how often somebody's patience ended."""
    b, entry = body.b, body.b.block
    look, again, behind = (b.append_basic_block(name) for name in ("look", "again", "met"))
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
        b.atomic_rmw("add", body.at(counter, whole(1)), whole(1), "monotonic")
        b.call(_system(module, "sched_yield"), [])  # the other may be waiting for this very processor
    count.add_incoming(more, b.block)
    b.branch(look)
    b.position_at_end(behind)


def _system(module: ir.Module, name: str, arguments: Sequence[ir.Type] = ()) -> ir.Function:
    kind = ir.FunctionType(ir.IntType(32), arguments)
    return module.globals.get(name) or ir.Function(module, kind, name)


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
            caller = b.icmp_signed("==", number, whole(0))
            _emit_begin(body, orders, here, caller)
            b.call(code, [b.inttoptr(table, I64.as_pointer()), *rest])
            with b.if_then(caller):
                _emit_wait_until_begun(body, orders, here)
        with short:
            b.store(whole(1), body.at(orders, whole(_REFUSED)))
    body.done()
    return module


def _emit_begin(body: Body, orders: Value, count: Value, caller: Value) -> None:
    """Say that this thread has begun, and see to it that it has another processor than the caller."""
    b, module = body.b, body.function.module
    own = b.sext(b.call(_system(module, "sched_getcpu"), []), I64)
    with b.if_else(caller) as (first, other):
        with first:
            b.store_atomic(own, body.at(orders, whole(_PROCESSOR)), "release", 8)
            b.atomic_rmw("add", body.at(orders, whole(_STARTED)), whole(1), "acq_rel")
            _emit_offer(body, orders, count)
        with other:
            callers = b.load_atomic(body.at(orders, whole(_PROCESSOR)), "acquire", 8)
            with b.if_then(b.icmp_signed("==", own, callers)):
                _emit_move_away(body, own)
            b.atomic_rmw("add", body.at(orders, whole(_STARTED)), whole(1), "acq_rel")


def _emit_offer(body: Body, orders: Value, count: Value) -> None:
    """Offer the processor once, where after some looks not all have begun: one may be waiting for it."""
    b, entry = body.b, body.b.block
    look, again, behind = (b.append_basic_block(name) for name in ("wait", "once_more", "begun"))
    b.branch(look)
    b.position_at_end(look)
    seen = b.phi(I64)
    seen.add_incoming(whole(0), entry)
    there = b.icmp_signed(">=", b.load_atomic(body.at(orders, whole(_STARTED)), "acquire", 8), count)
    b.cbranch(b.or_(there, b.icmp_signed(">=", seen, whole(_LOOKS))), behind, again)
    b.position_at_end(again)
    seen.add_incoming(b.add(seen, whole(1)), again)
    b.branch(look)
    b.position_at_end(behind)
    with b.if_then(b.not_(there)):
        b.call(_system(body.function.module, "sched_yield"), [])


def _emit_wait_until_begun(body: Body, orders: Value, count: Value) -> None:
    """Offer the processor until all have begun; who has not when the caller is done with its own share is late."""
    b = body.b
    look, late, behind = (b.append_basic_block(name) for name in ("all_begun", "late", "nobody_missing"))
    b.branch(look)
    b.position_at_end(look)
    there = b.icmp_signed(">=", b.load_atomic(body.at(orders, whole(_STARTED)), "acquire", 8), count)
    b.cbranch(there, behind, late)
    b.position_at_end(late)
    b.store(whole(1), body.at(orders, whole(_LATE)))
    b.call(_system(body.function.module, "sched_yield"), [])
    b.branch(look)
    b.position_at_end(behind)


def _emit_move_away(body: Body, processor: Value) -> None:
    """Leave a processor for any other that this thread may use, by forbidding it for a moment."""
    b, module = body.b, body.function.module
    words = _MASKS // 8
    size, kinds = whole(_MASKS), [ir.IntType(32), I64, I64.as_pointer()]
    get, set_ = (_system(module, name, kinds) for name in ("sched_getaffinity", "sched_setaffinity"))
    with b.goto_entry_block():
        allowed, others = b.alloca(I64, words), b.alloca(I64, words)
    here = ir.Constant(ir.IntType(32), 0)
    known = b.icmp_signed("==", b.call(get, [here, size, allowed]), ir.Constant(ir.IntType(32), 0))
    with b.if_then(b.and_(known, b.icmp_signed("<", processor, whole(8 * _MASKS)))):
        for word in range(words):
            b.store(body.load(allowed, whole(word)), body.at(others, whole(word)))
        place = body.at(others, b.lshr(processor, whole(6)))
        bit = b.shl(whole(1), b.and_(processor, whole(63)))
        b.store(b.and_(b.load(place), b.not_(bit)), place)
        b.call(set_, [here, size, others])  # refused where no other is left
        b.call(set_, [here, size, allowed])


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
    openmp = ("GOMP_parallel", "omp_get_num_threads", "omp_get_thread_num")
    linux = ("sched_getcpu", "sched_getaffinity", "sched_setaffinity", "sched_yield")
    if not all(hasattr(system, name) for name in (*openmp, *linux)):
        return None
    library = Library(machine_code(_emit_member(), host()), host())
    types = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel = ctypes.CFUNCTYPE(None, *types)(("GOMP_parallel", system))
    return _Team(library, library.address("unrolled_member"), parallel)


def threads_there(wanted: int) -> int:
    """How many of the wanted threads can be had: one where there is no team, or where it was lost in a fork."""
    return wanted if wanted > 1 and os.getpid() == _PROCESS and _team() is not None else 1


class _Pause:
    """Until when passes take one thread, as the last one on several had to wait."""

    def __init__(self) -> None:
        self.until, self.next = 0.0, _ALONE[0]

    def was_late(self, late: bool) -> None:
        """Take in whether somebody was waited for too long."""
        if late:
            self.until, self.next = time.monotonic() + self.next, min(2 * self.next, _ALONE[1])
        else:
            self.next = _ALONE[0]


PAUSE = _Pause()


def threads_now(wanted: int) -> int:
    """How many threads a pass should take of those that are wanted."""
    if wanted > 1 and PAUSE.until > time.monotonic():
        return 1
    return threads_there(wanted)


def orders_for(code: int, jobs: Sequence[Sequence[int]]) -> ctypes.Array[ctypes.c_int64]:
    """Orders for jobs, each with its arguments (:data:`ARGUMENTS`) but for the table, which is missing."""
    flat = [number for job in jobs for number in (0, *job)]
    return (ctypes.c_int64 * (_JOBS + len(flat)))(code, len(jobs), 0, 0, -1, 0, *flat)


def shared_out(shares: Sequence[tuple[int, int, int, int]]) -> list[tuple[int, ...]]:
    """A job for each share of one pass: rows from and to, part of the units, of how many parts."""
    return [(number, len(shares), *share) for number, share in enumerate(shares)]


def run_jobs(orders: ctypes.Array[ctypes.c_int64], tables: Sequence[int], meetings: Sequence[Meeting]) -> bool:
    """Run jobs side by side, one a thread; false, with nothing done, where the team has too few threads just now.

    Args:
        orders: What :func:`orders_for` gives; they are copied.
        tables: The address of each job's table.
        meetings: All places where jobs wait for each other.
    """
    own = type(orders).from_buffer_copy(orders)
    for number, table in enumerate(tables):
        own[_JOBS + ARGUMENTS * number] = table
    team = _team()
    assert team is not None
    team.parallel(team.member, ctypes.addressof(own), len(tables), 0)
    late = bool(own[_LATE])
    for meeting in meetings:  # they may be used again
        late, meeting[1] = late or meeting[1] > 0, 0
    PAUSE.was_late(late)
    return not own[_REFUSED]
