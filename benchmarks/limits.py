"""A limit on how long a peer may compile."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from benchmarks.contender import LeftOut

COMPILE_SECONDS = 120


def compile_by_running(run: Callable[[], object], seconds: int = COMPILE_SECONDS) -> None:
    """Run once what torch.compile has wrapped. Raises LeftOut where that fails or takes too long."""
    from torch._dynamo.exc import TorchDynamoException  # takes seconds to load, and only compiling needs it

    try:
        with at_most(seconds, "compile"):
            run()
    except TorchDynamoException as error:
        raise LeftOut(f"torch.compile: {str(error).splitlines()[0]}") from None


@contextmanager
def at_most(seconds: int, what: str) -> Iterator[None]:
    """Raise LeftOut once ``seconds`` have passed inside. Without effect where there is no alarm signal (Windows)."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise LeftOut(f"{what} took > {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
