"""A process that loads the heavy libraries once and forks a process for every command it is asked to run.

It is started by :mod:`cli.commands`, which speaks JSON lines with it over the socket whose number is its argument.
"""

import atexit
import gc
import json
import os
import socket
import sys
from typing import Any

import lightning.fabric  # noqa: F401 (loaded here, so that no command waits for it)
import matplotlib.figure  # noqa: F401
import tensorboard.summary.writer.record_writer  # noqa: F401

import unrolled.tasks.text.model  # noqa: F401
from unrolled.cli.main import main


def serve(line: socket.socket) -> list[str] | None:
    """Answer until the other side hangs up; in a forked child, return the words of its command."""
    with line, line.makefile("r") as asked, line.makefile("w") as answers:
        for text in asked:
            request = json.loads(text)
            if "words" in request:
                sys.stdout.flush()
                answer = os.fork()
                if not answer:
                    become(request)
                    return request["words"]
            else:
                pid, status = os.waitpid(request["pid"], os.WNOHANG)
                answer = os.waitstatus_to_exitcode(status) if pid else None
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    return None


def become(request: dict[str, Any]) -> None:
    """Take the request's folder, streams and name."""
    os.setsid()
    os.chdir(request["folder"])
    flags = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, (path, flag) in enumerate(zip(request["streams"], flags, strict=True)):
        opened = os.open(path, flag, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["unrolled", *request["words"]]


def end(words: list[str]) -> None:
    """Run a command and end as a process does, but for the taking apart of every module, which takes a second."""
    code = 1
    try:
        main(words)
    except SystemExit as wanted:
        code = wanted.code
    finally:
        if (error := sys.exception()) is not None:
            sys.excepthook(type(error), error, error.__traceback__)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    words = serve(socket.socket(fileno=int(sys.argv[1])))
    if words is not None:
        end(words)
