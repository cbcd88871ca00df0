"""The command ``unrolled`` in processes of its own: real streams, exit codes and signals, and begun in no time.

:func:`run` and :func:`start` fork them from a process that has the libraries loaded; :data:`PROGRAM` is the installed
script, for tests of how it starts and for shells.
"""

import atexit
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("unrolled")
LONGEST = 120.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code (minus the signal that killed it) and what it printed."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a command which could not do its work ends with; whatever else fails the test."""
        assert self.code in (1, 2), f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err, self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("unrolled: "), self.err
        assert self.out == ""
        return lines[0].removeprefix("unrolled: ")


class Forks:
    """The process that commands are forked from."""

    def __init__(self) -> None:
        here, there = socket.socketpair()
        command = [sys.executable, str(Path(__file__).with_name("forks.py")), str(there.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[there.fileno()])
        there.close()
        self.line, self.answers = here, here.makefile("r")
        self.folder = Path(tempfile.mkdtemp(prefix="unrolled-commands-"))
        self.count = 0

    def ask(self, request: dict[str, Any]) -> Any:
        """The answer to a request."""
        self.line.sendall((json.dumps(request) + "\n").encode())
        return json.loads(self.answers.readline())

    def close(self) -> None:
        """End the process; it goes when nobody is on the line."""
        self.answers.close()
        self.line.close()
        self.process.wait()
        shutil.rmtree(self.folder)


@cache
def forks() -> Forks:
    """The one process of a test session."""
    made = Forks()
    atexit.register(made.close)
    return made


class Running:
    """A command under way."""

    def __init__(self, words: tuple[object, ...], folder: Path, stdin: bytes) -> None:
        source = forks()
        source.count += 1
        given, self.out, self.err = (source.folder / f"{source.count}.{name}" for name in ("in", "out", "err"))
        given.write_bytes(stdin)
        streams = [str(given), str(self.out), str(self.err)]
        self.words = [str(word) for word in words]
        self.pid: int = source.ask({"words": self.words, "folder": str(folder), "streams": streams})
        self.code: int | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended by now."""
        if self.code is None:
            self.code = forks().ask({"pid": self.pid})
        return self.code is not None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if not self.ended:
            subprocess.run(["kill", f"-{number.value}", str(self.pid)], check=True)

    def wait(self) -> Done:
        """Wait for its end."""
        late = time.monotonic() + LONGEST
        while not self.ended:
            if time.monotonic() > late:
                self.send(signal.SIGKILL)
                raise TimeoutError(f"still running after {LONGEST} s: unrolled {' '.join(self.words)}")
            time.sleep(0.005)
        assert self.code is not None
        out, err = (path.read_text(encoding="utf-8") if path.exists() else "" for path in (self.out, self.err))
        return Done(self.code, out, err)


def start(*words: object, folder: Path, stdin: bytes = b"") -> Running:
    """Begin a command in a folder."""
    return Running(words, folder, stdin)


def run(*words: object, folder: Path, stdin: bytes = b"") -> Done:
    """Run a command in a folder to its end."""
    return start(*words, folder=folder, stdin=stdin).wait()
