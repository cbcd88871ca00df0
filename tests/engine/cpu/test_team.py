"""The team of threads: who was late is not waited for again, and no thread's processors are changed for good."""

import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from engine.cases import CELLS, make_case, parts
from laws import assert_same
from unrolled.engine.cpu import team
from unrolled.engine.cpu.execute import Call
from unrolled.engine.cpu.team import PAUSE, threads_now, threads_there
from unrolled.layers.recurrent import Recurrent

SHARED_ROWS = {"rows": 32, "steps": 60, "inputs": 64, "hidden": 64}
SHARED_UNITS = {"rows": 1, "steps": 60, "inputs": 128, "hidden": 128}


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def pausing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses as they are outside of these tests, none begun."""
    monkeypatch.setattr(team, "_ALONE", (0.1, 5.0))
    monkeypatch.setattr(PAUSE, "next", 0.1)
    monkeypatch.setattr(PAUSE, "until", 0.0)


@pytest.mark.usefixtures("pausing")
def test_who_was_late_is_not_waited_for_and_asked_again_later() -> None:
    if threads_there(2) < 2:
        pytest.skip("torch has no team of threads here")
    assert threads_now(2) == 2
    PAUSE.was_late(True)
    assert threads_now(2) == 1
    assert PAUSE.next == 0.2
    PAUSE.until = time.monotonic() - 1.0
    assert threads_now(2) == 2
    for _ in range(9):
        PAUSE.was_late(True)
    assert PAUSE.next == 5.0  # at most
    PAUSE.was_late(False)
    assert PAUSE.next == 0.1
    assert threads_now(1) == 1


@pytest.mark.usefixtures("two_threads", "pausing")
@pytest.mark.parametrize("sizes", [SHARED_ROWS, SHARED_UNITS])
def test_a_pause_changes_the_threads_and_no_bit(sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(CELLS["lstm"], "cpu", torch.float32, **sizes)
    counts = []
    run = Call.run
    monkeypatch.setattr(Call, "run", lambda call: (counts.append(len(call.tape.shares)), run(call))[1])
    with torch.no_grad():
        PAUSE.until = 0.0
        together = parts(case.scan())
        PAUSE.until = time.monotonic() + 60.0
        alone = parts(case.scan())
    assert_same(alone, together)
    assert counts == [threads_there(2), 1]


@pytest.mark.usefixtures("two_threads", "pausing")
def test_who_was_late_once_is_not_late_in_every_later_run_of_the_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    if threads_there(2) < 2:
        pytest.skip("torch has no team of threads here")
    layer, x = Recurrent("lstm", 64, 64), torch.randn(32, 60, 64)
    seen: list[bool] = []
    monkeypatch.setattr(PAUSE, "was_late", seen.append)
    with torch.inference_mode():
        for _ in range(3):
            layer(x)
        ready = layer.one(0, "forward").repeat._ready[2]
        assert ready is not None
        ready.call.meeting[1] = 1
        layer(x)
        assert seen[-1]
        assert ready.call.meeting[1] == 0


def processors() -> dict[int, set[int]]:
    """Where each thread of this process may run."""
    found = {}
    for name in os.listdir("/proc/self/task"):
        try:
            found[int(name)] = os.sched_getaffinity(int(name))
        except ProcessLookupError:  # it has ended meanwhile
            continue
    return found


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not tell where threads may run")
@pytest.mark.usefixtures("two_threads")
def test_threads_keep_the_processors_that_they_may_use() -> None:
    case = make_case(CELLS["lstm"], "cpu", torch.float32, **SHARED_UNITS)
    parts(case.scan())
    before, ended = processors(), threading.Event()
    others = [threading.Thread(target=lambda: [None for _ in iter(ended.is_set, True)]) for _ in range(2)]
    for one in others:  # a busy machine: threads are put where they stand in each other's way
        one.start()
    for _ in range(30):
        time.sleep(0.003)
        parts(case.scan())
    ended.set()
    for one in others:
        one.join()
    after = processors()
    assert {thread: after[thread] for thread in before if thread in after} == before


ONE_PROCESSOR = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import torch
from engine.cases import CELLS, make_case, parts
torch.set_num_threads(2)
case = make_case(CELLS["lstm"], "cpu", torch.float32, rows=1, steps=60, inputs=128, hidden=128)
for _ in range(20):
    found = parts(case.scan())
print(found["outputs"].double().sum().item().hex())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not say where threads may run")
def test_two_threads_that_have_one_processor_do_not_hang() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", ONE_PROCESSOR]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    expected = parts(make_case(CELLS["lstm"], "cpu", torch.float32, **SHARED_UNITS).scan())["outputs"]
    assert done.stdout.strip() == expected.double().sum().item().hex()
