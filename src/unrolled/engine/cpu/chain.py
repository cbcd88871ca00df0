"""Passes that read each other's output, side by side: each goes through time some steps behind the one before it."""

import ctypes
from collections.abc import Sequence

from unrolled.engine.cpu.execute import Call
from unrolled.engine.cpu.team import new_meeting, orders_for, run_jobs, threads_there

_BLOCK, _BLOCKS = 8, 16
"""Steps that a call is behind the one before it, at least; and in how many blocks it goes, at most."""


def run_chain(calls: Sequence[Call]) -> None:
    """Run calls of one code side by side, each on a thread, some steps behind the one whose output it reads."""
    form, steps = calls[0].form, calls[0].inputs.shape[1]
    meetings = [new_meeting() for _ in calls]
    block = max(_BLOCK, steps // _BLOCKS)
    for number, call in enumerate(calls):
        kept = call.form.layout.numbers["chunk",]
        call.table[call.form.chunk] = min(kept, block)
        call.table[call.form.done] = ctypes.addressof(meetings[number])
        call.table[call.form.before] = ctypes.addressof(meetings[number - 1]) if number else 0
    tables = [ctypes.addressof(call.table) for call in calls]
    jobs = [(0, 1, *call.tape.shares[0]) for call in calls]
    if len(calls) == 1 or not (
        threads_there(len(calls)) == len(calls) and run_jobs(orders_for(form.address, jobs), tables, meetings)
    ):
        for table, job in zip(tables, jobs, strict=True):  # what is read is there before it is waited for
            form.code(table, *job)
    for call in calls:
        call.table[call.form.done] = call.table[call.form.before] = 0
        call.table[call.form.chunk] = call.form.layout.numbers["chunk",]
