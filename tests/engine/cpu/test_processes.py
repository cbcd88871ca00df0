"""Threads of Python, forks, and processes that share code on disk: the same bits everywhere, nothing hangs or dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.cases import CELLS, Case, gradients, make_case, parts, ragged
from laws import assert_same
from unrolled.engine.cpu import compiled, execute
from unrolled.engine.cpu.arena import ARENA

TESTS = Path(__file__).resolve().parents[2]
NAMES = ("lstm", "gru", "elman", "cornn")


def everything(case: Case) -> dict[str, Tensor]:
    return {**parts(case.scan()), **gradients(case)}


def case_number(place: int) -> Case:
    """Cells and sizes that differ from number to number."""
    sizes = {"rows": 3 + place, "steps": 20 + 7 * place, "inputs": 5, "hidden": 16 + 9 * place}
    return ragged(make_case(CELLS[NAMES[place % len(NAMES)]], "cpu", torch.float32, **sizes))


# Threads of Python


@pytest.mark.parametrize("inner", [1, 2])
def test_threads_of_python_do_not_disturb_each_other(inner: int) -> None:
    torch.set_num_threads(inner)
    try:
        cases = [case_number(place) for place in range(4)]
        expected = [everything(case) for case in cases]
        results: list[list[dict[str, Tensor]]] = [[] for _ in cases]

        def work(place: int) -> None:
            for _ in range(10):
                results[place].append(everything(cases[place]))

        _side_by_side([lambda place=place: work(place) for place in range(4)])
    finally:
        torch.set_num_threads(1)
    for own, whole in zip(results, expected, strict=True):
        assert len(own) == 10
        for one in own:
            assert_same(one, whole)


@pytest.mark.parametrize("rows", [1, 6])
@pytest.mark.parametrize("uneven", [False, True])
def test_where_the_team_is_too_small_threads_of_our_own_do_the_same(
    rows: int, uneven: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(CELLS["lstm"], "cpu", torch.float32, rows=rows, steps=150, inputs=40, hidden=130)
    case = ragged(case) if uneven else case
    torch.set_num_threads(2)
    refused = []
    try:
        whole = everything(case)
        monkeypatch.setattr(execute, "run_jobs", lambda *_: bool(refused.append(1)))
        assert_same(everything(case), whole)
    finally:
        torch.set_num_threads(1)
    assert len(refused) >= 2


def _side_by_side(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread hangs"


# Forks


def nothing() -> None:
    time.sleep(0.01)


def in_a_fork(work: Callable[[], bool], meanwhile: Callable[[], None] = nothing, limit: float = 30.0) -> None:
    """Raise unless ``work`` gives true in a child of this process within the time; ``meanwhile`` runs in the parent."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    until, done, status = time.monotonic() + limit, 0, 0
    try:
        while not done and time.monotonic() < until:
            meanwhile()
            done, status = os.waitpid(child, os.WNOHANG)
    finally:
        if not done:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert done, "the child hangs"
    assert os.waitstatus_to_exitcode(status) == 0, f"the child ended with {os.waitstatus_to_exitcode(status)}"


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fork_computes_the_same(threads: int) -> None:
    torch.set_num_threads(threads)
    try:
        # Work enough for our threads, of which the child has none; tensors too small for torch's own, which would hang.
        case = make_case(CELLS["lstm"], "cpu", torch.float32, rows=12, steps=30, inputs=16, hidden=64)
        expected = parts(case.scan())
        # No gradients here: autograd itself refuses to go backward in a fork of a process in which it had threads.
        in_a_fork(lambda: same(parts(case.scan()), expected))
        assert_same(parts(case.scan()), expected)
    finally:
        torch.set_num_threads(1)


def test_memory_of_a_fork_is_its_own() -> None:
    """What a child writes, its parent must not see; the arena's idle blocks are in both."""
    held = ARENA.tensor(1_000_000, torch.float32).fill_(1.0)

    def spoil() -> bool:
        held.fill_(2.0)
        return bool((held == 2.0).all())

    in_a_fork(spoil)
    assert bool((held == 1.0).all())


def test_a_parent_and_its_child_compute_at_once() -> None:
    case, other = case_number(0), case_number(0)
    other = other.but(x=-other.x)
    expected, mine = parts(case.scan()), parts(other.scan())

    def work() -> bool:
        return all(same(parts(case.scan()), expected) for _ in range(200))

    in_a_fork(work, meanwhile=lambda: assert_same(parts(other.scan()), mine))


class Scans(Dataset[Tensor]):
    """Each item is what a scan gives."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Tensor:
        return self.case.but(x=self.case.x + index).scan().outputs


def test_workers_of_a_data_loader_run_scans() -> None:
    data = Scans(case_number(1))
    expected = torch.stack([data[index] for index in range(len(data))])
    loader = DataLoader(data, batch_size=2, num_workers=2, timeout=60, multiprocessing_context="fork")
    assert_same({"items": torch.cat(list(loader))}, {"items": expected})


# Processes, and code on disk

SCRIPT = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from unrolled.engine.cpu import compiled
if sys.argv[1] != "-":
    compiled.FOLDER = Path(sys.argv[1])
made, emit = [], compiled.optimised
compiled.optimised = lambda *given: made.append(1) or emit(*given)
import torch
from engine.cases import CELLS, gradients, make_case, parts
def in_single(case):
    given = {{name: value.float() for name, value in case.parameters.items()}}
    state = {{name: value.float() for name, value in case.state.items()}}
    return case.but(parameters=given, x=case.x.float(), state=state)
def everything(case):
    return {{**parts(case.scan()), **gradients(case)}}
case = in_single(make_case(CELLS["elman"], "cpu"))
values = everything(case)
print(len(made), *(value.double().sum().item().hex() for value in values.values()))
"""


def process(folder: Path | str, script: str = SCRIPT, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", script, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def answer(started: "subprocess.Popen[str]") -> tuple[int, list[str]]:
    """How many modules the process compiled, and what it computed."""
    out, error = started.communicate(timeout=120)
    assert started.returncode == 0, error
    compiled_modules, *values = out.split()
    return int(compiled_modules), values


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with the code of one run, and what the run gives."""
    folder = tmp_path_factory.mktemp("code")
    first, values = answer(process(folder))
    assert first > 0
    return folder, values


def test_a_second_process_compiles_nothing(warm: tuple[Path, list[str]]) -> None:
    folder, values = warm
    before = {one: one.stat().st_mtime_ns for one in folder.iterdir()}
    assert answer(process(folder)) == (0, values)
    assert {one: one.stat().st_mtime_ns for one in folder.iterdir()} == before


SPOILT: tuple[Callable[[bytes], bytes], ...] = (
    lambda whole: whole[: len(whole) // 2],
    lambda whole: whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:],
    lambda whole: bytes([whole[0] ^ 1]) + whole[1:],
    lambda _: b"",
    lambda whole: whole[:20],
)
"""Cut, a byte turned, its digest turned, empty, shorter than a digest."""


def test_spoilt_files_are_made_anew(warm: tuple[Path, list[str]], tmp_path: Path) -> None:
    files = sorted(warm[0].iterdir())
    assert len(files) >= len(SPOILT)
    for place, one in enumerate(files):
        (tmp_path / one.name).write_bytes(SPOILT[place % len(SPOILT)](one.read_bytes()))
    assert answer(process(tmp_path)) == (len(files), warm[1])
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {one.name: one.read_bytes() for one in files}


def test_four_processes_begin_at_once(warm: tuple[Path, list[str]], tmp_path: Path) -> None:
    started = [process(tmp_path / "code") for _ in range(4)]
    for one in started:
        assert answer(one)[1] == warm[1]
    files = list((tmp_path / "code").iterdir())
    assert {one.name for one in files} >= {one.name for one in warm[0].iterdir()}
    assert {one.suffix for one in files} == {".o"}, "something half written is left behind"


def test_a_folder_that_cannot_be_made(warm: tuple[Path, list[str]], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made, values = answer(process(tmp_path / "file" / "code"))
    assert made > 0
    assert values == warm[1]


def test_a_home_that_is_there_and_one_that_is_not(warm: tuple[Path, list[str]], tmp_path: Path) -> None:
    homeless = {name: value for name, value in os.environ.items() if name != "HOME"}
    assert answer(process("-", env={**homeless, "HOME": str(tmp_path)}))[1] == warm[1]
    assert list((tmp_path / compiled.FOLDER.relative_to("~")).glob("*.o"))


WITHOUT_A_HOME = """
import os, pwd
os.environ.pop("HOME")
def unknown(number):
    raise KeyError(f"uid not found: {number}")
pwd.getpwuid = unknown
"""


def test_a_user_without_a_home(warm: tuple[Path, list[str]]) -> None:
    """As in a container that runs as some number that nobody has."""
    assert answer(process("-", script=WITHOUT_A_HOME + SCRIPT))[1] == warm[1]


THREADS = """
import gc, threading
ready, found = threading.Barrier(4), [None] * 4
def work(place):
    ready.wait()
    found[place] = everything(case)
threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
for one in threads:
    one.start()
for one in threads:
    one.join()
gc.collect()
for name in ("lstm", "gru"):  # loaded where the code of the losers has lain, if it was thrown away
    everything(in_single(make_case(CELLS[name], "cpu")))
values = everything(case)
for one in found:
    assert one is not None and all(torch.equal(value, values[name]) for name, value in one.items())
"""


def test_four_threads_begin_at_once(warm: tuple[Path, list[str]], tmp_path: Path) -> None:
    """The first call of each kind compiles and loads code: once, or so that nobody calls what was thrown away."""
    script = SCRIPT.replace("values = everything(case)\n", THREADS)
    for folder in (tmp_path / "code", tmp_path / "code"):  # cold, warm
        assert answer(process(folder, script=script))[1] == warm[1]


CLEARED = """
import gc
from unrolled.engine.cpu import form
everything(case)
form._code.cache_clear()
gc.collect()
for name in ("unit", "gru", "lstm", "jordan"):
    everything(in_single(make_case(CELLS[name], "cpu")))
"""


def test_code_outlives_the_table_that_remembers_it(warm: tuple[Path, list[str]]) -> None:
    """A search over more cells than the table holds must not free the code of one that is still in use."""
    script = SCRIPT.replace("values = everything(case)\n", CLEARED + "values = everything(case)\n")
    assert answer(process(warm[0], script=script))[1] == warm[1]
