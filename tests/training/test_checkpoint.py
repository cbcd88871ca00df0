"""Checkpoints: nested values there and back, exactly; damaged, foreign and missing files named; written whole."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from training.equality import assert_same
from unrolled.errors import UnrolledError
from unrolled.training.checkpoint import load_checkpoint, random_state, restore_random_state, save_checkpoint

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Tensors of any shape and dtype, not always contiguous."""
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    values = torch.randint(0, 100, shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    made = values.to(draw(st.sampled_from(DTYPES)))
    return made.mT if made.dim() > 1 and draw(st.booleans()) else made


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(max_size=5) | st.integers() | st.sampled_from(["tensor", "tuple", "items"])
keys = keys.filter(lambda key: not isinstance(key, str) or key.isprintable())
contents = st.recursive(
    plain | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=3) | st.just(())
    ),
    max_leaves=12,
)


@given(st.dictionaries(keys, contents, max_size=4))
def test_nested_values_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, content: dict) -> None:
    path = tmp_path_factory.getbasetemp() / "nested.safetensors"
    save_checkpoint(path, content)
    assert_same(load_checkpoint(path), content)


def test_tensors_that_share_memory_come_back_apart(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    save_checkpoint(tmp_path / "one", {"whole": whole, "part": whole[:3], "again": whole})
    loaded = load_checkpoint(tmp_path / "one")
    loaded["whole"].zero_()
    assert loaded["part"].tolist() == [0, 1, 2]
    assert loaded["again"].tolist() == [0, 1, 2, 3, 4, 5]


def test_what_a_checkpoint_cannot_hold_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a checkpoint holds no set"):
        save_checkpoint(tmp_path / "one", {"a": {1, 2}})
    assert list(tmp_path.iterdir()) == []


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    torch.manual_seed(7)
    torch.rand(3)
    save_checkpoint(tmp_path / "one", {"random": random_state()})
    expected = torch.randn(5)
    torch.manual_seed(8)
    restore_random_state(load_checkpoint(tmp_path / "one")["random"])
    assert torch.equal(torch.randn(5), expected)


# Files that are no whole checkpoint.


def refusal(path: Path) -> str:
    with pytest.raises(UnrolledError) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "last") == f"there is no checkpoint {tmp_path / 'last'} to resume from."


@pytest.mark.parametrize("keep", [0, 7, 8, 60, -1])
def test_a_truncated_file_is_damaged(keep: int, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last", {"a": torch.ones(3), "b": [1, "two"]})
    whole = (tmp_path / "last").read_bytes()
    (tmp_path / "last").write_bytes(whole[:keep])
    assert "is damaged" in refusal(tmp_path / "last")


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\xff" * 64, b"PK\x03\x04" + b"\0" * 64])
def test_bytes_of_another_kind_are_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "last").write_bytes(content)
    assert "is damaged" in refusal(tmp_path / "last")


def test_tensors_that_unrolled_did_not_write_are_foreign(tmp_path: Path) -> None:
    save_file({"a": torch.ones(3)}, tmp_path / "last")
    assert refusal(tmp_path / "last") == f"{tmp_path / 'last'} is no checkpoint of unrolled."
    save_file({"a": torch.ones(3)}, tmp_path / "last", {"format": "pt"})
    assert refusal(tmp_path / "last") == f"{tmp_path / 'last'} is no checkpoint of unrolled."


@pytest.mark.parametrize(
    "layout", ["", "{", "[]", "3", '{"tensor": "5"}', '{"items": [["a", {"tensor": "9"}]]}', '{"items": 5}', "{}"]
)
def test_a_layout_that_does_not_fit_the_tensors_is_damaged(layout: str, tmp_path: Path) -> None:
    save_file({"0": torch.ones(3)}, tmp_path / "last", {"unrolled checkpoint": layout})
    assert "is damaged" in refusal(tmp_path / "last")


def test_a_folder_in_the_place_of_a_checkpoint_is_named(tmp_path: Path) -> None:
    assert "is damaged" in refusal(tmp_path)


# Written whole or not at all.

WRITERS = """
import os, signal, sys, torch
from pathlib import Path
from unrolled.training.checkpoint import save_checkpoint
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for path in map(str.strip, sys.stdin):
    if writer := os.fork():
        print(writer, flush=True)
        continue
    for count in range(1, 10**6):
        save_checkpoint(Path(path), {"count": count, "values": torch.full((400_000,), count)})
"""
"""Forks a process for every path it reads that writes there again and again, and prints its id."""


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path, parts = tmp_path / "last", 0
    command = [sys.executable, "-c", WRITERS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
        assert forks.stdin is not None
        assert forks.stdout is not None
        for delay in (0.0, 0.002, 0.005, 0.009, 0.017, 0.031):
            forks.stdin.write(f"{path}\n")
            forks.stdin.flush()
            writer = int(forks.stdout.readline())
            while not (path.exists() and list(tmp_path.glob(f".last.{writer}.part"))):
                assert forks.poll() is None
            time.sleep(delay)
            os.kill(writer, signal.SIGKILL)
            while Path(f"/proc/{writer}").exists():
                time.sleep(0.001)
            parts += (tmp_path / f".last.{writer}.part").exists()
            content = load_checkpoint(path)
            assert content["values"].unique().tolist() == [content["count"]]
        forks.stdin.close()
    assert parts > 0, "no writer was killed in the middle; the test shows nothing"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last", {"a": 1})
    program = (
        "import resource, sys, torch; from pathlib import Path; "
        "from unrolled.training.checkpoint import save_checkpoint; "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)); "
        "save_checkpoint(Path(sys.argv[1]), {'a': torch.zeros(9_000)})"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "last")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "OSError: [Errno 27] File too large" in done.stderr
    assert load_checkpoint(tmp_path / "last") == {"a": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["last"]


def test_the_layout_is_json_beside_plain_tensors(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last", {"a": torch.ones(2), "b": (1, None)})
    raw = (tmp_path / "last").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert header["0"]["dtype"] == "F32"
    assert json.loads(header["__metadata__"]["unrolled checkpoint"])["items"][1] == ["b", {"tuple": [1, None]}]
