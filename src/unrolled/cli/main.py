"""The command ``unrolled``: its verbs, and how errors are told (one line; exit code 1 failed, 2 wrong use)."""

import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

import typer

from unrolled.cli.lab import lab
from unrolled.cli.learn import train_app
from unrolled.cli.look import inspect
from unrolled.cli.recipe import recipe
from unrolled.cli.show import cells, data
from unrolled.cli.units import clamp, compare, nearest, units
from unrolled.cli.unroll import unroll
from unrolled.cli.use import evaluate, generate, predict, score
from unrolled.errors import UnrolledError

app = typer.Typer(
    name="unrolled",
    help="Recurrent networks whose cells are their equations: train them, read them, use them.",
    epilog="Start with: unrolled train text tinyshakespeare --minutes 2. An error in full: --debug.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(train_app, name="train")
app.command()(predict)
app.command()(evaluate)
app.command()(generate)
app.command()(score)
app.command()(inspect)
app.command()(units)
app.command()(nearest)
app.command()(clamp)
app.command()(compare)
app.command()(recipe)
app.command()(lab)
app.command()(cells)
app.command()(data)
app.command()(unroll)

# typer keeps its errors in a private module; the public BadParameter descends from the class of all of them.
_CommandLineError: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if issubclass(kind, Exception) and kind.__name__ == "ClickException"
)

_NO_MEMORY = re.compile(r"can't allocate memory|out of memory", re.IGNORECASE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    _open_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    if not debug and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    sys.exit(_run([word for word in words if word != "--debug"], debug))


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C. It may hit a library half imported, which then fails in ways of its own; nobody wants to be told how."""
    sys.excepthook = lambda *_: print("unrolled: stopped.", file=sys.stderr)
    raise KeyboardInterrupt


def _open_streams() -> None:
    """Put nothing in the place of a standard stream that the caller has closed (``>&-``), so that all can be used."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (open to the end)


def _run(words: list[str], debug: bool) -> int:
    try:
        result = typer.main.get_command(app).main(words, prog_name="unrolled", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (BrokenPipeError, SystemExit):  # whoever read the output has seen enough; typer makes an exit of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped.", 1, debug)
    except UnrolledError as error:
        return _fail(str(error), error.exit_code, debug)
    except _CommandLineError as error:
        return _fail(error.format_message().replace(": Value error,", ":"), 2, debug)  # pyright: ignore[reportAttributeAccessIssue]
    except (MemoryError, RuntimeError) as error:  # of torch: it has no class of its own for a processor's memory
        if isinstance(error, RuntimeError) and not _NO_MEMORY.search(str(error)):
            raise
        return _fail("the memory is not enough; try fewer units (--hidden), a smaller --batch, or less data.", 1, debug)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}.", 1, debug)


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    if message:  # a command without its arguments has shown its help instead
        print(f"unrolled: {' '.join(message.split())}", file=sys.stderr)
    return code
